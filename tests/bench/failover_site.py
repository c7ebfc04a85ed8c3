"""Where failovers are measured: two nodes with a VIP, far ends of the probe behind it, a client.

A cable of its own (`eth9`) leads from the client to each far end, so that it can be asked at the
end what it has seen, also when its node is dead to everybody else.
"""

import json
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

from daemons import KEEPLINE, Keepalived, Keepline  # noqa: E402
from process import send_signal, wait_for  # noqa: E402
from topologies import OUTSIDE_VIP, WEBS, pair, two_arms  # noqa: E402
from topologies import two_arm_configuration, virtual_server, vrrp_instance  # noqa: E402

PORT = 7007
LOCAL_VIP, SECOND_VIP = "10.0.0.50", "10.0.0.51"
PRIORITIES = (200, 100)
READY_S = 60
TCP_CHECK = "TCP_CHECK {\n connect_timeout 1\n retry 0\n }"


class Probe:
    """A running `keepline bench-failover udp` or `tcp` on the client."""

    MOST_S = 120  # a signal ends it long before

    def __init__(self, site, kind, rate, wait_s):
        words = [KEEPLINE, "bench-failover", kind, f"{site.vip}:{PORT}", "--json", "--realtime"]
        words += ["--rate", str(rate), "--seconds", str(self.MOST_S), "--wait", str(wait_s)]
        if kind == "udp":
            words += [word for address in site.far_ends for word in ("--server", address)]
        self._process = site.client.start(*words, name=kind)

    def report(self):
        code = self._process.stop(timeout=30)
        assert code == 0, self._process.output()
        return json.loads(self._process.output().splitlines()[-1])


class Site:
    """Two daemons; node1 is the preferred one. Derived classes say where the VIP leads."""

    def __init__(self, lab, interval):
        self.lab = lab
        self.interval = interval
        self.daemons = []
        self.cables = []  # of node1
        self.far_ends = []
        self.neighbours = []  # whoever keeps the VIP's MAC address in a table

    def lay_far_ends(self, hosts):
        switch = self.lab.switch("aside")
        self.lab.cable(self.client, "eth9", switch, "10.9.0.100/24")
        for number, host in enumerate(hosts, start=1):
            address = f"10.9.0.{number}"
            self.lab.cable(host, "eth9", switch, f"{address}/24")
            self.far_ends.append(f"{address}:{PORT}")
            words = [KEEPLINE, "bench-failover", "echo", str(PORT), "--name", host.name]
            host.start(*words, "--realtime", name="echo").wait_output("answering")

    def start(self):
        for node, priority in zip(self.nodes, PRIORITIES):
            self.daemons.append(self.daemon(node, self.configuration(priority)))
        self.daemons[0].start().wait_master(self.vip)
        self.daemons[1].start()
        self.make_ready()

    def answering(self):
        """Who answers four new connections; nobody, if one is not answered within half a second."""
        words = ["bench-failover", "tcp", f"{self.vip}:{PORT}", "--rate", "100"]
        words += ["--seconds", "0.04", "--wait", "0.5", "--json"]
        report = json.loads(self.client.run(KEEPLINE, *words).stdout)
        return set(report["servers"]) if report["answered"] == report["sent"] else set()

    def make_ready(self):
        """Everything mended, node1 is master and serves, node2 is its backup."""
        for cable in self.cables:
            cable.plug()
            cable.thaw()
        for daemon in self.daemons:
            if daemon.process.running():
                daemon.thaw()
            else:
                self.clear(daemon)
                daemon.start()
        self.daemons[0].wait_master(self.vip, READY_S)
        self.daemons[1].wait_backup(self.vip, READY_S)
        # Of two keepalived that were both master the one that stays announces nothing: neighbours
        # would keep the other's address for up to a minute. keepline tells them; the same for all.
        for host in self.neighbours:
            host.ip("neigh flush dev eth0")
        wait_for(self.serves, READY_S, f"{self.vip} is served")

    def serves(self):
        """As it is to be before a repetition, seen from the client."""
        raise NotImplementedError

    def clear(self, daemon):
        """What a killed daemon has left is removed; keepline does that itself when it starts."""

    def reload(self, extra):
        """Both nodes read a new configuration, with an instance or service more or without."""
        for daemon, priority in zip(self.daemons, PRIORITIES):
            daemon.file.write_text(self.configuration(priority, extra))
            send_signal(daemon.process.pid, signal.SIGHUP)


