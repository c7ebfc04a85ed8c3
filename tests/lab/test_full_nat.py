"""lb_kind FULLNAT: servers that know no way to the clients answer to addresses of ours."""

import ipaddress
import socket
import struct

import test_ipv6
from daemons import Keepline
from nginx import Nginx
from process import wait_for
from test_icmp import path_mtu
from test_tunnels import UDP, assert_serves
from topologies import (
    CLIENT,
    ONE_ARM_VIP,
    ONE_ARM_WEBS,
    OUTSIDE_VIP,
    WEBS,
    one_arm,
    two_arms,
    virtual_server,
    vrrp_instance,
)
from traffic import udp_echo, udp_probe

LOCALS = ("10.1.0.200", "10.1.0.201")
URL = f"http://{OUTSIDE_VIP}/"


def dataplane(*ranges, **words):
    lines = "\n".join(f"  {key} {value}" for key, value in words.items())
    return f"dataplane {{\n{lines}\n  local_address {{\n" + "\n".join(ranges) + "\n  }\n}\n"


def configuration(priority=100, **words):
    services = virtual_server(kind="FULLNAT")
    services += virtual_server(port=5300, kind="FULLNAT", **UDP)
    outside = vrrp_instance("OUT", f"{OUTSIDE_VIP}/24", "eth0", 51, priority)
    return outside + services + dataplane("10.1.0.200-201", **words)


def lost_servers(lab, **words):
    """Their only way is the link that they share with the nodes."""
    net = two_arms(lab, gateway="10.1.0.254", **words)
    for web in net.webs:
        web.ip("route del default")
    return net


def test_servers_without_a_way_to_the_clients(lab):
    net = lost_servers(lab, nodes=1)
    keepline = Keepline(net.nodes[0], configuration()).start()
    keepline.wait_master(OUTSIDE_VIP)
    assert_serves(lab, net.client, net.nginx, URL)
    seen = set().union(*(web.clients() for web in net.nginx))
    assert seen and seen <= set(LOCALS), "whom the servers take for their clients"
    assert {row["forward"] for row in keepline.servers().values()} == {"FullNat"}
    assert not net.nodes[0].has_address(LOCALS[0]), "the kernel need not know of them"
    for web in net.webs:
        udp_echo(web, 5300)
    udp_probe(net.client, OUTSIDE_VIP, 5300, rate=50, count=5).report_when_done(20)
    report = udp_probe(net.client, OUTSIDE_VIP, 5300, count=300).report_when_done(30)
    assert (report["answered"], report["lost"]) == (300, 0), report
    rows = [row for row in keepline.connections() if row["protocol"] == "UDP"]
    assert {row["client"].split(":")[0] for row in rows} == {CLIENT}
    assert {row["local"].split(":")[0] for row in rows} <= set(LOCALS), rows
    local = rows[0]["local"]
    text = keepline.cli_text("connections")
    assert f"{rows[0]['destination']} from {local}\n" in text
    assert keepline.servers()[f"{WEBS[0]}:80"]["local_ports"] == 2 * (65536 - 1024)
    # A router of the clients that finds answers too big is heard by the servers all the same.
    net.router.ip("link set eth1 mtu 1300")
    for _ in range(2):
        assert net.client.curl(f"{URL}files/large", "-o", "/dev/null", timeout=20) is not None
    learnt = [{path_mtu(web, local) for local in LOCALS} for web in net.webs]
    assert all(1300 in each for each in learnt), learnt
    assert keepline.drops().get("no_local_port", 0) == 0


def test_two_workers(lab):
    """Answers come to the worker that has the connection."""
    net = lost_servers(lab, nodes=1)
    keepline = Keepline(net.nodes[0], configuration(workers=2)).start()
    keepline.wait_master(OUTSIDE_VIP)
    wait_for(lambda: net.client.curl(URL, timeout=1), 30, f"{URL} answers")
    answers = {net.client.curl(URL) for _ in range(40)}
    assert answers == {"web1\n", "web2\n"}
    workers = keepline.cli("lcores")["lcores"]
    assert all(worker["connections"] > 5 for worker in workers), "each has a share"
    assert keepline.drops().get("no_connection", 0) == 0


