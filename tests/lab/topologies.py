"""The networks that several tests use."""

from dataclasses import dataclass, field

from neighbours import soliciting
from nginx import Nginx


@dataclass
class Pair:
    """Two nodes and a client on one switch."""

    lab: object
    device: str
    lan: object
    client: object
    nodes: list
    cables: list
    addresses: list = field(default_factory=list)

    def answers(self, address, count=2):
        """The VIP answers the client's ping."""
        return self.client.ping(address, count) > 0

    def answering_macs(self, address):
        if ":" in address:
            return soliciting(self.client, address, self.device)
        return self.client.arping(address, self.device)


def pair(
    lab, device="eth0", nodes=("10.0.0.1", "10.0.0.2"), client="10.0.0.100", length=24, **host
):
    lan = lab.switch("lan")
    hosts, cables = [], []
    for number, address in enumerate(nodes, start=1):
        node = lab.host(f"node{number}", **host)
        cables.append(lab.cable(node, device, lan, f"{address}/{length}"))
        hosts.append(node)
    user = lab.host("client", **host)
    lab.cable(user, device, lan, f"{client}/{length}")
    return Pair(lab, device, lan, user, hosts, cables, list(nodes))


PAIR_V6 = {
    "nodes": ("2001:db8::1", "2001:db8::2"),
    "client": "2001:db8::100",
    "length": 64,
    "ipv6": True,
}


def vrrp_instance(name="VI_1", vip="10.0.0.50", device="eth0", vrid=51, priority=100, **words):
    """One vrrp_instance as text; further keywords as keyword=value, a bare one with True."""
    words.setdefault("state", "BACKUP")
    if "version" not in words:
        words["version"] = 3
    if words["version"] == 3:
        words.setdefault("advert_int", 0.2)
    password = words.pop("password", None)
    auth_type = words.pop("auth_type", "PASS")
    block = words.pop("block", "")
    lines = [key if value is True else f"{key} {value}" for key, value in words.items()]
    if password:
        lines.append(f"authentication {{\n auth_type {auth_type}\n auth_pass {password}\n }}")
    body = "\n  ".join(lines)
    return f"""
vrrp_instance {name} {{
  interface {device}
  virtual_router_id {vrid}
  priority {priority}
  {body}
  virtual_ipaddress {{
    {vip}
  }}
  {block}
}}
"""


def bfd_instance(name="peer", neighbour="10.0.0.100", interval_ms=50, multiplier=3, **words):
    """One bfd_instance as text; further keywords as keyword=value, a bare one with True."""
    words = {"min_rx": interval_ms, "min_tx": interval_ms, "multiplier": multiplier, **words}
    lines = [key if value is True else f"{key} {value}" for key, value in words.items()]
    body = "\n  ".join(lines)
    return f"bfd_instance {name} {{\n  neighbor_ip {neighbour}\n  {body}\n}}\n"


@dataclass
class TwoArms:
    """Clients outside, web servers inside, load balancer nodes between them."""

    lab: object
    outside: object
    inside: object
    router: object
    client: object
    nodes: list
    outside_cables: list
    inside_cables: list
    webs: list
    nginx: list
    far: object = None


@dataclass(frozen=True)
class Networks:
    """The addresses of two_arms()."""

    outside: str  # all but the last number, as the next two
    inside: str
    far: str
    length: int
    link_local: str = ""  # what VRRP over IPv6 speaks for first (RFC 9568 section 5.2.9)

    @property
    def is_v6(self):
        return bool(self.link_local)

    @property
    def outside_vip(self):
        return f"{self.outside}100"

    @property
    def inside_vip(self):
        return f"{self.inside}254"

    @property
    def client(self):
        return f"{self.far}7"

    @property
    def webs(self):
        return f"{self.inside}21", f"{self.inside}22"

    def vips(self, vip, vrid):
        """As virtual_ipaddress has them."""
        before = f"{self.link_local}{vrid}/64\n    " if self.is_v6 else ""
        return f"{before}{vip}/{self.length}"


V4 = Networks("192.0.2.", "10.1.0.", "198.51.100.", 24)
V6 = Networks("2001:db8:1::", "fd00:1::", "2001:db8:f::", 64, "fe80::5e:")
OUTSIDE_VIP, INSIDE_VIP, CLIENT, WEBS = V4.outside_vip, V4.inside_vip, V4.client, V4.webs


