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
from topologies import PAIR_V6, V6, bfd_instance, pair, vrrp_instance

VIP = "10.0.0.50"
OURS = "10.0.0.1"
THEIRS = "10.0.0.100"
NETWORKS = {
    "IPv4": ({}, OURS, THEIRS),
    "IPv6": (PAIR_V6, PAIR_V6["nodes"][0], PAIR_V6["client"]),
}
TWO_WORKERS = "dataplane {\n workers 2\n}\n"


def direct(address):
    return f'neighbor {address} dev "eth0"'


def bird_far_away(host, ours, theirs):
    bird = Bird(host, f"neighbor {ours} local {theirs} multihop").start()
    return lambda: bird.is_up(ours)


def frr_far_away(host, ours, theirs):
    return FrrBfd(host, ours, far_from=theirs).start().is_up


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


def routed(lab, lan_prefix, far_prefix, length):
    """A node and its neighbour, and a router between them."""
    lan, far = lab.switch("lan"), lab.switch("far")
    is_v6 = ":" in far_prefix
    router = lab.host("router", forward=True, ipv6=is_v6)
    lab.cable(router, "eth0", lan, f"{lan_prefix}254/{length}")
    lab.cable(router, "eth1", far, f"{far_prefix}254/{length}")
    ends = []
    for name, switch, prefix in (("node1", lan, lan_prefix), ("peer", far, far_prefix)):
        ends.append(lab.host(name, ipv6=is_v6))
        lab.cable(ends[-1], "eth0", switch, f"{prefix}1/{length}")
        ends[-1].ip(f"route add default via {prefix}254")
    return ends


@pytest.mark.parametrize("start", [bird_far_away, frr_far_away])
@pytest.mark.parametrize(
    "prefixes",
    [("10.0.0.", "10.9.0.", 24), ("2001:db8::", "2001:db8:9::", 64)],
    ids=["IPv4", "IPv6"],
)
def test_multihop(lab, prefixes, start):
    """Through a router, by the other port; further away than allowed it is not heard."""
    node, peer = routed(lab, *prefixes)
    ours, theirs = [f"{prefix}1" for prefix in prefixes[:2]]
    words = {"neighbour": theirs, "multihop": True}
    own = Keepline(node, bfd_instance(**words)).start()
    is_up = start(peer, ours, theirs)
    own.wait_bfd("Up")
    wait_for(is_up, what="the other one says up")
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


@pytest.mark.parametrize("network", NETWORKS)
def test_keepalived(lab, network):
    """keepalived's bfd_instance, each tracking the other; its VRRP sees us come and go.

    Over IPv6 it sends with a hop limit of 64 if not told otherwise (RFC 5881 section 5: 255).
    """
    words, ours, _ = NETWORKS[network]
    net = pair(lab, **words)
    theirs = net.addresses[1]
    own = Keepline(net.nodes[0], bfd_instance(neighbour=theirs)).start()
    hops = {"hoplimit": 255} if words else {}
    configuration = bfd_instance(neighbour=ours, source_ip=theirs, **hops)
    vip, vips = ("2001:db8::50", V6.vips("2001:db8::50", 51)) if words else (VIP, VIP)
    tracking = vrrp_instance(vip=vips, block="track_bfd {\n peer\n}")
    keepalived = KeepalivedBfd(net.nodes[1], configuration + tracking).start()
    own.wait_bfd("Up")
    keepalived.wait_master(vip)
    stays(lambda: own.bfd()["state"] == "Up", 3, "it is up")
    own.kill()
    keepalived.wait_backup(vip)


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
