"""Planned changes of master lose nothing: handed over, preempted, stopped, by priority."""

import socket

import adverts
import pytest
from daemons import KEEPLINE, Keepline
from neighbours import ROUTERS, asking, question, said
from process import stays, wait_for
from test_failover import NETWORKS, VIP, VIP_V6, VIPS
from test_reload import reload
from test_wall_clock import signed
from topologies import (
    V4,
    V6,
    pair,
    two_arm_configuration,
    two_arms,
    virtual_server,
    vrrp_instance,
)
from traffic import udp_echo, udp_probe

ROUNDS = 3
RATE = 1000
CPU_STALL_S = 0.3  # how late a daemon may be where tests share two CPUs


def failover(daemon, *words, code=0):
    done = daemon.host.run(KEEPLINE, "failover", *words, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def local_service(lab, vip=VIP):
    """Two nodes with a service of their own on the VIP."""
    net = pair(lab, **NETWORKS[vip])
    texts = [vrrp_instance(vip=VIPS[vip], priority=priority) for priority in (200, 100)]
    nodes = [Keepline(node, text) for node, text in zip(net.nodes, texts)]
    for node in net.nodes:
        udp_echo(node, 7000, "::" if ":" in vip else "0.0.0.0")
    return nodes, vip, lambda: udp_probe(net.client, vip, 7000, rate=RATE)


def local_service_v6(lab):
    return local_service(lab, VIP_V6)


def nat_service(lab):
    """A group of two instances, and a balanced service behind them."""
    return nat_service_of(two_arms(lab))


def nat_service_v6(lab):
    return nat_service_of(two_arms(lab, nets=V6), V6)


def signed_unicast(lab):
    """The same by unicast, with auth_hmac."""
    nodes, vip, start_probe = local_service(lab)
    for number, node in enumerate(nodes):
        peer = f"unicast_peer {{\n 10.0.0.{2 - number}\n }}\n"
        words = {"priority": (200, 100)[number], "block": peer + signed("monotonic")["block"]}
        node.file.write_text(vrrp_instance(vip=VIPS[vip], **words))
    return nodes, vip, start_probe


def nat_of_virtual_macs(lab):
    return nat_service_of(two_arms(lab), use_vmac=True)


def nat_of_two_workers(lab):
    nodes, vip, start_probe = nat_service(lab)
    for node in nodes:
        node.file.write_text("dataplane {\n workers 2\n }\n" + node.file.read_text())
    return nodes, vip, start_probe


def nat_service_of(net, nets=V4, **words):
    vip, servers = nets.outside_vip, nets.webs
    udp = {"port": 53, "protocol": "UDP", "check": "", "server_words": ""}
    service = virtual_server(vip, servers=servers, **udp)
    nodes = [
        Keepline(node, two_arm_configuration(priority, service, nets=nets, **words))
        for node, priority in zip(net.nodes, (200, 100))
    ]
    for web in net.webs:
        udp_echo(web, 53, "::" if nets.is_v6 else "0.0.0.0")
    return nodes, vip, lambda: udp_probe(net.client, vip, 53, rate=RATE)


# At one a millisecond: what a CPU that stalls for a moment may cost. That nothing is lost is for
# test_switchover_many.py to say.
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


SITES = [
    local_service,
    nat_service,
    local_service_v6,
    nat_service_v6,
    signed_unicast,
    nat_of_virtual_macs,
    nat_of_two_workers,
]


@pytest.fixture(params=SITES)
def cluster(request, lab):
    return running(*request.param(lab))


def test_handed_over_and_taken_back(cluster):
    """`keepline failover` on the master, `--back` on it, three times."""
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


def test_a_reload_just_after_it_has_handed_over(lab):
    """Its kernel still has all VIPs then: also one that the new configuration lacks goes."""
    net = pair(lab)
    both = f"{VIP}/24\n 10.0.0.60/24"
    nodes = [
        Keepline(node, vrrp_instance(vip=both, priority=priority))
        for node, priority in zip(net.nodes, (200, 100))
    ]
    one, two = nodes
    one.start().wait_master("10.0.0.60")
    two.start().wait_backup(VIP)
    assert "handed over" in failover(one)
    assert one.host.has_address("10.0.0.60")
    reload(one, vrrp_instance(vip=f"{VIP}/24", priority=200))
    one.wait_backup(VIP)
    one.wait_backup("10.0.0.60")


def test_stopped_while_it_hands_over(lab):
    """Whoever has asked for it is told."""
    net = pair(lab)
    text = vrrp_instance(vip=f"{VIP}/24", advert_int=5)
    keepline = Keepline(net.nodes[0], text).start()
    keepline.wait_master(VIP, timeout=30)
    asked = keepline.host.start(KEEPLINE, "failover", name="failover")
    wait_for(lambda: keepline.statistics()["pri_zero_sent"] == 1, what="it has said goodbye")
    assert keepline.stop() == 0
    assert asked.wait() == 3
    assert "stopped meanwhile" in asked.output()


def test_a_fault_while_it_hands_over(lab):
    """Mastership is gone, but nobody has been heard that has it."""
    net = pair(lab)
    keepline = Keepline(net.nodes[0], vrrp_instance(vip=f"{VIP}/24", advert_int=3)).start()
    keepline.wait_master(VIP, timeout=30)
    asked = keepline.host.start(KEEPLINE, "failover", name="failover")
    wait_for(lambda: keepline.statistics()["pri_zero_sent"] == 1, what="it has said goodbye")
    net.nodes[0].cables["eth0"].unplug()
    assert asked.wait() == 3
    assert "lost meanwhile" in asked.output()


def silence(hosts, is_silent):
    """They answer no ARP."""
    for host in hosts:
        host.set_sysctl(**{"net.ipv4.conf.all.arp_ignore": 8 if is_silent else 0})


def returning(lab):
    """The better node is about to return, and cannot reach its real servers."""
    net = two_arms(lab)
    one, two, vip, probe = running(*nat_service_of(net))
    one.stop()
    two.wait_master(vip)
    silence(net.webs, True)
    one.start()
    return one, two, vip, probe, net.webs


def test_returns_when_it_knows_its_servers(lab):
    """It does not preempt before, and nothing is lost."""
    one, two, vip, probe, webs = returning(lab)
    stays(lambda: one.state("OUT") == "BACKUP", 1.5, "it preempts nobody")
    silence(webs, False)
    one.wait_master(vip)
    two.wait_backup(vip)
    check(probe.report())


def test_a_dead_server_keeps_nobody_away(lab):
    """Three requests without an answer are enough."""
    one, two, vip, _, webs = returning(lab)
    one.wait_master(vip, 15)
    assert "nobody answers for 10.1.0.2" in one.log()
    silence(webs, False)


@pytest.mark.parametrize("vip", VIPS)
def test_the_order_of_a_planned_change(lab, vip):
    """As docs/guide.md draws it, from what both nodes send."""
    net = pair(lab, **NETWORKS[vip])
    one, two = [
        Keepline(node, vrrp_instance(vip=VIPS[vip], priority=priority))
        for node, priority in zip(net.nodes, (200, 100))
    ]
    one.start().wait_master(vip)
    two.start()
    stays(lambda: two.state() == "BACKUP", 1, "the second one is backup")
    sent = [cable.capture_sent("arp or ip proto 112 or ip6") for cable in net.cables]
    with asking(net.client, NETWORKS[vip].get("client", "10.0.0.100"), vip):
        away_and_back(one, two, lambda: [captured(capture, vip) for capture in sent], vip)


def away_and_back(one, two, told, vip):
    failover(one, "--instance", "VI_1")
    two.wait_master(vip)
    one.wait_backup(vip)
    away = told()
    goodbye = first(away[0], is_advert, priority=0)
    spoken, led = first(away[1], is_advert, priority=100), first(away[1], is_announcement)
    skew_s = (256 - 100) / 256 * 0.2
    assert goodbye + skew_s <= spoken <= led < goodbye + skew_s + CPU_STALL_S
    answers = [row[0] for row in away[0] if row[1] == "reply"]
    assert max(answers) > goodbye, "it answers on until its successor speaks"
    assert max(answers) < spoken + CPU_STALL_S, "and no longer"
    wait_for(lambda: [row for row in told()[0] if row[1] == "naming"], 2, "it lets go")
    named = first(told()[0], lambda row: row[1] == "naming")
    assert spoken + 0.4 < named, "what was on its way was forwarded"

    failover(one, "--back")
    one.wait_master(vip)
    two.wait_backup(vip)
    back = [[row for row in rows if row[0] > spoken + CPU_STALL_S] for rows in told()]
    claimed, led = first(back[0], is_claim), first(back[0], is_announcement)
    spoken = first(back[0], is_advert, priority=200)
    # How long between them is for tests/unit/vrrp/claim_test.cc: here the worker's CPU may come
    # late to the first.
    assert claimed < led < spoken, "routers, clients, then the other node"
    assert [row for row in back[0] if row[1] == "reply" and row[0] < led] == []
    assert [row for row in back[1] if is_advert(row) and row[0] > spoken + CPU_STALL_S] == []
    assert [row for row in back[1] if row[1] == "reply" and row[0] > spoken + CPU_STALL_S] == []
    assert len([row for row in back[0] if is_announcement(row) and row[0] > spoken]) == 1


@pytest.mark.parametrize("nets", [V4, V6], ids=["IPv4", "IPv6"])
def test_a_group_that_preempts_leads_the_servers_first(lab, nets):
    """Both routers, the servers, the clients, and only then an advert on either side."""
    net = two_arms(lab, nets=nets)
    (one, two), vip, _ = nat_service_of(net, nets)
    two.start().wait_master(vip)
    cables = (net.inside_cables[0], net.outside_cables[0])
    sent = [cable.capture_sent("arp or ip proto 112 or ip6") for cable in cables]
    one.start().wait_master(vip)
    two.wait_backup(vip)
    inside, outside = [
        captured(capture, each) for capture, each in zip(sent, (nets.inside_vip, vip))
    ]
    claimed = [first(rows, is_claim) for rows in (inside, outside)]
    led = [first(rows, is_announcement) for rows in (inside, outside)]
    spoken = [first(rows, is_advert, priority=200) for rows in (inside, outside)]
    assert max(claimed) < led[0] < led[1] < min(spoken), (claimed, led, spoken)


@pytest.mark.parametrize("nets", [V4, V6], ids=["IPv4", "IPv6"])
def test_who_hears_a_claim_expects_answers_of_the_others_connections(lab, nets):
    """For three seconds what comes from a real server's port, of no connection, is from the VIP."""
    net = two_arms(lab, nodes=1, nets=nets)
    vip, server_address = nets.outside_vip, nets.webs[0]
    (node,), _, _ = nat_service_of(net, nets)
    node.start().wait_master(vip)
    family = socket.AF_INET6 if nets.is_v6 else socket.AF_INET
    with net.client.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.bind((nets.client, 4000))

        def answered_from():
            with net.webs[0].socket(family, socket.SOCK_DGRAM) as server:
                server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                server.bind((server_address, 53))
                server.sendto(b"an answer", (nets.client, 4000))
            return client.recvfrom(100)[1][0]

        wait_for(lambda: answered_from() == server_address, what="its lease is no longer young")
        with net.router.socket(socket.AF_PACKET, socket.SOCK_RAW) as other:
            other.bind(("eth0", 0))
            nobody, routers = ("::", ROUTERS[6]) if nets.is_v6 else ("0.0.0.0", ROUTERS[4])
            other.send(question(net.router.mac("eth0"), nobody, vip, to=routers))
        wait_for(lambda: answered_from() == vip, 2, "it is translated")
        wait_for(lambda: answered_from() == server_address, what="it is over")


def captured(capture, vip):
    """(time, what, priority or None) of a node's adverts, and what it says of the VIP."""
    rows = []
    for frame in capture.frames():
        if adverts.is_advert(frame):
            rows.append((frame.time_s, "advert", frame.packet.payload[2]))
        elif what := said(frame, vip):
            rows.append((frame.time_s, what, None))
    return rows


def is_advert(row):
    return row[1] == "advert"


def is_claim(row):
    return row[1] == "claim"


def is_announcement(row):
    return row[1] == "announcement"


def first(rows, kind, priority=None):
    return next(row[0] for row in rows if kind(row) and row[2] == priority)
