"""Real name servers behind a VIP, over UDP and TCP, asked by a real resolver."""

import pytest
import test_ipv6
from daemons import Keepline
from process import wait_for
from topologies import OUTSIDE_VIP, WEBS, two_arm_configuration, two_arms, virtual_server

LONG = "".join(f"{number:04}" for number in range(60))  # one string of a TXT record


def name_server(host):
    """Answers who.lab with its name, and long.lab with a kilobyte."""
    strings = ",".join([LONG] * 5)
    return host.start(
        *("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"),
        *("--user=root", "--pid-file", "--log-facility=-"),
        *(f"--txt-record=who.lab,{host.name}", f"--txt-record=long.lab,{strings}"),
        name="dnsmasq",
    )


def ask(client, vip, name, *options):
    words = ("+tries=1", "+time=5", *options, f"@{vip}", name, "TXT")
    return client.run("dig", "+short", *words, check=False).stdout.strip()


def dns(vip, servers):
    words = {"port": 53, "servers": servers, "check": "", "server_words": ""}
    return "".join(virtual_server(vip, protocol=each, **words) for each in ("UDP", "TCP"))


def start_ipv4(lab, dataplane):
    two = two_arms(lab, nodes=1)
    services = dns(OUTSIDE_VIP, WEBS)
    keepline = Keepline(two.nodes[0], dataplane + two_arm_configuration(100, services)).start()
    keepline.wait_master(OUTSIDE_VIP)
    return two.client, two.webs, OUTSIDE_VIP, keepline


def start_ipv6(lab, dataplane):
    net = test_ipv6.two_arms(lab)
    keepline = net.start(dataplane + dns(test_ipv6.VIP, test_ipv6.WEBS))
    return net.client, net.webs, test_ipv6.VIP, keepline


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("start", [start_ipv4, start_ipv6])
def test_names_are_answered_over_udp_and_tcp(lab, start, workers):
    client, webs, vip, keepline = start(lab, f"dataplane {{\n  workers {workers}\n}}\n")
    for web in webs:
        name_server(web)
    wait_for(lambda: ask(client, vip, "who.lab"), what="an answer over UDP")
    both = {f'"{web.name}"' for web in webs}
    assert {ask(client, vip, "who.lab") for _ in range(20)} == both, "no answer lost, over UDP"
    assert {ask(client, vip, "who.lab", "+tcp") for _ in range(20)} == both, "and over TCP"
    long = " ".join([f'"{LONG}"'] * 5)
    assert ask(client, vip, "long.lab", "+bufsize=1232") == long, "in one datagram"
    assert ask(client, vip, "long.lab", "+bufsize=512").splitlines()[-1] == long, "again over TCP"
    listed = keepline.cli("services", "--stats")["services"]
    made = {row["protocol"]: row["stats"]["connections"] for row in listed}
    assert made["UDP"] >= 22 and made["TCP"] >= 21, made
