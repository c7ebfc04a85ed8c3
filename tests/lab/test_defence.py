"""allow, deny and client_rate, with real clients."""

import time

from daemons import Keepline
from process import wait_for
from topologies import OUTSIDE_VIP, two_arm_configuration, two_arms, virtual_server

URL = f"http://{OUTSIDE_VIP}/"
FRIEND, STRANGER, SPECIAL = "198.51.100.20", "198.51.100.120", "198.51.100.121"
CHECK = "TCP_CHECK {\n connect_port 80\n retry 1\n delay_before_retry 0.3\n }"


def start(lab, more):
    two = two_arms(lab, nodes=1)
    service = virtual_server(check=CHECK).replace("lb_kind", f"{more}\n  lb_kind")
    keepline = Keepline(two.nodes[0], two_arm_configuration(100, service)).start()
    keepline.wait_master(OUTSIDE_VIP)
    for source in (FRIEND, STRANGER, SPECIAL):
        two.client.ip(f"addr add {source}/24 dev eth0")
    wait_for(lambda: ask(two, FRIEND), 30, "the service answers")
    return two, keepline


def ask(two, source, timeout=1):
    return two.client.curl(URL, "--interface", source, timeout=timeout)


def test_denied_networks_of_a_list(lab):
    """A hundred thousand of them, by `include`; a more specific one is allowed."""
    listed = "".join(f"20.{i >> 8}.{i & 255}.0/25\n" for i in range(100_000 >> 1, 65536))
    listed += "".join(f"{a}.{i >> 8}.{i & 255}.0/24\n" for a in (21, 22) for i in range(42_000))
    lab.file("denied.list", listed + "198.51.100.64/26\n")
    path = lab.directory / "denied.list"
    more = f"deny {{\n  include {path}\n  }}\n  allow {{\n  {SPECIAL}\n  0.0.0.0/0\n  }}"
    two, keepline = start(lab, more)
    assert ask(two, STRANGER) is None
    assert keepline.drops()["denied"] > 0
    assert ask(two, SPECIAL) in ("web1\n", "web2\n")
    explained = keepline.cli("explain", f"{STRANGER}:77", f"{OUTSIDE_VIP}:80", "tcp")
    assert explained["drop"] == "denied"
    two.nginx[0].stop()
    wait_for(lambda: keepline.weight("10.1.0.21:80") == 0, 20, "web1 has failed")
    assert ask(two, FRIEND) == "web2\n"


def test_rate_of_a_client(lab):
    two, keepline = start(lab, "client_rate 2 10")
    time.sleep(6)  # the bucket is full again
    words = [f"{URL}?{n}" for n in range(40)]
    options = ("-s", "-m", 1, "-Z", "--parallel-immediate", "-H", "Connection: close")
    done = two.client.run("curl", "--interface", FRIEND, *options, *words, check=False, timeout=60)
    served = len(done.stdout.split())
    assert 10 <= served < 40, served
    assert keepline.drops()["rate_limited"] > 0
    assert ask(two, SPECIAL) in ("web1\n", "web2\n"), "another client has a rate of its own"
