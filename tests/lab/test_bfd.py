"""BFD on real frames: BIRD, FRR and keepalived as neighbours, bad packets, what tracks it."""

import json
import re
import socket
import struct

import pytest
from bird import Bird
from daemons import KeepalivedBfd, Keepline
from frr import FrrBfd
from lab import run
from nics import VirtualNic
from process import stays, wait_for
from test_dumps import Dumping, blocks
from test_reload import reload
from topologies import INSIDE_VIP, OUTSIDE_VIP, PAIR_V6, bfd_instance, pair
from topologies import two_arm_configuration, two_arms, virtual_server, vrrp_instance
from traffic import udp_echo, udp_probe

VIP = "10.0.0.50"
OURS = "10.0.0.1"
THEIRS = "10.0.0.100"
NETWORKS = {
    "IPv4": ({}, OURS, THEIRS),
    "IPv6": (PAIR_V6, PAIR_V6["nodes"][0], PAIR_V6["client"]),
}
ECHO_PORT = 7007
ADVERT_S = 1
TWO_WORKERS = "dataplane {\n workers 2\n}\n"


def direct(address):
    return f'neighbor {address} dev "eth0"'


def packet(my=77, your=0, state=3, flags=0, multiplier=3, length=24, version=1, diag=0):
    head = struct.pack("!BBBB", version << 5 | diag, state << 6 | flags, multiplier, length)
    return head + struct.pack("!IIIII", my, your, 50_000, 50_000, 0)


@pytest.mark.parametrize("network", NETWORKS)
def test_bird(lab, network):
    """Up within a few seconds, and for some more; when BIRD dies, down, and up again after it."""
    words, ours, theirs = NETWORKS[network]
    net = pair(lab, **words)
    own = Keepline(net.nodes[0], bfd_instance(neighbour=theirs) + TWO_WORKERS).start()
    bird = Bird(net.client, direct(ours)).start()
    own.wait_bfd("Up")
    wait_for(lambda: bird.is_up(ours), what="BIRD says up")
    wait_for(lambda: own.bfd()["detection_time_us"] == 150_000, what="50 ms x 3 are agreed on")
    stays(lambda: own.bfd()["state"] == "Up" and bird.is_up(ours), 4, "both are up")
    session = own.bfd()
    assert session["diagnostic"] == "No Diagnostic"
    assert session["tx_interval_us"] == 50_000
    assert session["remote_discriminator"] != 0
    discarded = {k: v for k, v in session["counters"].items() if k.startswith("disc") and v}
    assert discarded == {}

    bird.kill()
    own.wait_bfd("Down", timeout=3)
    assert own.bfd()["diagnostic"] == "Control Detection Time Expired"
    assert "peer" in own.cli_text("bfd") and "Down" in own.cli_text("bfd")
    bird.start()
    own.wait_bfd("Up")


def test_owned_port(lab):
    """On a NIC that a DPDK driver owns."""
    lab.node_cable = VirtualNic
    net = pair(lab)
    own = Keepline(net.nodes[0], bfd_instance()).start()
    bird = Bird(net.client, direct(OURS)).start()
    own.wait_bfd("Up")
    wait_for(lambda: bird.is_up(OURS), what="BIRD says up")
    stays(lambda: own.bfd()["state"] == "Up", 2, "it is up")


