"""Every lb_algo with real connections; thresholds; what listings show of them."""

import resource
import time

import pytest
from daemons import Keepline
from process import wait_for
from test_services import get, wait_answer
from topologies import OUTSIDE_VIP, WEBS, two_arm_configuration, two_arms, virtual_server

ALGORITHMS = "rr wrr lc wlc sed nq lblc lblcr dh sh mh fo ovf twos".split()
PORTS = {name: 8001 + number for number, name in enumerate(ALGORITHMS)}
SOURCES = [f"198.51.100.{number}" for number in range(20, 44)]


def service(name, **words):
    return virtual_server(
        port=PORTS[name], scheduler=name, server_port=80, weights=[1, 3], check="", **words
    )


def url(name):
    return f"http://{OUTSIDE_VIP}:{PORTS[name]}/"


def start(lab, services, workers=1):
    two = two_arms(lab, nodes=1)
    options = f"dataplane {{\n  workers {workers}\n  connections 65536\n}}\n"
    keepline = Keepline(two.nodes[0], options + two_arm_configuration(100, services)).start()
    keepline.wait_master(OUTSIDE_VIP)
    return two, keepline


def hold(client, name, count):
    """Connections that stay; other workers hear of each within a few milliseconds."""
    held = []
    for _ in range(count):
        held.append(client.socket())
        held[-1].connect((OUTSIDE_VIP, PORTS[name]))
        time.sleep(0.02)
    return held


def active(keepline, name):
    services = {each["port"]: each for each in keepline.services()}
    return [real["active"] for real in services[PORTS[name]]["reals"]]


@pytest.mark.parametrize("workers", [1, 2])
def test_held_connections_are_shared_as_each_algorithm_says(lab, workers):
    """With weights 1 and 3; two workers count each other's connections, a moment late."""
    two, keepline = start(lab, "".join(map(service, ALGORITHMS)), workers)
    for name in ALGORITHMS:
        wait_answer(two.client, url(name))
    expected = {
        "rr": [12, 12],
        "wrr": [6, 18],
        "lc": [12, 12],
        "wlc": [6, 18],
        "sed": [6, 18],
        "nq": [6, 18],
        "fo": [0, 24],
    }
    # Each worker deals out its own connections, so in turn is exact with one worker only.
    slack = {1: 1, 2: 4}[workers]
    for name, (first, second) in expected.items():
        held = hold(two.client, name, 24)
        wait_for(lambda: sum(active(keepline, name)) == 24, 10, f"24 active of {name}")
        got = active(keepline, name)
        assert abs(got[0] - first) <= slack and abs(got[1] - second) <= slack, (name, got)
        for each in held:
            each.close()
    # The heaviest until it has more than its weight, then the other until that has, then nobody.
    held = hold(two.client, "ovf", 6)
    assert active(keepline, "ovf") == [2, 4]
    assert two.client.curl(url("ovf"), timeout=1) is None


def test_hashing_algorithms_and_random_ones(lab):
    two, keepline = start(
        lab, "".join(map(service, ["dh", "lblc", "lblcr", "sh", "mh", "twos"]))
    )
    for source in SOURCES:
        two.client.ip(f"addr add {source}/24 dev eth0")
    for name in ("dh", "lblc", "lblcr"):
        wait_answer(two.client, url(name))
        assert len(set(get(two.client, 10, url(name)))) == 1, "the VIP has one server"
    for name in ("sh", "mh"):
        wait_answer(two.client, url(name))
        bodies = {}
        for source in SOURCES:
            got = {two.client.curl(url(name), "--interface", source) for _ in range(3)}
            assert len(got) == 1, f"{name}: a client has one server"
            bodies[source] = got.pop()
        assert set(bodies.values()) == {"web1\n", "web2\n"}
        virtual = f"{OUTSIDE_VIP}:{PORTS[name]}"
        explained = keepline.cli("explain", f"{SOURCES[0]}:1234", virtual, "TCP")
        server = WEBS[int(bodies[SOURCES[0]].strip()[-1]) - 1]
        assert server in str(explained), explained
    wait_answer(two.client, url("twos"))
    assert set(get(two.client, 40, url("twos"))) == {"web1\n", "web2\n"}


