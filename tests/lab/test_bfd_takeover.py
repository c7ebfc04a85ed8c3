"""What follows from BFD: takeover after a death, and nothing worse after a false alarm."""

from bird import Bird
from daemons import Keepline
from process import stays, wait_for
from test_reload import reload
from topologies import (
    INSIDE_VIP,
    OUTSIDE_VIP,
    bfd_instance,
    pair,
    two_arm_configuration,
    two_arms,
    virtual_server,
    vrrp_instance,
)
from traffic import udp_echo, udp_probe

VIP = "10.0.0.50"
OURS = "10.0.0.1"
ECHO_PORT = 7007
ADVERT_S = 1


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


def test_a_pulled_cable_takes_the_group_along(lab):
    """BFD tells on the arm that is dead, a priority 0 on the other one: nobody waits for a skew."""
    net = two_arms(lab)
    for web in net.webs:
        udp_echo(web, ECHO_PORT, name=web.name)
    services = virtual_server(port=ECHO_PORT, protocol="UDP", check="", server_words="")
    one, two = [
        Keepline(
            node, two_arm_configuration(priority, services, bfd_to=other, advert_int=ADVERT_S)
        ).start()
        for node, priority, other in zip(net.nodes, (200, 100), (2, 1))
    ]
    for daemon, name in ((one, "to-OUT"), (one, "to-IN"), (two, "to-OUT"), (two, "to-IN")):
        daemon.wait_bfd("Up", name)
    one.wait_master(OUTSIDE_VIP)
    two.wait_backup(OUTSIDE_VIP)
    probe = udp_probe(net.client, OUTSIDE_VIP, ECHO_PORT, rate=1000)
    wait_for(lambda: probe.progress()["answered"] > 300, what="the echo answers")
    net.outside_cables[0].unplug()
    two.wait_master(OUTSIDE_VIP)
    answered = probe.progress()["answered"]
    wait_for(lambda: probe.progress()["answered"] > answered + 300, what="it answers again")
    silence_s = probe.report()["longest_gap_ms"] / 1000
    print(f"without an answer for {1000 * silence_s:.1f} ms")
    assert silence_s < 0.5 * ADVERT_S


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