def test_bird_multihop(lab):
    """Through a router, by the other port; further away than allowed it is not heard."""
    lan, far = lab.switch("lan"), lab.switch("far")
    router, node, peer = lab.host("router", forward=True), lab.host("node1"), lab.host("peer")
    lab.cable(router, "eth0", lan, "10.0.0.254/24")
    lab.cable(router, "eth1", far, "10.9.0.254/24")
    lab.cable(node, "eth0", lan, "10.0.0.1/24")
    lab.cable(peer, "eth0", far, "10.9.0.2/24")
    node.ip("route add default via 10.0.0.254")
    peer.ip("route add default via 10.9.0.254")
    words = {"neighbour": "10.9.0.2", "multihop": True}
    own = Keepline(node, bfd_instance(**words)).start()
    bird = Bird(peer, "neighbor 10.0.0.1 local 10.9.0.2 multihop").start()
    own.wait_bfd("Up")
    wait_for(lambda: bird.is_up("10.0.0.1"), what="BIRD says up")
    stays(lambda: own.bfd()["state"] == "Up", 2, "it is up")

    reload(own, bfd_instance(max_hops=0, **words))
    own.wait_bfd("Down")
    assert own.bfd()["counters"]["discarded_ttl"] > 0


@pytest.mark.parametrize("network", NETWORKS)
def test_frr(lab, network):
    """FRR's bfdd; it shows that we were switched off, when we stop."""
    words, ours, theirs = NETWORKS[network]
    net = pair(lab, **words)
    own = Keepline(net.nodes[0], bfd_instance(neighbour=theirs)).start()
    frr = FrrBfd(net.client, ours).start()
    own.wait_bfd("Up")
    wait_for(frr.is_up, what="FRR says up")
    stays(lambda: own.bfd()["state"] == "Up" and frr.is_up(), 3, "both are up")
    assert own.stop() == 0
    wait_for(lambda: not frr.is_up(), 3, "FRR says down")
    assert "administratively" in json.dumps(frr.session()).lower()


def test_keepalived(lab):
    """keepalived's bfd_instance, each tracking the other; its VRRP sees us come and go."""
    net = pair(lab)
    theirs = net.addresses[1]
    own = Keepline(net.nodes[0], bfd_instance(neighbour=theirs)).start()
    configuration = bfd_instance(neighbour=OURS, source_ip=theirs)
    tracking = vrrp_instance(vip=VIP, block="track_bfd {\n peer\n}")
    keepalived = KeepalivedBfd(net.nodes[1], configuration + tracking).start()
    own.wait_bfd("Up")
    keepalived.wait_master(VIP)
    stays(lambda: own.bfd()["state"] == "Up", 3, "it is up")
    own.kill()
    keepalived.wait_backup(VIP)


def test_tracking(lab):
    """Without weight an instance is at fault while the session is down; with one it has less."""
    net = pair(lab)
    fault = vrrp_instance("FAULT", vip=VIP, block="track_bfd {\n peer\n}")
    weight = vrrp_instance(
        "WEIGHT", vip="10.0.0.51", vrid=52, block="track_bfd {\n peer weight 20\n}"
    )
    own = Keepline(net.nodes[0], bfd_instance() + fault + weight).start()
    own.wait_state("MASTER", "WEIGHT")
    assert own.state("FAULT") == "FAULT", "down until it was up once"
    assert own.instance("WEIGHT")["effective_priority"] == 100
    bird = Bird(net.client, direct(OURS)).start()
    own.wait_state("MASTER", "FAULT")
    assert own.instance("WEIGHT")["effective_priority"] == 120
    net.cables[0].freeze()
    own.wait_state("FAULT", "FAULT")
    assert own.instance("WEIGHT")["effective_priority"] == 100
    net.cables[0].thaw()
    own.wait_state("MASTER", "FAULT")
    bird.kill()
    own.wait_state("FAULT", "FAULT")


