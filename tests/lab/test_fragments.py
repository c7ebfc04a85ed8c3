"""Datagrams longer than the MTU, fragmented and put together again by the kernels at both ends."""

import socket
import sys

import pytest
import test_ipv6
from daemons import Keepline
from process import wait_for
from topologies import OUTSIDE_VIP, two_arm_configuration, two_arms, virtual_server

UDP = {"protocol": "UDP", "check": "", "server_words": ""}
# Sends back what it gets; with IP_MTU_DISCOVER and IPV6_MTU_DISCOVER off, so that it may be cut.
ECHO = """
import socket, sys
family = socket.AF_INET6 if sys.argv[1] == "6" else socket.AF_INET
server = socket.socket(family, socket.SOCK_DGRAM)
server.setsockopt(*((41, 23) if family == socket.AF_INET6 else (0, 10)), 0)
server.bind(("", 5300))
print("ready", flush=True)
while True:
    data, client = server.recvfrom(65535)
    server.sendto(data, client)
"""


def echo(web, family):
    process = web.start(sys.executable, "-u", "-c", ECHO, family, name="echo")
    process.wait_output("ready")


def ask(client, family, vip, sizes):
    """What came back of datagrams of these sizes, in turn, each from a port of its own."""
    answered = []
    for size in sizes:
        probe = client.socket(family, socket.SOCK_DGRAM)
        six = family == socket.AF_INET6
        probe.setsockopt(*((41, 23) if six else (0, 10)), 0)
        probe.settimeout(5)
        probe.connect((vip, 5300))
        data = bytes(number % 251 for number in range(size))
        probe.send(data)
        answered.append(probe.recv(65535) == data)
        probe.close()
    return answered


def counted(keepline):
    return sum(worker["flows"]["handed_over"] for worker in keepline.cli("status")["workers"])


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_long_datagrams(lab, family, workers):
    options = f"dataplane {{\n  workers {workers}\n  connections 65536\n}}\n"
    if family == socket.AF_INET:
        two = two_arms(lab, nodes=1)
        client, webs, vip = two.client, two.webs, OUTSIDE_VIP
        services = virtual_server(port=5300, **UDP)
        keepline = Keepline(two.nodes[0], options + two_arm_configuration(100, services)).start()
        keepline.wait_master(OUTSIDE_VIP)
    else:
        net = test_ipv6.two_arms(lab)
        client, webs, vip = net.client, net.webs, test_ipv6.VIP
        keepline = net.start(options + test_ipv6.service(port=5300, **UDP))
    for web in webs:
        echo(web, "6" if family == socket.AF_INET6 else "4")

    def answers():
        try:
            return ask(client, family, vip, [100]) == [True]
        except TimeoutError:
            return False

    wait_for(answers, 30, "the service answers")
    sizes = [1472, 1473, 4000, 9000, 20_000, 60_000] * 4
    assert ask(client, family, vip, sizes) == [True] * len(sizes)
    assert keepline.drops()["fragment"] == 0
    both = [real["stats"]["packets_in"] for real in keepline.services()[0]["reals"]]
    assert min(both) > 10, both
    assert (counted(keepline) > 0) == (workers > 1)
