"""What disturbs a master, and how it ends: always with exactly one that answers.

Node 1 is the better one, and the one that is disturbed; node 2 runs the same daemon.
"""

import json
import signal
import time

import adverts
import pytest
from daemons import Keepline
from nginx import Nginx
from process import stays, wait_for
from topologies import pair, vrrp_instance

NEW_MAC = "02:00:00:00:00:99"
VIRTUAL_MAC = "00:00:5e:00:01:4d"


class Cluster:
    """Two nodes of one family: node 1 is master with priority 200, node 2 its backup with 100."""

    def __init__(self, lab, kind, is_v6=False, **words):
        self.vip, self.length = ("2001:db8::50", 64) if is_v6 else ("10.0.0.50", 24)
        self.virtual = "use_vmac" in words
        self.nodes = ("2001:db8::1", "2001:db8::2") if is_v6 else ("10.0.0.201", "10.0.0.202")
        client = "2001:db8::100" if is_v6 else "10.0.0.100"
        self.net = pair(lab, nodes=self.nodes, client=client, length=self.length, ipv6=is_v6)
        vips = f"{self.vip}/{self.length}"
        if is_v6:
            vips = f"fe80::5e:77/64\n    {vips}"
        words = {"vip": vips, "vrid": 77, "advert_int": 0.1, **words}
        texts = [vrrp_instance(priority=each, **words) for each in (200, 100)]
        self.one, self.two = [kind(*each) for each in zip(self.net.nodes, texts)]
        self.one.start().wait_master(self.vip)
        self.two.start()
        self.is_whole()

    def is_whole(self):
        """In the end node 1 is the only master, for more than a moment, and answers."""
        wait_for(self.lasts, what=f"{self.one.host} alone is master of {self.vip}, and stays it")
        assert self.answering_mac() == (VIRTUAL_MAC if self.virtual else self.mac(0))

    def mac(self, number):
        return self.net.nodes[number].mac("eth0")

    def only_one(self):
        return self.one.is_master(self.vip) and not self.two.is_master(self.vip)

    def lasts(self, seconds=0.5):
        end = time.monotonic() + seconds
        while self.only_one():
            if time.monotonic() > end:
                return True
            time.sleep(0.05)
        return False

    def answering_mac(self):
        """Whom the client, which has forgotten everything, finds under the VIP."""
        self.net.client.ip("neigh flush dev eth0")
        return self.net.client.neighbour(self.vip) if self.net.answers(self.vip, 1) else None


both_families = pytest.mark.parametrize("is_v6", [False, True], ids=["IPv4", "IPv6"])


# Who claims to be master beside node 1, which has priority 200 and 10.0.0.201; does it yield?
CLAIMS = {
    "higher": (250, "10.0.0.9", True),
    "equal from a higher address": (200, "10.0.0.250", True),
    "equal from a lower address": (200, "10.0.0.9", False),
    "lower": (150, "10.0.0.9", False),
}


@pytest.mark.reference
@pytest.mark.parametrize("claim", CLAIMS)
def test_a_second_master(lab, vrrp_daemon, claim):
    """Forged adverts for a second: obeyed or not, afterwards everything is as it was."""
    priority, source, yields = CLAIMS[claim]
    cluster = Cluster(lab, vrrp_daemon)
    words = {"source": source, "vrid": 77, "priority": priority, "version": 3, "interval": 10}
    words["addresses"] = [cluster.vip]
    forger = cluster.net.client.start(
        "/usr/bin/python3", adverts.__file__, "eth0", json.dumps(words), 20, 1
    )
    if yields:
        cluster.one.wait_backup(cluster.vip)
        assert not cluster.two.is_master(cluster.vip)
    else:
        wait_for(lambda: cluster.only_one() and not forger.running(), what="it goes on")
        if vrrp_daemon is Keepline:
            assert cluster.one.statistics()["advert_rcvd"] >= 10
            assert cluster.one.statistics()["release_master"] == 0
    assert forger.wait() == 0
    cluster.is_whole()


def test_interface_deleted_and_made_again(lab):
    """FAULT and a daemon that says what it needs; with a restart all is well."""
    cluster = Cluster(lab, Keepline)
    node, one = cluster.net.nodes[0], cluster.one
    node.ip("link del eth0")
    one.wait_state("FAULT")
    cluster.two.wait_master(cluster.vip)
    assert "(VI_1) fault: interface down" in one.log()
    lab.cable(node, "eth0", cluster.net.lan, f"{cluster.nodes[0]}/{cluster.length}")
    wait_for(lambda: "another interface eth0 is there, which is not attached" in one.log(), 5)
    stays(lambda: one.state() == "FAULT" and one.port("eth0")["needs_restart"], 1, "it says so")
    assert "eth0 was removed: when it is there again, restart keeplined" in one.cli_text("status")
    assert cluster.answering_mac() == cluster.mac(1)
    assert one.stop() == 0
    one.start()
    cluster.is_whole()