def two_arms(lab, nodes=2, gateway=None, webs=None, nets=V4):
    """The client is behind a router, so that what the servers see is a routed address."""
    outside, inside, far = lab.switch("outside"), lab.switch("inside"), lab.switch("far")
    router = lab.host("router", forward=True, ipv6=nets.is_v6)
    lab.cable(router, "eth0", outside, f"{nets.outside}1/{nets.length}")
    lab.cable(router, "eth1", far, f"{nets.far}1/{nets.length}")
    client = lab.host("client", ipv6=nets.is_v6)
    lab.cable(client, "eth0", far, f"{nets.client}/{nets.length}")
    client.ip(f"route add default via {nets.far}1")
    gateway = gateway or nets.inside_vip
    to_inside = nets.outside_vip if gateway == nets.inside_vip else f"{nets.outside}11"
    router.ip(f"route add {nets.inside}{'' if nets.is_v6 else 0}/{nets.length} via {to_inside}")
    two = TwoArms(lab, outside, inside, router, client, [], [], [], [], [], far)
    for number in range(1, nodes + 1):
        node = lab.host(f"node{number}", forward=True, ipv6=nets.is_v6)
        cables = [
            lab.cable(node, "eth0", outside, f"{nets.outside}{10 + number}/{nets.length}"),
            lab.cable(node, "eth1", inside, f"{nets.inside}{number}/{nets.length}"),
        ]
        two.outside_cables.append(cables[0])
        two.inside_cables.append(cables[1])
        node.ip(f"route add default via {nets.outside}1")
        two.nodes.append(node)
    for number, address in enumerate(webs or nets.webs, start=1):
        web = lab.host(f"web{number}", ipv6=nets.is_v6)
        lab.cable(web, "eth0", inside, f"{address}/{nets.length}")
        web.ip(f"route add default via {gateway}")
        two.webs.append(web)
        two.nginx.append(Nginx(web, *(["[::]:80"] if nets.is_v6 else [])))
    return two


def http_check(**words):
    """An HTTP_GET block with short delays."""
    words = {"connect_timeout": 1, "retry": 1, "delay_before_retry": 0.3, **words}
    lines = "\n      ".join(f"{key} {value}" for key, value in words.items())
    return f"""HTTP_GET {{
      url {{
        path /
        status_code 200
      }}
      {lines}
    }}"""


def virtual_server(vip=OUTSIDE_VIP, port=80, servers=WEBS, kind="NAT", scheduler="rr", **words):
    """One virtual_server as text; `check` and `server_words` go into each real_server."""
    protocol = words.pop("protocol", "TCP")
    check = words.pop("check", http_check())
    server_words = words.pop("server_words", "inhibit_on_failure")
    weights = words.pop("weights", [1] * len(servers))
    server_port = words.pop("server_port", port)
    lines = "\n  ".join(f"{key} {value}" for key, value in {"delay_loop": 1, **words}.items())
    blocks = "".join(
        f"""
  real_server {server} {server_port} {{
    weight {weight}
    {server_words}
    {check}
  }}"""
        for server, weight in zip(servers, weights)
    )
    return f"""
virtual_server {vip} {port} {{
  lb_algo {scheduler}
  lb_kind {kind}
  protocol {protocol}
  {lines}
{blocks}
}}
"""


def two_arm_configuration(priority, services, state="BACKUP", bfd_to=None, nets=V4, **words):
    """Outside VIP and inside gateway VIP, kept together by a sync group, and the services.

    `bfd_to`: the number of the other node, which both instances track by BFD, 3 x 3 ms.
    """
    arms = (
        ("OUT", nets.vips(nets.outside_vip, 51), "eth0", 51, f"{nets.outside}1"),
        ("IN", nets.vips(nets.inside_vip, 52), "eth1", 52, nets.inside),
    )
    group = "group {\n OUT\n IN\n }\n"
    text = ""
    for name, vip, device, vrid, network in arms:
        if bfd_to:
            text += bfd_instance(f"to-{name}", f"{network}{bfd_to}", interval_ms=3)
            words["block"] = f"track_bfd {{\n to-{name} weight 1\n}}"
        text += vrrp_instance(name, vip, device, vrid, priority, state=state, **words)
    if bfd_to:
        group += " sync_group_tracking_weight\n"
    return f"vrrp_sync_group G1 {{\n {group}}}\n" + text + services


@dataclass
class OneArm:
    """Node and web servers on one switch, the client behind a router on it."""

    lab: object
    client: object
    router: object
    node: object
    webs: list
    nginx: list
    lan: object = None


ONE_ARM_VIP = "10.0.0.100"
ONE_ARM_GATEWAY = "10.0.0.253"
ONE_ARM_WEBS = ("10.0.0.21", "10.0.0.22")


def one_arm(lab, gateway):
    lan, far = lab.switch("lan"), lab.switch("far")
    router, client = lab.host("router", forward=True), lab.host("client")
    lab.cable(router, "eth0", lan, "10.0.0.254/24")
    lab.cable(router, "eth1", far, "198.51.100.1/24")
    lab.cable(client, "eth0", far, f"{CLIENT}/24")
    client.ip("route add default via 198.51.100.1")
    node = lab.host("node", forward=True)
    lab.cable(node, "eth0", lan, "10.0.0.1/24")
    node.ip("route add default via 10.0.0.254")
    arm = OneArm(lab, client, router, node, [], [], lan)
    for number, address in enumerate(ONE_ARM_WEBS, start=1):
        web = lab.host(f"web{number}")
        lab.cable(web, "eth0", lan, f"{address}/24")
        web.ip(f"route add default via {gateway}")
        arm.webs.append(web)
        arm.nginx.append(Nginx(web))
    return arm
