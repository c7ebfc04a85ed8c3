"""The daemons under test: keepline, and the real keepalived as its peer and reference."""

import itertools
import json
import os
import re
from pathlib import Path

from process import DEADLINE_S, wait_for

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("KEEPLINE_BUILD", "build")  # scripts/bench has one of its own
KEEPLINED = BUILD / "keeplined"
KEEPLINE = BUILD / "keepline"

_numbers = itertools.count()

# What keepalived writes when a peer's advert does not please it.
COMPLAINT = re.compile(
    r"invalid|incorrect|mismatch|ignoring|discard|drop|bogus|error|fail|unexpected"
    r"|receive[d]? .*\b(wrong|bad)\b|not match",
    re.IGNORECASE,
)


class Daemon:
    """A VRRP daemon on one host with one configuration file."""

    def __init__(self, host, configuration):
        self.host = host
        if isinstance(configuration, Path):
            configuration = configuration.read_text()
        self.file = host.lab.file(f"{host.name}-{next(_numbers)}.conf", configuration)
        self.process = None

    def start(self, *options, env=None):
        self.process = self.host.start(*self.command(), *options, name=self.NAME, env=env)
        self.wait_started()
        return self

    def log(self):
        return self.process.output()

    def stop(self):
        """SIGTERM; returns the exit code."""
        return self.process.stop()

    def kill(self):
        self.process.kill()

    def freeze(self):
        self.process.freeze()

    def thaw(self):
        self.process.thaw()

    def is_master(self, address):
        """As anyone would see it: `ip addr` shows the VIP."""
        return self.process.running() and self.host.has_address(address)

    def wait_master(self, address, timeout=DEADLINE_S):
        wait_for(lambda: self.is_master(address), timeout, f"{self.host} is master of {address}")
        return self

    def wait_backup(self, address, timeout=DEADLINE_S):
        """Running, and the VIP is not (or no longer) there."""

        def gone():
            assert self.process.running(), f"{self.host}: {self.log()[-2000:]}"
            return not self.host.has_address(address)

        wait_for(gone, timeout, f"{self.host} has left {address}")
        return self


class Keepalived(Daemon):
    NAME = "keepalived"

    def command(self):
        base = self.file.with_suffix("")
        words = ["keepalived", "-n", "-l", "-D", "-P", "-f", self.file]
        return words + ["-p", f"{base}.pid", "-r", f"{base}.vrrp.pid"]

    def wait_started(self):
        self.process.wait_output("Startup complete")

    def complaints(self):
        """The lines of the log in which keepalived finds fault with an advert it received."""
        lines = [line for line in self.log().splitlines() if "received lower priority" not in line]
        return [line for line in lines if COMPLAINT.search(line)]


class KeepalivedBfd(Keepalived):
    """With its BFD process, which -P would leave out; there are no services."""

    def command(self):
        base = self.file.with_suffix("")
        return [word for word in super().command() if word != "-P"] + ["-b", f"{base}.bfd.pid"]


class Keepline(Daemon):
    NAME = "keeplined"

    def __init__(self, host, configuration):
        super().__init__(host, configuration)
        ports = [f"port {device} {{\n {how}\n }}" for device, how in host.owned.items()]
        if ports:
            with self.file.open("a") as file:
                file.write("dataplane {\n" + "\n".join(ports) + "\n}\n")

    def command(self):
        return [KEEPLINED, "-f", self.file, "-n", "-l", "-D"]

    def wait_started(self):
        def answers():
            assert self.process.running(), f"exit {self.process.exit_code}: {self.log()[-3000:]}"
            return self.try_cli("status") is not None

        wait_for(answers, 30, f"keeplined on {self.host} answers its CLI", interval=0.2)

    def cli_text(self, *words):
        return self.host.run(KEEPLINE, *words).stdout

    def try_cli(self, *words):
        done = self.host.run(KEEPLINE, *words, "--json", check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def cli(self, *words):
        return json.loads(self.cli_text(*words, "--json"))

    # Where the tests look into the JSON of the CLI (control/api/status.h): in one place, here.

    def instances(self):
        return {instance["name"]: instance for instance in self.cli("vrrp")["instances"]}

    def instance(self, name=None):
        instances = self.instances()
        return instances[name] if name else next(iter(instances.values()))

    def state(self, name=None):
        return self.instance(name)["state"]

    def wait_state(self, state, name=None, timeout=DEADLINE_S):
        wait_for(lambda: self.state(name) == state, timeout, f"{self.host} is {state}")

    def port(self, name):
        return next(port for port in self.cli("status")["ports"] if port["name"] == name)

    def statistics(self, name=None):
        return self.instance(name)["statistics"]

    def bfd(self, name=None):
        """A BFD session; without a name the only one."""
        sessions = {session["name"]: session for session in self.cli("bfd")["sessions"]}
        return sessions[name] if name else next(iter(sessions.values()))

    def wait_bfd(self, state, name=None, timeout=DEADLINE_S):
        wait_for(lambda: self.bfd(name)["state"] == state, timeout, f"BFD of {self.host}: {state}")
        return self

    def services(self):
        return self.cli("services")["services"]

    def servers(self, service=0):
        """The real servers of a service, a sorry server included, by "address:port"."""
        rows = self.services()[service]["reals"]
        return {f"{row['address']}:{row['port']}": row for row in rows}

    def active(self):
        """Established connections, in all."""
        rows = [row for service in self.services() for row in service["reals"]]
        return sum(row["active"] for row in rows)

    def weight(self, server):
        """The effective weight of "address:port"; None when it is not in the pool."""
        row = self.servers().get(server)
        return row["weight"] if row and row["in_pool"] else None

    def connections(self):
        return self.cli("connections")["connections"]

    def flows(self, event):
        """The workers' counter of what became of flows, summed."""
        return sum(worker["flows"][event] for worker in self.cli("status")["workers"])

    def drops(self):
        """The workers' drop counters, summed."""
        total = {}
        for worker in self.cli("status")["workers"]:
            for reason, count in worker["drops"].items():
                total[reason] = total.get(reason, 0) + count
        return total
