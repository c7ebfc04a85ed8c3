"""Two keepline nodes: killed, stopped, suspended, restarted; groups, forgeries, virtual MAC."""

import socket
import time

import adverts
import pytest
from daemons import Keepline
from lab import run
from neighbours import question, said
from nginx import Nginx
from process import stays, wait_for
from topologies import PAIR_V6, pair, vrrp_instance

VIP, VIP_V6 = "10.0.0.50", "2001:db8::50"
VIPS = {VIP: f"{VIP}/24", VIP_V6: f"fe80::5e:51/64\n    {VIP_V6}/64"}
NETWORKS = {VIP: {}, VIP_V6: PAIR_V6}
SYSCTLS = ("net.ipv4.conf.eth0.arp_ignore", "net.ipv4.conf.eth0.arp_announce")


def two_nodes(lab, first=None, second=None, vip=VIP, more=""):
    """node1 (priority 200) is master, node2 (priority 100) its backup."""
    net = pair(lab, **NETWORKS[vip])
    first = {"priority": 200, **(first or {})}
    one = Keepline(net.nodes[0], vrrp_instance(vip=VIPS[vip], **first) + more).start()
    one.wait_master(vip)
    two = Keepline(net.nodes[1], vrrp_instance(vip=VIPS[vip], **(second or {})) + more).start()
    two.wait_state("BACKUP")
    return net, one, two


@pytest.mark.parametrize("vip", VIPS)
def test_crash_is_silence(lab, vip):
    """After SIGKILL nobody answers for the VIP there, though the kernel still has the address."""
    net = pair(lab, **NETWORKS[vip])
    node = net.nodes[0]
    keepline = Keepline(node, vrrp_instance(vip=VIPS[vip])).start()
    keepline.wait_master(vip)
    assert net.answering_macs(vip) == {node.mac("eth0")}
    assert net.answers(vip)

    keepline.kill()
    assert node.has_address(vip)
    assert net.client.ping(vip, 3) == 0
    assert net.answering_macs(vip) == set()
    assert net.client.ping(net.addresses[0], 3) == 3, "the node's own address"
    assert net.answering_macs(net.addresses[0]) == {node.mac("eth0")}

    keepline.start().wait_master(vip)
    assert net.answers(vip)
    assert net.answering_macs(vip) == {node.mac("eth0")}


@pytest.mark.parametrize("vip", VIPS)
def test_crash_of_the_master(lab, vip):
    """The backup takes over, answers alone, and gives back when the node is there again."""
    net, one, two = two_nodes(lab, vip=vip)
    assert net.answers(vip)
    one.kill()
    two.wait_master(vip)
    wait_for(lambda: net.answers(vip, 1), what="the VIP answers on")
    assert net.answering_macs(vip) == {net.nodes[1].mac("eth0")}

    one.start().wait_master(vip)
    two.wait_backup(vip)
    assert net.answers(vip)
    assert net.answering_macs(vip) == {net.nodes[0].mac("eth0")}


def test_stop_leaves_nothing_behind(lab):
    net = pair(lab)
    node = net.nodes[0]
    capture = net.cables[0].capture_sent("ip proto 112")
    before = [node.sysctl(key) for key in SYSCTLS]
    keepline = Keepline(node, vrrp_instance(vip=VIP)).start()
    keepline.wait_master(VIP)
    assert node.xdp_attached("eth0")
    assert [node.sysctl(key) for key in SYSCTLS] == ["1", "2"], "while it holds a VIP"

    assert keepline.stop() == 0
    assert adverts.captured(capture)[-1].priority == 0
    assert not node.has_address(VIP)
    assert not node.xdp_attached("eth0")
    assert [node.sysctl(key) for key in SYSCTLS] == before
    assert node.has_address(net.addresses[0])
    assert net.client.ping(net.addresses[0], 2) == 2


def test_stop_of_the_master(lab):
    net, one, two = two_nodes(lab)
    assert one.stop() == 0
    two.wait_master(VIP)
    assert net.answers(VIP)
    assert net.answering_macs(VIP) == {net.nodes[1].mac("eth0")}


@pytest.mark.parametrize("vip", VIPS)
def test_continued_master_says_nothing_stale(lab, vip):
    """While it is stopped, questions for the VIP wait in its ring; none is answered afterwards."""
    words = {"nopreempt": True}
    net, one, two = two_nodes(lab, {"priority": 100, **words}, {"priority": 150, **words}, vip)
    one.freeze()
    two.wait_master(vip)
    asked = question(net.client.mac("eth0"), net.addresses[0][:-1] + "100", vip)
    asking = net.client.socket(socket.AF_PACKET, socket.SOCK_RAW)
    asking.bind(("eth0", 0))
    for _ in range(500):
        asking.send(asked)
    capture = net.cables[0].capture_sent("arp or ip proto 112 or ip6")
    one.thaw()
    one.wait_state("BACKUP")
    assert net.answers(vip)
    stays(lambda: two.is_master(vip), 2, "the other one stays master")
    frames = capture.frames()
    assert [said(frame, vip) for frame in frames if said(frame, vip)] == []
    assert not any(map(adverts.is_advert, frames)), "nor an advert that claims the VIP"
    assert net.answering_macs(vip) == {net.nodes[1].mac("eth0")}


