"""Where packets come in and go out: several networks on a port, answers by another way."""

from daemons import Keepline
from process import wait_for
from test_full_nat import dataplane
from topologies import (
    CLIENT,
    ONE_ARM_WEBS,
    OUTSIDE_VIP,
    one_arm,
    two_arm_configuration,
    two_arms,
    virtual_server,
    vrrp_instance,
)


def test_vips_of_two_networks_on_one_port(lab):
    """One interface with two networks; each VIP is answered for, and served, in its own."""
    arm = one_arm(lab, "10.0.0.254")
    arm.node.ip("address add 10.7.0.1/24 dev eth0")
    near = lab.host("near")
    lab.cable(near, "eth0", arm.lan, "10.7.0.50/24", "10.0.0.50/24")
    vips = ("10.0.0.100", "10.7.0.100")
    text = vrrp_instance("ONE", f"{vips[0]}/24", vrid=51)
    text += vrrp_instance("TWO", f"{vips[1]}/24", vrid=52)
    for vip in vips:
        text += virtual_server(vip, servers=ONE_ARM_WEBS, kind="FULLNAT")
    text += dataplane("10.0.0.200").replace("local_address", "local_address ONE")
    text += dataplane("10.0.0.201").replace("local_address", "local_address TWO")
    keepline = Keepline(arm.node, text).start()
    for vip in vips:
        keepline.wait_master(vip)
        assert near.arping(vip, "eth0") == {arm.node.mac("eth0")}
        wait_for(lambda: near.curl(f"http://{vip}/", timeout=1), 30, f"{vip} serves")
        assert {near.curl(f"http://{vip}/") for _ in range(4)} == {"web1\n", "web2\n"}
    assert arm.nginx[0].clients() == {"10.0.0.200", "10.0.0.201"}, "each instance has its own"
    # From a network that is not the VIP's, through the router.
    assert arm.client.curl(f"http://{vips[0]}/") in ("web1\n", "web2\n")


def test_answers_by_another_way(lab):
    """Requests come in through one link, the way back to the client is another one."""
    two = two_arms(lab, nodes=1)
    (node,) = two.nodes
    back = lab.switch("back")
    other = lab.host("router2", forward=True)
    lab.cable(node, "eth2", back, "192.168.9.1/24")
    lab.cable(other, "eth0", back, "192.168.9.254/24")
    lab.cable(other, "eth1", two.far, "198.51.100.2/24")
    node.ip("route replace default via 192.168.9.254")
    keepline = Keepline(node, two_arm_configuration(100, virtual_server())).start()
    keepline.wait_master(OUTSIDE_VIP)
    url = f"http://{OUTSIDE_VIP}/"
    wait_for(lambda: two.client.curl(url, timeout=1), 30, f"{url} answers")
    first = node.cables["eth0"].capture_sent("tcp src port 80")
    second = node.cables["eth2"].capture_sent("tcp src port 80")
    assert {two.client.curl(url) for _ in range(4)} == {"web1\n", "web2\n"}
    assert first.stop() == [], "nothing goes back where it came from"
    answers = second.stop()
    assert answers and {frame.ipv4.destination for frame in answers} == {CLIENT}
