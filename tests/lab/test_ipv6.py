"""Services over IPv6 on real traffic: NAT and DR, TCP and UDP, dying servers, where VIPs live."""

import hashlib
import os
import re
import socket

import pytest
from daemons import Keepline
from nginx import Nginx
from process import wait_for
from topologies import virtual_server, vrrp_instance
from traffic import udp_echo, udp_probe

VIP = "2001:db8:1::100"
NODE = "2001:db8:1::11"
CLIENT = "2001:db8:f::7"
WEBS = ("fd00:1::21", "fd00:1::22")
URL = f"http://[{VIP}]/"
GATEWAY = "fd00:1::fe"
LARGE = 4 << 20


class Network:
    """Client, router and a node with one or two arms; what the servers see is a routed client."""

    def __init__(self, lab):
        self.lab = lab
        self.outside, self.far = lab.switch("outside"), lab.switch("far")
        self.router = lab.host("router", forward=True, ipv6=True)
        lab.cable(self.router, "eth0", self.outside, "2001:db8:1::1/64")
        lab.cable(self.router, "eth1", self.far, "2001:db8:f::1/64")
        self.client = lab.host("client", ipv6=True)
        lab.cable(self.client, "eth0", self.far, f"{CLIENT}/64")
        self.client.ip("route add default via 2001:db8:f::1")
        self.node = lab.host("node", forward=True, ipv6=True)
        self.cable = lab.cable(self.node, "eth0", self.outside, f"{NODE}/64")
        self.node.ip("route add default via 2001:db8:1::1")
        self.webs, self.nginx = [], []

    def add_web(self, switch, address, gateway):
        web = self.lab.host(f"web{len(self.webs) + 1}", ipv6=True)
        self.lab.cable(web, "eth0", switch, f"{address}/64")
        web.ip(f"route add default via {gateway}")
        self.webs.append(web)
        self.nginx.append(Nginx(web, "[::]:80"))

    def start(self, configuration):
        return Keepline(self.node, configuration).start()


def two_arms(lab):
    net = Network(lab)
    net.inside = lab.switch("inside")
    lab.cable(net.node, "eth1", net.inside, "fd00:1::1/64")
    net.router.ip(f"route add fd00:1::/64 via {NODE}")
    for address in WEBS:
        net.add_web(net.inside, address, "fd00:1::1")
    return net


def service(vip=VIP, servers=WEBS, **words):
    return virtual_server(vip, servers=servers, **words)


def get(client, count=1, url=URL):
    return [client.curl(url) for _ in range(count)]


def wait_answer(client, url=URL):
    wait_for(lambda: client.curl(url, timeout=1), 30, f"{url} answers")


def assert_unharmed(net, url=URL):
    """Large bodies arrive as they were sent, from both servers."""
    data = os.urandom(LARGE)
    for web in net.nginx:
        web.add_file("large", data)
    for number in range(4):
        path = net.lab.directory / f"large.{number}"
        assert net.client.curl(f"{url}files/large", "-o", path, timeout=30) is not None
        assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(data).digest()


def test_two_arm_nat(lab):
    """Bodies in turn, true client addresses, large bodies unharmed, listings as ipvsadm's."""
    net = two_arms(lab)
    keepline = net.start(service())
    wait_answer(net.client)
    assert sorted(get(net.client, 6)) == ["web1\n"] * 3 + ["web2\n"] * 3
    assert [web.clients() for web in net.nginx] == [{CLIENT}, {CLIENT}]
    assert_unharmed(net)
    assert net.client.ping(VIP, 3) == 3, "the kernel answers"
    assert net.webs[0].ping(CLIENT, 3) == 3, "what is no service's traffic is routed by the kernel"

    held = net.client.socket(socket.AF_INET6)
    held.connect((VIP, 80))
    listing = keepline.cli_text("services")
    assert re.search(rf"^TCP  \[{VIP}\]:80 rr$", listing, re.MULTILINE), listing
    for web in WEBS:
        row = rf"^  -> \[{web}\]:80 +Masq +1 +\d+ +\d+ *$"
        assert re.search(row, listing, re.MULTILINE), listing
    client = f"[{CLIENT}]:{held.getsockname()[1]}"
    row = {row["client"]: row for row in keepline.connections()}[client]
    assert (row["state"], row["virtual"]) == ("ESTABLISHED", f"[{VIP}]:80")
    assert row["destination"] in {f"[{web}]:80" for web in WEBS}
    assert client in keepline.cli_text("connections")


