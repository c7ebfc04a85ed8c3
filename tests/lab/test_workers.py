"""Several worker lcores: veth has one queue, so most frames are handed over to the worker of their
connection, and the answers that a port's owner has to send are handed back."""

import hashlib
import os

import pytest
import test_ipv6
from daemons import Keepline
from test_services import URL, get, wait_answer
from topologies import OUTSIDE_VIP, two_arm_configuration, two_arms, virtual_server
from traffic import udp_echo, udp_probe

UDP_SERVICE = {"port": 5300, "protocol": "UDP", "check": "", "server_words": ""}


def dataplane(workers):
    return f"dataplane {{\n  workers {workers}\n  connections 65536\n}}\n"


def assert_all_work(keepline, workers):
    """Each lcore has made connections, and nothing was dropped on the way between them."""
    lcores = keepline.cli("lcores")["lcores"]
    assert len(lcores) == workers
    created = [lcore["created"] for lcore in lcores]
    assert min(created) > 0, lcores
    status = keepline.cli("status")
    drops = {}
    for worker in status["workers"]:
        for reason, count in worker["drops"].items():
            drops[reason] = drops.get(reason, 0) + count
    assert drops["hand_off_full"] == drops["tx_full"] == drops["no_connection"] == 0, drops
    return sum(created)


def assert_unharmed(client, nginx, directory, url):
    """More frames than there are packet buffers: each of them has its turn."""
    data = os.urandom(4 << 20)
    for web in nginx:
        web.add_file("large", data)
    for number in range(14):
        path = directory / f"large.{number}"
        assert client.curl(f"{url}files/large", "-o", path, timeout=30) is not None
        assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(data).digest()


@pytest.mark.parametrize("workers", [2, 4])
def test_ipv4(lab, workers):
    two = two_arms(lab, nodes=1)
    services = virtual_server() + virtual_server(**UDP_SERVICE)
    keepline = Keepline(
        two.nodes[0], dataplane(workers) + two_arm_configuration(100, services)
    ).start()
    keepline.wait_master(OUTSIDE_VIP)
    wait_answer(two.client)
    assert set(get(two.client, 40)) == {"web1\n", "web2\n"}
    assert_unharmed(two.client, two.nginx, lab.directory, URL)
    for web in two.webs:
        udp_echo(web, 5300)
    udp_probe(two.client, OUTSIDE_VIP, 5300, rate=50, count=5).report_when_done(20)
    for _ in range(2):
        report = udp_probe(two.client, OUTSIDE_VIP, 5300, count=400).report_when_done(30)
        assert (report["answered"], report["lost"]) == (400, 0), report
    made = assert_all_work(keepline, workers)
    held = [two.client.socket() for _ in range(20)]
    for each in held:
        each.connect((OUTSIDE_VIP, 80))
    listed = {row["client"] for row in keepline.connections()}
    for each in held:
        assert ":".join(map(str, each.getsockname())) in listed, "of whichever worker"
    assert made >= 48
    stats = keepline.cli("services", "--stats")["services"][0]
    assert stats["stats"]["connections"] >= 66, "the sum of all workers"


@pytest.mark.parametrize("workers", [2, 4])
def test_ipv6_services(lab, workers):
    net = test_ipv6.two_arms(lab)
    keepline = net.start(dataplane(workers) + test_ipv6.service())
    test_ipv6.wait_answer(net.client)
    assert set(test_ipv6.get(net.client, 40)) == {"web1\n", "web2\n"}
    assert_unharmed(net.client, net.nginx, lab.directory, test_ipv6.URL)
    assert_all_work(keepline, workers)
