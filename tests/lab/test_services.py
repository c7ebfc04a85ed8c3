"""Services on real traffic: NAT and DR, TCP and UDP, schedulers, counts, dying servers."""

import hashlib
import os
import re

import pytest
from daemons import Keepline
from nginx import Nginx
from process import wait_for
from topologies import (
    CLIENT,
    INSIDE_VIP,
    ONE_ARM_GATEWAY,
    ONE_ARM_VIP,
    ONE_ARM_WEBS,
    OUTSIDE_VIP,
    WEBS,
    one_arm,
    pair,
    two_arm_configuration,
    two_arms,
    virtual_server,
    vrrp_instance,
)
from traffic import http_loop, udp_echo, udp_probe

URL = f"http://{OUTSIDE_VIP}/"


def get(client, count=1, url=URL):
    return [client.curl(url) for _ in range(count)]


def wait_answer(client, url=URL, body=None):
    def answered():
        got = client.curl(url, timeout=1)
        return got == body if body else got

    wait_for(answered, 30, f"{url} answers {body or ''}")


def one_node(lab, services, **words):
    """The two-arm network with one node, already answering."""
    two = two_arms(lab, nodes=1, **words)
    keepline = Keepline(two.nodes[0], two_arm_configuration(100, services)).start()
    keepline.wait_master(OUTSIDE_VIP).wait_master(INSIDE_VIP)
    return two, keepline


def test_two_arm_nat(lab):
    """Bodies in turn, true client addresses, large bodies unharmed, the gateway VIP answers."""
    two, keepline = one_node(lab, virtual_server())
    wait_answer(two.client)
    assert sorted(get(two.client, 6)) == ["web1\n"] * 3 + ["web2\n"] * 3
    assert [web.clients() for web in two.nginx] == [{CLIENT}, {CLIENT}]
    assert two.client.ping(OUTSIDE_VIP, 3) == 3
    assert two.webs[0].ping(INSIDE_VIP, 3) == 3

    data = os.urandom(4 << 20)
    for web in two.nginx:
        web.add_file("large", data)
    for number in range(4):
        path = lab.directory / f"large.{number}"
        assert two.client.curl(f"{URL}files/large", "-o", path, timeout=20) is not None
        assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(data).digest()


def test_servers_reach_the_world_through_the_gateway(lab):
    """What is no service's traffic is routed by the node's kernel."""
    two, _ = one_node(lab, virtual_server())
    assert two.webs[0].ping(CLIENT, 3) == 3
    Nginx(two.client, "8080")
    assert two.webs[0].curl(f"http://{CLIENT}:8080/") == "client\n"


def test_failover_under_load(lab):
    """The master is killed under load: the other node serves on, through the same two VIPs."""
    two = two_arms(lab)
    nodes = [
        Keepline(node, two_arm_configuration(priority, virtual_server(), advert_int=0.1))
        for node, priority in zip(two.nodes, (200, 100))
    ]
    nodes[0].start().wait_master(OUTSIDE_VIP)
    nodes[1].start().wait_state("BACKUP", "OUT")
    wait_answer(two.client)
    load = http_loop(two.client, OUTSIDE_VIP, rate=20)
    wait_for(lambda: load.progress()["answered"] > 20, what="load")
    nodes[0].kill()
    nodes[1].wait_master(OUTSIDE_VIP).wait_master(INSIDE_VIP)
    answered = load.progress()["answered"]
    wait_for(lambda: load.progress()["answered"] > answered + 60, what="load on the other node")
    report = load.report()
    assert report["failed"] <= report["sent"] / 2, report
    after = http_loop(two.client, OUTSIDE_VIP, rate=20, count=40).report_when_done(60)
    assert (after["answered"], after["failed"]) == (40, 0), after
    assert after["servers"] == {"web1": 20, "web2": 20}


def test_one_arm_nat(lab):
    """Servers on the same wire whose default gateway is a VIP of the node."""
    arm = one_arm(lab, ONE_ARM_GATEWAY)
    instance = vrrp_instance(vip=f"{ONE_ARM_VIP}/24\n    {ONE_ARM_GATEWAY}/24")
    service = virtual_server(ONE_ARM_VIP, servers=ONE_ARM_WEBS)
    Keepline(arm.node, instance + service).start().wait_master(ONE_ARM_VIP)
    url = f"http://{ONE_ARM_VIP}/"
    wait_answer(arm.client, url)
    assert sorted(get(arm.client, 4, url)) == ["web1\n", "web1\n", "web2\n", "web2\n"]
    assert [web.clients() for web in arm.nginx] == [{CLIENT}, {CLIENT}]


