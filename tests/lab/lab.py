"""Several hosts on one machine: namespaces, switches and cables that always go away again.

    with Lab() as lab:
        lan = lab.switch("lan")
        client = lab.host("client")
        lab.cable(client, "eth0", lan, "10.0.0.100/24")

A host is a network namespace, a switch is a bridge in a namespace of its own, a cable is a veth
pair with checksum offload off at both ends (otherwise AF_XDP and AF_PACKET see frames with
unfinished checksums). Namespaces are named kl-PID-N-HOST, so that labs run side by side and one
that was killed can be swept away by the next (`sweep`).
"""

import atexit
import ctypes
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from capture import Capture
from process import DEADLINE_S, Process, send_signal, wait_for

NETNS_DIRECTORY = Path("/run/netns")
CLONE_NEWNET = 0x40000000

_lab_numbers = itertools.count()
_libc = ctypes.CDLL(None, use_errno=True)


def run(argv, timeout=DEADLINE_S, check=True, stdin=None):
    """Runs a short command to its end; a failure shows what it said."""
    argv = [str(word) for word in argv]
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=timeout)
    if check and done.returncode != 0:
        said = done.stderr + done.stdout
        raise AssertionError(f"{' '.join(argv)}: exit {done.returncode}\n{said}")
    return done


def in_namespace(namespace, function):
    """Calls `function` in a thread that has entered the network namespace.

    Sockets belong to the namespace of the thread that made them, so they can be used anywhere
    afterwards.
    """
    outcome = []

    def enter():
        try:
            with open(NETNS_DIRECTORY / namespace) as handle:
                if _libc.setns(handle.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), f"setns {namespace}")
            outcome.append((function(), None))
        except BaseException as error:  # handed to the caller
            outcome.append((None, error))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    value, error = outcome[0]
    if error:
        raise error
    return value


class Namespace:
    """A network namespace and what is started in it."""

    def __init__(self, lab, name):
        self.lab = lab
        self.name = name
        self.namespace = lab.prefix + name
        run(["ip", "netns", "add", self.namespace])
        self.set_sysctl(
            **{
                "net.ipv6.conf.all.disable_ipv6": 1,
                "net.ipv6.conf.default.disable_ipv6": 1,
                "net.ipv4.conf.all.rp_filter": 0,
                "net.ipv4.conf.default.rp_filter": 0,
            }
        )
        self.ip("link set lo up")

    def __repr__(self):
        return self.name

    def inside(self, argv):
        return ["ip", "netns", "exec", self.namespace, *argv]

    def run(self, *argv, timeout=DEADLINE_S, check=True, stdin=None):
        return run(self.inside(argv), timeout, check, stdin)

    def start(self, *argv, name=None, env=None):
        """Starts a program that runs until it is stopped or the lab ends."""
        name = name or Path(str(argv[0])).name
        return self.lab.start(self.inside(argv), f"{self.name}-{name}", env)

    def ip(self, *commands):
        """`ip` commands in the namespace, as one batch."""
        run(["ip", "-n", self.namespace, "-batch", "-"], stdin="\n".join(commands) + "\n")

    def sysctl(self, key):
        return self.run("sysctl", "-n", key).stdout.strip()

    def set_sysctl(self, **values):
        words = [f"{key}={value}" for key, value in values.items()]
        run(["ip", "netns", "exec", self.namespace, "sysctl", "-e", "-q", "-w", *words])

    def capture(self, device, expression="", direction="inout"):
        """tcpdump on a device: started when this returns."""
        capture = Capture(self, device, expression, direction)
        self.lab.on_exit(capture.stop)
        return capture

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM, protocol=0):
        return in_namespace(self.namespace, lambda: socket.socket(family, kind, protocol))

    def sockets(self, count):
        """Many TCP sockets at once: entering the namespace is what takes time."""
        return in_namespace(self.namespace, lambda: [socket.socket() for _ in range(count)])

    def remove(self):
        """Ends whatever is left in the namespace, then the namespace."""
        pids = run(["ip", "netns", "pids", self.namespace], check=False).stdout.split()
        for pid in map(int, pids):
            if pid != os.getpid():
                send_signal(pid, signal.SIGKILL)
        run(["ip", "netns", "del", self.namespace], check=False)


