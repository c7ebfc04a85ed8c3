"""Tracked processes: what runs on the node decides who is master.

Not compared with the real keepalived: it hears of processes by the kernel's connector, which
network namespaces do not have, so that it counts none here.
"""

import itertools
import os
import shutil
import time

import pytest
from daemons import Keepline
from nginx import Nginx, check_service_follows
from process import stays, wait_for
from test_reload import reload
from topologies import pair, vrrp_instance

VIP = "10.0.0.50"

_numbers = itertools.count()


class Program:
    """A program that does nothing, by a name that nobody else on the machine has."""

    def __init__(self, host):
        self.host = host
        self.name = f"kl{os.getpid()}x{next(_numbers)}"
        self.path = host.lab.directory / self.name
        shutil.copy("/bin/sleep", self.path)
        self.processes = []

    def run(self, seconds=600):
        self.processes.append(self.host.start(self.path, seconds, name=self.name))
        return self

    def end(self):
        self.processes.pop().kill()


@pytest.fixture
def net(lab):
    return pair(lab)


def track(program, words="", attach=""):
    return (
        f"vrrp_track_process p {{\n process {program}\n {words}\n}}\n",
        f"track_process {{\n p {attach}\n }}",
    )


def start(net, program, words="", attach=""):
    definition, block = track(program, words, attach)
    text = definition + vrrp_instance(vip=f"{VIP}/24", block=block)
    return Keepline(net.nodes[0], text).start()


def test_the_address_goes_where_the_web_server_runs(net):
    """nginx dies, by a signal that nobody can catch; it is started again."""
    webs = [Nginx(host) for host in net.nodes]
    for number, (host, web) in enumerate(zip(net.nodes, webs, strict=True), start=1):
        command = f"nginx -e stderr -p {web.directory}"
        definition, block = track(command, "param_match initial")
        words = vrrp_instance(vip=f"{VIP}/24", priority=150 - 10 * number, block=block)
        Keepline(host, definition + words).start()
    check_service_follows(net.client, f"http://{VIP}/", webs[0])


def test_a_process_that_dies_is_a_fault(net):
    program = Program(net.nodes[0])
    own = start(net, program.name)
    wait_for(lambda: own.state() == "FAULT", what="it does not run yet")
    program.run()
    own.wait_master(VIP)
    program.end()
    wait_for(lambda: own.state() == "FAULT", what="it has died")
    assert not net.nodes[0].has_address(VIP)
    program.run()
    own.wait_master(VIP)
    assert "process p: 1 running: enough" in own.log()


def test_the_other_node_takes_over(net):
    programs = [Program(host).run() for host in net.nodes]
    for number, (host, program) in enumerate(zip(net.nodes, programs, strict=True)):
        definition, block = track(program.name, "weight 50")
        words = vrrp_instance(vip=f"{VIP}/24", priority=100 - 10 * number, block=block)
        Keepline(host, definition + words).start()
    wait_for(lambda: net.nodes[0].has_address(VIP), what="node1 is master: 150")
    programs[0].end()
    wait_for(lambda: net.nodes[1].has_address(VIP), what="node2 is master: 140 to 100")
    wait_for(lambda: not net.nodes[0].has_address(VIP), what="node1 is backup")
    programs[0].run()
    wait_for(lambda: net.nodes[0].has_address(VIP), what="node1 is master again")


def test_how_many_and_which(net):
    """quorum, quorum_max, parameters; a reversed weight, of the attach line."""
    program = Program(net.nodes[0]).run(600)
    words = "param_match initial\n quorum 2\n quorum_max 3"
    own = start(net, f"{program.path} 601", words, attach="weight 10 reverse")
    own.wait_master(VIP)

    def priority(expected):
        wait_for(lambda: own.instance()["effective_priority"] == expected, what=expected)

    priority(100)
    program.run(601).run(601)
    priority(90)
    program.run(601).run(601)
    priority(100)
    program.end()
    priority(90)
    assert own.state() == "MASTER"


def test_delays(net):
    """A short absence is overlooked; a longer one is not."""
    program = Program(net.nodes[0]).run()
    own = start(net, program.name, "terminate_delay 3\n fork_delay 1")
    own.wait_master(VIP)
    program.end()
    time.sleep(1.5)
    program.run()
    stays(lambda: own.state() == "MASTER", 3, "it is back in time")
    program.end()
    began = time.monotonic()
    wait_for(lambda: own.state() == "FAULT", what="it stays away")
    assert 2 < time.monotonic() - began < 15
    program.run()
    began = time.monotonic()
    own.wait_master(VIP)
    assert time.monotonic() - began > 0.9


def test_a_reload(net):
    """A process that is counted as before is not forgotten; another one is counted anew."""
    program, other = Program(net.nodes[0]).run(), Program(net.nodes[0])

    def text(name, weight):
        definition, block = track(name, f"weight {weight}")
        return definition + vrrp_instance(vip=f"{VIP}/24", block=block)

    own = Keepline(net.nodes[0], text(program.name, 10)).start().wait_master(VIP)

    def priority(expected):
        wait_for(lambda: own.instance()["effective_priority"] == expected, what=expected)

    priority(110)
    reload(own, text(program.name, 20))
    assert own.instance()["effective_priority"] == 120, "at once"
    reload(own, text(other.name, 20))
    priority(100)
    other.run()
    priority(120)
    reload(own, vrrp_instance(vip=f"{VIP}/24"))
    priority(100)
    other.end()
    reload(own, text(program.name, 30))
    priority(130)
    assert own.state() == "MASTER"


def test_a_group_tracks_for_all_its_members(net):
    program = Program(net.nodes[0]).run()
    definition, block = track(program.name)
    text = definition + vrrp_instance("A", f"{VIP}/24", vrid=51)
    text += vrrp_instance("B", "10.0.0.51/24", vrid=52)
    text += f"vrrp_sync_group G {{\n group {{\n A\n B\n }}\n {block}\n}}\n"
    own = Keepline(net.nodes[0], text).start().wait_master(VIP)
    program.end()
    wait_for(lambda: {own.state("A"), own.state("B")} == {"FAULT"}, what="both are at fault")
    program.run()
    own.wait_master(VIP).wait_master("10.0.0.51")