def test_thresholds_and_flags(lab):
    """A server above uthreshold gets nothing until it is below lthreshold."""
    words = "uthreshold 5\n    lthreshold 3"
    two, keepline = start(
        lab,
        service("fo", server_words=words)
        + service("mh").replace("lb_kind", "mh-port\n  mh-fallback\n  lb_kind"),
    )
    wait_answer(two.client, url("fo"), "web2\n")
    # The connection of that answer counts too, while it is in TIME_WAIT.
    before = sum(real["inactive"] for real in keepline.services()[0]["reals"])
    held = hold(two.client, "fo", 6 - before)
    assert active(keepline, "fo")[1] + before == 5, "up to the threshold"
    assert get(two.client, 3, url("fo")) == ["web1\n"] * 3
    assert active(keepline, "fo")[0] == 1
    wait_answer(two.client, url("mh"))
    assert "mh (mh-fallback,mh-port)" in keepline.cli_text("services")
    for each in held:
        each.close()


MANY = 2000
HEAVY = [1000, 3000]


def share_of_many():
    """By algorithm, how many of MANY connections the first server gets, and how far off it may
    be: 100 are five standard deviations of a random choice of one in four."""
    quarter, random = MANY // 4, 100
    exact = {"rr": MANY // 2, "wrr": quarter, "lc": MANY // 2, "wlc": quarter, "fo": 0}
    exact |= {"sed": quarter, "nq": quarter}
    expected = {name: (first, 2) for name, first in exact.items()}
    return expected | {"twos": (quarter, random), "sh": (quarter, random), "mh": (quarter, random)}


def hold_many(client, name, count):
    held = client.sockets(count)
    for each in held:
        each.connect((OUTSIDE_VIP, PORTS[name]))
    return held


def test_thousands_of_connections_are_shared_as_each_algorithm_says(lab):
    """Held all at once, one algorithm after the other."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    services = ""
    for name in ALGORITHMS:
        weights = [400, 1000] if name == "ovf" else HEAVY
        # Ports of their own at the servers: there one client port must not be met twice.
        words = {"port": PORTS[name], "scheduler": name, "check": ""}
        if name in ("sh", "mh"):
            words[f"{name}-port"] = ""
        services += virtual_server(weights=weights, **words)
    two, keepline = start(lab, services)
    listeners = []  # whose kernel says yes to more than the nginx of the lab takes
    for web in two.webs:
        web.set_sysctl(**{"net.core.somaxconn": 65535, "net.ipv4.tcp_syncookies": 0})
        web.set_sysctl(**{"net.ipv4.tcp_max_syn_backlog": 65535})
        for port, listener in zip(PORTS.values(), web.sockets(len(PORTS))):
            listeners.append(listener)
            listener.bind(("", port))
            listener.listen(65535)
    wait_for(lambda: two.client.ping(OUTSIDE_VIP), 30, "the VIP answers")
    shares = {}
    for name in ALGORITHMS:
        count = 1402 if name == "ovf" else MANY
        held = hold_many(two.client, name, count)
        wait_for(lambda: sum(active(keepline, name)) == count, 10, f"{count} active of {name}")
        shares[name] = active(keepline, name)
        for each in held:
            each.close()
    for name, (first, slack) in share_of_many().items():
        assert abs(shares[name][0] - first) <= slack, (name, shares[name])
    assert sorted(shares["dh"]) == [0, MANY], "the VIP has one server"
    # The VIP's server until it has more than its weight while another is below half of its own.
    assert shares["lblc"] == [1001, MANY - 1001]
    assert shares["lblcr"] == [1001, MANY - 1001]
    # The heaviest until it has more than its weight, then the other until that has.
    assert shares["ovf"] == [401, 1001]
