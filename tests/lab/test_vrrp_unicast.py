"""VRRP by unicast, over IPv6 and with AH, beside a real keepalived, in both roles."""

from dataclasses import dataclass

import pytest
from daemons import Keepalived, Keepline
from process import stays, wait_for
from topologies import pair, vrrp_instance


@dataclass
class Wire:
    """How adverts travel."""

    vip: str
    length: int
    nodes: tuple
    words: dict
    is_unicast: bool

    def configuration(self, own, priority, **words):
        peer = self.nodes[1 - own]
        block = f"unicast_peer {{\n {peer}\n }}" if self.is_unicast else ""
        if self.is_unicast:
            words["unicast_src_ip"] = self.nodes[own]
        vip = f"{self.vip}/{self.length}"
        if ":" in self.vip:
            vip = f"fe80::5e:77/64\n    {vip}"
        return vrrp_instance(
            vip=vip, vrid=77, priority=priority, block=block, **self.words, **words
        )


AH = {"version": 2, "password": "secret", "auth_type": "AH"}
WIRES = {
    "AH": Wire("10.0.0.50", 24, ("10.0.0.1", "10.0.0.2"), AH, False),
    "unicast v2": Wire("10.0.0.50", 24, ("10.0.0.1", "10.0.0.2"), {"version": 2}, True),
    "unicast v3": Wire("10.0.0.50", 24, ("10.0.0.1", "10.0.0.2"), {"version": 3}, True),
    "IPv6": Wire("2001:db8::50", 64, ("2001:db8::1", "2001:db8::2"), {"version": 3}, False),
    "IPv6 unicast": Wire("2001:db8::50", 64, ("2001:db8::1", "2001:db8::2"), {"version": 3}, True),
}


@pytest.fixture(params=WIRES)
def wire(request):
    return WIRES[request.param]


def network(lab, wire):
    if ":" not in wire.vip:
        return pair(lab)
    return pair(lab, nodes=wire.nodes, client="2001:db8::100", length=64, ipv6=True)


@pytest.mark.reference
def test_backup_and_successor_of_keepalived(lab, vrrp_daemon, wire):
    """Silent while keepalived speaks, master when it stops, backup when it is back, and again."""
    net = network(lab, wire)
    is_v6 = ":" in wire.vip
    sent = net.cables[1].capture_sent("ip6 proto 112" if is_v6 else "ip proto 112 or ip proto 51")
    peer = Keepalived(net.nodes[0], wire.configuration(0, 200, state="MASTER"))
    own = vrrp_daemon(net.nodes[1], wire.configuration(1, 100))
    peer.start().wait_master(wire.vip)
    own.start()
    stays(lambda: peer.is_master(wire.vip) and not own.is_master(wire.vip), 2, "a silent backup")
    assert not sent.frames()

    assert peer.stop() == 0
    own.wait_master(wire.vip)
    wait_for(lambda: net.answers(wire.vip), what="the VIP answers")
    peer.start().wait_master(wire.vip)
    own.wait_backup(wire.vip)
    assert peer.complaints() == []

    peer.kill()
    net.nodes[0].ip(f"address del {wire.vip}/{wire.length} dev eth0")
    own.wait_master(wire.vip)
    assert net.answers(wire.vip)


@pytest.mark.reference
def test_master_of_keepalived(lab, vrrp_daemon, wire):
    net = network(lab, wire)
    own = vrrp_daemon(net.nodes[0], wire.configuration(0, 200, state="MASTER"))
    # With AH two that begin at once have both said number 1, which neither takes of the other.
    own.start().wait_master(wire.vip)
    peer = Keepalived(net.nodes[1], wire.configuration(1, 100)).start().wait_backup(wire.vip)
    stays(lambda: own.is_master(wire.vip) and not peer.is_master(wire.vip), 3, "a backup")
    assert net.answers(wire.vip)
    assert own.stop() == 0
    peer.wait_master(wire.vip)
    own.start().wait_master(wire.vip)
    peer.wait_backup(wire.vip)
    own.kill()
    peer.wait_master(wire.vip)
    assert peer.complaints() == []


def test_peers_that_come_and_go(lab):
    """A master whose peer is away serves on; a stranger's adverts count and change nothing."""
    wire = WIRES["unicast v3"]
    net = pair(lab)
    strict = {"check_unicast_src": True}
    own = Keepline(net.nodes[0], wire.configuration(0, 100, **strict)).start()
    own.wait_master(wire.vip)
    stays(lambda: net.answers(wire.vip, 1), 2, "alone it serves")
    stranger = Wire(wire.vip, 24, ("10.0.0.1", "10.0.0.3"), wire.words, True)
    net.nodes[1].ip("address add 10.0.0.3/24 dev eth0")
    peer = Keepalived(net.nodes[1], stranger.configuration(1, 200, state="MASTER")).start()
    wait_for(lambda: own.statistics()["unicast_src_err"] >= 2, what="the stranger is counted")
    assert own.state() == "MASTER"
    peer.stop()
    friend = Keepalived(net.nodes[1], wire.configuration(1, 200, state="MASTER")).start()
    friend.wait_master(wire.vip)
    own.wait_backup(wire.vip)


def test_another_key_is_not_accepted(lab):
    """The adverts of a higher master with another key count, and change nothing."""
    net = pair(lab)
    wire = WIRES["AH"]
    wrong = Wire(wire.vip, 24, wire.nodes, {**AH, "password": "wrong"}, False)
    peer = Keepalived(net.nodes[1], wrong.configuration(1, 200)).start()
    peer.wait_master(wire.vip)
    own = Keepline(net.nodes[0], wire.configuration(0, 100)).start().wait_master(wire.vip)
    wait_for(lambda: own.statistics()["auth_failure"] >= 2, what="auth_failure counts")
    assert own.state() == "MASTER"


def test_virtual_mac_of_ipv6(lab):
    """The same MAC before and after, in neighbour discovery as in the frames that answer."""
    net = network(lab, WIRES["IPv6"])
    vip = WIRES["IPv6"].vip
    daemons = []
    for host, priority in zip(net.nodes, (200, 100)):
        words = WIRES["IPv6"].configuration(0, priority, use_vmac=True)
        daemons.append(Keepline(host, words).start())
    daemons[0].wait_master(vip)

    def learnt():
        net.client.ip("neigh flush dev eth0")
        assert net.answers(vip)
        return net.client.run("ip", "neigh", "show", vip).stdout

    assert "00:00:5e:00:02:4d" in learnt()
    daemons[0].kill()
    daemons[1].wait_master(vip)
    assert "00:00:5e:00:02:4d" in learnt()
    net.nodes[0].ip("neigh flush dev eth0")
    assert "00:00:5e:00:02:4d" in learnt(), "the dead node is silent although it has the address"
