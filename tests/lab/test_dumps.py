"""Dumps on keepalived's signals: the real keepalived with the same file writes the same things."""

import itertools
import json
import os
import re
import subprocess
import time

import pytest
from daemons import KEEPLINED, Keepalived, Keepline
from process import wait_for
from test_reload import reload
from topologies import pair, vrrp_instance

SIGNALS = {"DATA": 10, "STATS": 12, "JSON": 36, "STATS_CLEAR": 63}
FILES = {"DATA": "keepalived.data", "STATS": "keepalived.stats", "JSON": "keepalived.json"}
FILES["STATS_CLEAR"] = FILES["STATS"]

_folders = itertools.count()

CONFIGURATION = """
global_defs {
 router_id R1
 enable_script_security
 script_user root
}
vrrp_script ok {
 script "/usr/bin/true x"
 interval 1
 rise 2
 fall 3
 weight 5
}
track_file number {
 file NUMBER
 weight 2
}
vrrp_track_process nothing {
 process nothing-of-this-name -x "y z"
 param_match initial
 weight 7 reverse
 quorum 2
 quorum_max 4
 delay 2
}
vrrp_sync_group G {
 group {
  VI_1
  VI_2
 }
 notify /usr/bin/true
 sync_group_tracking_weight
}
vrrp_instance VI_1 {
 state BACKUP
 interface eth0
 virtual_router_id 51
 priority 150
 advert_int 1
 preempt_delay 2
 garp_master_refresh 60
 authentication {
  auth_type PASS
  auth_pass secret
 }
 virtual_ipaddress {
  10.0.0.50/24
  10.0.0.51/24 dev eth0 label eth0:1
 }
 virtual_ipaddress_excluded {
  10.0.0.60
 }
 track_interface {
  eth1 weight 10
 }
 track_script {
  ok
 }
 track_file {
  number weight 3
 }
 track_process {
  nothing weight 9
 }
 notify_master "/usr/bin/true a b"
 notify_backup /usr/bin/true
 notify_fault /usr/bin/true
 notify_stop /usr/bin/true
 notify_deleted /usr/bin/true
 notify_master_rx_lower_pri /usr/bin/true
 notify /usr/bin/true
}
vrrp_instance VI_2 {
 interface eth0
 virtual_router_id 52
 version 3
 priority 99
 advert_int 0.25
 skip_check_adv_addr
 higher_prio_send_advert
 lower_prio_no_advert
 garp_lower_prio_repeat 2
 garp_lower_prio_delay 7
 check_unicast_src
 unicast_src_ip 10.0.0.1
 unicast_peer {
  10.0.0.9
 }
 virtual_ipaddress {
  10.0.0.70/24
 }
}
vrrp_instance VI_6 {
 interface eth0
 virtual_router_id 53
 version 3
 nopreempt
 dont_track_primary
 down_timer_adverts 5
 notify_deleted
 virtual_ipaddress {
  fe80::77/64
  2001:db8::77/64
 }
}
"""


class Dumping:
    """A daemon whose dumps go to a folder of its own."""

    def __init__(self, daemon, monkeypatch):
        self.folder = daemon.host.lab.directory / f"dumps{next(_folders)}"
        self.folder.mkdir()
        self.daemon = daemon
        monkeypatch.setenv("TMPDIR", str(self.folder))
        daemon.start()
        monkeypatch.delenv("TMPDIR")

    def dump(self, name, file=None):
        """Sends the signal of this name and returns what is written then."""
        path = self.folder / (file or FILES[name])
        path.unlink(missing_ok=True)
        os.kill(self.daemon.process.pid, SIGNALS[name])
        return wait_for(lambda: path.exists() and whole(path), what=f"{path.name} is written")

    def json(self):
        return json.loads(self.dump("JSON"))


def whole(path):
    """The file's text once it does not grow any more: keepalived writes some in place."""
    text = path.read_text()
    time.sleep(0.05)
    return text if text and text == path.read_text() else None


