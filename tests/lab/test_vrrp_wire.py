"""Adverts of every kind as tshark sees them: a judge that had no part in making them."""

from dataclasses import dataclass

import pytest
from lab import run
from process import wait_for
from topologies import pair, vrrp_instance

VIPS = ("10.0.0.50", "10.0.0.51")
VIPS_V6 = ("fe80::5e:77", "2001:db8::50")
GOOD = "1"  # of a checksum
WARNING = 0x600000  # tshark's severities: errors are above, notes and chat below
FOUND_FAULT = "_ws.expert.severity"

# What holds for all that do not say otherwise; an empty field is one that is not there.
ALWAYS = {
    "frame.protocols": "eth:ethertype:ip:vrrp",
    "eth.dst": "01:00:5e:00:00:12",
    "ip.src": "10.0.0.1",
    "ip.dst": "224.0.0.18",
    "ip.ttl": "255",
    "ip.dsfield": "0xc0",
    "ip.checksum.status": GOOD,
    "vrrp.type": "1",
    "vrrp.virt_rtr_id": "77",
    "vrrp.addr_count": "2",
    "vrrp.ip_addr": ",".join(VIPS),
    "vrrp.checksum.status": GOOD,
}
VERSION_2 = {"vrrp.version": "2", "vrrp.adver_int": "1", "vrrp.short_adver_int": ""}
VERSION_3 = {
    "vrrp.version": "3",
    "vrrp.short_adver_int": "20",
    "vrrp.reserved_mbz": "0",
    "vrrp.auth_type": "",
    "vrrp.auth_string": "",
}
BEHIND_AH = {
    "frame.protocols": "eth:ethertype:ip:ah:vrrp",
    "ah.next_header": "112",
    "ah.length": "4",
    "ah.reserved": "0000",
    "vrrp.auth_type": "2",
}
OVER_IPV6 = {
    "frame.protocols": "eth:ethertype:ipv6:vrrp",
    "eth.dst": "33:33:00:00:00:12",
    "ipv6.dst": "ff02::12",
    "ipv6.hlim": "255",
    "ipv6.tclass": "0x000000c0",
    "vrrp.ip_addr": "",
    "vrrp.ipv6_addr": ",".join(VIPS_V6),
    **{name: "" for name in ALWAYS if name.startswith("ip.")},
}


@dataclass
class Kind:
    """One kind of adverts: how it is configured, and what every one has."""

    words: dict
    expected: dict
    vips: tuple = VIPS
    is_unicast: bool = False

    @property
    def is_v6(self):
        return self.vips is VIPS_V6

    def network(self, lab):
        if not self.is_v6:
            return pair(lab)
        nodes = ("2001:db8::1", "2001:db8::2")
        return pair(lab, nodes=nodes, client="2001:db8::100", length=64, ipv6=True)

    def configuration(self, priority):
        return vrrp_instance(
            vip="\n    ".join(f"{vip}/{64 if self.is_v6 else 24}" for vip in self.vips),
            vrid=77,
            priority=priority,
            state="MASTER",
            block="unicast_peer {\n 10.0.0.2\n }" if self.is_unicast else "",
            **self.words,
        )


PASSWORD = {"version": 2, "password": "secret"}
KINDS = {
    "v2": Kind({"version": 2}, {**VERSION_2, "vrrp.auth_type": "0", "vrrp.auth_string": ""}),
    "v2 PASS": Kind(PASSWORD, {**VERSION_2, "vrrp.auth_type": "1", "vrrp.auth_string": "secret"}),
    "v2 AH": Kind({**PASSWORD, "auth_type": "AH"}, {**VERSION_2, **BEHIND_AH}),
    "v3": Kind({"version": 3}, VERSION_3),
    "v3 unicast": Kind({"version": 3}, {**VERSION_3, "ip.dst": "10.0.0.2"}, is_unicast=True),
    "v3 IPv6": Kind({"version": 3}, {**VERSION_3, **OVER_IPV6}, VIPS_V6),
}


def dissect(capture, names):
    """Each frame of a capture as the named fields; several values of one are joined by commas."""
    words = ["tshark", "-n", "-r", capture.path, "-T", "fields", "-E", "separator=|"]
    words += ["-o", "ip.check_checksum:TRUE", "-o", "vrrp.v3_checksum_as_in_v2:FALSE"]
    for name in names:
        words += ["-e", name]
    return [dict(zip(names, line.split("|"))) for line in run(words).stdout.splitlines()]


@pytest.mark.reference
@pytest.mark.parametrize("kind", KINDS)
def test_adverts(lab, vrrp_daemon, kind):
    """Every field as the RFC wants it, checksums good, nothing to warn of; the last one says 0."""
    kind = KINDS[kind]
    net = kind.network(lab)
    capture = net.cables[0].capture_sent("proto 112 or ah or ip6 proto 112")
    own = vrrp_daemon(net.nodes[0], kind.configuration(150)).start().wait_master(kind.vips[-1])
    wait_for(lambda: len(capture.frames()) >= 2, what="two adverts")
    assert own.stop() == 0

    expected = {**ALWAYS, **kind.expected}
    if kind.is_unicast:
        expected["eth.dst"] = net.nodes[1].mac("eth0")
    names = [*expected, "vrrp.prio", "ah.sequence", "ipv6.src", FOUND_FAULT]
    rows = wait_for(
        lambda: (seen := dissect(capture, names))[-1]["vrrp.prio"] == "0" and seen,
        what="priority 0 at the end",
    )
    for row in rows:
        assert {name: row[name] for name in expected} == expected
        assert all(int(level) < WARNING for level in row[FOUND_FAULT].split(",") if level)
        assert row["ipv6.src"].startswith("fe80::") == kind.is_v6
    assert {row["vrrp.prio"] for row in rows[:-1]} == {"150"}
    if kind.expected.get("ah.length"):
        numbers = [int(row["ah.sequence"]) for row in rows]
        assert numbers == sorted(set(numbers)), "no number twice"
