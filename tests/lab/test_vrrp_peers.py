"""What keepline and a real keepalived have to agree on beyond adverts, each in both roles.

Sync groups, nopreempt, preempt_delay, scripts with weights, virtual MACs. Node 1 is always the
better one; `own` says which of the two is keepline (or its reference).
"""

import time

import pytest
from daemons import Keepalived
from process import stays, wait_for
from topologies import pair, vrrp_instance

VIP = "10.0.0.50"
INSIDE_VIP = "10.1.0.50"
V2 = {"version": 2, "password": "secret"}

both_roles = pytest.mark.parametrize("own", [0, 1], ids=["master", "backup"])


def daemons_of(net, vrrp_daemon, own, texts):
    """One a node, none started: the daemon under test at `own`, keepalived at the other."""
    kinds = [Keepalived, Keepalived]
    kinds[own] = vrrp_daemon
    return [kind(host, text) for kind, host, text in zip(kinds, net.nodes, texts)]


def two(net, vrrp_daemon, own, first=None, second=None):
    """Both with one instance: node 1 with priority 200, node 2 with 100, none started."""
    words = ({"priority": 200, **(first or {})}, {"priority": 100, **(second or {})})
    texts = [vrrp_instance(vip=f"{VIP}/24", vrid=77, advert_int=0.1, **each) for each in words]
    return daemons_of(net, vrrp_daemon, own, texts)


def no_complaints(daemons):
    return all(each.complaints() == [] for each in daemons if isinstance(each, Keepalived))


def grouped(number, priority, **words):
    """Version 2 with a password on one cable, unicast version 3 on the other, one sync group."""
    peer = f"unicast_peer {{\n 10.1.0.{3 - number}\n }}"
    return (
        "vrrp_sync_group G1 {\n group {\n OUT\n IN\n }\n}\n"
        + vrrp_instance("OUT", f"{VIP}/24", "eth0", 51, priority, **V2, **words)
        + vrrp_instance("IN", f"{INSIDE_VIP}/24", "eth1", 52, priority, block=peer, **words)
    )


@pytest.mark.reference
@pytest.mark.parametrize("own, lost", [(0, "eth0"), (1, "eth1")], ids=["master", "backup"])
def test_sync_group_moves_together(lab, vrrp_daemon, own, lost):
    """The better node loses one of two cables, and both VIPs go; it is back, and both return."""
    net = pair(lab)
    inside = lab.switch("inside")
    for number, node in enumerate(net.nodes, start=1):
        lab.cable(node, "eth1", inside, f"10.1.0.{number}/24")
    texts = [grouped(1, 200, state="MASTER"), grouped(2, 100)]
    one, other = daemons_of(net, vrrp_daemon, own, texts)
    one.start().wait_master(VIP).wait_master(INSIDE_VIP)
    other.start()
    stays(lambda: not other.is_master(VIP) and not other.is_master(INSIDE_VIP), 1)

    net.nodes[0].cables[lost].unplug()
    one.wait_backup(VIP).wait_backup(INSIDE_VIP)
    other.wait_master(VIP).wait_master(INSIDE_VIP)
    assert net.answering_macs(VIP) == {net.nodes[1].mac("eth0")}

    net.nodes[0].cables[lost].plug()
    one.wait_master(VIP).wait_master(INSIDE_VIP)
    other.wait_backup(VIP).wait_backup(INSIDE_VIP)
    assert net.answers(VIP)
    assert no_complaints((one, other))


@pytest.mark.reference
@both_roles
def test_nopreempt(lab, vrrp_daemon, own):
    """The better node comes back and stays backup, until the worse one is gone."""
    net = pair(lab)
    one, other = two(net, vrrp_daemon, own, {"nopreempt": True})
    one.start().wait_master(VIP)
    other.start()
    assert one.stop() == 0
    other.wait_master(VIP)
    one.start()
    stays(lambda: other.is_master(VIP) and not one.is_master(VIP), 1.5, "the worse one stays")
    assert net.client.arping(VIP, "eth0", 1) == {net.nodes[1].mac("eth0")}
    assert other.stop() == 0
    one.wait_master(VIP)
    assert net.answers(VIP)


