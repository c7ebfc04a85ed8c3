"""What happens to the master while the probe runs, and when that is over."""

import signal
import time

from failover_site import FIRST_SERVER, Keepline, KeeplineNatSite
from process import send_signal, wait_for

DONE_S = 60
QUIET_S = 1.5  # how long is watched where nothing visible happens


class Scenario:
    """`prepare` before the probe starts, `act` while it runs, `wait_done` until it has happened,
    `restore` after it has ended."""

    words = ""  # for people
    adverts = 4.5  # how many advert intervals it takes, for the progress bar

    def fits(self, _site_class):
        return True

    def prepare(self, site):
        pass

    def wait_done(self, site):
        site.daemons[1].wait_master(site.vip, DONE_S)

    def restore(self, site):
        """What Site.make_ready() does not know of."""


class Quiet(Scenario):
    words = "nothing happens"
    adverts = 0

    def act(self, site):
        pass

    def wait_done(self, site):
        time.sleep(QUIET_S)


class Stop(Scenario):
    words = "planned stop (SIGTERM)"

    def act(self, site):
        send_signal(site.daemons[0].process.pid, signal.SIGTERM)


class Failover(Scenario):
    words = "the master is asked to hand over (keepline failover)"

    def fits(self, site_class):
        return issubclass(site_class.daemon, Keepline)

    def act(self, site):
        site.daemons[0].cli_text("failover")

    def restore(self, site):
        site.daemons[0].cli_text("failover", "--back")


class Preempt(Scenario):
    words = "the preferred node returns (preemption)"
    adverts = 9

    def prepare(self, site):
        site.daemons[0].stop()
        site.daemons[1].wait_master(site.vip, DONE_S)
        wait_for(site.answering, DONE_S, f"{site.vip} is served by node2")

    def act(self, site):
        site.daemons[0].start()

    def wait_done(self, site):
        site.daemons[0].wait_master(site.vip, DONE_S)


class Kill(Scenario):
    words = "the daemon is killed (SIGKILL)"

    def act(self, site):
        site.daemons[0].kill()


class Suspend(Scenario):
    words = "the daemon is suspended (SIGSTOP)"

    def act(self, site):
        site.daemons[0].freeze()


class UnplugCable(Scenario):
    words = "the master's cable is pulled"

    def act(self, site):
        site.cables[0].unplug()


class Machine(Scenario):
    words = "the master's machine falls silent (its links stay up)"

    def act(self, site):
        for cable in site.cables:
            cable.freeze()


class Server(Scenario):
    words = "a real server's machine dies (TCP_CHECK, delay_loop 1, connect_timeout 1)"
    adverts = 0

    def fits(self, site_class):
        return issubclass(site_class, KeeplineNatSite)

    def act(self, site):
        site.web_cable.unplug()

    def wait_done(self, site):
        wait_for(lambda: site.has_dropped(FIRST_SERVER), DONE_S, "the server is out of the pool")


class Reload(Scenario):
    words = "both nodes read a new configuration (SIGHUP): one instance or service more"
    adverts = 0

    def act(self, site):
        site.reload(extra=True)

    def wait_done(self, site):
        time.sleep(QUIET_S)

    def restore(self, site):
        site.reload(extra=False)
        time.sleep(QUIET_S)


SCENARIOS = {
    "stop": Stop(),
    "failover": Failover(),
    "preempt": Preempt(),
    "kill": Kill(),
    "suspend": Suspend(),
    "cable": UnplugCable(),
    "machine": Machine(),
    "server": Server(),
    "reload": Reload(),
    "quiet": Quiet(),
}