def test_direct_routing(lab):
    """The VIP on the servers' lo; answers go past the node, straight to the router."""
    arm = one_arm(lab, "10.0.0.254")
    for web in arm.webs:
        web.set_sysctl(**{"net.ipv4.conf.all.arp_ignore": 1, "net.ipv4.conf.all.arp_announce": 2})
        web.ip(f"address add {ONE_ARM_VIP}/32 dev lo")
    instance = vrrp_instance(vip=f"{ONE_ARM_VIP}/24")
    service = virtual_server(ONE_ARM_VIP, servers=ONE_ARM_WEBS, kind="DR")
    keepline = Keepline(arm.node, instance + service).start().wait_master(ONE_ARM_VIP)
    url = f"http://{ONE_ARM_VIP}/"
    wait_answer(arm.client, url)
    assert arm.router.arping(ONE_ARM_VIP, "eth0") == {arm.node.mac("eth0")}
    passing = arm.node.cables["eth0"].capture_sent("tcp src port 80")
    assert sorted(get(arm.client, 4, url)) == ["web1\n", "web1\n", "web2\n", "web2\n"]
    assert [web.clients() for web in arm.nginx] == [{CLIENT}, {CLIENT}]
    answers = [frame for frame in passing.stop() if frame.ipv4.source == ONE_ARM_VIP]
    assert answers == [], "answers do not pass the node"
    assert {row["forward"] for row in keepline.servers().values()} == {"Route"}


def test_udp_service(lab):
    """Every datagram of 400 comes back, from the VIP, through one server for one client port."""
    service = virtual_server(port=5300, protocol="UDP", check="", server_words="")
    two, keepline = one_node(lab, service)
    echoes = [udp_echo(web, 5300) for web in two.webs]
    udp_probe(two.client, OUTSIDE_VIP, 5300, rate=50, count=5).report_when_done(20)
    servers = set()
    for _ in range(2):
        probe = udp_probe(two.client, OUTSIDE_VIP, 5300, rate=200, count=400)
        report = probe.report_when_done(30)
        assert (report["answered"], report["lost"]) == (400, 0), report
        assert len(report["servers"]) == 1, "one client port, one server"
        servers |= set(report["servers"])
    assert servers == {"web1", "web2"}
    assert all(CLIENT in echo.output() for echo in echoes)
    assert keepline.services()[0]["protocol"] == "UDP"


def test_weighted_round_robin(lab):
    two, keepline = one_node(lab, virtual_server(scheduler="wrr", weights=[3, 1]))
    wait_answer(two.client)
    got = get(two.client, 16)
    assert (got.count("web1\n"), got.count("web2\n")) == (12, 4)
    assert re.search(r":80\s+wrr", keepline.cli_text("services"))


def test_connection_counts(lab):
    """ActiveConn and InActConn are true, and `connections` lists each connection."""
    two, keepline = one_node(lab, virtual_server())
    wait_answer(two.client)
    first_active = sum(row["active"] for row in keepline.servers().values())
    assert first_active == 0

    held = [two.client.socket() for _ in range(6)]
    for connection in held:
        connection.settimeout(10)
        connection.connect((OUTSIDE_VIP, 80))

    def active():
        return [keepline.servers()[f"{web}:80"]["active"] for web in WEBS]

    wait_for(lambda: active() == [3, 3], what="three active connections each")
    shown = {row["client"]: row for row in keepline.connections()}
    for connection in held:
        port = connection.getsockname()[1]
        row = shown[f"{CLIENT}:{port}"]
        assert row["state"] == "ESTABLISHED"
        assert row["virtual"] == f"{OUTSIDE_VIP}:80"
        assert row["destination"] in {f"{web}:80" for web in WEBS}
    listing = keepline.cli_text("services")
    for web in WEBS:
        assert re.search(rf"{re.escape(web)}:80\s+Masq\s+1\s+3\s+\d+", listing), listing

    for connection in held:
        connection.close()
    wait_for(lambda: active() == [0, 0], what="none active")
    assert sum(row["inactive"] for row in keepline.servers().values()) >= 6


def columns(keepline, flag):
    """The numbers of `services` with a flag, by the name in the row."""
    rows = keepline.cli_text("services", flag, "--exact").splitlines()[3:]
    found = [re.match(r"(?:TCP|UDP|  ->) +(\S+) +([\d ]+)$", row) for row in rows]
    return {row[1]: [int(number) for number in row[2].split()] for row in found}


