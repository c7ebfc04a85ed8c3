"""NICs that a DPDK driver owns: the services work as ever, and the node's own traffic, too."""

import pytest
from daemons import Keepline
from lab import Lab
from nginx import Nginx
from nics import EmulatedNic, VirtualNic
from process import wait_for
from topologies import (
    CLIENT,
    INSIDE_VIP,
    OUTSIDE_VIP,
    two_arm_configuration,
    two_arms,
    virtual_server,
)

URL = f"http://{OUTSIDE_VIP}/"


@pytest.fixture
def lab(request):
    is_pci = request.config.getoption("--node-cable") == "pci"
    with Lab(node_cable=EmulatedNic if is_pci else VirtualNic) as lab:
        request.node.lab = lab
        yield lab


def test_services_and_the_nodes_own_traffic(lab):
    """NAT with health checks, SSH-like services of the node, its own requests, and counters."""
    two = two_arms(lab, nodes=1)
    (node,) = two.nodes
    keepline = Keepline(node, two_arm_configuration(100, virtual_server())).start()
    keepline.wait_master(OUTSIDE_VIP).wait_master(INSIDE_VIP)
    wait_for(lambda: two.client.curl(URL, timeout=1), 30, "the service answers")
    assert {two.client.curl(URL) for _ in range(4)} == {"web1\n", "web2\n"}
    assert [web.clients() for web in two.nginx] == [{CLIENT}, {CLIENT}]
    # Its checks go through the kernel and the TAP.
    two.nginx[0].stop()
    wait_for(lambda: keepline.weight("10.1.0.21:80") in (0, None), 30, "web1 is out")
    assert {two.client.curl(URL) for _ in range(4)} == {"web2\n"}
    # The node's own address, a service of its own, and its own requests.
    assert two.client.ping("192.0.2.11", 3) == 3
    Nginx(node, "8080")
    assert two.client.curl("http://192.0.2.11:8080/") == "node1\n"
    assert two.client.curl(f"http://{OUTSIDE_VIP}:8080/") == "node1\n", "the VIP's other ports"
    assert node.ping(CLIENT, 3) == 3
    assert node.curl("http://10.1.0.22/") == "web2\n"
    # And it is still a router for the servers.
    assert two.webs[1].ping(CLIENT, 3) == 3
    assert keepline.flows("to_kernel") > 0
    ports = {port["name"]: port["driver"] for port in keepline.cli("status")["ports"]}
    assert ports == {name: cable.driver for name, cable in node.cables.items()}


def test_failover(lab):
    """Two nodes with virtual MACs: the service outlives the master, and its own traffic, too."""
    two = two_arms(lab)
    nodes = [
        Keepline(node, two_arm_configuration(priority, virtual_server(), use_vmac=True))
        for node, priority in zip(two.nodes, (150, 100))
    ]
    for node in nodes:
        node.start()
    nodes[0].wait_master(OUTSIDE_VIP).wait_master(INSIDE_VIP)
    wait_for(lambda: two.client.curl(URL, timeout=1), 30, "the service answers")
    assert two.router.arping(OUTSIDE_VIP, "eth0") == {"00:00:5e:00:01:33"}
    nodes[0].kill()
    nodes[1].wait_master(OUTSIDE_VIP).wait_master(INSIDE_VIP)
    wait_for(lambda: two.client.curl(URL, timeout=1), 30, "the service answers again")
    assert two.router.arping(OUTSIDE_VIP, "eth0") == {"00:00:5e:00:01:33"}
    assert two.client.ping("192.0.2.12", 3) == 3
    assert nodes[1].stop() == 0


def test_what_cannot_be_owned_is_said(lab):
    """A NIC that the kernel still has, an address that is none, a device that is not there."""
    node = lab.host("other")
    lab.cable(node, "eth0", lab.switch("lan"), "10.0.0.1/24")
    for line, message in (
        ("pci 0000:ff:1f.7", "there is no PCI device 0000:ff:1f.7"),
        ("pci eth0", "'eth0' is no PCI address"),
        ("vdev net_null0", "TAP eth0: it exists and is no TAP"),
    ):
        keepline = Keepline(node, f"dataplane {{\n port eth0 {{\n {line}\n }}\n}}\n")
        done = node.run(*keepline.command(), check=False)
        assert done.returncode == 2, done.stderr
        assert message in done.stderr and f"{keepline.file}:" in done.stderr
