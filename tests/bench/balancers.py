"""The load balancers that are compared end to end; each serves the same VIP on the same node."""

from daemons import Keepline
from topologies import virtual_server, vrrp_instance

VIP = "192.0.2.100"
SERVER = "10.1.0.21"
PORTS = (80, 5201)  # nginx, iperf3

HAPROXY = """
global
  maxconn 8000
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
"""

NFTABLES = """
table ip balancer {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    ip daddr VIP tcp dport { PORTS } dnat to SERVER
  }
}
"""


class Keeplined:
    name = "keepline"

    def start(self, node):
        # Without checks: iperf3 would take one for its client.
        services = "".join(
            virtual_server(VIP, port, servers=(SERVER,), check="", server_words="")
            for port in PORTS
        )
        text = vrrp_instance(vip=f"{VIP}/24", advert_int=0.1) + services
        self.daemon = Keepline(node, text).start()
        self.daemon.wait_master(VIP)

    def stop(self):
        self.daemon.stop()


class Haproxy:
    name = "haproxy"

    def start(self, node):
        node.ip(f"address add {VIP}/24 dev eth0")
        text = HAPROXY
        for port in PORTS:
            text += f"listen port{port}\n  bind {VIP}:{port}\n  server web {SERVER}:{port}\n"
        self.node = node
        file = node.lab.file("haproxy.cfg", text)
        self.process = node.start("haproxy", "-db", "-f", file)

    def stop(self):
        # SIGTERM at once; SIGUSR1 would wait for the last connection.
        self.process.stop()
        self.node.ip(f"address del {VIP}/24 dev eth0")


class Nftables:
    name = "nftables"

    def start(self, node):
        node.ip(f"address add {VIP}/24 dev eth0")
        ports = ", ".join(map(str, PORTS))
        text = NFTABLES.replace("VIP", VIP).replace("PORTS", ports).replace("SERVER", SERVER)
        node.run("nft", "-f", "-", stdin=text)
        self.node = node

    def stop(self):
        self.node.run("nft", "delete", "table", "ip", "balancer")
        self.node.ip(f"address del {VIP}/24 dev eth0")


BALANCERS = (Keeplined, Haproxy, Nftables)
