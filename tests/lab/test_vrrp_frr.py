"""A third implementation on the wire: FRR's vrrpd, version 3, over IPv4 and IPv6."""

from dataclasses import dataclass

import pytest
from frr import Frr
from process import stays, wait_for
from topologies import PAIR_V6, pair, vrrp_instance


@dataclass
class Family:
    vips: tuple  # the last one is what is looked at
    network: dict

    def configuration(self, priority):
        vips = "\n    ".join(self.vips)
        return vrrp_instance(vip=vips, vrid=77, priority=priority, advert_int=0.1)

    @property
    def vip(self):
        return self.vips[-1].split("/")[0]


FAMILIES = {
    "IPv4": Family(("10.0.0.51/24", "10.0.0.50/24"), {}),
    "IPv6": Family(("fe80::5e:77/64", "2001:db8::50/64"), PAIR_V6),
}


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


def answering_mac(net, vip):
    """Whom the client, which has forgotten everything, finds under the VIP."""
    net.client.ip("neigh flush dev eth0")
    return net.client.neighbour(vip) if net.answers(vip, 1) else None


@pytest.mark.reference
def test_backup_of_frr(lab, vrrp_daemon, family):
    """Silent beside FRR; takes over when it stops or dies, and yields when it is back."""
    net = pair(lab, **family.network)
    sent = net.cables[1].capture_sent("proto 112 or ip6 proto 112")
    frr = Frr(net.nodes[0], family.vips, vrid=77, priority=200).start()
    frr.wait_state("Master")
    own = vrrp_daemon(net.nodes[1], family.configuration(100)).start()
    stays(lambda: frr.state() == "Master" and not own.is_master(family.vip), 1, "a silent backup")
    assert not sent.frames()

    frr.stop()
    own.wait_master(family.vip)
    wait_for(lambda: answering_mac(net, family.vip) == net.nodes[1].mac("eth0"), what="our MAC")
    frr.start().wait_state("Master")
    own.wait_backup(family.vip)
    wait_for(lambda: answering_mac(net, family.vip) == frr.vmac, what="FRR's MAC")
    assert frr.complaints() == []

    frr.kill()
    own.wait_master(family.vip)
    wait_for(lambda: answering_mac(net, family.vip) == net.nodes[1].mac("eth0"), what="our MAC")
    assert " warning: " not in own.log(), "nothing is wrong with FRR's adverts"


@pytest.mark.reference
def test_master_of_frr(lab, vrrp_daemon, family):
    """FRR follows our adverts, takes over at our stop and crash, and yields again."""
    net = pair(lab, **family.network)
    own = vrrp_daemon(net.nodes[0], family.configuration(200)).start().wait_master(family.vip)
    frr = Frr(net.nodes[1], family.vips, vrid=77, priority=100).start()
    stays(lambda: frr.state() == "Backup" and own.is_master(family.vip), 1, "FRR is a backup")
    assert answering_mac(net, family.vip) == net.nodes[0].mac("eth0")

    assert own.stop() == 0
    frr.wait_state("Master")
    wait_for(lambda: answering_mac(net, family.vip) == frr.vmac, what="FRR's MAC")
    own.start().wait_master(family.vip)
    frr.wait_state("Backup")
    wait_for(lambda: answering_mac(net, family.vip) == net.nodes[0].mac("eth0"), what="our MAC")

    own.kill()
    frr.wait_state("Master")
    assert frr.complaints() == []
