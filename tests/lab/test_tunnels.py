"""lb_kind TUN with every type: servers that unpack, and answer the client directly."""

import hashlib
import os
import sys
from pathlib import Path

import pytest
import test_ipv6
from daemons import Keepline
from nginx import Nginx
from process import wait_for
from test_icmp import path_mtu
from topologies import CLIENT, ONE_ARM_VIP, ONE_ARM_WEBS, one_arm, virtual_server, vrrp_instance
from traffic import udp_echo, udp_probe

DECAPSULATOR = Path(__file__).parent / "decapsulator.py"
KINDS = {
    "ipip": "TUN",
    "gre": "TUN type gre",
    "gre csum": "TUN type gre csum",
    "gue": "TUN type gue port 6080",
    "gue csum": "TUN type gue port 6080 csum",
    "gue remcsum": "TUN type gue port 6080 remcsum",
}
UDP = {"protocol": "UDP", "check": "", "server_words": ""}


def unpack(web, kind, family, vip):
    """The host takes the VIP's packets out of the tunnel and answers as the VIP."""
    web.set_sysctl(**{"net.ipv4.conf.all.arp_ignore": 1, "net.ipv4.conf.all.arp_announce": 2})
    web.ip(f"address add {vip} dev lo")
    process = web.start(
        sys.executable, "-u", DECAPSULATOR, kind.split()[0], family, 6080, name="decapsulator"
    )
    process.wait_output("ready")
    web.set_sysctl(**{"net.ipv4.conf.all.rp_filter": 0, "net.ipv4.conf.tunnel0.rp_filter": 0})
    return process


def assert_serves(lab, client, nginx, url):
    def answered():
        return client.curl(url, timeout=1)

    wait_for(answered, 30, f"{url} answers")
    assert sorted(client.curl(url) for _ in range(4)) == ["web1\n"] * 2 + ["web2\n"] * 2
    data = os.urandom(1 << 20)
    for web in nginx:
        web.add_file("large", data)
    for number in range(2):
        path = lab.directory / f"large.{number}"
        assert client.curl(f"{url}files/large", "-o", path, timeout=30) is not None
        assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(data).digest()
    # The other way round: segments as long as the client can make them.
    words = ("-g", "-s", "-m", 20, "--data-binary", f"@{path}", url)
    upload = client.run("curl", *words, timeout=40)
    assert upload.stdout in ("web1\n", "web2\n")


@pytest.mark.parametrize("kind", KINDS)
def test_clients_of_ipv4(lab, kind):
    arm = one_arm(lab, "10.0.0.254")
    tunnels = [unpack(web, kind, "4", f"{ONE_ARM_VIP}/32") for web in arm.webs]
    services = virtual_server(ONE_ARM_VIP, servers=ONE_ARM_WEBS, kind=KINDS[kind])
    services += virtual_server(
        ONE_ARM_VIP, port=5300, servers=ONE_ARM_WEBS, kind=KINDS[kind], **UDP
    )
    keepline = Keepline(arm.node, vrrp_instance(vip=f"{ONE_ARM_VIP}/24") + services).start()
    keepline.wait_master(ONE_ARM_VIP)
    passing = arm.node.cables["eth0"].capture_sent("tcp src port 80")
    assert_serves(lab, arm.client, arm.nginx, f"http://{ONE_ARM_VIP}/")
    answers = [frame for frame in passing.stop() if frame.ipv4.source == ONE_ARM_VIP]
    assert answers == [], "answers do not pass the node"
    assert [web.clients() for web in arm.nginx] == [{CLIENT}, {CLIENT}]
    assert {row["forward"] for row in keepline.servers().values()} == {"Tunnel"}
    for web in arm.webs:
        udp_echo(web, 5300)
    udp_probe(arm.client, ONE_ARM_VIP, 5300, rate=50, count=5).report_when_done(20)
    report = udp_probe(arm.client, ONE_ARM_VIP, 5300, count=200).report_when_done(30)
    assert (report["answered"], report["lost"]) == (200, 0), report
    for tunnel in tunnels:
        assert "open" in tunnel.output() and "bad" not in tunnel.output(), tunnel.output()
    # What it may send at most, the client has heard from the balancer.
    header = {"ipip": 20, "gre": 24, "gre csum": 28}.get(kind, 32)
    assert path_mtu(arm.client, ONE_ARM_VIP) == 1500 - header


