"""Bonds of NICs as the interfaces of services and VIPs: the kernel runs them, keepline follows."""

import re

import pytest
from daemons import Keepline
from lab import Lab
from nics import bond_of
from process import wait_for
from topologies import (
    CLIENT,
    INSIDE_VIP,
    OUTSIDE_VIP,
    two_arm_configuration,
    two_arms,
    virtual_server,
)

pytestmark = pytest.mark.vm  # the kernel around may have no bonds
URL = f"http://{OUTSIDE_VIP}/"


@pytest.fixture
def start(request):
    """A function: one node whose arms are bonds of that mode, and keepline on it."""
    labs = []

    def start(mode):
        lab = Lab(node_cable=bond_of(mode)).__enter__()
        labs.append(lab)
        request.node.lab = lab
        two = two_arms(lab, nodes=1)
        for cable in two.nodes[0].cables.values():
            wait_for(lambda: cable.active(), 30, "the bond is up")
        keepline = Keepline(two.nodes[0], two_arm_configuration(100, virtual_server())).start()
        keepline.wait_master(OUTSIDE_VIP).wait_master(INSIDE_VIP)
        wait_for(lambda: two.client.curl(URL, timeout=1), 30, "the service answers")
        return two, keepline

    yield start
    for lab in labs:
        lab.close()


def serves(two):
    return {two.client.curl(URL) for _ in range(4)} == {"web1\n", "web2\n"}


def sent_by(cables, action):
    """How many frames of the service each cable has carried to the switch meanwhile."""
    captures = [cable.capture_sent("tcp port 80") for cable in cables]
    action()
    return [len(capture.stop()) for capture in captures]


def test_active_backup(start):
    """One NIC carries all, and its loss or another choice of the kernel is followed."""
    two, keepline = start("active-backup")
    outside = two.nodes[0].cables["eth0"]
    assert serves(two) and [web.clients() for web in two.nginx] == [{CLIENT}, {CLIENT}]
    (first,) = outside.active()
    (second,) = [cable for cable in outside.cables if cable is not first]
    # The switch floods a request to both NICs; one of them answers.
    shown = two.router.run("arping", "-c", "3", "-I", "eth0", OUTSIDE_VIP).stdout
    assert re.search(r"Received 3 response", shown), shown
    carried = sent_by([first, second], lambda: serves(two))
    assert carried[0] > 0 and carried[1] == 0
    first.unplug()
    wait_for(lambda: outside.active() == [second], what="the kernel has changed over")
    wait_for(lambda: two.client.curl(URL, timeout=1), what="the service answers again")
    assert serves(two) and sent_by([second], lambda: serves(two))[0] > 0
    assert keepline.state("OUT") == "MASTER"
    first.plug()
    wait_for(lambda: len(outside.active()) == 1, what="one NIC is active")
    two.nodes[0].ip(f"link set eth0 type bond active_slave {first.device}")
    wait_for(lambda: outside.active() == [first], what="the administrator has chosen")
    wait_for(lambda: two.client.curl(URL, timeout=1), what="the service answers again")
    carried = sent_by([first, second], lambda: serves(two))
    assert carried[0] > 0 and carried[1] == 0
    assert keepline.stop() == 0
    assert not any(two.nodes[0].xdp_attached(cable.device) for cable in outside.cables)


def test_lacp(start):
    """LACP passes by the dataplane; flows are spread over the NICs, and move when one is lost."""
    two, keepline = start("802.3ad")
    outside = two.nodes[0].cables["eth0"]
    wait_for(lambda: len(outside.active()) == 2, 30, "both NICs carry")
    carried = sent_by(outside.cables, lambda: [two.client.curl(URL) for _ in range(30)])
    assert min(carried) > 0, carried
    first, second = outside.cables
    first.unplug()
    wait_for(lambda: outside.active() == [second], what="the kernel has noticed")
    wait_for(lambda: two.client.curl(URL, timeout=1), what="the service answers again")
    assert all(two.client.curl(URL) for _ in range(10))
    assert keepline.state("OUT") == "MASTER"
