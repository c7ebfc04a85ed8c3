"""A VIP with no_accept, or in strict mode: services work, the node itself takes nothing by it."""

import pytest
from daemons import KEEPLINE, Keepline
from lab import Lab
from nginx import Nginx
from nics import VirtualNic
from process import stays, wait_for
from topologies import (
    CLIENT,
    INSIDE_VIP,
    OUTSIDE_VIP,
    pair,
    two_arm_configuration,
    two_arms,
    virtual_server,
    vrrp_instance,
)

MODES = {"no_accept": {"no_accept": True}, "strict": {"strict_mode": True}, "accept": {}}


def reaches(client, vip):
    """What of it a client gets to: the node's answer to a ping, and a service of its own."""
    host = f"[{vip}]" if ":" in vip else vip
    return client.ping(vip, 2) > 0, client.curl(f"http://{host}/", timeout=2) == "node1\n"


@pytest.mark.reference
@pytest.mark.parametrize("is_v6", [False, True], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("mode", MODES)
def test_what_the_node_takes(lab, vrrp_daemon, mode, is_v6):
    """Neither pings nor its own services; ARP and ND as ever, and the node's own address, too."""
    own, vip = ("2001:db8::1", "2001:db8::50") if is_v6 else ("10.0.0.1", "10.0.0.50")
    client, length = ("2001:db8::100", 64) if is_v6 else ("10.0.0.100", 24)
    net = pair(lab, nodes=(own,), client=client, length=length, ipv6=is_v6)
    Nginx(net.nodes[0], "80", "[::]:80")
    vips = f"{vip}/{length}" if not is_v6 else f"fe80::5e:33/64\n    {vip}/{length}"
    node = vrrp_daemon(net.nodes[0], vrrp_instance(vip=vips, **MODES[mode]))
    node.start().wait_master(vip)
    wait_for(lambda: reaches(net.client, own) == (True, True), what="the node's own address")
    takes = mode == "accept"
    wait_for(lambda: reaches(net.client, vip) == (takes, takes), what="as the mode says")
    stays(lambda: reaches(net.client, vip) == (takes, takes), 1, "and so it stays")
    if not is_v6:
        assert net.answering_macs(vip) == {net.nodes[0].mac("eth0")}
    assert net.client.neighbour(vip) == net.nodes[0].mac("eth0")
    if vrrp_daemon is Keepline:
        assert (node.drops().get("not_accepted", 0) > 0) == (not takes)
        assert ("answer no ping" in node.log()) == (mode == "strict")


@pytest.mark.parametrize("cable", [None, VirtualNic], ids=["af_xdp", "owned"])
def test_services_work(request, cable):
    """The balanced port answers, no other one does; the servers' gateway is a VIP like that."""
    with Lab(**({"node_cable": cable} if cable else {})) as lab:
        request.node.lab = lab
        two = two_arms(lab, nodes=1)
        (node,) = two.nodes
        text = two_arm_configuration(100, virtual_server(), no_accept=True)
        keepline = Keepline(node, text).start()
        keepline.wait_master(OUTSIDE_VIP).wait_master(INSIDE_VIP)
        url = f"http://{OUTSIDE_VIP}/"
        wait_for(lambda: two.client.curl(url, timeout=1), 30, "the service answers")
        assert {two.client.curl(url) for _ in range(4)} == {"web1\n", "web2\n"}
        assert two.webs[0].ping(CLIENT, 3) == 3, "routed through the gateway VIP"
        Nginx(node, "8080")
        assert two.client.curl("http://192.0.2.11:8080/") == "node1\n"
        before = keepline.drops()["not_accepted"]
        assert two.client.curl(f"http://{OUTSIDE_VIP}:8080/", timeout=1) is None
        assert two.client.ping(OUTSIDE_VIP, 2) == 0
        assert two.webs[0].ping(INSIDE_VIP, 2) == 0
        assert keepline.drops()["not_accepted"] >= before + 5
        said = keepline.cli_text("explain", f"{CLIENT}:4000", f"{OUTSIDE_VIP}:8080", "tcp")
        assert "not_accepted" in said and "no_accept" in said, said


def test_a_reload_changes_it(lab):
    """no_accept comes and goes while the VIP stays where it is."""
    net = pair(lab, nodes=("10.0.0.1",))
    Nginx(net.nodes[0])
    texts = {True: vrrp_instance(), False: vrrp_instance(no_accept=True)}
    keepline = Keepline(net.nodes[0], texts[True]).start().wait_master("10.0.0.50")
    for takes in (True, False, True):
        keepline.file.write_text(texts[takes])
        net.nodes[0].run(KEEPLINE, "reload")
        wait_for(lambda: reaches(net.client, "10.0.0.50") == (takes, takes), what=f"{takes}")
    assert keepline.statistics()["become_master"] == 1