@pytest.mark.reference
@both_roles
def test_preempt_delay(lab, vrrp_daemon, own):
    """The better node comes, and takes over when the delay is over and no sooner."""
    net = pair(lab)
    one, other = two(net, vrrp_daemon, own, {"preempt_delay": 2})
    other.start().wait_master(VIP)
    start = time.monotonic()
    one.start()
    one.wait_master(VIP)
    assert time.monotonic() - start > 2
    other.wait_backup(VIP)
    assert net.client.arping(VIP, "eth0", 1) == {net.nodes[0].mac("eth0")}


@pytest.mark.reference
@both_roles
def test_weight_of_a_script(lab, vrrp_daemon, own):
    """The master's script fails and its priority falls: the peer takes over, and gives back."""
    net = pair(lab)
    good = lab.file("good", "")
    script = f"""global_defs {{
 enable_script_security
 script_user root
}}
vrrp_script good {{
 script "/usr/bin/test -e {good}"
 interval 1
 weight -60
}}
"""
    better = script + vrrp_instance(
        vip=f"{VIP}/24", vrid=77, priority=150, block="track_script {\n good\n }"
    )
    worse = vrrp_instance(vip=f"{VIP}/24", vrid=77)
    one, other = daemons_of(net, vrrp_daemon, own, [better, worse])
    one.start().wait_master(VIP)
    other.start()
    stays(lambda: one.is_master(VIP) and not other.is_master(VIP), 1)
    good.unlink()
    other.wait_master(VIP)
    one.wait_backup(VIP)
    assert net.client.arping(VIP, "eth0", 1) == {net.nodes[1].mac("eth0")}
    good.touch()
    one.wait_master(VIP)
    other.wait_backup(VIP)
    assert net.client.arping(VIP, "eth0", 1) == {net.nodes[0].mac("eth0")}


@pytest.mark.reference
@pytest.mark.parametrize(
    "own, virtual", [(0, {0}), (1, {0}), (0, {0, 1})], ids=["keepline's", "keepalived's", "both"]
)
def test_virtual_mac(lab, vrrp_daemon, own, virtual):
    """use_vmac at one node or both: adverts are accepted, ARP has the MAC that the master chose."""
    net = pair(lab)
    words = [{"use_vmac": True} if number in virtual else {} for number in range(2)]
    macs = [
        {"00:00:5e:00:01:4d"} if number in virtual else {node.mac("eth0")}
        for number, node in enumerate(net.nodes)
    ]
    one, other = two(net, vrrp_daemon, own, *words)
    sent = [cable.capture_sent("ip proto 112") for cable in net.cables]
    one.start().wait_master(VIP)
    other.start()
    stays(lambda: one.is_master(VIP) and not other.is_master(VIP), 1)
    assert net.answering_macs(VIP) == macs[0]
    assert net.answers(VIP)

    assert one.stop() == 0
    other.wait_master(VIP)
    wait_for(lambda: net.client.arping(VIP, "eth0", 1) == macs[1], what="node 2 answers")
    assert net.answers(VIP)

    one.start().wait_master(VIP)
    other.wait_backup(VIP)
    wait_for(lambda: net.client.arping(VIP, "eth0", 1) == macs[0], what="node 1 answers")
    for node, chosen, capture in zip(net.nodes, macs, sent):
        frames = [frame.source_mac for frame in capture.stop()]
        # Of each of its terms the first one, which leads nobody there yet.
        early = [mac for mac in frames if mac not in chosen]
        assert set(frames[-1:]) == chosen and len(early) <= 2, frames
        assert set(early) <= {node.mac("eth0")}
    assert no_complaints((one, other))