def test_local_addresses_move_with_the_vip(lab):
    """The node that holds the VIP alone answers for them, and says so at once."""
    net = lost_servers(lab)
    one = Keepline(net.nodes[0], configuration(200)).start()
    one.wait_master(OUTSIDE_VIP)
    two = Keepline(net.nodes[1], configuration(100)).start()
    two.wait_state("BACKUP")
    wait_for(lambda: net.client.curl(URL, timeout=1), 30, "the service answers")

    def owners(address=LOCALS[0]):
        return net.webs[0].arping(address, "eth0")

    assert owners() == {net.nodes[0].mac("eth1")}
    arps = net.inside_cables[1].capture_sent("arp")
    one.kill()
    two.wait_master(OUTSIDE_VIP)
    wait_for(lambda: net.client.curl(URL, timeout=1), 30, "the service answers again")
    for address in LOCALS:
        assert owners(address) == {net.nodes[1].mac("eth1")}
        assert [arp for _, _, arp in arps.arps(address) if arp.target == address], address
    assert net.client.ping(OUTSIDE_VIP) > 0
    two.stop()
    assert owners() == set(), "nobody answers for them any more"


def test_one_arm_with_a_virtual_mac(lab):
    """Everything on one link; the servers' gateway is the router, not the balancer."""
    arm = one_arm(lab, "10.0.0.254")
    services = virtual_server(ONE_ARM_VIP, servers=ONE_ARM_WEBS, kind="FULLNAT")
    instance = vrrp_instance(vip=f"{ONE_ARM_VIP}/24", use_vmac=True)
    keepline = Keepline(arm.node, instance + services + dataplane("10.0.0.200")).start()
    keepline.wait_master(ONE_ARM_VIP)
    assert_serves(lab, arm.client, arm.nginx, f"http://{ONE_ARM_VIP}/")
    assert [web.clients() for web in arm.nginx] == [{"10.0.0.200"}] * 2
    assert arm.webs[0].arping("10.0.0.200", "eth0") == {"00:00:5e:00:01:33"}
    assert arm.webs[0].ping("10.0.0.200", 2) == 2, "its echo requests are answered, too"


def test_clients_of_ipv6(lab):
    net = test_ipv6.Network(lab)
    for number in (21, 22):
        net.add_web(net.outside, f"2001:db8:1::{number}", "2001:db8:1::1")
        net.webs[-1].ip("route del ::/0")
    servers = [f"2001:db8:1::{number}" for number in (21, 22)]
    service = test_ipv6.service(servers=servers, kind="FULLNAT", check="")
    keepline = net.start(service + dataplane("2001:db8:1::200-201"))
    assert_serves(lab, net.client, net.nginx, test_ipv6.URL)
    seen = {ipaddress.ip_address(each) for web in net.nginx for each in web.clients()}
    assert seen <= {ipaddress.ip_address(f"2001:db8:1::20{n}") for n in (0, 1)} and seen
    assert {row["forward"] for row in keepline.servers().values()} == {"FullNat"}


TCP_CHECK = "TCP_CHECK {\n retry 1\n delay_before_retry 0.3\n }"


def tcp_options(segment):
    """By kind, the value's bytes."""
    options, found = segment[20 : (segment[12] >> 4) * 4], {}
    while options and options[0] != 0:
        if options[0] == 1:
            options = options[1:]
            continue
        found[options[0]] = options[2 : options[1]]
        options = options[options[1] :]
    return found