def test_stats(lab):
    """Conns, packets and bytes are what the client's cable saw, server by server in the sum."""
    two, keepline = one_node(lab, virtual_server())
    wait_answer(two.client)
    vip = f"{OUTSIDE_VIP}:80"
    wait_for(lambda: not keepline.active(), what="the first connections are over")
    before = columns(keepline, "--stats")
    capture = two.client.capture("eth0", f"tcp port 80 and host {OUTSIDE_VIP}")
    two.nginx[0].add_file("file", os.urandom(200_000))
    two.nginx[1].add_file("file", os.urandom(200_000))
    for _ in range(4):
        assert two.client.curl(f"{URL}files/file", "-o", "/dev/null") is not None

    def sent():
        packets = [frame.ipv4 for frame in capture.frames()]
        into = [20 + len(packet.payload) for packet in packets if packet.source == CLIENT]
        out = [20 + len(packet.payload) for packet in packets if packet.source == OUTSIDE_VIP]
        return [4, len(into), len(out), sum(into), sum(out)]

    def counted(name):
        return [now - then for now, then in zip(columns(keepline, "--stats")[name], before[name])]

    wait_for(lambda: counted(vip) == sent(), what="equal figures")
    assert sent()[4] > 800_000
    parts = [counted(f"{web}:80") for web in WEBS]
    assert [sum(pair) for pair in zip(*parts)] == counted(vip)
    assert [part[0] for part in parts] == [2, 2]
    stats = keepline.services()[0]["stats"]
    members = ["connections", "packets_in", "packets_out", "bytes_in", "bytes_out"]
    assert [stats[member] for member in members] == columns(keepline, "--stats")[vip]


def test_rate(lab):
    """The rates come to what is sent, and back to zero."""
    two, keepline = one_node(lab, virtual_server())
    wait_answer(two.client)
    load = http_loop(two.client, OUTSIDE_VIP, rate=20)
    vip = f"{OUTSIDE_VIP}:80"

    def rates():
        return columns(keepline, "--rate")[vip]

    wait_for(lambda: 17 <= rates()[0] <= 23, 60, "20 connections per second")
    connections, packets_in, packets_out, bytes_in, bytes_out = rates()
    assert packets_in >= 4 * connections and packets_out >= 3 * connections
    assert bytes_in >= 40 * packets_in and bytes_out >= 40 * packets_out
    by_server = [columns(keepline, "--rate")[f"{web}:80"][0] for web in WEBS]
    assert all(8 <= rate <= 12 for rate in by_server), by_server
    (lcore,) = keepline.cli("lcores")["lcores"]
    assert lcore["packets_per_s"] > packets_in and lcore["bytes_per_s"] > bytes_in
    assert load.report()["failed"] == 0
    wait_for(lambda: rates()[:3] == [0, 0, 0], 90, "no connections and packets per second")


def test_lcores(lab):
    """What each worker received, sent and made of it."""
    two, keepline = one_node(lab, virtual_server())
    wait_answer(two.client)
    get(two.client, 4)
    lcores = keepline.cli("lcores")["lcores"]
    assert [row["worker"] for row in lcores] == list(range(len(lcores)))
    total = {key: sum(row[key] for row in lcores) for key in ("packets", "bytes", "connections")}
    assert total["packets"] >= 4 * 5 and total["bytes"] > 60 * total["packets"]
    assert total["connections"] == len(keepline.connections())
    ports = {port["name"]: port for row in lcores for port in row["ports"]}
    assert ports.keys() == {"eth0", "eth1"}
    assert all(port["received"] > 0 and port["transmitted"] > 0 for port in ports.values())
    row = lcores[0]
    assert row["turns"] > row["busy_turns"] > 0 and 0 <= row["busy_percent"] <= 100
    assert re.search(r"^0 +1 +\d+", keepline.cli_text("lcores"), re.MULTILINE)


def test_server_with_inhibit_on_failure(lab):
    """Dies: weight 0, traffic to the other one; recovers by itself; new ones in turn again."""
    two, keepline = one_node(lab, virtual_server())
    wait_answer(two.client)

    def weight():
        return keepline.weight(f"{WEBS[0]}:80")

    for stop, start in (
        (two.nginx[0].break_, two.nginx[0].mend),
        (two.nginx[0].stop, two.nginx[0].start),
    ):
        stop()
        wait_for(lambda: weight() == 0, 30, "weight 0")
        assert get(two.client, 4) == ["web2\n"] * 4
        start()
        wait_for(lambda: weight() == 1, 30, "weight 1")
        assert sorted(get(two.client, 4)) == ["web1\n", "web1\n", "web2\n", "web2\n"]