def test_nat_of_udp(lab):
    """Every datagram of 400 comes back, from the VIP, through one server for one client port."""
    net = two_arms(lab)
    keepline = net.start(service(port=5300, protocol="UDP", check="", server_words=""))
    echoes = [udp_echo(web, 5300, "::") for web in net.webs]
    udp_probe(net.client, VIP, 5300, rate=50, count=5).report_when_done(20)
    servers = set()
    for _ in range(2):
        report = udp_probe(net.client, VIP, 5300, rate=200, count=400).report_when_done(30)
        assert (report["answered"], report["lost"]) == (400, 0), report
        assert len(report["servers"]) == 1, "one client port, one server"
        servers |= set(report["servers"])
    assert servers == {"web1", "web2"}
    assert all(CLIENT in echo.output() for echo in echoes)
    assert keepline.services()[0]["protocol"] == "UDP"


@pytest.mark.parametrize("address", [NODE, "2001:db8:aa::1"])
def test_service_on_an_address_of_the_node(lab, address):
    """On its interface or its loopback: only VIP:port is diverted."""
    net = two_arms(lab)
    if address != NODE:
        net.node.ip(f"address add {address}/128 dev lo")
        net.router.ip(f"route add {address}/128 via {NODE}")
    Nginx(net.node, "[::]:8080", name="own")
    net.start(service(address))
    url = f"http://[{address}]/"
    wait_answer(net.client, url)
    assert sorted(get(net.client, 4, url)) == ["web1\n", "web1\n", "web2\n", "web2\n"]
    assert net.client.curl(f"http://[{address}]:8080/") == "own\n"
    assert net.client.ping(address, 3) == 3


def test_vip_of_its_own_comes_and_goes(lab):
    """In no instance and not on the node: keepline adds it, and takes it away at the end."""
    net = two_arms(lab)
    keepline = net.start(service())
    wait_for(lambda: net.node.has_address(VIP), what="the VIP")
    shown = net.node.run("ip", "-6", "address", "show", "to", VIP).stdout
    assert "nodad" in shown and "deprecated" in shown, "no source for the node's own connections"
    assert keepline.stop() == 0
    assert not net.node.has_address(VIP)


def test_direct_routing(lab):
    """The VIP on the servers' lo; answers go past the node, straight to the router."""
    net = Network(lab)
    servers = ("2001:db8:1::21", "2001:db8:1::22")
    for address in servers:
        net.add_web(net.outside, address, "2001:db8:1::1")
        net.webs[-1].ip(f"address add {VIP}/128 dev lo")
    keepline = net.start(service(servers=servers, kind="DR"))
    wait_answer(net.client)
    passing = net.cable.capture_sent(f"ip6 and src host {VIP} and tcp")
    assert sorted(get(net.client, 4)) == ["web1\n", "web1\n", "web2\n", "web2\n"]
    assert [web.clients() for web in net.nginx] == [{CLIENT}, {CLIENT}]
    assert_unharmed(net)
    assert passing.stop() == [], "answers do not pass the node"
    assert {row["forward"] for row in keepline.servers().values()} == {"Route"}


TCP_CHECK = "TCP_CHECK {\n connect_timeout 1\n retry 1\n delay_before_retry 0.3\n }"


@pytest.mark.parametrize(
    "words", [{}, {"server_words": ""}, {"server_words": "", "check": TCP_CHECK}]
)
def test_server_dies_and_comes_back(lab, words):
    """Its check fails: traffic to the other one; it recovers by itself, then in turn again."""
    net = two_arms(lab)
    keepline = net.start(service(**words))
    wait_answer(net.client)

    def weight():
        return keepline.weight(f"{WEBS[0]}:80") or 0

    failures = [(net.nginx[0].stop, net.nginx[0].start)]
    if "check" not in words:
        failures.append((net.nginx[0].break_, net.nginx[0].mend))
    for stop, start in failures:
        stop()
        wait_for(lambda: weight() == 0, 30, "weight 0, or out of the pool")
        assert get(net.client, 4) == ["web2\n"] * 4
        start()
        wait_for(lambda: weight() == 1, 30, "weight 1")
        assert sorted(get(net.client, 4)) == ["web1\n", "web1\n", "web2\n", "web2\n"]


def test_both_families_in_one_file(lab):
    """One daemon, the same servers for IPv4 and IPv6 clients."""
    net = two_arms(lab)
    for host, device, address in (
        (net.router, "eth0", "192.0.2.1/24"),
        (net.router, "eth1", "198.51.100.1/24"),
        (net.client, "eth0", "198.51.100.7/24"),
        (net.node, "eth0", "192.0.2.11/24"),
        (net.node, "eth1", "10.1.0.1/24"),
    ):
        host.ip(f"address add {address} dev {device}")
    for number, web in enumerate(net.webs):
        web.ip(f"address add 10.1.0.2{number + 1}/24 dev eth0", "route add default via 10.1.0.1")
        Nginx(web, "80", name=f"{web.name}-v4")
    net.client.ip("route add default via 198.51.100.1")
    net.node.ip("route add default via 192.0.2.1")
    keepline = net.start(service() + virtual_server("192.0.2.100"))
    wait_answer(net.client)
    wait_answer(net.client, "http://192.0.2.100/")
    assert sorted(get(net.client, 4)) == ["web1\n", "web1\n", "web2\n", "web2\n"]
    assert sorted(get(net.client, 2, "http://192.0.2.100/")) == ["web1-v4\n", "web2-v4\n"]
    assert [row["vip"] for row in keepline.services()] == [VIP, "192.0.2.100"]