def test_proxy_protocol(lab):
    """nginx hears who the client is, in whole connections and whatever their size."""
    net = lost_servers(lab, nodes=1)
    for web, nginx in zip(net.webs, net.nginx):
        nginx.stop()
        net.nginx[net.webs.index(web)] = Nginx(web, "80 proxy_protocol", name=f"{web}-proxy")
    kind = "FULLNAT proxy_protocol"
    services = virtual_server(kind=kind, check=TCP_CHECK)
    services += virtual_server(port=5300, kind=kind, **UDP)
    outside = vrrp_instance("OUT", f"{OUTSIDE_VIP}/24", "eth0", 51, 100)
    keepline = Keepline(net.nodes[0], outside + services + dataplane("10.1.0.200")).start()
    keepline.wait_master(OUTSIDE_VIP)
    answers = net.client.capture("eth0", "tcp[13] = 18", "in")
    wait_for(lambda: net.client.curl(URL, timeout=1), 30, f"{URL} answers")
    assert {net.client.curl(URL) for _ in range(8)} == {"web1-proxy\n", "web2-proxy\n"}
    largest = {struct.unpack("!H", tcp_options(f.ipv4.payload)[2])[0] for f in answers.stop()}
    assert largest == {1460 - 28}, "segments leave room for the header"
    for nginx in net.nginx:
        nginx.add_file("large", bytes(range(256)) * 3500)
    for number in range(2):
        path = lab.directory / f"large.{number}"
        assert net.client.curl(f"{URL}files/large", "-o", path, timeout=30) is not None
        assert path.read_bytes() == bytes(range(256)) * 3500
        words = ("-s", "-m", 20, "--data-binary", f"@{path}", URL)
        assert net.client.run("curl", *words, timeout=30).stdout.startswith("web")
    # Many requests of one connection.
    words = ("-s", *[URL] * 50)
    assert len(net.client.run("curl", *words, timeout=30).stdout.split()) == 50
    assert [nginx.told_clients() for nginx in net.nginx] == [{CLIENT}] * 2
    assert [nginx.clients() for nginx in net.nginx] == [{"10.1.0.200"}] * 2
    echoes = [udp_echo(web, 5300, proxy=True) for web in net.webs]
    udp_probe(net.client, OUTSIDE_VIP, 5300, rate=50, count=5).report_when_done(20)
    report = udp_probe(net.client, OUTSIDE_VIP, 5300, count=200).report_when_done(30)
    assert (report["answered"], report["lost"]) == (200, 0), report
    assert any(f'"clients": ["{CLIENT}"]' in echo.output() for echo in echoes)


def test_proxy_protocol_of_ipv6(lab):
    net = test_ipv6.Network(lab)
    for number in (21, 22):
        net.add_web(net.outside, f"2001:db8:1::{number}", "2001:db8:1::1")
        net.webs[-1].ip("route del ::/0")
        net.nginx[-1].stop()
        net.nginx[-1] = Nginx(net.webs[-1], "[::]:80 proxy_protocol", name=f"web{number}")
    servers = [f"2001:db8:1::{number}" for number in (21, 22)]
    service = test_ipv6.service(servers=servers, kind="FULLNAT proxy_protocol", check="")
    net.start(service + dataplane("2001:db8:1::200"))
    wait_for(lambda: net.client.curl(test_ipv6.URL, timeout=1), 30, "the service answers")
    assert {net.client.curl(test_ipv6.URL) for _ in range(8)} == {"web21\n", "web22\n"}
    assert [nginx.told_clients() for nginx in net.nginx] == [{test_ipv6.CLIENT}] * 2


def test_tcp_option(lab):
    """The segment that completes the handshake tells it (there is no kernel module here to ask)."""
    net = lost_servers(lab, nodes=1)
    outside = vrrp_instance("OUT", f"{OUTSIDE_VIP}/24", "eth0", 51, 100)
    services = virtual_server(kind="FULLNAT toa")
    keepline = Keepline(net.nodes[0], outside + services + dataplane("10.1.0.200")).start()
    keepline.wait_master(OUTSIDE_VIP)
    wait_for(lambda: net.client.curl(URL, timeout=1), 30, f"{URL} answers")
    seen = net.inside_cables[0].capture_sent("tcp dst port 80 and src host 10.1.0.200")
    source = 40123
    assert net.client.curl(URL, "--local-port", source) in ("web1\n", "web2\n")
    segments = [frame.ipv4.payload for frame in seen.stop()]
    told = [tcp_options(each).get(254) for each in segments]
    expected = struct.pack("!H", source) + socket.inet_aton(CLIENT)
    assert told[0] is None and segments[0][13] == 2, "not in the SYN"
    assert told[1] == expected, "in the segment that completes the handshake"
    assert told[-1] is None, "not after the server's answer"
    assert set(told) == {None, expected}
    assert_serves(lab, net.client, net.nginx, URL)


def test_a_pool_that_is_no_pool_is_refused(lab):
    """With its place in the file, and what would be right; the node starts nothing."""
    net = lost_servers(lab, nodes=1)
    text = configuration().replace("10.1.0.200-201", "203.0.113.7")
    keepline = Keepline(net.nodes[0], text)
    failed = net.nodes[0].run(*keepline.command(), check=False)
    assert failed.returncode != 0
    assert "203.0.113.7 is in no network of this node" in failed.stderr + failed.stdout