def test_crash_and_stop_in_turn(lab):
    """Each time one node answers and the other one is silent."""
    net, one, two = two_nodes(lab)
    for number in range(3):
        one.kill() if number % 2 else one.stop()
        two.wait_master(VIP)
        wait_for(lambda: net.answering_macs(VIP) == {net.nodes[1].mac("eth0")}, what="node2 alone")
        one.start().wait_master(VIP)
        two.wait_backup(VIP)
        wait_for(lambda: net.answering_macs(VIP) == {net.nodes[0].mac("eth0")}, what="node1 alone")


def test_sync_group_fails_together(lab):
    """Two instances on two switches: one interface without carrier takes both away."""
    inside_vip = "10.1.0.50"
    net = pair(lab)
    inside = lab.switch("inside")
    cables = [
        lab.cable(node, "eth1", inside, f"10.1.0.{number}/24")
        for number, node in enumerate(net.nodes, start=1)
    ]
    group = "vrrp_sync_group G1 {\n group {\n OUT\n IN\n }\n}\n"

    def configuration(priority):
        outside = vrrp_instance("OUT", VIP, "eth0", 51, priority)
        return group + outside + vrrp_instance("IN", inside_vip, "eth1", 52, priority)

    one = Keepline(net.nodes[0], configuration(200)).start()
    one.wait_master(VIP).wait_master(inside_vip)
    two = Keepline(net.nodes[1], configuration(100)).start()
    two.wait_state("BACKUP", "OUT")

    cables[0].unplug()
    two.wait_master(VIP).wait_master(inside_vip)
    one.wait_backup(VIP)
    assert one.state("OUT") == one.state("IN") == "FAULT"
    assert net.answering_macs(VIP) == {net.nodes[1].mac("eth0")}

    cables[0].plug()
    one.wait_master(VIP).wait_master(inside_vip)
    two.wait_backup(VIP)
    two.wait_backup(inside_vip)


FORGERIES = {
    "ttl": ("ip_ttl_err", {"ttl": 254}, 0),
    "checksum": ("checksum_err", {"good_checksum": False}, 0),
    "password": ("auth_failure", {"password": "wrong"}, 0),
    "no authentication": ("authtype_mismatch", {"auth_type": 0, "password": ""}, 0),
    "unknown authentication": ("invalid_authtype", {"auth_type": 9}, 0),
    "version": ("version_err", {"version": 3, "interval": 100}, 0),
    "type": ("invalid_type_rcvd", {"kind": 2}, 0),
    "interval": ("advert_interval_err", {"interval": 7}, 0),
    "truncated": ("packet_len_err", {}, 5),
    "header only": ("packet_len_err", {}, 16),
}


def test_forged_adverts_change_nothing(lab):
    """Each claims priority 250, is wrong in one thing, is counted as that, and is not followed."""
    net = pair(lab)
    text = vrrp_instance(vip=VIP, version=2, advert_int=1, password="secret")
    keepline = Keepline(net.nodes[0], text).start()
    keepline.wait_master(VIP)
    forger = net.client.socket(socket.AF_PACKET, socket.SOCK_RAW)
    forger.bind(("eth0", 0))
    mac = net.client.mac("eth0")
    good = dict(source="10.0.0.100", vrid=51, priority=250, addresses=[VIP])
    good.update(auth_type=adverts.AUTH_PASS, password="secret")

    for name, (counter, wrong, cut) in FORGERIES.items():
        before = keepline.statistics()
        for _ in range(5):
            forger.send(adverts.Advert(**{**good, **wrong}).frame(mac, cut))
        wait_for(
            lambda: keepline.statistics()[counter] == before[counter] + 5,
            5,
            f"{name}: five more {counter} than {before}",
        )
        assert keepline.statistics()["advert_rcvd"] == before["advert_rcvd"], name
        assert keepline.state() == "MASTER", name

    stranger = adverts.Advert(**{**good, "vrid": 52}).frame(mac)
    whole = adverts.Advert(**good).frame(mac)
    for length in range(14, len(whole)):
        forger.send(whole[:length])
    forger.send(stranger)
    stays(lambda: keepline.state() == "MASTER" and keepline.is_master(VIP), 2)

    forger.send(whole)  # and the genuine one is obeyed: the forger's tool is not what is broken
    keepline.wait_state("BACKUP")
    keepline.wait_backup(VIP)


