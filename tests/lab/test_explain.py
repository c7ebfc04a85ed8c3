"""`keepline explain` against what then really happens."""

from daemons import Keepline
from test_services import one_node, wait_answer
from topologies import CLIENT, OUTSIDE_VIP, WEBS, two_arm_configuration, two_arms, virtual_server

SERVICE = f"{OUTSIDE_VIP}:80"


def test_explain_follows_a_connection(lab):
    """New, established, the answers of its server; asking makes no connection."""
    two, keepline = one_node(lab, virtual_server(scheduler="wrr", weights=[3, 1]))
    wait_answer(two.client)
    known = len(keepline.connections())
    client = two.client.socket()
    client.bind((CLIENT, 0))
    flow = [f"{CLIENT}:{client.getsockname()[1]}", SERVICE, "tcp"]
    new = keepline.cli("explain", *flow)
    assert (new["outcome"], new["instance"], new["instance_state"]) == (
        "new_connection",
        "OUT",
        "MASTER",
    )
    assert (new["service"], new["scheduler"], new["forward"]) == (SERVICE, "wrr", "Masq")
    assert len(keepline.connections()) == known, "asking makes no connection"

    client.connect((OUTSIDE_VIP, 80))
    made = keepline.cli("explain", *flow)
    assert (made["outcome"], made["state"]) == ("connection", "ESTABLISHED")
    assert made["server"] == new["server"], "nobody else connected in between"
    web = two.webs[WEBS.index(made["server"].partition(":")[0])]
    hop = made["next_hop"]
    assert (hop["reach"], hop["port"], hop["mac"]) == ("found", "eth1", web.mac("eth0"))
    assert f"stays with {made['server']}" in keepline.cli_text("explain", *flow)
    answer = keepline.cli("explain", made["server"], flow[0], "tcp")
    assert (answer["outcome"], answer["service"]) == ("return_traffic", SERVICE)


def test_explain_says_why_not(lab):
    two = two_arms(lab)
    nodes = [
        Keepline(node, two_arm_configuration(priority, virtual_server(check="", server_words="")))
        for node, priority in zip(two.nodes, (200, 100))
    ]
    nodes[0].start().wait_master(OUTSIDE_VIP)
    nodes[1].start().wait_state("BACKUP", "OUT")
    text = nodes[1].cli_text("explain", f"{CLIENT}:5", SERVICE, "tcp")
    assert "dropped: not_master - instance OUT is BACKUP here" in text
    other = nodes[0].cli("explain", f"{CLIENT}:5", f"{OUTSIDE_VIP}:22", "tcp")
    assert other["outcome"] == "kernel"
