"""Path MTU and unreachable ports through the balancer: ICMP errors reach the end they are about."""

import errno
import hashlib
import os
import socket

import pytest
import test_ipv6
from daemons import Keepline
from process import wait_for
from topologies import (
    CLIENT,
    ONE_ARM_GATEWAY,
    ONE_ARM_VIP,
    ONE_ARM_WEBS,
    OUTSIDE_VIP,
    one_arm,
    two_arm_configuration,
    two_arms,
    virtual_server,
    vrrp_instance,
)

UDP = {"protocol": "UDP", "check": "", "server_words": ""}
IP_MTU_DISCOVER, IP_PMTUDISC_DO, IP_MTU = 10, 2, 14  # linux/in.h
NARROW = 1300


def wait_answer(client, url):
    wait_for(lambda: client.curl(url, timeout=1), 30, f"{url} answers")


def assert_large_arrives(lab, client, nginx, url):
    data = os.urandom(1 << 20)
    for web in nginx:
        web.add_file("large", data)
    path = lab.directory / "large"
    assert client.curl(f"{url}files/large", "-o", path, timeout=30) is not None
    assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(data).digest()


def path_mtu(host, destination):
    """As the host has learnt it; 0: nothing learnt."""
    words = host.run("ip", "route", "get", destination).stdout.split()
    return int(words[words.index("mtu") + 1]) if "mtu" in words else 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_narrow_link_behind_the_balancer(lab, workers):
    """A router on the client's side says that answers are too big, to the VIP: the server that
    sent them hears it."""
    two = two_arms(lab, nodes=1)
    options = f"dataplane {{\n  workers {workers}\n}}\n"
    keepline = Keepline(
        two.nodes[0], options + two_arm_configuration(100, virtual_server())
    ).start()
    url = f"http://{OUTSIDE_VIP}/"
    wait_answer(two.client, url)
    two.router.ip(f"link set eth1 mtu {NARROW}")
    for _ in range(workers + 1):  # one of them has two, for both servers
        assert_large_arrives(lab, two.client, two.nginx, url)
    assert [path_mtu(web, CLIENT) for web in two.webs] == [NARROW, NARROW]
    assert keepline.flows("icmp_errors") >= 2


def test_a_narrow_link_behind_the_balancer_ipv6(lab):
    net = test_ipv6.two_arms(lab)
    keepline = net.start(test_ipv6.service())
    test_ipv6.wait_answer(net.client)
    net.router.ip(f"link set eth1 mtu {NARROW}")
    for _ in net.webs:
        assert_large_arrives(lab, net.client, net.nginx, test_ipv6.URL)
    assert [path_mtu(web, test_ipv6.CLIENT) for web in net.webs] == [NARROW, NARROW]
    assert keepline.flows("icmp_errors") >= 2


def test_direct_routing_behind_a_narrow_link(lab):
    """The server answers past the balancer; what the router says about it goes to the VIP."""
    arm = one_arm(lab, ONE_ARM_GATEWAY)
    for web in arm.webs:
        web.ip(f"addr add {ONE_ARM_VIP}/32 dev lo", "route replace default via 10.0.0.254")
        web.set_sysctl(**{"net.ipv4.conf.all.arp_ignore": 1, "net.ipv4.conf.all.arp_announce": 2})
    services = virtual_server(ONE_ARM_VIP, servers=ONE_ARM_WEBS, kind="DR")
    keepline = Keepline(arm.node, vrrp_instance(vip=ONE_ARM_VIP) + services).start()
    url = f"http://{ONE_ARM_VIP}/"
    wait_answer(arm.client, url)
    arm.router.ip(f"link set eth1 mtu {NARROW}")
    for _ in arm.webs:
        assert_large_arrives(lab, arm.client, arm.nginx, url)
    assert keepline.flows("icmp_errors") >= 2


def test_too_big_for_the_servers_link(lab):
    """The balancer itself says so, from the VIP, to clients and to servers."""
    two = two_arms(lab, nodes=1)
    node = two.nodes[0]
    node.ip(f"link set eth1 mtu {NARROW}")
    services = virtual_server() + virtual_server(port=5300, **UDP)
    keepline = Keepline(node, two_arm_configuration(100, services)).start()
    wait_answer(two.client, f"http://{OUTSIDE_VIP}/")
    probe = two.client.socket(kind=socket.SOCK_DGRAM)
    probe.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
    probe.connect((OUTSIDE_VIP, 5300))
    probe.send(bytes(1400))

    def learnt():
        return probe.getsockopt(socket.IPPROTO_IP, IP_MTU) == NARROW

    wait_for(learnt, 10, "the client has learnt the MTU")
    assert keepline.flows("refusals") >= 1
    assert keepline.drops()["too_big"] >= 1


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_nobody_listens(lab, family):
    """The server's "port unreachable" reaches the client; without servers it is the balancer's."""
    if family == socket.AF_INET:
        two = two_arms(lab, nodes=1)
        client, vip, nginx = two.client, OUTSIDE_VIP, two.nginx
        services = virtual_server(server_words="") + virtual_server(port=5300, **UDP)
        keepline = Keepline(two.nodes[0], two_arm_configuration(100, services)).start()
    else:
        net = test_ipv6.two_arms(lab)
        client, vip, nginx = net.client, test_ipv6.VIP, net.nginx
        keepline = net.start(
            test_ipv6.service(server_words="") + test_ipv6.service(port=5300, **UDP)
        )
    name = f"[{vip}]" if ":" in vip else vip
    wait_answer(client, f"http://{name}/")
    probe = client.socket(family, socket.SOCK_DGRAM)
    probe.settimeout(10)
    probe.connect((vip, 5300))
    probe.send(b"anybody?")
    with pytest.raises(ConnectionRefusedError):
        probe.recv(1)
    assert keepline.flows("icmp_errors") >= 1
    for web in nginx:
        web.stop()

    def refused():
        tcp = client.socket(family)
        tcp.settimeout(1)
        gone = keepline.drops()["no_real_server"] > 0
        return tcp.connect_ex((vip, 80)) == errno.ECONNREFUSED and gone

    wait_for(refused, 30, "a connection is refused at once")
    assert keepline.flows("refusals") >= 1