@pytest.mark.parametrize("outer", ["6", "4"])
@pytest.mark.parametrize("kind", ["ipip", "gre csum", "gue"])
def test_clients_of_ipv6(lab, kind, outer):
    """Clients of IPv6; the servers are under IPv6 or IPv4."""
    net = test_ipv6.Network(lab)
    net.node.ip("address add 10.9.0.1/24 dev eth0")
    servers = []
    for number in (21, 22):
        net.add_web(net.outside, f"2001:db8:1::{number}", "2001:db8:1::1")
        net.webs[-1].ip(f"address add 10.9.0.{number}/24 dev eth0")
        servers.append(f"2001:db8:1::{number}" if outer == "6" else f"10.9.0.{number}")
    tunnels = [unpack(web, kind, outer, f"{test_ipv6.VIP}/128") for web in net.webs]
    keepline = net.start(test_ipv6.service(servers=servers, kind=KINDS[kind], check=""))
    assert_serves(lab, net.client, net.nginx, test_ipv6.URL)
    assert {row["forward"] for row in keepline.servers().values()} == {"Tunnel"}
    rows = keepline.connections()
    assert {row["destination"].rsplit(":", 1)[0].strip("[]") for row in rows} <= set(servers), rows
    for tunnel in tunnels:
        assert "open" in tunnel.output() and "bad" not in tunnel.output(), tunnel.output()


@pytest.mark.parametrize("kind", ["ipip", "gre csum", "gue"])
def test_a_narrow_link_on_the_tunnels_way(lab, kind):
    """A router between node and server says that the tunnel's packets are too big, to the node:
    the client hears it from the VIP, less what the tunnel adds."""
    arm = one_arm(lab, "10.0.0.254")
    hop, web = lab.host("hop", forward=True), lab.host("web9")
    branch = lab.switch("branch")
    lab.cable(hop, "eth0", arm.lan, "10.0.0.9/24")
    lab.cable(hop, "eth1", branch, "10.8.0.1/24")
    lab.cable(web, "eth0", branch, "10.8.0.9/24")
    hop.ip("route add default via 10.0.0.254", "link set eth1 mtu 1300")
    web.ip("route add default via 10.8.0.1")
    for host in (arm.node, arm.router):
        host.ip("route add 10.8.0.0/24 via 10.0.0.9")
    server = Nginx(web)
    tunnel = unpack(web, kind, "4", f"{ONE_ARM_VIP}/32")
    service = virtual_server(ONE_ARM_VIP, servers=["10.8.0.9"], kind=KINDS[kind])
    keepline = Keepline(arm.node, vrrp_instance(vip=f"{ONE_ARM_VIP}/24") + service).start()
    keepline.wait_master(ONE_ARM_VIP)
    url = f"http://{ONE_ARM_VIP}/"
    wait_for(lambda: arm.client.curl(url, timeout=1), 30, f"{url} answers")
    path = lab.file("large", "x" * 500_000)
    words = ("-g", "-s", "-m", 20, "--data-binary", f"@{path}", url)
    assert arm.client.run("curl", *words, timeout=40).stdout == "web9\n"
    header = {"ipip": 20, "gre csum": 28, "gue": 32}[kind]
    assert path_mtu(arm.client, ONE_ARM_VIP) == 1300 - header
    assert keepline.flows("icmp_errors") > 0
    assert server.clients() == {CLIENT}
    assert "bad" not in tunnel.output(), tunnel.output()
    # Errors about what the node itself sends there stay the kernel's.
    words = ("-c", "2", "-W", "1", "-M", "do", "-s", "1372", "10.8.0.9")
    arm.node.run("ping", *words, check=False)
    assert path_mtu(arm.node, "10.8.0.9") == 1300
