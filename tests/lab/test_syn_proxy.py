"""syn_proxy: real clients and servers through it, and a flood of SYNs that costs nothing."""

import hashlib
import os
import socket
import struct
import sys

import pytest
import test_ipv6
from daemons import Keepline
from process import wait_for
from test_full_nat import dataplane, tcp_options
from topologies import (
    INSIDE_VIP,
    OUTSIDE_VIP,
    WEBS,
    two_arms,
    two_arm_configuration,
    virtual_server,
    vrrp_instance,
)

URL = f"http://{OUTSIDE_VIP}/"
CHECK = "TCP_CHECK {\n retry 1\n delay_before_retry 0.3\n }"
# A server that speaks first, as those of mail and SSH do, and then counts what it is sent.
GREETER = """
import socket, sys
listener = socket.create_server((sys.argv[1], 2525), family=socket.AF_INET)
print("listening", flush=True)
while True:
    peer, _ = listener.accept()
    try:
        peer.sendall(b"220 hello\\n")
        size = 0
        while data := peer.recv(65536):
            size += len(data)
        peer.sendall(b"%d\\n" % size)
    except ConnectionError:  # a check
        pass
    peer.close()
"""


def proxied(port=80, **words):
    text = virtual_server(port=port, check=CHECK, **words)
    return text.replace("lb_kind", "syn_proxy\n  lb_kind")


def assert_whole(lab, client, nginx, url):
    data = os.urandom(1 << 20)
    for web in nginx:
        web.add_file("large", data)
    for number in range(3):
        path = lab.directory / f"large.{number}"
        assert client.curl(f"{url}files/large", "-g", "-o", path, timeout=30) is not None
        assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(data).digest()
        words = ("-g", "-s", "-m", 20, "--data-binary", f"@{path}", url)
        assert client.run("curl", *words, timeout=30).stdout in ("web1\n", "web2\n")


def flood(host, device, gateway_mac, count):
    """SYNs from addresses that nobody has."""
    mac = bytes.fromhex(host.mac(device).replace(":", ""))
    ether = bytes.fromhex(gateway_mac.replace(":", "")) + mac + b"\x08\x00"
    sender = host.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sender.bind((device, 0))
    for number in range(count):
        source = struct.pack("!I", (100 << 24) + number)
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 40, number & 0xFFFF, 0x4000, 64, 6, 0)
        ip += source + socket.inet_aton(OUTSIDE_VIP)
        total = sum(struct.unpack("!10H", ip))
        total = (total & 0xFFFF) + (total >> 16)
        total = (total & 0xFFFF) + (total >> 16)
        ip = ip[:10] + struct.pack("!H", total ^ 0xFFFF) + ip[12:]
        tcp = struct.pack("!HHIIBBHHH", 1024 + number % 60000, 80, number, 0, 0x50, 2, 64240, 0, 0)
        sender.send(ether + ip + tcp)
    sender.close()


