"""persistence_timeout and persistence_granularity with real clients; ops with real datagrams."""

import pytest
from daemons import Keepline
from nginx import Nginx
from process import wait_for
from test_services import URL, wait_answer
from topologies import OUTSIDE_VIP, two_arm_configuration, two_arms, virtual_server
from traffic import udp_echo, udp_probe

CLIENTS = [f"198.51.100.{number}" for number in range(20, 36)]


def start(lab, services, workers=1):
    two = two_arms(lab, nodes=1)
    options = f"dataplane {{\n  workers {workers}\n  connections 65536\n}}\n"
    keepline = Keepline(two.nodes[0], options + two_arm_configuration(100, services)).start()
    keepline.wait_master(OUTSIDE_VIP)
    for source in CLIENTS:
        two.client.ip(f"addr add {source}/24 dev eth0")
    return two, keepline


def bodies(client, source, count):
    return [client.curl(URL, "--interface", source) for _ in range(count)]


@pytest.mark.parametrize("workers", [1, 2])
def test_each_client_keeps_its_server(lab, workers):
    two, keepline = start(lab, virtual_server(persistence_timeout=50), workers)
    wait_answer(two.client)
    served = {source: set(bodies(two.client, source, 4)) for source in CLIENTS}
    assert all(len(each) == 1 for each in served.values()), served
    assert set.union(*served.values()) == {"web1\n", "web2\n"}
    assert "persistent 50" in keepline.cli_text("services")
    rows = {row["client"]: row for row in keepline.connections() if row["state"] == "ASSURED"}
    assert {f"{source}:0" for source in CLIENTS} <= set(rows)
    for source in CLIENTS:
        destination = rows[f"{source}:0"]["destination"]
        assert destination == {"web1\n": "10.1.0.21:80", "web2\n": "10.1.0.22:80"}[
            next(iter(served[source]))
        ]
    # A server that fails loses its clients; they stay where they went.
    two.nginx[0].stop()
    moved = [source for source in CLIENTS if served[source] == {"web1\n"}]
    wait_for(lambda: keepline.weight("10.1.0.21:80") == 0, 20, "web1 has failed")
    for source in moved:
        assert set(bodies(two.client, source, 2)) == {"web2\n"}
    two.nginx[0].start()
    wait_for(lambda: keepline.weight("10.1.0.21:80") == 1, 20, "web1 is back")
    for source in moved:
        assert set(bodies(two.client, source, 2)) == {"web2\n"}


def test_granularity_and_the_end(lab):
    """A /24 is one client; what is remembered ends with the timeout."""
    two, keepline = start(
        lab, virtual_server(persistence_timeout=3, persistence_granularity="255.255.255.0")
    )
    wait_answer(two.client)
    every = [body for source in CLIENTS for body in bodies(two.client, source, 1)]
    assert len(set(every)) == 1
    assert "persistent 3 mask 255.255.255.0" in keepline.cli_text("services")

    def templates():
        return [row for row in keepline.connections() if row["state"] == "ASSURED"]

    assert [row["client"] for row in templates()] == ["198.51.100.0:0"]
    explained = keepline.cli("explain", "198.51.100.99:999", f"{OUTSIDE_VIP}:80", "TCP")
    assert {"web1\n": "10.1.0.21", "web2\n": "10.1.0.22"}[every[0]] in str(explained)


def test_all_ports_of_an_address(lab):
    """`virtual_server VIP 0`: a client's server has all its ports, and each keeps its number."""
    check = "TCP_CHECK {\n connect_port 80\n retry 1\n delay_before_retry 0.3\n }"
    service = virtual_server(port=0, persistence_timeout=50, check=check)
    service += virtual_server(port=8081, server_port=80)
    two, keepline = start(lab, service)
    for web in two.webs:
        Nginx(web, "8080", name=f"{web}-8080")
    wait_answer(two.client)
    for source in CLIENTS[:6]:
        words = ("--interface", source)
        (first,) = set(bodies(two.client, source, 3))
        other = two.client.curl(f"http://{OUTSIDE_VIP}:8080/", *words)
        assert other == f"{first.strip()}-8080\n"
        assert two.client.curl(f"http://{OUTSIDE_VIP}:8081/", *words) in ("web1\n", "web2\n")
    done = two.client.run("curl", "-s", "-m", 3, f"http://{OUTSIDE_VIP}:81/", check=False)
    assert done.returncode == 7, "refused by the server, whose answer came back"
    assert f"{OUTSIDE_VIP}:0 rr persistent 50" in keepline.cli_text("services")
    explained = keepline.cli("explain", f"{CLIENTS[0]}:999", f"{OUTSIDE_VIP}:4444", "TCP")
    assert explained["service"] == f"{OUTSIDE_VIP}:0" and explained["server"].endswith(":4444")


def test_one_packet_scheduling(lab):
    """Every datagram of one client port goes to the next server, and is answered."""
    udp = {"protocol": "UDP", "check": "", "server_words": ""}
    service = virtual_server(port=5300, **udp).replace("lb_kind", "ops\n  lb_kind")
    two, keepline = start(lab, service)
    servers = [udp_echo(web, 5300) for web in two.webs]
    # The way back to the client is learnt first.
    udp_probe(two.client, OUTSIDE_VIP, 5300, rate=50, count=25).report_when_done(20)
    probe = udp_probe(two.client, OUTSIDE_VIP, 5300, count=200)
    report = probe.report_when_done(30)
    assert (report["answered"], report["lost"]) == (200, 0), report
    assert not [row for row in keepline.connections() if row["protocol"] == "UDP"]
    assert "ops" in keepline.cli_text("services")
    counts = [real["stats"]["packets_in"] for real in keepline.services()[0]["reals"]]
    assert servers and abs(counts[0] - counts[1]) <= 2, counts
