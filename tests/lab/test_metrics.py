"""Prometheus' metrics: read by its own parser, over the network and the unix socket."""

import pytest
from daemons import KEEPLINED, Keepline
from prometheus_client.parser import text_string_to_metric_families
from test_services import get, wait_answer
from topologies import INSIDE_VIP, OUTSIDE_VIP, two_arm_configuration, two_arms, virtual_server

NODE = "10.1.0.1"


def samples(text):
    """Each sample by its name and labels."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found, key
            found[key] = sample.value
    return found


def value(found, metric, /, **labels):
    """The sum of the samples that have these labels."""
    wanted = set(labels.items())
    got = [each for (known, has), each in found.items() if known == metric and wanted <= set(has)]
    assert got, (metric, labels)
    return sum(got)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_prometheus_sees(lab, workers):
    two = two_arms(lab, nodes=1)
    options = f"dataplane {{\n  workers {workers}\n  metrics {NODE} 9748\n}}\n"
    keepline = Keepline(
        two.nodes[0], options + two_arm_configuration(100, virtual_server())
    ).start()
    keepline.wait_master(OUTSIDE_VIP)
    wait_answer(two.client)
    url = f"http://{NODE}:9748/metrics"
    before = samples(two.webs[0].curl(url))
    of_web1 = get(two.client, 20).count("web1\n")
    after = samples(two.webs[0].curl(url))

    def grown(metric, /, **labels):
        return value(after, metric, **labels) - value(before, metric, **labels)

    assert grown("keepline_service_connections_total", vip=OUTSIDE_VIP, port="80") == 20
    assert grown("keepline_server_connections_total", server="10.1.0.21") == of_web1
    assert grown("keepline_connections_created_total") == 20
    assert grown("keepline_server_packets_total", direction="out") >= 60
    assert grown("keepline_port_packets_total", port="eth0", direction="in") >= 60
    assert value(after, "keepline_server_up", server="10.1.0.22") == 1
    assert value(after, "keepline_vrrp_state", name="OUT", state="MASTER") == 1
    assert value(after, "keepline_vrrp_state", name="IN", state="BACKUP") == 0
    assert value(after, "keepline_vrrp_events_total", name="OUT", event="advert_sent") > 0
    shown = keepline.cli("services")["services"][0]["stats"]["connections"]
    assert value(after, "keepline_service_connections_total", vip=OUTSIDE_VIP) == shown
    socket = f"/run/keepline/{keepline.cli('status')['instance']}.sock"
    over_socket = two.nodes[0].run(
        "curl", "-s", "--unix-socket", socket, "http://localhost/metrics"
    )
    assert samples(over_socket.stdout).keys() == after.keys()
    assert two.webs[0].curl(f"http://{NODE}:9748/v1/status") is None, "metrics and nothing else"


def test_an_address_that_is_not_there(lab):
    two = two_arms(lab, nodes=1)
    text = "dataplane {\n  metrics 203.0.113.1\n}\n" + two_arm_configuration(100, virtual_server())
    file = lab.file("wrong.conf", text)
    done = two.nodes[0].run(KEEPLINED, "-f", file, "-n", "-l", check=False)
    assert done.returncode != 0
    assert "metrics 203.0.113.1:9748: Cannot assign requested address" in done.stdout + done.stderr
    assert not two.nodes[0].has_address(INSIDE_VIP)