@pytest.mark.reference
@both_families
def test_interface_flaps(lab, vrrp_daemon, is_v6):
    """Down: the other one takes over; up: all is well."""
    cluster = Cluster(lab, vrrp_daemon, is_v6)
    node = cluster.net.nodes[0]
    node.ip("link set eth0 down")
    cluster.one.wait_backup(cluster.vip)
    cluster.two.wait_master(cluster.vip)
    assert cluster.answering_mac() == cluster.mac(1)
    node.ip("link set eth0 up")
    cluster.is_whole()
    node.ip(*["link set eth0 down", "link set eth0 up"] * 5)
    cluster.is_whole()


@pytest.mark.reference
def test_source_address_goes_and_comes_back(lab, vrrp_daemon):
    """Without one: FAULT, and its VIP at the other node; another one: adverts come from that."""
    cluster = Cluster(lab, vrrp_daemon)
    node, own = cluster.net.nodes[0], f"{cluster.nodes[0]}/24"
    node.ip(f"address del {own} dev eth0")
    cluster.one.wait_backup(cluster.vip)
    cluster.two.wait_master(cluster.vip)
    node.ip(f"address add {own} dev eth0")
    cluster.is_whole()

    capture = cluster.net.cables[0].capture_sent("ip proto 112")
    node.ip(f"address del {own} dev eth0", "address add 10.0.0.203/24 dev eth0")
    wait_for(lambda: adverts.captured(capture, "10.0.0.203"), what="an advert from there")
    cluster.is_whole()
    assert adverts.captured(capture)[-1].source == "10.0.0.203"


@pytest.mark.reference
@both_families
def test_vip_removed_by_hand(lab, vrrp_daemon, is_v6):
    """It is put back each time; keepalived steps back for a moment, keepline does not."""
    cluster = Cluster(lab, vrrp_daemon, is_v6)
    for _ in range(2):
        cluster.net.nodes[0].ip(f"address del {cluster.vip}/{cluster.length} dev eth0")
        cluster.is_whole()
    if vrrp_daemon is Keepline:
        assert cluster.one.statistics()["become_master"] == 1
        assert cluster.two.statistics()["become_master"] == 0


@pytest.mark.reference
@both_families
def test_vip_fought_over(lab, vrrp_daemon, is_v6):
    """Somebody takes it away again and again for a moment, five times: each time it comes back."""
    cluster = Cluster(lab, vrrp_daemon, is_v6)
    removals = f"address del {cluster.vip}/{cluster.length} dev eth0\n" * 3000
    for _ in range(5):
        cluster.net.nodes[0].run("ip", "-force", "-batch", "-", stdin=removals, check=False)
        cluster.one.wait_master(cluster.vip, 2)
    cluster.is_whole()


@pytest.mark.reference
def test_another_mac(lab, vrrp_daemon):
    """The master's interface gets another MAC: adverts and ARP carry it, the VIP is served on."""
    cluster = Cluster(lab, vrrp_daemon)
    Nginx(cluster.net.nodes[0])
    capture = cluster.net.cables[0].capture_sent("ip proto 112")
    cluster.net.nodes[0].ip(f"link set eth0 address {NEW_MAC}")
    wait_for(lambda: cluster.answering_mac() == NEW_MAC, 3, "ARP carries it")
    wait_for(lambda: {frame.source_mac for frame in capture.frames()[-1:]} == {NEW_MAC}, 3)
    assert cluster.net.client.curl(f"http://{cluster.vip}/") == "node1\n"
    cluster.is_whole()


def test_another_mac_below_a_virtual_one(lab):
    """With use_vmac nobody notices: adverts, ARP and what the node serves go on as they were."""
    cluster = Cluster(lab, Keepline, use_vmac=True)
    Nginx(cluster.net.nodes[0])
    capture = cluster.net.cables[0].capture_sent("ip proto 112")
    cluster.net.nodes[0].ip(f"link set eth0 address {NEW_MAC}")
    cluster.is_whole()
    assert cluster.net.client.curl(f"http://{cluster.vip}/") == "node1\n"
    assert {frame.source_mac for frame in capture.stop()} == {VIRTUAL_MAC}


def test_another_mac_during_a_reload(lab):
    """It changes after the new file was read, while an instance leaves: followed all the same."""
    net = pair(lab)
    stays_there = vrrp_instance()
    # Without addresses: their removal would be news, with which everything is looked at again.
    goes = vrrp_instance("VI_2", "", vrid=52, version=2, no_virtual_ipaddress=True)
    one = Keepline(net.nodes[0], stays_there + goes).start()
    one.wait_master("10.0.0.50").wait_state("MASTER", "VI_2")
    capture = net.cables[0].capture_sent("ip proto 112")
    one.file.write_text(stays_there)
    one.process.signal(signal.SIGHUP)
    goodbye = {"vrid": 52, "priority": 0}.items()
    wait_for(lambda: any(vars(a).items() >= goodbye for a in adverts.captured(capture)), 5)
    assert "reloaded in" not in one.log()
    net.nodes[0].ip(f"link set eth0 address {NEW_MAC}")
    wait_for(lambda: "reloaded in" in one.log(), 10, "the reload ends")
    wait_for(lambda: capture.frames()[-1].source_mac == NEW_MAC, 1, "at once, without other news")
    assert net.answering_macs("10.0.0.50") == {NEW_MAC}