def test_virtual_mac(lab):
    """use_vmac: ARP answers with the virtual MAC, and the node's nginx on the VIP is reachable."""
    virtual = "00:00:5e:00:01:33"
    net, one, two = two_nodes(lab, {"use_vmac": True}, {"use_vmac": True})
    for node in net.nodes:
        node.set_sysctl(**{"net.ipv4.ip_nonlocal_bind": 1})
        Nginx(node, f"{VIP}:80")
    assert net.answering_macs(VIP) == {virtual}
    assert net.answers(VIP)
    assert net.client.curl(f"http://{VIP}/") == "node1\n"

    capture = net.cables[1].capture_sent(f"ether src {virtual}")
    stays(lambda: one.is_master(VIP), 1)
    assert capture.stop() == [], "a backup never sends with the virtual MAC"
    one.kill()
    two.wait_master(VIP)
    wait_for(lambda: net.client.curl(f"http://{VIP}/", timeout=1) == "node2\n", what="node2")
    assert net.answering_macs(VIP) == {virtual}


def test_gratuitous_arp_on_becoming_master(lab):
    """A burst at once, a round more after the first advert, a second burst after the delay."""
    net = pair(lab)
    capture = net.cables[0].capture_sent("arp")
    words = {"garp_master_delay": 2, "garp_master_repeat": 3}
    keepline = Keepline(net.nodes[0], vrrp_instance(vip=VIP, **words)).start()
    keepline.wait_master(VIP)
    wait_for(lambda: len(capture.arps(sender=VIP)) >= 7, 10, "two bursts of three and one")
    time.sleep(0.5)
    seen = capture.arps(sender=VIP)
    assert len(seen) == 7
    assert all(arp.operation == 1 and arp.target == VIP for _, _, arp in seen)
    assert {mac for _, mac, _ in seen} == {net.nodes[0].mac("eth0")}
    assert seen[3][0] - seen[0][0] < 0.5
    assert seen[4][0] - seen[3][0] > 1


def test_addresses_that_go_and_come_back(lab):
    """The VIP taken away by hand is put back; the node's own address may leave and return."""
    net = pair(lab)
    node = net.nodes[0]
    text = vrrp_instance(vip=VIP).replace(VIP, f"{VIP}/32 dev eth0 label eth0:vip")
    keepline = Keepline(node, text).start().wait_master(VIP)
    assert "eth0:vip" in node.run("ip", "-4", "address", "show", "eth0").stdout
    node.run("ip", "address", "del", f"{VIP}/32", "dev", "eth0")
    wait_for(lambda: node.has_address(VIP), what="the VIP is back")

    words = node.run("ip", "-br", "-4", "address", "show", "eth0").stdout.split()
    own = next(word for word in words if "/" in word and not word.startswith(VIP))
    node.run("ip", "address", "del", own, "dev", "eth0")
    keepline.wait_state("FAULT")
    assert not net.answers(VIP)
    node.run("ip", "address", "add", own, "dev", "eth0")
    keepline.wait_state("MASTER")
    assert net.answers(VIP)


def test_address_of_a_predecessor_is_taken_over(lab):
    """A VIP that somebody left on the node: a backup must not have it."""
    net = pair(lab)
    one = Keepline(net.nodes[0], vrrp_instance(vip=VIP, priority=200)).start().wait_master(VIP)
    net.nodes[1].run("ip", "address", "add", f"{VIP}/32", "dev", "eth0")
    two = Keepline(net.nodes[1], vrrp_instance(vip=VIP)).start()
    two.wait_backup(VIP)
    assert net.answering_macs(VIP) == {net.nodes[0].mac("eth0")}
    one.kill()
    two.wait_master(VIP)
    assert net.answering_macs(VIP) == {net.nodes[1].mac("eth0")}


@pytest.mark.parametrize("vip", VIPS)
def test_a_split_brain_heals(lab, vip):
    """One master is left, and a client on either side has its MAC within a second."""
    is_v6 = ":" in vip
    network = "2001:db8::{}/64" if is_v6 else "10.0.0.{}/24"
    left, right = lab.switch("left"), lab.switch("right")
    words = ["ip", "link", "add", "between", "netns", left.namespace, "type", "veth"]
    run([*words, "peer", "name", "between", "netns", right.namespace])
    for switch in (left, right):
        switch.ip("link set between master br0 up")
    nodes, clients = [], []
    for number, switch in enumerate((left, right), start=1):
        nodes.append(lab.host(f"node{number}", ipv6=is_v6))
        lab.cable(nodes[-1], "eth0", switch, network.format(number))
        clients.append(lab.host(f"client{number}", ipv6=is_v6))
        lab.cable(clients[-1], "eth0", switch, network.format(100 + number))
    one, two = [
        Keepline(node, vrrp_instance(vip=VIPS[vip], priority=priority)).start()
        for node, priority in zip(nodes, (200, 100))
    ]
    one.wait_master(vip)
    for _ in range(3):
        left.ip("link set between down")
        two.wait_master(vip)
        for client, node in zip(clients, nodes):
            assert client.ping(vip, 2) and client.neighbour(vip) == node.mac("eth0")
        left.ip("link set between up")
        two.wait_backup(vip)
        wait_for(
            lambda: {client.neighbour(vip) for client in clients} == {nodes[0].mac("eth0")},
            1,
            "every client has the master's MAC",
        )
        assert one.is_master(vip)
