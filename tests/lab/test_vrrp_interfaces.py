"""What is said of interfaces: interface_up_down_delays and garp_group."""

import time

import pytest
from daemons import KEEPLINE, Keepline
from process import stays, wait_for
from topologies import pair, vrrp_instance

VIP = "10.0.0.50"
DOWN_S, UP_S = 1, 3


@pytest.mark.reference
def test_a_cable_that_flaps(lab, vrrp_daemon):
    """Pulled for a moment: nobody notices; for longer: the other one, until it has stayed in."""
    net = pair(lab)
    delays = f"interface_up_down_delays {{\n eth0 {DOWN_S} {UP_S}\n}}\n"
    text = [vrrp_instance(priority=priority, advert_int=1) for priority in (200, 100)]
    one, two = [vrrp_daemon(host, delays + each) for host, each in zip(net.nodes, text)]
    one.start().wait_master(VIP)
    two.start().wait_backup(VIP)
    for _ in range(3):
        net.cables[0].unplug()
        time.sleep(0.3)
        assert one.is_master(VIP)
        net.cables[0].plug()
        stays(lambda: one.is_master(VIP) and not two.is_master(VIP), 1, "a flap is forgotten")
    net.cables[0].unplug()
    pulled = time.monotonic()
    one.wait_backup(VIP)
    assert time.monotonic() - pulled > DOWN_S * 0.9
    two.wait_master(VIP)
    net.cables[0].plug()
    plugged = time.monotonic()
    stays(lambda: not one.is_master(VIP), UP_S * 0.7, "it waits")
    one.wait_master(VIP)
    assert time.monotonic() - plugged > UP_S * 0.9
    two.wait_backup(VIP)
    if vrrp_daemon is Keepline:
        assert one.statistics()["become_master"] == 2
        assert two.statistics()["become_master"] == 1


def test_announcements_take_turns(lab):
    """garp_group: between two gratuitous ARPs, on whichever interface, its interval passes."""
    lans = [lab.switch("lan0"), lab.switch("lan1")]
    node = lab.host("node1")
    cables = [lab.cable(node, f"eth{n}", lans[n], f"10.{n}.0.1/24") for n in range(2)]
    group = "garp_group {\n garp_interval 0.2\n interfaces {\n eth0\n eth1\n }\n}\n"
    instances = [
        vrrp_instance(f"VI_{n}", f"10.{n}.0.50", f"eth{n}", 51 + n, garp_master_delay=0)
        for n in range(2)
    ]
    captures = [cable.capture_sent("arp") for cable in cables]
    Keepline(node, group + "".join(instances)).start().wait_master("10.1.0.50")

    def sent():
        found = [row for n in range(2) for row in captures[n].arps(f"10.{n}.0.50")]
        return sorted(row[0] for row in found if row[2].sender == row[2].target)

    wait_for(lambda: len(sent()) >= 10, what="five of each")
    times = sent()[:10]
    assert times[-1] - times[0] > 9 * 0.2 * 0.9, times


def test_one_of_two_is_removed(lab):
    """The other one's adverts, pings and state go on; a reload says what is needed, too."""
    lans = [lab.switch("lan0"), lab.switch("lan1")]
    node, client = lab.host("node1"), lab.host("client")
    cables = [lab.cable(node, f"eth{n}", lans[n], f"10.{n}.0.1/24") for n in range(2)]
    lab.cable(client, "eth0", lans[1], "10.1.0.9/24")
    texts = [vrrp_instance(f"VI_{n}", f"10.{n}.0.50", f"eth{n}", 51 + n) for n in range(2)]
    keepline = Keepline(node, "".join(texts)).start().wait_master("10.1.0.50")
    keepline.wait_state("MASTER", "VI_0")
    capture = cables[1].capture_sent("ip proto 112")
    node.ip("link del eth0")
    keepline.wait_state("FAULT", "VI_0")
    lab.cable(node, "eth0", lans[0], "10.0.0.1/24")
    wait_for(lambda: "another interface eth0 is there" in keepline.log(), 5)
    for _ in range(5):
        assert client.ping("10.1.0.50", 2) == 2
        assert keepline.state("VI_1") == "MASTER"
        assert keepline.state("VI_0") == "FAULT"
    times = [frame.time_s for frame in capture.stop()]
    assert max(later - earlier for earlier, later in zip(times, times[1:])) < 0.5
    assert [keepline.port(f"eth{n}")["needs_restart"] for n in range(2)] == [True, False]
    refused = node.run(KEEPLINE, "reload", check=False)
    assert refused.returncode == 3
    assert "interface eth0 was not attached when keeplined started" in keepline.log()
    assert keepline.stop() == 0
    keepline.start().wait_master("10.0.0.50").wait_master("10.1.0.50")