class LocalSite(Site):
    """The VIP is an address of the master, where the far end runs."""

    def __init__(self, lab, interval):
        super().__init__(lab, interval)
        net = pair(lab)
        self.client, self.nodes, self.vip = net.client, net.nodes, LOCAL_VIP
        self.cables = [net.cables[0]]
        self.neighbours = [net.client]
        self.lay_far_ends(net.nodes)

    def configuration(self, priority, extra=False):
        words = {"priority": priority, "advert_int": self.interval}
        text = vrrp_instance(vip=LOCAL_VIP, **words)
        return text + (vrrp_instance("VI_2", SECOND_VIP, vrid=52, **words) if extra else "")

    def serves(self):
        return self.answering() == {self.nodes[0].name}


class KeepalivedSite(LocalSite):
    daemon = Keepalived

    def clear(self, daemon):
        for address in daemon.host.addresses("eth0") & {LOCAL_VIP, SECOND_VIP}:
            daemon.host.run("ip", "address", "del", f"{address}/32", "dev", "eth0")
        for suffix in (".pid", ".vrrp.pid"):  # it would not start beside a killed one's
            daemon.file.with_suffix(suffix).unlink(missing_ok=True)


class KeeplineSite(LocalSite):
    daemon = Keepline


class KeeplineNatSite(Site):
    """The VIP is a service that keepline forwards to two real servers, by NAT."""

    daemon = Keepline

    def __init__(self, lab, interval):
        super().__init__(lab, interval)
        net = two_arms(lab)
        self.client, self.nodes, self.vip = net.client, net.nodes, OUTSIDE_VIP
        self.cables = [net.outside_cables[0], net.inside_cables[0]]
        self.webs = net.webs
        self.neighbours = [net.router, *net.webs]
        self.web_cable = net.webs[0].cables["eth0"]
        self.lay_far_ends(net.webs)

    def configuration(self, priority, extra=False):
        udp = virtual_server(port=PORT, protocol="UDP", check="", server_words="")
        tcp = virtual_server(port=PORT, check=TCP_CHECK, server_words="")
        more = virtual_server(port=PORT + 1, check=TCP_CHECK, server_words="") if extra else ""
        words = {"bfd_to": self.other(priority), "advert_int": self.interval}
        return two_arm_configuration(priority, udp + tcp + more, **words)

    def other(self, priority):
        """The number of the node that the one of this priority has BFD sessions with."""
        return None

    def make_ready(self):
        self.web_cable.plug()
        super().make_ready()

    def serves(self):
        pools = [daemon.services() for daemon in self.daemons]
        rows = [row for services in pools for service in services for row in service["reals"]]
        # Also the way back from each: a server may still believe another node to be its gateway.
        names = {web.name for web in self.webs}
        return all(row["in_pool"] for row in rows) and self.answering() == names

    def has_dropped(self, server):
        """The master has taken the server out of the TCP service."""
        services = self.daemons[0].services()
        rows = [row for each in services if each["protocol"] == "TCP" for row in each["reals"]]
        return not any(row["in_pool"] and row["address"] == server for row in rows)


class KeeplineBfdSite(KeeplineNatSite):
    """The same, and each node tracks the other by BFD, 3 x 3 ms."""

    def configuration(self, priority, extra=False):
        # The nodes, the probe and its far ends share the CPUs of one machine.
        first = "global_defs {\n vrrp_rt_priority 50\n bfd_rt_priority 50\n}\n"
        return first + super().configuration(priority, extra)

    def other(self, priority):
        return 2 if priority == PRIORITIES[0] else 1

    def make_ready(self):
        super().make_ready()
        for daemon in self.daemons:
            for name in ("to-OUT", "to-IN"):
                daemon.wait_bfd("Up", name, READY_S)


SITES = {
    "keepline": KeeplineSite,
    "keepline-nat": KeeplineNatSite,
    "keepline-bfd": KeeplineBfdSite,
    "keepalived": KeepalivedSite,
}
FIRST_SERVER = WEBS[0]