@pytest.mark.parametrize("kind", ["NAT", "FULLNAT", "FULLNAT proxy_protocol"])
def test_clients_and_servers(lab, kind):
    net = two_arms(lab, nodes=1)
    proxy = "proxy" in kind
    if proxy:
        for web, nginx in zip(net.webs, list(net.nginx)):
            nginx.stop()
            listen = type(nginx)(web, "80 proxy_protocol", name=web.name + "-proxy")
            listen.name = web.name
            net.nginx[net.webs.index(web)] = listen
    for web, address in zip(net.webs, WEBS):
        web.start(sys.executable, "-c", GREETER, address, name="greeter").wait_output("listening")
    services = proxied(kind=kind) + proxied(2525, kind=kind.split()[0])
    text = two_arm_configuration(100, services)
    text += dataplane("10.1.0.200") if kind != "NAT" else ""
    keepline = Keepline(net.nodes[0], text).start()
    keepline.wait_master(OUTSIDE_VIP)
    wait_for(lambda: net.client.curl(URL, timeout=1), 30, f"{URL} answers")
    seen = net.inside_cables[0].capture_sent("tcp[13] = 2 and dst port 80")
    answers = {net.client.curl(URL) for _ in range(10)}
    assert answers == ({"web1-proxy\n", "web2-proxy\n"} if proxy else {"web1\n", "web2\n"})
    # Nine in ten are of clients; a check has the node's own address.
    options = [tcp_options(f.ipv4.payload) for f in seen.stop() if f.ipv4.source != "10.1.0.1"]
    assert len(options) >= 10
    for each in options:
        assert set(each) == {2, 3, 4, 8}, "segment size, scale, SACK and timestamps survive"
        assert struct.unpack("!H", each[2])[0] == 1460
    if not proxy:
        assert_whole(lab, net.client, net.nginx, URL)
    # Many requests of one connection, and a server that speaks first.
    words = ("-s", *[URL] * 50)
    assert len(net.client.run("curl", *words, timeout=30).stdout.split()) == 50
    peer = net.client.socket(socket.AF_INET, socket.SOCK_STREAM)
    peer.settimeout(10)
    peer.connect((OUTSIDE_VIP, 2525))
    assert peer.recv(100) == b"220 hello\n"
    peer.sendall(bytes(300_000))
    peer.shutdown(socket.SHUT_WR)
    assert peer.recv(100) == b"300000\n"
    peer.close()
    assert keepline.flows("proxied") >= 12
    assert keepline.drops().get("bad_cookie", 0) == 0


def test_clients_of_ipv6(lab):
    net = test_ipv6.two_arms(lab)
    keepline = net.start(
        test_ipv6.service(check="").replace("lb_kind", "syn_proxy\n  lb_kind")
    )
    wait_for(lambda: net.client.curl(test_ipv6.URL, timeout=1), 30, "the service answers")
    assert {net.client.curl(test_ipv6.URL) for _ in range(8)} == {"web1\n", "web2\n"}
    assert_whole(lab, net.client, net.nginx, test_ipv6.URL)
    assert keepline.flows("proxied") >= 8


def test_a_refused_connection(lab):
    net = two_arms(lab, nodes=1)
    services = proxied(81, server_port=81).replace(CHECK, "").replace("inhibit_on_failure", "")
    keepline = Keepline(net.nodes[0], two_arm_configuration(100, services)).start()
    keepline.wait_master(OUTSIDE_VIP)
    keepline.wait_master(INSIDE_VIP)
    done = net.client.run("curl", "-s", "-m", 5, f"http://{OUTSIDE_VIP}:81/", check=False)
    assert done.returncode in (7, 52, 56), "the server's reset came through"


def test_a_flood_of_syns(lab):
    """No connection, no neighbour, and clients are served while it lasts."""
    net = two_arms(lab, nodes=1)
    text = "dataplane {\n connections 1024\n}\n" + two_arm_configuration(100, proxied())
    keepline = Keepline(net.nodes[0], text).start()
    keepline.wait_master(OUTSIDE_VIP)
    wait_for(lambda: net.client.curl(URL, timeout=1), 30, f"{URL} answers")
    before = keepline.cli("lcores")["lcores"][0]["created"]
    vip_mac = net.router.neighbour(OUTSIDE_VIP)
    neighbours = net.nodes[0].run("ip", "neigh", "show").stdout
    for _ in range(4):
        flood(net.router, "eth0", vip_mac, 2500)
        assert net.client.curl(URL) in ("web1\n", "web2\n")
    lcore = keepline.cli("lcores")["lcores"][0]
    assert keepline.flows("syn_cookies") > 5000
    assert lcore["created"] - before == 4, "those of the client"
    assert keepline.flows("reclaimed") == 0 and keepline.flows("stateless") == 0
    after = net.nodes[0].run("ip", "neigh", "show").stdout
    assert "100." not in after.replace("192.0.2.100", ""), (neighbours, after)
