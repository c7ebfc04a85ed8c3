#!/usr/bin/env python3
"""The demo: two keepline nodes before two web servers, and what a client sees when one dies.

Run through scripts/demo, which builds first. Every claim it prints is checked; the exit code is 0
only if all of them came true.
"""

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

from daemons import KEEPLINE, Keepline
from lab import Lab, remove_labs
from nginx import Nginx
from process import wait_for
from traffic import http_loop, udp_echo, udp_probe

PREFIX = "kl-demo-"
DIRECTORY = Path("/run/keepline-demo")
CONFIGS = Path(__file__).parent / "configs"
VIP, GATEWAY, UDP_PORT = "192.0.2.100", "10.1.0.254", 5300
WEBS = {"web1": "10.1.0.21", "web2": "10.1.0.22"}
HTTP_RATE, UDP_RATE = 50, 500
OUTAGE_LIMIT_MS = 5000  # about 400 expected: three adverts of 0.1 s and the backup's skew

TTY = sys.stdout.isatty()


def colour(code, text):
    return f"\033[{code}m{text}\033[0m" if TTY else text


class Story:
    """What the spectator sees: headings, a live line, and facts that are true or not."""

    def __init__(self):
        self.start = time.monotonic()
        self.wrong = []
        self._live = ""
        self._next_line = 0

    def heading(self, text):
        self._end_live()
        elapsed = time.monotonic() - self.start
        print(colour("1", f"\n[{elapsed:5.1f} s] {text}"), flush=True)

    def show(self, text):
        self._end_live()
        print("    " + text.rstrip().replace("\n", "\n    "), flush=True)

    def live(self, text):
        """A line that is written over on a terminal, and printed now and then elsewhere."""
        now = time.monotonic()
        if TTY:
            print("\r    " + text.ljust(len(self._live)), end="", flush=True)
            self._live = text
        elif now > self._next_line:
            print("    " + text, flush=True)
            self._next_line = now + 1

    def fact(self, true, text):
        self._end_live()
        mark = colour("32", "yes") if true else colour("31", "NO ")
        print(f"  {mark} {text}", flush=True)
        if not true:
            self.wrong.append(text)

    def _end_live(self):
        if TTY and self._live:
            print()
        self._live = ""