class Host(Namespace):
    """A machine with addresses, seen from its own shell."""

    def __init__(self, lab, name, forward=False, ipv6=False):
        super().__init__(lab, name)
        self.cables = {}
        self.owned = {}  # devices whose NIC a DPDK driver owns: what `port` says of it
        if ipv6:
            # No waiting for duplicate detection, and nobody's advertisements but the test's own.
            for scope in ("all", "default"):
                conf = f"net.ipv6.conf.{scope}"
                self.set_sysctl(**{f"{conf}.disable_ipv6": 0, f"{conf}.accept_ra": 0})
                self.set_sysctl(**{f"{conf}.accept_dad": 0})
        if forward:
            self.set_sysctl(**{"net.ipv4.ip_forward": 1})
        if forward and ipv6:
            self.set_sysctl(**{"net.ipv6.conf.all.forwarding": 1})

    def addresses(self, device=None):
        """The IPv4 addresses (without prefix length) that `ip addr` shows."""
        words = ["ip", "-n", self.namespace, "-4", "-br", "address", "show"]
        shown = run(words + (["dev", device] if device else [])).stdout
        return set(re.findall(r"(\d+\.\d+\.\d+\.\d+)/\d+", shown))

    def has_address(self, address):
        """An address of either family."""
        words = ["ip", "-n", self.namespace, "-br", "address", "show", "to", address]
        return run(words).stdout.strip() != ""

    def link_local(self, device):
        """Its IPv6 address of link scope."""
        words = ["ip", "-n", self.namespace, "-6", "-br", "address", "show", "dev", device]
        return re.search(r"(fe80::[0-9a-f:]+)/", run([*words, "scope", "link"]).stdout).group(1)

    def mac(self, device):
        shown = run(["ip", "-n", self.namespace, "-br", "link", "show", "dev", device]).stdout
        return shown.split()[2]

    def xdp_attached(self, device):
        shown = run(["ip", "-n", self.namespace, "-d", "link", "show", "dev", device]).stdout
        return "xdp" in shown

    def neighbour(self, address):
        """The MAC address in the neighbour table, or None."""
        shown = run(["ip", "-n", self.namespace, "neigh", "show", address]).stdout
        found = re.search(r"lladdr ([0-9a-f:]+)", shown)
        return found.group(1) if found else None

    def refused_ipv6_packets(self):
        """The kernel's count of received packets that were to none of its addresses."""
        shown = self.run("cat", "/proc/net/snmp6").stdout
        return int(re.search(r"^Ip6InAddrErrors\s+(\d+)", shown, re.M).group(1))

    def ping(self, address, count=1, interval=0.2):
        """How many of `count` echo requests were answered."""
        words = ["ping", "-n", "-c", count, "-i", interval, "-W", 1, address]
        shown = self.run(*words, check=False, timeout=DEADLINE_S + 2 * count).stdout
        found = re.search(r"(\d+) received", shown)
        return int(found.group(1)) if found else 0

    def arping(self, address, device, count=2):
        """The set of MAC addresses that answer for `address`."""
        shown = self.run("arping", "-c", count, "-w", count, "-I", device, address, check=False)
        return {mac.lower() for mac in re.findall(r"\[([0-9A-Fa-f:]{17})\]", shown.stdout)}

    def curl(self, url, *options, timeout=5):
        """The body, or None if there was no answer or none with status below 400."""
        words = ("curl", "-g", "-s", "-f", "-m", timeout, *options, url)
        done = self.run(*words, check=False, timeout=timeout + DEADLINE_S)
        return done.stdout if done.returncode == 0 else None


class Switch(Namespace):
    """A learning switch: a bridge with nothing between its ports, above all no netfilter."""

    def __init__(self, lab, name):
        super().__init__(lab, f"switch-{name}")
        self.set_sysctl(
            **{
                "net.bridge.bridge-nf-call-iptables": 0,
                "net.bridge.bridge-nf-call-ip6tables": 0,
                "net.bridge.bridge-nf-call-arptables": 0,
            }
        )
        self.ip(
            "link add name br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
            "link set br0 up",
        )


class Cable:
    """A veth pair between a host's device and a port of a switch."""

    driver = "af_xdp"  # as keepline names it in its status

    def __init__(self, host, device, switch, *addresses):
        self.host = host
        self.device = device
        self.switch = switch
        self.port = f"{host.name}-{device}"[:15]
        run(
            ["ip", "link", "add", device, "netns", host.namespace, "type", "veth"]
            + ["peer", "name", self.port, "netns", switch.namespace]
        )
        host.run("ethtool", "-K", device, "tx", "off")
        switch.run("ethtool", "-K", self.port, "tx", "off")
        host.ip(
            *[f"address add {address} dev {device}" for address in addresses],
            f"link set {device} up",
        )
        switch.ip(f"link set {self.port} master br0 up")
        host.cables[device] = self

    def unplug(self):
        """The host loses its carrier."""
        self.switch.ip(f"link set {self.port} down")

    def plug(self):
        self.switch.ip(f"link set {self.port} up")

    def freeze(self):
        """Nothing passes, but the carrier stays: what a suspended machine looks like."""
        self.switch.run("bridge", "link", "set", "dev", self.port, "state", "0")

    def thaw(self):
        self.switch.run("bridge", "link", "set", "dev", self.port, "state", "3")

    def capture_sent(self, expression=""):
        """Captures what the host sends, seen from the switch (AF_XDP is invisible on the host)."""
        return self.switch.capture(self.port, expression, "in")