def node(lab, name):
    """A node with two interfaces and nobody else."""
    host = lab.host(name, ipv6=True)
    lan = lab.switch(f"{name}-lan")
    lab.cable(host, "eth0", lan, "10.0.0.1/24")
    lab.cable(host, "eth1", lan, "10.0.1.1/24")
    return host


@pytest.fixture
def both(lab, monkeypatch):
    """keepline and keepalived, each alone with the same file, masters of everything."""
    number = lab.file("number", "4\n")
    number.chmod(0o644)
    text = CONFIGURATION.replace("NUMBER", str(number))
    daemons = []
    for daemon, name in ((Keepline, "own"), (Keepalived, "other")):
        daemons.append(Dumping(daemon(node(lab, name), text), monkeypatch))
    for each in daemons:
        for address in ("10.0.0.50", "10.0.0.70", "2001:db8::77"):
            each.daemon.wait_master(address)
    return daemons


def test_json_says_the_same(both):
    """Field by field; the password is the only thing that keepline does not tell."""
    own, other = (daemon.json() for daemon in both)
    assert [row["data"]["iname"] for row in own] == ["VI_1", "VI_2", "VI_6"]
    assert len(own) == len(other)
    for mine, theirs in zip(own, other, strict=True):
        assert list(mine) == ["data", "stats"]
        assert list(mine["stats"]) == list(theirs["stats"])
        transition = mine["data"].pop("last_transition")
        assert abs(transition - theirs["data"].pop("last_transition")) < 20
        assert abs(transition - time.time()) < 20
        if mine["data"]["auth_type"] == 1:
            assert mine["data"].pop("track_process") == ["nothing"], "later than 2.2.7"
            assert mine["data"].pop("auth_data") == "********"
            theirs["data"].pop("auth_data")
        assert mine["data"] == theirs["data"]
        assert mine["stats"]["become_master"] == theirs["stats"]["become_master"] == 1
        assert mine["stats"]["advert_sent"] > 0


def stats(text):
    """{instance: {"Section / Key": count}}, as exporters read the file."""
    found, section = {}, ""
    for line in text.splitlines():
        key, _, value = line.strip().partition(":")
        if not line.startswith(" "):
            instance = found.setdefault(value.strip(), {})
        elif not value:
            section = key + " / "
        else:
            instance[(section if line.startswith("    ") else "") + key] = int(value)
    return found


def test_stats_have_the_same_keys_and_can_be_cleared(both):
    own, other = (stats(daemon.dump("STATS")) for daemon in both)
    assert list(own) == list(other) == ["VI_1", "VI_2", "VI_6"]
    for name in own:
        assert list(own[name]) == list(other[name])
        assert own[name]["Became master"] == other[name]["Became master"] == 1
    for daemon in both:
        before = stats(daemon.dump("STATS_CLEAR"))["VI_2"]
        assert before["Advertisements / Sent"] > 2 and before["Became master"] == 1
        after = stats(daemon.dump("STATS"))["VI_2"]
        assert after["Became master"] == 0
        assert after["Advertisements / Sent"] < before["Advertisements / Sent"]
    counted = both[0].daemon.statistics("VI_2")
    assert counted["become_master"] == 1, "what monitoring reads goes on counting"
    assert both[0].json()[1]["stats"]["become_master"] == 0


# What keepalived alone has: its sockets, and settings of the kernel's data path.
NOT_OURS = re.compile(r"fd_in|Number of track scripts init|Promote_sec|Unicast checksum|Multicast")
VARIES = ("Last transition", "Read timeout", "Master down timer", "Password", "Using src_ip")