def test_bad_packets(lab):
    """Counted by reason, each of them, and the session stays up."""
    net = pair(lab)
    own = Keepline(net.nodes[0], bfd_instance()).start()
    Bird(net.client, direct(OURS)).start()
    own.wait_bfd("Up")
    discriminator = own.bfd()["discriminator"]
    bad = {
        "version": packet(your=discriminator, version=2),
        "length": packet(your=discriminator, length=60),
        "multiplier": packet(your=discriminator, multiplier=0),
        "multipoint": packet(your=discriminator, flags=1),
        "authentication": packet(your=discriminator, flags=4, length=26) + b"\1\2",
        "discriminator": packet(my=0, your=discriminator),
        "not_establishing": packet(your=0),
        "unknown_session": packet(your=discriminator ^ 0x0100),
    }
    with net.client.socket(kind=socket.SOCK_DGRAM) as sender:
        sender.bind((THEIRS, 50_000))
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 255)
        for data in bad.values():
            sender.sendto(data, (OURS, 3784))
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 254)
        sender.sendto(packet(your=discriminator, state=1), (OURS, 3784))
    for reason in [*bad, "ttl"]:
        name = f"discarded_{reason}"
        wait_for(lambda: own.bfd()["counters"][name] == 1, what=f"{name} is 1")
    stays(lambda: own.bfd()["state"] == "Up", 1, "it is up")


def test_others_bfd_is_the_kernels(lab):
    """A daemon of the node may have sessions with whom we have none, and the other port."""
    net = pair(lab)
    own = Keepline(net.nodes[0], bfd_instance()).start()
    bird = Bird(net.nodes[0], 'neighbor 10.0.0.2 dev "eth0" local 10.0.0.1').start()
    other = Bird(net.nodes[1], direct(OURS)).start()
    wait_for(lambda: bird.is_up("10.0.0.2") and other.is_up(OURS), what="BIRD and BIRD are up")
    assert own.bfd()["state"] == "Down"


def test_reload(lab):
    """The same ends: it stays up with new times. Another name: the same. Removed: it says so."""
    net = pair(lab)
    sent = net.cables[0].capture_sent("udp port 3784")
    own = Keepline(net.nodes[0], bfd_instance()).start()
    bird = Bird(net.client, direct(OURS)).start()
    own.wait_bfd("Up")
    before = own.bfd()
    reload(own, bfd_instance("renamed", interval_ms=90))
    wait_for(lambda: own.bfd("renamed")["tx_interval_us"] == 90_000, what="90 ms are agreed on")
    after = own.bfd("renamed")
    assert (after["state"], after["discriminator"]) == ("Up", before["discriminator"])
    assert bird.is_up(OURS)

    reload(own, bfd_instance("other", "10.0.0.7"))
    wait_for(lambda: not bird.is_up(OURS), 3, "BIRD was told")

    def goodbyes():
        states = [frame.data[14 + 20 + 8 + 1] >> 6 for frame in sent.frames()]
        return states.count(0)

    wait_for(lambda: goodbyes() == 3, 3, "AdminDown, three times")


def test_frames(lab):
    """As RFC 5881 wants them, and nothing for tshark to find fault with."""
    net = pair(lab)
    sent = net.cables[0].capture_sent("udp port 3784")
    own = Keepline(net.nodes[0], bfd_instance()).start()
    Bird(net.client, direct(OURS)).start()
    own.wait_bfd("Up")
    own.stop()
    fields = ["ip.ttl", "udp.srcport", "ip.src", "udp.checksum.status", "_ws.expert.message"]
    words = ["tshark", "-r", sent.path, "-o", "udp.check_checksum:TRUE", "-T", "fields"]
    shown = run(words + [word for field in fields for word in ("-e", field)]).stdout
    rows = {tuple(line.split("\t")) for line in shown.splitlines()}
    assert len(rows) == 1, rows
    ttl, port, source, checksum, complaint = rows.pop()
    assert (ttl, source, checksum, complaint) == ("255", OURS, "1", "")
    assert 49152 <= int(port) <= 65535


def service():
    words = {"kind": "DR", "protocol": "UDP", "check": "", "server_words": ""}
    return virtual_server(VIP, ECHO_PORT, servers=("10.0.0.21",), **words)


