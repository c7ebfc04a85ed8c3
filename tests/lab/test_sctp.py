"""SCTP services through every method, with libusrsctp at both ends: it checks each packet's CRC."""

import pytest
import sctp
import test_ipv6
from daemons import Keepline
from process import wait_for
from test_full_nat import dataplane
from test_tunnels import unpack
from topologies import (
    CLIENT,
    INSIDE_VIP,
    ONE_ARM_VIP,
    ONE_ARM_WEBS,
    OUTSIDE_VIP,
    WEBS,
    one_arm,
    two_arms,
    two_arm_configuration,
    virtual_server,
    vrrp_instance,
)

PORT = 3868
WORDS = {"protocol": "SCTP", "check": "", "server_words": "", "port": PORT}


def assert_serves(keepline, client, source, vip, size=5000):
    """Both servers, messages longer than a packet, and what the listings make of it."""
    wait_for(lambda: sctp.client(client, source, vip, PORT, count=1), 40, "the service answers")
    reports = [sctp.client(client, source, vip, PORT, count=30, size=size) for _ in range(4)]
    assert all(report["equal"] == 30 for report in reports), reports
    assert {report["server"] for report in reports} == {"web1", "web2"}
    (service,) = keepline.services()
    assert service["protocol"] == "SCTP"
    assert service["stats"]["connections"] >= 5
    rows = keepline.connections()
    assert {row["protocol"] for row in rows} == {"SCTP"}
    assert {row["state"] for row in rows} <= {"CLOSED", "SHUTDOWN_SENT"}, rows


def test_nat(lab):
    """To another port of the servers, back through the node that is their gateway."""
    net = two_arms(lab, nodes=1)
    service = virtual_server(**WORDS, server_port=PORT + 1)
    keepline = Keepline(net.nodes[0], two_arm_configuration(100, service)).start()
    keepline.wait_master(OUTSIDE_VIP)
    keepline.wait_master(INSIDE_VIP)
    for web, address in zip(net.webs, WEBS):
        sctp.server(web, address, PORT + 1)
    assert_serves(keepline, net.client, CLIENT, OUTSIDE_VIP)
    explained = keepline.cli("explain", f"{CLIENT}:7", f"{OUTSIDE_VIP}:{PORT}", "sctp")
    assert explained["service"] == f"{OUTSIDE_VIP}:{PORT}"


def test_full_nat(lab):
    net = two_arms(lab, nodes=1, gateway="10.1.0.254")
    outside = vrrp_instance("OUT", f"{OUTSIDE_VIP}/24", "eth0", 51, 100)
    text = outside + virtual_server(**WORDS, kind="FULLNAT") + dataplane("10.1.0.200")
    keepline = Keepline(net.nodes[0], text).start()
    keepline.wait_master(OUTSIDE_VIP)
    for web, address in zip(net.webs, WEBS):
        sctp.server(web, address, PORT)
    assert_serves(keepline, net.client, CLIENT, OUTSIDE_VIP)


@pytest.mark.parametrize("kind", ["DR", "TUN"])
def test_answers_that_go_past_the_node(lab, kind):
    arm = one_arm(lab, "10.0.0.254")
    for web in arm.webs:
        if kind == "TUN":
            unpack(web, "ipip", "4", f"{ONE_ARM_VIP}/32")
            web.ip(f"address del {ONE_ARM_VIP}/32 dev lo")
        web.set_sysctl(**{"net.ipv4.conf.all.arp_ignore": 1, "net.ipv4.conf.all.arp_announce": 2})
        # libusrsctp does not use addresses of a loopback towards others.
        web.ip("tuntap add dev vip0 mode tun", "link set vip0 up")
        web.ip(f"address add {ONE_ARM_VIP}/32 dev vip0")
        sctp.server(web, ONE_ARM_VIP, PORT)
    service = virtual_server(ONE_ARM_VIP, servers=ONE_ARM_WEBS, kind=kind, **WORDS)
    keepline = Keepline(arm.node, vrrp_instance(vip=f"{ONE_ARM_VIP}/24") + service).start()
    keepline.wait_master(ONE_ARM_VIP)
    # The library hears no ICMP: through a tunnel it would not learn what fits.
    size = 1000 if kind == "TUN" else 5000
    assert_serves(keepline, arm.client, CLIENT, ONE_ARM_VIP, size)


def test_nat_of_ipv6(lab):
    net = test_ipv6.two_arms(lab)
    service = test_ipv6.service(**WORDS, server_port=PORT + 1)
    keepline = net.start(service)
    for web, address in zip(net.webs, test_ipv6.WEBS):
        sctp.server(web, address, PORT + 1)
    assert_serves(keepline, net.client, test_ipv6.CLIENT, test_ipv6.VIP)