def blocks(text, kind):
    """{name: {key: value, or the lines under it}} of one kind of block."""
    found, block, key = {}, None, ""
    for line in text.splitlines():
        if not line.startswith("   "):
            head, _, name = line.strip().partition(" = ")
            block = found.setdefault(name, {}) if head == kind else None
        elif block is not None and line.startswith("     "):
            block.setdefault(key, []).append(line.strip())
        elif block is not None and " = " in line:
            key, _, block[key] = line.strip().partition(" = ")
        elif block is not None:
            key = line.strip()
            block.setdefault(key, [])
    for block in found.values():
        # keepalived follows symbolic links, and says whom a script runs as.
        for key, value in block.items():
            if key.endswith("transition script"):
                block[key] = value.removesuffix(", uid:gid 0:0")
    return found


def test_data_says_the_same(both):
    own, other = (daemon.dump("DATA") for daemon in both)
    mine, theirs = (blocks(text, "VRRP Instance") for text in (own, other))
    assert list(mine) == list(theirs) == ["VI_1", "VI_2", "VI_6"]
    for name in mine:
        wanted = {key for key in theirs[name] if not NOT_OURS.match(key)}
        # keepalived writes a colon behind no flags at all, or the word none.
        wanted = {"Flags:" if key.startswith("Flags") else key for key in wanted}
        assert wanted - mine[name].keys() == set()
        assert {key for key in mine[name] if not NOT_OURS.match(key)} - wanted == set()
        for key in wanted - set(VARIES) - {"Flags:"}:
            assert mine[name][key] == theirs[name][key], (name, key)
    assert mine["VI_1"]["Password"] == "********"
    script, reference = (blocks(text, "VRRP Script")["ok"] for text in (own, other))
    for key in ("Command", "Interval", "Weight", "Rise", "Fall", "Status", "State"):
        assert script[key] == reference[key], key
    assert script["Tracking instances :"] == reference["Tracking instances :"]
    file, reference = (blocks(text, "Track file")["number"] for text in (own, other))
    assert file == reference
    process, reference = (blocks(text, "VRRP Track process")["nothing"] for text in (own, other))
    assert process == reference
    group, reference = (blocks(text, "VRRP Sync Group")["G, MASTER"] for text in (own, other))
    assert group.items() >= {
        key: value for key, value in reference.items() if not key.startswith("Num member")
    }.items()
    sections = re.compile(r"^------< (.*) >------$", re.MULTILINE)
    left = [name for name in sections.findall(other) if name != "VRRP Sockpool"]
    assert sections.findall(own) == left
    parent, reference = (daemon.dump("DATA", "keepalived_parent.data") for daemon in both)
    assert sections.findall(parent) == sections.findall(reference) == ["Global definitions"]
    assert own.startswith(parent)


def test_what_a_backup_knows_of_its_master(lab, monkeypatch):
    """The other daemon is master: its priority and interval, and as many adverts as it sent."""
    net = pair(lab)
    found = []
    for own, peer in ((Keepline, Keepalived), (Keepalived, Keepline)):
        better = Dumping(peer(net.nodes[0], vrrp_instance(priority=200)), monkeypatch)
        better.daemon.wait_master("10.0.0.50")
        backup = Dumping(own(net.nodes[1], vrrp_instance(priority=100)), monkeypatch)
        wait_for(lambda: backup.json()[0]["stats"]["advert_rcvd"] > 3, what="adverts are heard")
        row, sent = backup.json()[0], better.json()[0]["stats"]["advert_sent"]
        received = row["stats"].pop("advert_rcvd")
        assert 0 < received <= sent
        assert time.time() - row["data"].pop("last_transition") < 20
        found.append(row)
        backup.daemon.stop()
        better.daemon.stop()
    assert found[0] == found[1]
    assert found[0]["data"]["state"] == 1 and found[0]["data"]["master_priority"] == 200


