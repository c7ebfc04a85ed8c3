"""Planned changes of master lose nothing: handed over, preempted, stopped, by priority."""

import pytest
from daemons import KEEPLINE, Keepline
from process import stays, wait_for
from test_reload import reload
from topologies import (
    OUTSIDE_VIP,
    pair,
    two_arm_configuration,
    two_arms,
    virtual_server,
    vrrp_instance,
)
from traffic import udp_echo, udp_probe

VIP = "10.0.0.50"
ROUNDS = 5
RATE = 1000


def failover(daemon, *words, code=0):
    done = daemon.host.run(KEEPLINE, "failover", *words, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def local_service(lab):
    """Two nodes with a service of their own on the VIP."""
    net = pair(lab)
    texts = [vrrp_instance(vip=f"{VIP}/24", priority=priority) for priority in (200, 100)]
    nodes = [Keepline(node, text) for node, text in zip(net.nodes, texts)]
    for node in net.nodes:
        udp_echo(node, 7000)
    return nodes, VIP, lambda: udp_probe(net.client, VIP, 7000, rate=RATE)


def nat_service(lab):
    """A group of two instances, and a balanced service behind them."""
    net = two_arms(lab)
    service = virtual_server(port=53, protocol="UDP", check="", server_words="")
    nodes = [
        Keepline(node, two_arm_configuration(priority, service))
        for node, priority in zip(net.nodes, (200, 100))
    ]
    for web in net.webs:
        udp_echo(web, 53)
    return nodes, OUTSIDE_VIP, lambda: udp_probe(net.client, OUTSIDE_VIP, 53, rate=RATE)


# Of some ten thousand, at one a millisecond: what a CPU that stalls for a moment may cost. A single
# change that waited for a timer would cost more.
MOST_LOST = 50


def check(report):
    assert report["lost"] <= MOST_LOST, report


def running(nodes, vip, start_probe):
    """The first one is master, the second one backup, and numbered packets go through the VIP."""
    one, two = nodes
    one.start().wait_master(vip)
    two.start()
    stays(lambda: two.state() == "BACKUP", 1, "the second one is backup")
    probe = start_probe()
    wait_for(lambda: probe.progress()["answered"] > RATE / 2, 30, "traffic")
    return one, two, vip, probe


@pytest.fixture(params=[local_service, nat_service])
def cluster(request, lab):
    return running(*request.param(lab))


def test_handed_over_and_taken_back(cluster):
    """`keepline failover` on the master, `--back` on it, five times."""
    one, two, vip, probe = cluster
    for _ in range(ROUNDS):
        assert "handed over" in failover(one)
        two.wait_master(vip)
        one.wait_backup(vip)
        # It stands by, although it is the better one.
        stays(lambda: one.state() == "BACKUP", 0.5, "no preempting")
        failover(one, "--back")
        one.wait_master(vip)
        two.wait_backup(vip)
    report = probe.report()
    assert report["sent"] > RATE
    check(report)


def test_stopped_and_preempting(cluster):
    """The better node is stopped and started again, five times."""
    one, two, vip, probe = cluster
    for _ in range(ROUNDS):
        assert one.stop() == 0
        two.wait_master(vip)
        one.start().wait_master(vip)
        two.wait_backup(vip)
    report = probe.report()
    check(report)


def test_priority_by_reload(lab):
    """A lower priority in the file: the peer preempts."""
    one, two, vip, probe = running(*local_service(lab))
    for _ in range(ROUNDS):
        reload(one, vrrp_instance(vip=f"{VIP}/24", priority=50))
        two.wait_master(vip)
        one.wait_backup(vip)
        reload(one, vrrp_instance(vip=f"{VIP}/24", priority=200))
        one.wait_master(vip)
        two.wait_backup(vip)
    report = probe.report()
    check(report)


def test_nobody_to_hand_over_to(lab):
    """It says so, and serves on."""
    net = pair(lab)
    keepline = Keepline(net.nodes[0], vrrp_instance(vip=f"{VIP}/24", priority=200)).start()
    keepline.wait_master(VIP)
    udp_echo(net.nodes[0], 7000)
    probe = udp_probe(net.client, VIP, 7000, rate=RATE)
    wait_for(lambda: probe.progress()["answered"] > RATE, 30, "traffic")
    assert "no successor" in failover(keepline, code=3)
    assert keepline.state() == "MASTER"
    assert "no vrrp_instance VI_9" in failover(keepline, "VI_9", code=3)
    report = probe.report()
    check(report)