def node_configuration(other, priority, tracked):
    block = "track_bfd {\n peer weight 1\n}" if tracked else ""
    words = {"advert_int": ADVERT_S, "priority": priority, "block": block}
    sessions = bfd_instance(neighbour=other, interval_ms=3, multiplier=3)
    return sessions + vrrp_instance(vip=VIP, **words) + service()


def takeover_s(lab, tracked):
    """Two nodes in front of an echo; the master is killed: the longest silence, in seconds."""
    net = pair(lab)
    web = lab.host("web")
    lab.cable(web, "eth0", net.lan, "10.0.0.21/24")
    web.set_sysctl(**{"net.ipv4.conf.all.arp_ignore": 1, "net.ipv4.conf.all.arp_announce": 2})
    web.ip(f"address add {VIP}/32 dev lo")
    udp_echo(web, ECHO_PORT, VIP)
    first, second = net.addresses
    one = Keepline(net.nodes[0], node_configuration(second, 200, tracked)).start()
    one.wait_master(VIP)
    two = Keepline(net.nodes[1], node_configuration(first, 100, tracked)).start()
    two.wait_state("BACKUP")
    wait_for(lambda: two.instance()["master_address"] == first, what="node2 has heard its master")
    for daemon in (one, two):
        daemon.wait_bfd("Up")
    probe = udp_probe(net.client, VIP, ECHO_PORT, rate=1000)
    wait_for(lambda: probe.progress()["answered"] > 300, what="the echo answers")
    one.kill()
    two.wait_master(VIP)
    answered = probe.progress()["answered"]
    wait_for(lambda: probe.progress()["answered"] > answered + 300, what="it answers again")
    return probe.report()["longest_gap_ms"] / 1000


def test_takeover(lab):
    """A master's death shows within milliseconds, not after three adverts."""
    silence_s = takeover_s(lab, tracked=True)
    print(f"without an answer for {1000 * silence_s:.1f} ms")
    assert silence_s < 0.5 * ADVERT_S


def test_takeover_by_adverts_alone(lab):
    """The same without track_bfd: what the other is compared with."""
    assert takeover_s(lab, tracked=False) > 2 * ADVERT_S


# What keepalived alone has: descriptors, threads, and what it does not do either.
NOT_OURS = re.compile(r"fd_|thread_|sands_|send error|\w+ demand|!poll|\w+ discriminator")


def test_dump(lab, monkeypatch):
    """keepalived_bfd.data, key by key as the real keepalived writes it."""
    text = bfd_instance("four", "10.0.0.9", 20, 7, source_ip=OURS, weight=5)
    text += bfd_instance("six", "2001:db8::9", passive=True, hoplimit=64, max_hops=3, vrrp=True)
    text += vrrp_instance(vip=VIP, block="track_bfd {\n four\n six weight 3\n}")
    dumps = []
    for daemon, name in ((Keepline, "own"), (KeepalivedBfd, "other")):
        host = lab.host(name, ipv6=True)
        lab.cable(host, "eth0", lab.switch(f"{name}-lan"), f"{OURS}/24", "2001:db8::1/64")
        dumps.append(Dumping(daemon(host, text), monkeypatch))
    kinds = {"keepalived_bfd.data": "BFD Instance", "keepalived.data": "VRRP Track BFD"}
    for file, kind in kinds.items():
        own, other = (blocks(dump.dump("DATA", file), kind) for dump in dumps)
        assert list(own) == list(other) == ["four", "six"]
        for name, reference in other.items():
            wanted = {key: value for key, value in reference.items() if not NOT_OURS.match(key)}
            mine = {key: value for key, value in own[name].items() if not NOT_OURS.match(key)}
            wanted.pop("Tracking VRRP instances :", None)
            assert mine == wanted