@pytest.mark.parametrize("check", ["http", "tcp"])
def test_server_without_inhibit_leaves_the_pool(lab, check):
    tcp = "TCP_CHECK {\n connect_timeout 1\n retry 1\n delay_before_retry 0.3\n }"
    words = {"check": tcp} if check == "tcp" else {}
    two, keepline = one_node(lab, virtual_server(server_words="", **words))
    wait_answer(two.client)

    def in_pool():
        return keepline.weight(f"{WEBS[0]}:80") is not None

    assert in_pool()
    two.nginx[0].stop()
    wait_for(lambda: not in_pool(), 30, "out of the pool")
    assert get(two.client, 4) == ["web2\n"] * 4
    assert f"-> {WEBS[0]}:80" not in keepline.cli_text("services")
    two.nginx[0].start()
    wait_for(in_pool, 30, "back in the pool")
    assert sorted(get(two.client, 4)) == ["web1\n", "web1\n", "web2\n", "web2\n"]


@pytest.mark.parametrize("inhibit", ["inhibit_on_failure", ""])
def test_sorry_server(lab, inhibit):
    """Both dead: the sorry server answers; one back: it alone does; an established flow goes on."""
    servers = (*WEBS, "10.1.0.23")
    service = virtual_server(server_words=inhibit, sorry_server="10.1.0.23 80")
    two, keepline = one_node(lab, service, webs=servers)
    wait_answer(two.client)
    two.nginx[0].stop()
    two.nginx[1].stop()
    wait_answer(two.client, body="web3\n")
    assert get(two.client, 3) == ["web3\n"] * 3
    assert two.nginx[2].clients() == {CLIENT}
    two.nginx[1].start()
    wait_answer(two.client, body="web2\n")
    assert get(two.client, 3) == ["web2\n"] * 3


def test_no_server_and_no_sorry_server(lab):
    """Nobody left: a counted drop, the node and its VIP live on."""
    two, keepline = one_node(lab, virtual_server(server_words=""))
    wait_answer(two.client)
    for web in two.nginx:
        web.stop()
    wait_for(lambda: not any(row["in_pool"] for row in keepline.servers().values()), 30, "none up")
    assert two.client.curl(URL, timeout=2) is None
    assert keepline.drops()["no_real_server"] > 0
    assert two.client.ping(OUTSIDE_VIP, 3) == 3


def test_service_on_the_nodes_own_address(lab):
    """No vrrp_instance, the VIP is the node's own: only VIP:port is diverted."""
    two = two_arms(lab, nodes=1, gateway="10.1.0.1")
    Nginx(two.nodes[0], "8080", name="own")
    Keepline(two.nodes[0], virtual_server("192.0.2.11")).start()
    wait_answer(two.client, "http://192.0.2.11/")
    got = get(two.client, 4, "http://192.0.2.11/")
    assert sorted(got) == ["web1\n", "web1\n", "web2\n", "web2\n"]
    assert two.client.curl("http://192.0.2.11:8080/") == "own\n"
    assert two.client.ping("192.0.2.11", 3) == 3


def test_vip_without_service_belongs_to_the_node(lab):
    """No virtual_server: the node's own nginx on the VIP answers."""
    net = pair(lab)
    node = net.nodes[0]
    Keepline(node, vrrp_instance(vip="10.0.0.50/24")).start().wait_master("10.0.0.50")
    Nginx(node, "10.0.0.50:80")
    assert net.client.curl("http://10.0.0.50/") == "node1\n"
    assert net.client.ping("10.0.0.50", 3) == 3


def test_dead_daemon_is_silent_on_service_ports(lab):
    """After SIGKILL not even a reset comes from VIP:port, though the kernel holds the VIP."""
    two, keepline = one_node(lab, virtual_server())
    wait_answer(two.client)
    keepline.kill()
    assert two.nodes[0].has_address(OUTSIDE_VIP)
    capture = two.outside_cables[0].capture_sent(f"src host {OUTSIDE_VIP}")
    assert two.client.curl(URL, timeout=3) is None
    assert capture.stop() == []
