"""Somebody sets the clock: by an hour, forth and back, on a node of two with 100 ms adverts."""

import struct
from pathlib import Path

import pytest
from daemons import Keepline
from lab import run
from process import stays, wait_for
from topologies import pair, vrrp_instance

VIP = "10.0.0.50"
HOUR_S = 3600
KEY = "0123456789abcdef0123456789abcdef"


def signed(anti_replay):
    return {"block": f"auth_hmac {{\n key 1 {KEY}\n active_key 1\n anti_replay {anti_replay}\n }}"}


WORDS = {"unsigned": {}, "monotonic": signed("monotonic"), "time": signed("time")}


class Clock:
    """The wall clock of one daemon: the machine's, and as many seconds as set() says."""

    def __init__(self, lab, library, name):
        self.path = lab.directory / f"{name}.offset"
        self.set(0)
        self.environment = {"LD_PRELOAD": str(library), "WALL_CLOCK": str(self.path)}

    def set(self, seconds):
        with self.path.open("r+b" if self.path.exists() else "wb") as file:
            file.write(struct.pack("=q", seconds))


class Cluster:
    """Node 1 is master with priority 200, node 2 its backup; each has a clock of its own."""

    def __init__(self, lab, words):
        library = lab.directory / "wall_clock.so"
        source = Path(__file__).with_name("wall_clock.c")
        run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"])
        self.net = pair(lab)
        self.nodes, self.clocks = [], []
        for host, priority in zip(self.net.nodes, (200, 100)):
            self.clocks.append(Clock(lab, library, host.name))
            text = vrrp_instance(priority=priority, advert_int=0.1, **words)
            self.nodes.append(Keepline(host, text))
        self.nodes[0].start(env=self.clocks[0].environment).wait_state("MASTER")
        self.nodes[1].start(env=self.clocks[1].environment).wait_state("BACKUP")
        wait_for(lambda: self.nodes[1].statistics()["advert_rcvd"] > 3, what="it hears the master")

    def states(self):
        return [node.state() for node in self.nodes]

    def changes(self):
        return [node.statistics()["become_master"] for node in self.nodes]


def gaps(capture):
    times = [frame.time_s for frame in capture.stop()]
    return [later - earlier for earlier, later in zip(times, times[1:])]


@pytest.mark.parametrize("step", [HOUR_S, -HOUR_S], ids=["ahead", "back"])
@pytest.mark.parametrize("who", [0, 1], ids=["master", "backup"])
@pytest.mark.parametrize("kind", ["unsigned", "monotonic"])
def test_nobody_notices(lab, kind, who, step):
    """No change of state, adverts as before, and ages that are none of the wall clock's."""
    cluster = Cluster(lab, WORDS[kind])
    capture = cluster.net.cables[0].capture_sent("ip proto 112")
    for seconds in (step, 0):
        cluster.clocks[who].set(seconds)
        stays(lambda: cluster.states() == ["MASTER", "BACKUP"], 1.5, f"with {seconds} s")
    assert cluster.changes() == [1, 0]
    assert all(node.statistics()["auth_ext_replay"] == 0 for node in cluster.nodes)
    assert max(gaps(capture)) < 0.3, "as any other second"
    ages = [node.instance()["state_age_s"] for node in cluster.nodes]
    assert all(0 < age < 300 for age in ages), ages
    assert "3600" not in cluster.nodes[who].cli_text("vrrp")
    assert "1h" not in cluster.nodes[who].cli_text("vrrp")


@pytest.mark.parametrize("step", [HOUR_S, -HOUR_S], ids=["ahead", "back"])
@pytest.mark.parametrize("who", [0, 1], ids=["master", "backup"])
def test_time_needs_clocks_that_agree(lab, who, step):
    """With anti_replay time neither believes the other: two masters, and both say why."""
    cluster = Cluster(lab, WORDS["time"])
    capture = cluster.net.cables[0].capture_sent("ip proto 112")
    cluster.clocks[who].set(step)
    wait_for(lambda: cluster.states() == ["MASTER", "MASTER"], what="the backup hears nobody")
    for node in cluster.nodes:
        wait_for(lambda node=node: node.statistics()["auth_ext_stale"] > 3, what="and refuses")
        wait_for(lambda node=node: "clock" in node.log(), what="and says why")
    cluster.clocks[who].set(0)
    wait_for(lambda: cluster.states() == ["MASTER", "BACKUP"], 3, "at once when they agree")
    stays(lambda: cluster.states() == ["MASTER", "BACKUP"], 1, "and so it stays")
    assert cluster.changes() == [1, 1]
    assert max(gaps(capture)) < 0.3, "node 1 has gone on speaking"


@pytest.mark.parametrize("step", [HOUR_S, -HOUR_S], ids=["ahead", "back"])
def test_time_and_both_clocks_at_once(lab, step):
    """As a time server does it to all nodes: within the moment between the two nothing happens."""
    cluster = Cluster(lab, WORDS["time"])
    for seconds in (step, 0):
        for clock in cluster.clocks:
            clock.set(seconds)
        stays(lambda: cluster.states() == ["MASTER", "BACKUP"], 1.5, f"with {seconds} s")
    assert cluster.changes() == [1, 0]