class Load:
    """Both kinds of numbered traffic together."""

    def __init__(self, client):
        self.http = http_loop(client, VIP, rate=HTTP_RATE)
        self.udp = udp_probe(client, VIP, UDP_PORT, rate=UDP_RATE)

    def line(self, label):
        http, udp = self.http.progress(), self.udp.progress()
        return (
            f"{label}: {http['sent']} requests sent, {http['answered']} answered;"
            f" {udp['sent']} datagrams sent, {udp['answered']} answered"
        )

    def run_until(self, story, label, condition, timeout=20):
        """Shows the counters until the condition holds; tells whether it came to hold."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            story.live(self.line(label))
            if condition():
                return True
            time.sleep(0.1)
        return False

    def run_for(self, story, label, seconds):
        end = time.monotonic() + seconds
        self.run_until(story, label, lambda: time.monotonic() > end, seconds + 1)

    def report(self):
        return self.http.report(), self.udp.report()


class Demo:
    def __init__(self, lab, story):
        self.lab = lab
        self.story = story

    def lay_network(self):
        lab = self.lab
        outside, inside = lab.switch("outside"), lab.switch("inside")
        self.client = lab.host("client")
        lab.cable(self.client, "eth0", outside, "192.0.2.7/24")
        self.nodes = []
        for number in (1, 2):
            node = lab.host(f"node{number}", forward=True)
            lab.cable(node, "eth0", outside, f"192.0.2.{10 + number}/24")
            lab.cable(node, "eth1", inside, f"10.1.0.{number}/24")
            self.nodes.append(node)
        self.webs = {}
        for name, address in WEBS.items():
            host = lab.host(name)
            lab.cable(host, "eth0", inside, f"{address}/24")
            host.ip(f"route add default via {GATEWAY}")
            self.webs[name] = Nginx(host)
            udp_echo(host, UDP_PORT)

    def start_nodes(self):
        files = [CONFIGS / f"demo-node{number}.conf" for number in (1, 2)]
        self.daemons = [Keepline(node, file) for node, file in zip(self.nodes, files)]
        for daemon in self.daemons:
            daemon.start()
        self.wait_master(0)
        wait_for(lambda: self.client.curl(f"http://{VIP}/", timeout=1), 30, "the VIP answers")
        wait_for(lambda: all(self.weights().values()), 30, "both web servers are up")

    def is_master(self, number):
        other = self.daemons[1 - number]
        leads = all(self.daemons[number].is_master(vip) for vip in (VIP, GATEWAY))
        return leads and not other.is_master(VIP)

    def wait_master(self, number):
        wait_for(lambda: self.is_master(number), 30, f"node{number + 1} is master")

    def weights(self, number=0):
        weight = self.daemons[number].weight
        return {name: weight(f"{address}:80") for name, address in WEBS.items()}

    def show_vrrp(self):
        for node, daemon in zip(self.nodes, self.daemons):
            if not daemon.process.running():
                self.story.show(f"{node}: dead")
                continue
            for name, instance in daemon.instances().items():
                state = instance["state"]
                shown = colour("32" if state == "MASTER" else "33", f"{state:6}")
                self.story.show(f"{node}: {shown} of {name} ({', '.join(instance['vips'])})")

    def show_services(self, number=0):
        self.story.show(self.daemons[number].cli_text("services"))

    # The acts.

    def first_light(self):
        story = self.story
        story.heading("Who is master, and what is served")
        self.show_vrrp()
        self.show_services()
        story.fact(self.is_master(0), "node1 is master of both VIPs, node2 its backup")
        macs = self.client.arping(VIP, "eth0")
        story.fact(macs == {self.nodes[0].mac("eth0")}, f"{VIP} is answered by node1 alone")
        bodies = [self.client.curl(f"http://{VIP}/") for _ in range(4)]
        expected = sorted(f"{name}\n" for name in WEBS for _ in range(2))
        story.fact(sorted(map(str, bodies)) == expected, "four requests: two to each web server")

    def kill_master(self):
        story = self.story
        story.heading("Killing the master under load (SIGKILL, no goodbye)")
        load = Load(self.client)
        load.run_for(story, "before", 3)
        self.daemons[0].kill()
        taken = load.run_until(story, "killed", lambda: self.daemons[1].is_master(VIP))
        load.run_for(story, "after", 3)
        http, udp = load.report()
        self.show_vrrp()
        self.tell_loss(http, udp)
        story.fact(taken, "node2 has taken over")
        away_ms = udp["longest_gap_ms"]
        story.fact(0 <= away_ms < OUTAGE_LIMIT_MS, f"the VIP was away for {away_ms:.0f} ms")
        macs = self.client.arping(VIP, "eth0")
        story.fact(macs == {self.nodes[1].mac("eth0")}, "node2 alone answers ARP: dead is silent")
        body = self.client.curl(f"http://{VIP}/")
        story.fact(body in [f"{name}\n" for name in WEBS], "requests are served by node2")

    def return_of_master(self):
        story = self.story
        story.heading("Bringing node1 back under load")
        load = Load(self.client)
        load.run_for(story, "before", 2)
        self.daemons[0].start()
        back = load.run_until(story, "started", lambda: self.is_master(0))
        load.run_for(story, "after", 3)
        http, udp = load.report()
        self.show_vrrp()
        self.tell_loss(http, udp)
        story.fact(back, "node1 is master again, node2 is backup again")
        story.fact(udp["longest_gap_ms"] < OUTAGE_LIMIT_MS, "the traffic went on")

    def tell_loss(self, http, udp):
        self.story.show(
            f"requests:  {http['sent']} sent, {http['failed']} failed,"
            f" longest wait for an answer {http['longest_outage_ms']:.0f} ms\n"
            f"datagrams: {udp['sent']} sent, {udp['lost']} lost,"
            f" {udp['longest_run']} in a row ({udp['longest_gap_ms']:.0f} ms)"
        )

    def broken_server(self):
        story = self.story
        story.heading("Stopping web1 under load")
        wait_for(lambda: all(self.weights().values()), 30, "both web servers are up on node1")
        load = Load(self.client)
        self.webs["web1"].stop()
        gone = load.run_until(story, "stopped", lambda: self.weights()["web1"] == 0)
        self.show_services()
        story.fact(gone, "web1 has weight 0")
        bodies = {self.client.curl(f"http://{VIP}/") for _ in range(4)}
        story.fact(bodies == {"web2\n"}, "web2 serves alone")
        self.webs["web1"].start()
        back = load.run_until(story, "started", lambda: self.weights()["web1"] == 1)
        load.run_for(story, "after", 1)
        http, udp = load.report()
        self.show_services()
        story.show(f"requests: {http['sent']} sent, {http['failed']} failed")
        story.fact(back, "web1 has weight 1 again")
        bodies = {self.client.curl(f"http://{VIP}/") for _ in range(4)}
        story.fact(bodies == {"web1\n", "web2\n"}, "both web servers are used again")


def hints():
    inside = f"ip netns exec {PREFIX}"
    return f"""The lab is still up. Try:
  {inside}client curl http://{VIP}/
  {inside}client ping {VIP}
  {inside}node1 {os.path.relpath(KEEPLINE)} services
  {inside}node2 {os.path.relpath(KEEPLINE)} vrrp
  {inside}node1 ip -br -4 address
  logs: {DIRECTORY}
Take it down with:
  scripts/demo --clean"""


def clean():
    removed = remove_labs(PREFIX)
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    return removed


def play(lab, story):
    demo = Demo(lab, story)
    try:
        story.heading("Laying the network: a client, two nodes, two web servers, two switches")
        demo.lay_network()
        story.show(f"client 192.0.2.7 --- VIP {VIP} --- node1, node2 --- web1, web2 (NAT)")
        story.heading("Starting keepline on both nodes")
        demo.start_nodes()
        demo.first_light()
        demo.kill_master()
        demo.return_of_master()
        demo.broken_server()
    except Exception as error:
        story.fact(False, f"{type(error).__name__}: {error}")
        for name, log in lab.logs(25):
            story.show(f"--- {name}\n{log}")


def main():
    parser = argparse.ArgumentParser(prog="scripts/demo")
    parser.add_argument("--keep", action="store_true", help="leave the lab up")
    parser.add_argument("--clean", action="store_true", help="take down a lab that was left up")
    arguments = parser.parse_args()
    removed = clean()
    if arguments.clean:
        print(f"removed {len(removed)} namespaces" if removed else "there was no demo to remove")
        return 0
    story = Story()
    with Lab(PREFIX, DIRECTORY) as lab:
        play(lab, story)
        story.heading("Result")
        for text in story.wrong:
            story.show(colour("31", f"did not come true: {text}"))
        if not story.wrong:
            story.show(colour("32", "everything came true"))
        if arguments.keep:
            lab.abandon()
            print(hints())
        else:
            story.show("removing the lab")
    return 1 if story.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