def test_false_alarm(lab):
    """The master lives, only its BFD has died: the backup takes over, hears it, and steps back.

    BFD ends between two adverts: one that came within the skew would have proved that it is alive.
    """
    net = pair(lab)
    words = {"vip": VIP, "advert_int": ADVERT_S}
    one = Keepline(net.nodes[0], vrrp_instance(priority=200, **words)).start().wait_master(VIP)
    bird = Bird(net.nodes[0], 'neighbor 10.0.0.2 dev "eth0"').start()
    tracking = vrrp_instance(block="track_bfd {\n peer weight 1\n}", **words)
    two = Keepline(net.nodes[1], bfd_instance(neighbour=OURS) + tracking).start()
    two.wait_bfd("Up")
    heard = two.statistics()["advert_rcvd"]
    wait_for(lambda: two.statistics()["advert_rcvd"] > heard, what="an advert has just come")
    bird.kill()
    wait_for(lambda: two.statistics()["become_master"] == 1, what="node2 takes over")
    two.wait_state("BACKUP")
    assert one.state() == "MASTER" and one.statistics()["release_master"] == 0
    stays(lambda: two.state() == "BACKUP", 1, "that was all")


def test_false_alarm_of_a_group(lab):
    """Who takes over by mistake leads servers and router back, though the master has not heard it.

    node1 has just preempted: it takes what node2 says for the last words of its predecessor.
    """
    net = two_arms(lab)
    for web in net.webs:
        udp_echo(web, ECHO_PORT, name=web.name)
    services = virtual_server(port=ECHO_PORT, protocol="UDP", check="", server_words="")
    neighbours = ('neighbor 192.0.2.12 dev "eth0"', 'neighbor 10.1.0.2 dev "eth1"')
    bird = Bird(net.nodes[0], *neighbours).start()
    words = {"advert_int": ADVERT_S}
    two = two_arm_configuration(100, services, bfd_to=1, **words)
    two = Keepline(net.nodes[1], two).start().wait_master(OUTSIDE_VIP)
    for name in ("to-OUT", "to-IN"):
        two.wait_bfd("Up", name)
    probe = udp_probe(net.client, OUTSIDE_VIP, ECHO_PORT, rate=1000)
    wait_for(lambda: probe.progress()["answered"] > 300, what="the echo answers")
    one = Keepline(net.nodes[0], two_arm_configuration(200, services, **words)).start()
    one.wait_master(OUTSIDE_VIP)
    bird.kill()
    wait_for(lambda: two.statistics("IN")["become_master"] == 2, what="node2 takes over")
    two.wait_state("BACKUP", "IN")

    def led_back():
        inside = {web.neighbour(INSIDE_VIP) for web in net.webs} - {None}
        outside = net.router.neighbour(OUTSIDE_VIP)
        return inside == {net.nodes[0].mac("eth1")} and outside == net.nodes[0].mac("eth0")

    wait_for(led_back, 1, "everybody is led to node1")
    answered = probe.progress()["answered"]
    wait_for(lambda: probe.progress()["answered"] > answered + 1000, what="the echo answers on")
    assert one.statistics("IN")["release_master"] == 0
    assert "lower priority" not in one.log(), "node1 has heard that there were two"
    assert probe.report()["longest_gap_ms"] < 250


def test_switched_off_is_not_lost(lab):
    """A master that only gives up BFD stays master."""
    net = pair(lab)
    master = vrrp_instance(vip=VIP, priority=200)
    one = Keepline(net.nodes[0], bfd_instance(neighbour="10.0.0.2") + master).start()
    one.wait_master(VIP)
    tracking = vrrp_instance(vip=VIP, block="track_bfd {\n peer weight 1\n}")
    two = Keepline(net.nodes[1], bfd_instance(neighbour=OURS) + tracking).start()
    two.wait_bfd("Up")
    wait_for(lambda: two.instance()["master_address"] == OURS, what="node2 has heard its master")
    reload(one, master)
    two.wait_bfd("Down")
    assert two.bfd()["diagnostic"] == "Neighbor Signaled Session Down"
    stays(lambda: two.statistics()["become_master"] == 0, 1, "node2 stays where it is")