def test_after_a_reload(lab, monkeypatch):
    """What runs by then, with counters as they were cleared."""
    net = pair(lab)
    first = vrrp_instance("A", "10.0.0.50", vrid=51)
    own = Dumping(Keepline(net.nodes[0], first), monkeypatch)
    own.daemon.wait_master("10.0.0.50")
    own.dump("STATS_CLEAR")
    second = vrrp_instance("B", "10.0.0.51", vrid=52)
    reload(own.daemon, second + first)
    own.daemon.wait_master("10.0.0.51")
    rows = {row["data"]["iname"]: row["stats"]["become_master"] for row in own.json()}
    assert rows == {"B": 1, "A": 0}
    reload(own.daemon, second)
    assert [row["data"]["iname"] for row in own.json()] == ["B"]
    assert list(blocks(own.dump("DATA"), "VRRP Instance")) == ["B"]


def test_where_the_files_go(lab, monkeypatch, tmp_path):
    """Each file may be moved; version 2 of the JSON; the checks have a file of their own."""
    net = pair(lab)
    text = f"""instance blue
global_defs {{
 json_version 2
 data_use_instance
 stats_dump_file {tmp_path}/numbers
 json_dump_file {tmp_path}/all.json
}}
virtual_server 10.0.0.50 80 {{
 lb_algo wrr
 lb_kind NAT
 protocol TCP
 real_server 10.0.0.2 8080 {{
  weight 3
  TCP_CHECK {{
   connect_timeout 1
  }}
 }}
}}
"""
    own = Dumping(Keepline(net.nodes[0], text + vrrp_instance()), monkeypatch)
    own.daemon.wait_master("10.0.0.50")
    data = own.dump("DATA", "keepalived.blue.data")
    assert " VRRP Instance = VI_1\n" in data
    checks = wait_for(
        lambda: whole(own.folder / "keepalived_check.blue.data"), what="the checks' file"
    )
    assert " VIP = 10.0.0.50, VPORT = 80\n" in checks
    assert "RIP = 10.0.0.2, RPORT = 8080, WEIGHT = 3\n" in checks
    assert " TCP_CHECK = [10.0.0.2]:8080\n" in checks
    assert "VI_1" in own.dump("STATS", tmp_path / "numbers")
    rows = json.loads(own.dump("JSON", tmp_path / "all.json"))
    assert list(rows) == ["vrrp"] and rows["vrrp"][0]["data"]["iname"] == "VI_1"


def test_nobody_is_led_astray(lab, monkeypatch, tmp_path):
    """A link that somebody planted is replaced, and what it points at is left alone."""
    net = pair(lab)
    own = Dumping(Keepline(net.nodes[0], vrrp_instance()), monkeypatch)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path = own.folder / FILES["STATS"]
    path.symlink_to(victim)
    os.kill(own.daemon.process.pid, SIGNALS["STATS"])
    wait_for(lambda: not path.is_symlink() and path.exists(), what="the link is replaced")
    assert victim.read_text() == "precious"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in own.folder.iterdir()] == [FILES["STATS"]], "nothing is left over"
    (own.folder / FILES["JSON"]).mkdir()
    os.kill(own.daemon.process.pid, SIGNALS["JSON"])
    wait_for(lambda: f"{FILES['JSON']}: Is a directory" in own.daemon.log(), what="it is said")
    for number in SIGNALS.values():
        for _ in range(20):
            os.kill(own.daemon.process.pid, number)
    assert own.dump("STATS").startswith("VRRP Instance: VI_1\n")
    assert own.daemon.stop() == 0


def test_numbers_of_the_signals():
    for name in ("STOP", "RELOAD", "DATA", "STATS", "STATS_CLEAR", "JSON"):
        numbers = [
            subprocess.run([program, f"--signum={name}"], capture_output=True, text=True)
            for program in (KEEPLINED, "keepalived")
        ]
        assert [done.returncode for done in numbers] == [0, 0]
        assert numbers[0].stdout == numbers[1].stdout
    wrong = subprocess.run([KEEPLINED, "--signum=NOTHING"], capture_output=True, text=True)
    assert wrong.returncode == 1 and "STATS_CLEAR" in wrong.stderr