def test_extension_headers_and_fragments(lab):
    """The ports behind a few extension headers are found, also in fragments."""
    net = two_arms(lab)
    keepline = net.start(service(port=5300, protocol="UDP", check="", server_words=""))
    for web in net.webs:
        udp_echo(web, 5300, "::")
    client = net.client.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    client.settimeout(1)
    client.connect((VIP, 5300))
    padding = bytes((0, 0, 1, 4, 0, 0, 0, 0))

    def answered():
        client.send(b"8 bytes.")
        try:
            return client.recv(100).startswith(b"8 bytes.")
        except TimeoutError:
            return False

    wait_for(answered, 20, "an answer")
    client.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, padding)
    assert answered()
    client.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_HOPOPTS, padding)
    assert answered()
    client.send(b"8 bytes." + bytes(2000))
    assert client.recv(100).startswith(b"8 bytes.")
    assert keepline.drops()["fragment"] == 0


def test_servers_and_gateway_are_resolved_ahead(lab):
    """Before any traffic the kernel knows their MACs, and keeps them until the daemon stops."""
    net = two_arms(lab)
    keepline = net.start(service(check="", server_words=""))

    def managed():
        shown = net.node.run("ip", "-6", "neigh", "show").stdout
        return {line.split()[0] for line in shown.splitlines() if "managed" in line}

    wanted = {*WEBS, "2001:db8:1::1"}
    wait_for(lambda: managed() == wanted, what="managed neighbours")
    wait_for(lambda: all(net.node.neighbour(each) for each in wanted), what="their MACs")
    assert keepline.stop() == 0
    assert managed() == set()


def test_excluded_vip_of_an_ipv4_instance_fails_over(lab):
    """It follows the instance: after a crash of the master the other node has it and serves."""
    net = two_arms(lab)
    other = lab.host("node2", forward=True, ipv6=True)
    lab.cable(other, "eth0", net.outside, "2001:db8:1::12/64", "192.0.2.12/24")
    lab.cable(other, "eth1", net.inside, "fd00:1::2/64")
    other.ip("route add default via 2001:db8:1::1")
    net.node.ip("address add 192.0.2.11/24 dev eth0")
    block = f"virtual_ipaddress_excluded {{\n {VIP}/64\n {GATEWAY}/64 dev eth1\n }}"
    words = {"vip": "192.0.2.100/24", "block": block}
    nodes = [
        Keepline(node, vrrp_instance(priority=priority, **words) + service())
        for node, priority in ((net.node, 200), (other, 100))
    ]
    for web in net.webs:
        web.ip(f"route replace default via {GATEWAY}")
    nodes[0].start().wait_master(VIP).wait_master(GATEWAY)
    nodes[1].start().wait_state("BACKUP")
    wait_answer(net.client)
    assert not other.has_address(VIP)
    assert net.router.neighbour(VIP) == net.node.mac("eth0")
    nodes[0].kill()
    assert net.node.has_address(VIP), "its kernel still has it, and is silent"
    nodes[1].wait_master(VIP).wait_master(GATEWAY)
    wait_for(lambda: net.router.neighbour(VIP) == other.mac("eth0"), what="the router has heard")
    wait_answer(net.client)
    assert sorted(get(net.client, 4)) == ["web1\n", "web1\n", "web2\n", "web2\n"]
    assert nodes[1].stop() == 0
    assert not other.has_address(VIP) and not other.has_address(GATEWAY)


def test_a_replaced_default_route_is_followed(lab):
    """Answers go where the kernel's routes say now, through a link-local gateway as well."""
    net = two_arms(lab)
    net.start(service())
    wait_answer(net.client)
    other = lab.host("router2", forward=True, ipv6=True)
    lab.cable(other, "eth0", net.outside, "2001:db8:1::2/64")
    lab.cable(other, "eth1", net.far, "2001:db8:f::2/64")
    seen = other.capture("eth0", f"ip6 and src host {VIP} and tcp", "in")
    shown = other.run("ip", "-6", "-br", "address", "show", "dev", "eth0", "scope", "link").stdout
    gateway = re.search(r"fe80::[0-9a-f:]+", shown).group()
    net.node.ip(f"route replace default via {gateway} dev eth0")
    wait_for(lambda: get(net.client) != [None] and seen.frames(), 30, "answers through router2")
