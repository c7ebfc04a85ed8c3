"""FRR's vrrpd as a VRRP node, laid out as its documentation wants it.

A macvlan device for each family carries the virtual MAC and all VIPs, always; vrrpd has zebra
take its carrier away (protodown) while the node is a backup. Both daemons have a folder of their
own for sockets, so that several can run on one machine.
"""

import json
import os
import re
import shutil

from process import wait_for

FOLDER = "/usr/lib/frr"
# What vrrpd writes when a peer's advert does not please it.
COMPLAINT = re.compile(r"Datagram (invalid|has \d+ addresses, but)")


class Frr:
    """`vips` are of one family, with prefix lengths; their device is made here."""

    def __init__(self, host, vips, vrid, priority, device="eth0", interval_ms=100):
        self.host = host
        self.family = "v6" if ":" in vips[0] else "v4"
        self.vips = vips
        self.folder = host.lab.directory / f"frr-{host.name}"
        self.folder.mkdir()
        shutil.chown(self.folder, "frr", "frr")
        os.chmod(host.lab.directory, 0o755)
        self._make_device(device, vrid)
        word = "ipv6" if self.family == "v6" else "ip"
        addresses = "".join(f" vrrp {vrid} {word} {vip.split('/')[0]}\n" for vip in vips)
        self.file = host.lab.file(
            f"{host.name}-frr.conf",
            f"debug vrrp protocol\ninterface {device}\n"
            f" vrrp {vrid} version 3\n"
            f" vrrp {vrid} priority {priority}\n"
            f" vrrp {vrid} advertisement-interval {interval_ms}\n" + addresses,
        )
        self.vrrpd = None
        self.zebra = self._start("zebra", host.lab.file(f"{host.name}-zebra.conf", ""))
        wait_for((self.folder / "zserv.api").exists, what="zebra's socket")

    def _make_device(self, device, vrid):
        """Only the device with a VIP answers for it, and a backup's has no carrier."""
        self.host.set_sysctl(**{"net.ipv4.conf.all.arp_ignore": 1})
        name = self.vrrp_device = f"vrrp{self.family[1]}-{device}"
        self.vmac = f"00:00:5e:00:0{'2' if self.family == 'v6' else '1'}:{vrid:02x}"
        self.host.ip(
            f"link add {name} link {device} type macvlan mode bridge",
            f"link set {name} address {self.vmac}",
            *[f"address add {vip} dev {name}" for vip in self.vips],
            f"link set {name} up",
        )

    def _start(self, daemon, file):
        words = ["--vty_socket", self.folder, "-z", self.folder / "zserv.api"]
        words += ["-i", self.folder / f"{daemon}.pid", "-f", file, "--log", "stdout"]
        return self.host.start(f"{FOLDER}/{daemon}", *words)

    def start(self):
        self.vrrpd = self._start("vrrpd", self.file)
        wait_for(lambda: self.state() not in (None, "Initialize"), what="vrrpd has started")
        return self

    def stop(self):
        """An orderly end: it says priority 0."""
        self.vrrpd.stop()

    def kill(self):
        """A crash; somebody has to take the addresses away, as vrrpd would have."""
        self.vrrpd.kill()
        self.host.ip(f"link set {self.vrrp_device} down")

    def state(self):
        words = ("vtysh", "--vty_socket", self.folder, "-d", "vrrpd", "-c", "show vrrp json")
        shown = self.host.run(*words, check=False)
        if shown.returncode != 0:
            return None
        routers = json.loads(shown.stdout)
        return routers[0][self.family]["status"] if routers else None

    def wait_state(self, state):
        wait_for(lambda: self.state() == state, what=f"vrrpd on {self.host} is {state}")

    def complaints(self):
        lines = self.vrrpd.output().splitlines()
        return [line for line in lines if COMPLAINT.search(line)]


class FrrBfd:
    """FRR's bfdd with one peer, and zebra, which it needs."""

    def __init__(self, host, peer, far_from=None, interval_ms=50, multiplier=3):
        """`far_from`: the address from which it is to reach a peer that is no neighbour."""
        self.host = host
        self.peer = peer
        way = f"multihop local-address {far_from}" if far_from else "interface eth0"
        self.folder = host.lab.directory / f"frr-bfd-{host.name}"
        self.folder.mkdir()
        shutil.chown(self.folder, "frr", "frr")
        os.chmod(host.lab.directory, 0o755)
        self.file = host.lab.file(
            f"{host.name}-bfdd.conf",
            f"bfd\n peer {peer} {way}\n  detect-multiplier {multiplier}\n"
            f"  receive-interval {interval_ms}\n  transmit-interval {interval_ms}\n",
        )
        self.bfdd = self.zebra = None

    def _start(self, daemon, file, *more):
        words = ["--vty_socket", self.folder, "-z", self.folder / "zserv.api", *more]
        words += ["-i", self.folder / f"{daemon}.pid", "-f", file, "--log", "stdout"]
        return self.host.start(f"{FOLDER}/{daemon}", *words)

    def start(self):
        self.zebra = self._start("zebra", self.host.lab.file(f"{self.host.name}-bz.conf", ""))
        wait_for((self.folder / "zserv.api").exists, what="zebra's socket")
        self.bfdd = self._start("bfdd", self.file, "--bfdctl", self.folder / "bfdd.sock")
        wait_for(lambda: self.session() is not None, what="bfdd has its peer")
        return self

    def session(self):
        words = ("vtysh", "--vty_socket", self.folder, "-d", "bfdd", "-c", "show bfd peers json")
        shown = self.host.run(*words, check=False)
        if shown.returncode != 0:
            return None
        found = [peer for peer in json.loads(shown.stdout) if peer["peer"] == self.peer]
        return found[0] if found else None

    def is_up(self):
        session = self.session()
        return session is not None and session["status"] == "up"