class Lab:
    """Context manager: everything that is made through it is removed at its end.

    `node_cable` makes the cables of hosts called node*: see nics.py.
    """

    def __init__(self, prefix=None, directory=None, node_cable=Cable):
        self.node_cable = node_cable
        self.prefix = prefix or f"kl-{os.getpid()}-{next(_lab_numbers)}-"
        self.directory = Path(directory or tempfile.mkdtemp(prefix="keepline-lab-"))
        self.directory.mkdir(exist_ok=True)
        self.processes = []
        self._namespaces = []
        self._finalisers = []
        self._abandoned = False
        self._sigterm = None

    def __enter__(self):
        atexit.register(self.close)
        if threading.current_thread() is threading.main_thread():
            self._sigterm = signal.signal(signal.SIGTERM, lambda *_: os._exit(self._terminated()))
        return self

    def __exit__(self, *_):
        self.close()

    def _terminated(self):
        self.close()
        return 128 + signal.SIGTERM

    def close(self):
        if self._abandoned:
            return
        atexit.unregister(self.close)
        todo = [*reversed(self._finalisers)]
        todo += [process.ask_to_finish for process in reversed(self.processes)]
        todo += [process.finish for process in reversed(self.processes)]
        todo += [namespace.remove for namespace in reversed(self._namespaces)]
        self._finalisers, self._namespaces = [], []
        for finaliser in todo:
            try:
                finaliser()
            except Exception as error:  # one that fails must not keep the others from running
                print(f"lab: {finaliser}: {error}", file=sys.stderr)
        shutil.rmtree(self.directory, ignore_errors=True)
        if self._sigterm is not None:
            signal.signal(signal.SIGTERM, self._sigterm)
            self._sigterm = None

    def abandon(self):
        """Leaves everything up (the demo's --keep); `remove_labs` takes it down later."""
        atexit.unregister(self.close)
        self._abandoned = True

    def on_exit(self, finaliser):
        self._finalisers.append(finaliser)

    def host(self, name, forward=False, ipv6=False):
        host = Host(self, name, forward, ipv6)
        self._namespaces.append(host)
        return host

    def switch(self, name="lan"):
        switch = Switch(self, name)
        self._namespaces.append(switch)
        return switch

    def cable(self, host, device, switch, *addresses):
        make = self.node_cable if host.name.startswith("node") else Cable
        return make(host, device, switch, *addresses)

    def start(self, argv, name, env=None):
        number = sum(process.name == name for process in self.processes)
        log = self.directory / (f"{name}.{number}.log" if number else f"{name}.log")
        process = Process(argv, name, log, env)
        self.processes.append(process)
        return process

    def file(self, name, text):
        path = self.directory / name
        path.write_text(text)
        return path

    def logs(self, lines=60):
        """What every process said last, for a failure report."""
        for process in self.processes:
            state = "running" if process.running() else f"exit {process.exit_code}"
            tail = process.output().splitlines()[-lines:]
            yield f"{process.name} ({state}): {' '.join(process.argv[4:])}", "\n".join(tail)


def remove_labs(prefix_pattern):
    """Removes the namespaces (and the processes in them) whose names match; returns them."""
    names = os.listdir(NETNS_DIRECTORY) if NETNS_DIRECTORY.is_dir() else []
    removed = [name for name in names if re.match(prefix_pattern, name)]
    for name in removed:
        for pid in run(["ip", "netns", "pids", name], check=False).stdout.split():
            send_signal(int(pid), signal.SIGKILL)
        run(["ip", "netns", "del", name], check=False)
    return removed


def sweep():
    """Removes what labs left whose process was killed."""
    names = os.listdir(NETNS_DIRECTORY) if NETNS_DIRECTORY.is_dir() else []
    owners = {found.group(1) for name in names if (found := re.match(r"kl-(\d+)-\d+-", name))}
    for pid in owners:
        if not Path(f"/proc/{pid}").exists():
            remove_labs(rf"kl-{pid}-\d+-")


__all__ = ["Lab", "Host", "Switch", "Cable", "run", "sweep", "remove_labs", "wait_for"]
