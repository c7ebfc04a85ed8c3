"""The network of the end-to-end comparison: client, node, server, two cables without a switch."""

import json
import re

from balancers import SERVER, VIP
from lab import run
from process import wait_for

OFFLOADS = ("tx", "rx", "tso", "gso", "gro")

NGINX = """
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {directory}/tmp;
  proxy_temp_path {directory}/tmp;
  fastcgi_temp_path {directory}/tmp;
  uwsgi_temp_path {directory}/tmp;
  scgi_temp_path {directory}/tmp;
  server {{
    listen 80 backlog=4096;
    location / {{ return 200 "answer\\n"; }}
  }}
}}
"""


def cable(left, left_device, left_address, right, right_device, right_address):
    """A veth pair between two hosts that leaves neither checksums nor segments to anybody."""
    run(
        ["ip", "link", "add", left_device, "netns", left.namespace, "type", "veth"]
        + ["peer", "name", right_device, "netns", right.namespace]
    )
    ends = ((left, left_device, left_address), (right, right_device, right_address))
    for host, device, address in ends:
        words = [word for offload in OFFLOADS for word in (offload, "off")]
        host.run("ethtool", "-K", device, *words)
        host.ip(f"address add {address} dev {device}", f"link set {device} up")


class Network:
    def __init__(self, lab):
        self.errors = 0  # of all requests so far
        self.client = lab.host("client")
        self.node = lab.host("node", forward=True)
        self.server = lab.host("server")
        cable(self.client, "eth0", "192.0.2.7/24", self.node, "eth0", "192.0.2.11/24")
        cable(self.node, "eth1", "10.1.0.1/24", self.server, "eth0", f"{SERVER}/24")
        self.server.ip("route add default via 10.1.0.1")
        many_ports = {"net.ipv4.ip_local_port_range": "1024 65535"}
        for host in (self.client, self.node, self.server):
            host.set_sysctl(**many_ports, **{"net.core.somaxconn": 4096})
        # Closed connections that conntrack remembers for two minutes would fill its table.
        short = {"net.netfilter.nf_conntrack_tcp_timeout_time_wait": 10}
        self.node.set_sysctl(**short)
        directory = lab.directory / "nginx"
        directory.mkdir()
        file = lab.file("nginx.conf", NGINX.format(directory=directory))
        self.server.start("nginx", "-e", "stderr", "-p", directory, "-c", file)
        self.server.start("iperf3", "-s", "-B", SERVER)

    def wait_answer(self):
        url = f"http://{VIP}/"
        wait_for(lambda: self.client.curl(url, timeout=1) == "answer\n", 30, f"{url} answers")

    def _wrk(self, seconds, *options):
        words = ["wrk", "-t", "1", "-c", "64", "-d", f"{seconds}s", *options, f"http://{VIP}/"]
        said = self.client.run(*words, timeout=seconds + 30).stdout
        rate = re.search(r"Requests/sec:\s*([\d.]+)", said)
        assert rate, f"wrk said: {said}"
        for failed in re.findall(r"^\s*(?:Socket errors|Non-2xx).*$", said, re.MULTILINE):
            self.errors += sum(map(int, re.findall(r"\b\d+\b", failed.partition(":")[2])))
        return float(rate.group(1))

    def requests(self, seconds):
        return self._wrk(seconds)

    def connections(self, seconds):
        return self._wrk(seconds, "-H", "Connection: close")

    def gbit(self, seconds):
        words = ["iperf3", "-J", "-c", VIP, "-t", str(seconds), "--connect-timeout", "3000"]

        def run_once():
            shown = self.client.run(*words, timeout=seconds + 30, check=False).stdout
            report = json.loads(shown or "{}")
            # The server takes a moment to be done with the client before.
            return None if "busy" in report.get("error", "") else report

        report = wait_for(run_once, 10, "iperf3's server is free", interval=0.2)
        assert "error" not in report, f"iperf3: {report['error']}"
        return report["end"]["sum_received"]["bits_per_second"] / 1e9
