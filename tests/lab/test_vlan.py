"""VLANs of one NIC as the interfaces of services and VIPs."""

import pytest
from daemons import Keepline
from lab import Cable, Lab
from nginx import Nginx
from nics import EmulatedNic, Vlan, vlan_of
from process import wait_for
from topologies import (
    CLIENT,
    INSIDE_VIP,
    OUTSIDE_VIP,
    two_arm_configuration,
    two_arms,
    virtual_server,
)

pytestmark = pytest.mark.vm  # the kernel around may have no VLANs
URL = f"http://{OUTSIDE_VIP}/"


@pytest.fixture(params=[Cable, EmulatedNic], ids=["af_xdp", "pci"])
def lab(request):
    with Lab(node_cable=vlan_of(request.param)) as lab:
        request.node.lab = lab
        yield lab


def takes_tags_off(host):
    shown = host.run("ethtool", "-k", "trunk0").stdout
    return "rx-vlan-offload: on" in shown


def test_service_between_two_vlans(lab):
    """NAT from VLAN 10 to VLAN 11, VRRP on both, the node's own traffic, and all put back."""
    two = two_arms(lab, nodes=1)
    (node,) = two.nodes
    is_pci = isinstance(node.cables["trunk0"], EmulatedNic)
    assert isinstance(node.cables["eth0"], Vlan)
    usual = takes_tags_off(node)
    configuration = two_arm_configuration(100, virtual_server(), use_vmac=True)
    keepline = Keepline(node, configuration).start()
    keepline.wait_master(OUTSIDE_VIP).wait_master(INSIDE_VIP)
    assert two.router.arping(OUTSIDE_VIP, "eth0") == {"00:00:5e:00:01:33"}
    wait_for(lambda: two.client.curl(URL, timeout=1), 30, "the service answers")
    assert {two.client.curl(URL) for _ in range(4)} == {"web1\n", "web2\n"}
    assert [web.clients() for web in two.nginx] == [{CLIENT}, {CLIENT}]
    assert two.webs[0].ping(INSIDE_VIP, 3) == 3
    # What is not the dataplane's reaches the kernel with its tag.
    assert two.client.ping("192.0.2.11", 3) == 3
    assert node.ping("10.1.0.21", 3) == 3
    Nginx(node, "8080")
    assert two.client.curl(f"http://{OUTSIDE_VIP}:8080/") == "node1\n"
    names = [port["name"] for port in keepline.cli("status")["ports"]]
    assert names == (["trunk0", "eth0", "eth1"] if is_pci else ["eth0", "eth1"])
    assert is_pci or not takes_tags_off(node)
    # Large segments, both ways, with a tag more than an untagged link has.
    two.nginx[0].add_file("large", bytes(1 << 20))
    two.nginx[1].add_file("large", bytes(1 << 20))
    words = ("-m", 60, "-o", "/dev/null", "-w", "%{size_download}", f"{URL}files/large")
    assert two.client.run("curl", "-s", *words, timeout=90).stdout == str(1 << 20)
    assert keepline.stop() == 0
    assert takes_tags_off(node) == usual
