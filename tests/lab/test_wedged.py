"""A lcore or the control thread that hangs, a node that sleeps: silent at once, and until it knows.

A thread is made to spin by ptrace (wedge_thread.py).
"""

import socket
import sys
from pathlib import Path

import adverts
import pytest
from daemons import Keepline
from neighbours import arp_request
from process import stays, wait_for
from test_failover import VIP, two_nodes
from topologies import (
    INSIDE_VIP,
    OUTSIDE_VIP,
    two_arm_configuration,
    two_arms,
    virtual_server,
)
from traffic import udp_echo, udp_probe

ADVERT_S = 0.2
RATE = 1000
# Three adverts, the skew of priority 100 and a worker watch's second, on a busy machine.
TAKEOVER_S = 4


def threads(daemon):
    """Thread ids by name."""
    tasks = Path(f"/proc/{daemon.process.pid}/task").iterdir()
    return {(task / "comm").read_text().strip(): int(task.name) for task in tasks}


def wedge(lab, thread):
    wedged = lab.start(
        [sys.executable, Path(__file__).parent / "wedge_thread.py", str(thread)], "wedged"
    )
    wedged.wait_output("wedged")
    return wedged


def thread_of(daemon, which):
    """The control thread is the process's first."""
    if which == "control":
        return daemon.process.pid
    workers = sorted(item for item in threads(daemon).items() if "worker" in item[0])
    return workers[which][1]


@pytest.mark.parametrize(("workers", "which"), [(1, "control"), (1, 0), (2, 0), (2, 1)])
def test_a_wedged_thread_is_silence(lab, workers, which):
    """No adverts, nothing for the VIP any more; when it goes on, it listens before it speaks."""
    more = f"dataplane {{\n workers {workers}\n}}\n"
    net, one, two = two_nodes(lab, {"nopreempt": True}, more=more)
    assert net.answers(VIP)
    wedged = wedge(lab, thread_of(one, which))
    two.wait_master(VIP, TAKEOVER_S)
    capture = net.cables[0].capture_sent(f"arp or ip proto 112 or (icmp and src host {VIP})")
    # Also to whoever still knows the MAC of the first one.
    net.client.ip(f"neigh replace {VIP} lladdr {net.nodes[0].mac('eth0')} dev eth0 nud permanent")
    assert net.client.ping(VIP, 3) == 0
    net.client.ip(f"neigh del {VIP} dev eth0")
    assert net.answering_macs(VIP) == {net.nodes[1].mac("eth0")}
    assert adverts.captured(capture) == [] and capture.arps(sender=VIP) == []

    assert wedged.stop() == 0
    one.wait_state("BACKUP")
    stays(lambda: two.is_master(VIP), 1, "nopreempt")
    assert net.answering_macs(VIP) == {net.nodes[1].mac("eth0")}
    said = [advert for advert in adverts.captured(capture) if advert.priority != 0]
    assert said == [] and capture.arps(sender=VIP) == [], "it has listened first"


def balanced(net, words):
    """Datagrams to a NAT service of two nodes: the first one is master."""
    service = virtual_server(port=53, protocol="UDP", check="", server_words="")
    one, two = [
        Keepline(node, two_arm_configuration(priority, service, **words))
        for node, priority in zip(net.nodes, (200, 100))
    ]
    one.start().wait_master(OUTSIDE_VIP).wait_master(INSIDE_VIP)
    two.start().wait_backup(OUTSIDE_VIP)
    for web in net.webs:
        udp_echo(web, 53)
    probe = udp_probe(net.client, OUTSIDE_VIP, 53, rate=RATE)
    wait_for(lambda: probe.progress()["answered"] > RATE / 2, what="traffic")
    return one, two, probe


@pytest.mark.parametrize("seconds", [2, 30])
def test_a_node_that_slept_says_nothing_old(lab, seconds):
    """Under load, suspended for longer than its lease: nothing of what waited leaves afterwards."""
    net = two_arms(lab)
    one, two, probe = balanced(net, {"nopreempt": True})

    one.freeze()
    two.wait_master(OUTSIDE_VIP, TAKEOVER_S).wait_master(INSIDE_VIP, TAKEOVER_S)
    # What a neighbour that has not heard of it goes on sending: requests, datagrams, answers.
    router_mac, first_mac = net.router.mac("eth0"), net.nodes[0].mac("eth0")
    asking = net.router.socket(socket.AF_PACKET, socket.SOCK_RAW)
    asking.bind(("eth0", 0))
    net.router.ip(f"neigh replace {OUTSIDE_VIP} lladdr {first_mac} dev eth0 nud permanent")
    for _ in range(200):
        asking.send(arp_request(router_mac, "192.0.2.1", OUTSIDE_VIP))
    stays(lambda: two.is_master(OUTSIDE_VIP), seconds, "the other one is master")
    sent = [
        cable.capture_sent(f"ether src {net.nodes[0].mac(cable.device)}")
        for cable in (net.outside_cables[0], net.inside_cables[0])
    ]
    one.thaw()
    one.wait_state("BACKUP", "OUT")
    stays(lambda: two.is_master(OUTSIDE_VIP), 1, "the other one stays master")
    for capture, vip in zip(sent, (OUTSIDE_VIP, INSIDE_VIP)):
        assert capture.arps(sender=vip) == [], "no ARP for the VIP"
        assert [advert for advert in adverts.captured(capture) if advert.priority != 0] == []
        forwarded = [frame.ipv4 for frame in capture.stop() if frame.ipv4]
        assert [ip for ip in forwarded if ip.protocol == 17] == [], "nothing is forwarded"
    net.router.ip(f"neigh del {OUTSIDE_VIP} dev eth0")
    before = probe.progress()["answered"]
    wait_for(lambda: probe.progress()["answered"] > before + 200, what="the other one serves")


def test_takeover_takes_what_the_rfc_says(lab):
    """SIGKILL: three adverts and the skew; two intervals at least must pass without an advert."""
    one, two, probe = balanced(two_arms(lab), {})
    one.kill()
    two.wait_master(OUTSIDE_VIP, TAKEOVER_S)
    before = probe.progress()["answered"]
    wait_for(lambda: probe.progress()["answered"] > before + 200, what="the other one serves")
    report = probe.report()
    down_ms = 1000 * (3 * ADVERT_S + (256 - 100) / 256 * ADVERT_S)
    assert 2000 * ADVERT_S < report["longest_gap_ms"] < 1.5 * down_ms, report
