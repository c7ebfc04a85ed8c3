"""Tracking scripts and notifications: real programs, as keepalived runs them with the same file.

Those that take `vrrp_daemon` hold for keepalived as well (`--reference`).
"""

import json
import os
import signal
import stat
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from daemons import Keepline
from nginx import Nginx, check_service_follows
from process import stays, wait_for
from programs import GLOBAL, Scripts
from topologies import pair, vrrp_instance

VIP = "10.0.0.50"


@pytest.fixture
def scripts(lab):
    return Scripts(lab)


def hooks(scripts, prefix=""):
    words = [f"notify {scripts.recorder(prefix + 'any')}"]
    for state in ("master", "backup", "fault", "stop"):
        words.append(f"notify_{state} {scripts.recorder(prefix + state)}")
    return "\n ".join(words)


@pytest.mark.reference
def test_notify_scripts_of_an_instance(lab, scripts, vrrp_daemon):
    net = pair(lab)
    text = GLOBAL % "" + vrrp_instance(vip=f"{VIP}/24", priority=150, block=hooks(scripts))
    own = vrrp_daemon(net.nodes[0], text).start().wait_master(VIP)
    wait_for(lambda: len(scripts.called()) >= 4, what="two states are told")
    net.nodes[0].ip("link set eth0 down")
    wait_for(lambda: "any INSTANCE VI_1 FAULT 150" in scripts.called(), what="FAULT is told")
    net.nodes[0].ip("link set eth0 up")
    own.wait_master(VIP)
    wait_for(lambda: scripts.called().count("any INSTANCE VI_1 MASTER 150") == 2, what="MASTER")
    assert own.stop() == 0
    wait_for(lambda: "any INSTANCE VI_1 STOP 150" in scripts.called(), what="STOP is told")
    lines = scripts.called()
    states = [line.split()[3] for line in lines if line.startswith("any")]
    assert states == ["BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER", "STOP"]
    for state in ("backup", "master", "fault", "stop"):
        assert f"{state} " in lines, "no arguments"


@pytest.mark.reference
def test_notify_of_a_group_comes_once(lab, scripts, vrrp_daemon):
    net = pair(lab)
    text = GLOBAL % "" + vrrp_instance("A", f"{VIP}/24", vrid=51) + vrrp_instance(
        "B", "10.0.0.51/24", vrid=52
    )
    text += f"vrrp_sync_group G {{\n group {{\n A\n B\n }}\n {hooks(scripts)}\n}}\n"
    own = vrrp_daemon(net.nodes[0], text).start().wait_master(VIP)
    wait_for(lambda: "any GROUP G MASTER 0" in scripts.called(), what="MASTER of the group")
    net.nodes[0].ip("link set eth0 down")
    wait_for(lambda: "any GROUP G FAULT 0" in scripts.called(), what="FAULT of the group")
    own.stop()
    told = [line for line in scripts.called() if line.startswith("any")]
    assert told.count("any GROUP G MASTER 0") == 1
    assert told.count("any GROUP G FAULT 0") == 1


@pytest.mark.reference
def test_fifo_lines(lab, scripts, vrrp_daemon):
    """One line a change; the file is the owner's, and gone when the daemon is."""
    net = pair(lab)
    fifo = scripts.folder / "fifo"
    read = scripts.program("reader", f'cat "$1" > {scripts.folder}/lines')
    text = GLOBAL % f" notify_fifo {fifo} nobody nogroup\n notify_fifo_script {read}"
    text += vrrp_instance(vip=f"{VIP}/24", priority=150)
    own = vrrp_daemon(net.nodes[0], text).start().wait_master(VIP)
    lines = scripts.folder / "lines"
    wait_for(lambda: lines.exists() and lines.read_text().count("\n") >= 2, what="two lines")
    told = lines.read_text().splitlines()
    assert told == ['INSTANCE "VI_1" BACKUP 150', 'INSTANCE "VI_1" MASTER 150']
    status = fifo.stat()
    assert stat.S_ISFIFO(status.st_mode) and status.st_uid == 65534
    own.stop()
    assert not fifo.exists() or vrrp_daemon is not Keepline, "removed"


@pytest.mark.reference
def test_track_script_of_a_web_server(lab, scripts, vrrp_daemon):
    """What the tutorials end with: the VIP goes where the web server lives, and comes back."""
    net = pair(lab)
    webs = [Nginx(host) for host in net.nodes]
    for number, host in enumerate(net.nodes, start=1):
        scripts.program(f"check{number}", f"exec curl -sfm 1 http://10.0.0.{number}/ >/dev/null")
        block = "track_script {\n web\n }"
        words = vrrp_instance(vip=f"{VIP}/24", priority=150 - 40 * number, block=block)
        text = GLOBAL % "" + (
            f"vrrp_script web {{\n script {scripts.folder}/check{number}\n interval 1\n"
            " fall 2\n rise 2\n}\n"
        )
        vrrp_daemon(host, text + words).start()
    check_service_follows(net.client, f"http://{VIP}/", webs[0])


@pytest.mark.reference
def test_mail(lab, vrrp_daemon):
    """Each change of an instance and its group, as keepalived words it, to a real SMTP server."""
    net = pair(lab)
    program = Path(__file__).parent / "smtp_sink.py"
    sink = net.client.start("/usr/bin/python3", program, "10.0.0.100")
    sink.wait_output("ready")
    text = """global_defs {
 router_id R1
 notification_email {
  a@example.org
  b@example.org
 }
 notification_email_from k@example.org
 smtp_server 10.0.0.100
 smtp_helo_name lb.example.org
 smtp_alert
}
"""
    text += vrrp_instance(vip=f"{VIP}/24") + "vrrp_sync_group G {\n group {\n VI_1\n }\n}\n"
    vrrp_daemon(net.nodes[0], text).start().wait_master(VIP)

    def mails():
        return [json.loads(line) for line in sink.output().splitlines() if line.startswith("{")]

    wait_for(lambda: len(mails()) == 4, what="two changes of two")
    told = set()
    for mail in mails():
        assert mail["helo"] == "lb.example.org"
        assert (mail["from"], mail["to"]) == ("k@example.org", ["a@example.org", "b@example.org"])
        header, body = mail["text"].split("\r\n\r\n", 1)
        lines = dict(line.split(": ", 1) for line in header.split("\r\n"))
        assert lines["X-Mailer"] == "Keepalived" and lines["To"] == "a@example.org, b@example.org"
        assert abs(parsedate_to_datetime(lines["Date"]).timestamp() - time.time()) < 60
        told.add((lines["Subject"], body.strip()))
    assert told == {
        (f"[R1] VRRP Instance VI_1 - Entering {state} state", f"=> VRRP Instance is {words} <=")
        for state, words in (
            ("BACKUP", "no longer owning VRRP VIPs"),
            ("MASTER", "now owning VRRP VIPs"),
        )
    } | {
        (
            f"[R1] VRRP Group G - Entering {state} state",
            f"=> All VRRP group instances are now in {state} state <=",
        )
        for state in ("BACKUP", "MASTER")
    }


def test_a_relay_that_is_away_holds_nothing_up(lab):
    net = pair(lab)
    text = """global_defs {
 notification_email {
  a@example.org
 }
 smtp_server 10.0.0.77
 smtp_alert
}
"""
    own = Keepline(net.nodes[0], text + vrrp_instance(vip=f"{VIP}/24")).start().wait_master(VIP)
    wait_for(lambda: "mail by 10.0.0.77: " in own.log(), 40, "the failure is logged")
    assert own.stop() == 0


def test_weights_of_scripts(lab, scripts):
    """A good script adds, a bad one takes away; the priority is said, the mastership stays."""
    net = pair(lab)
    good, bad = scripts.program("good", f"test ! -e {scripts.folder}/broken"), scripts.folder
    text = GLOBAL % "" + (
        f"vrrp_script plus {{\n script {good}\n interval 0.2\n weight 20\n}}\n"
        f"vrrp_script minus {{\n script {good}\n interval 0.2\n weight -30\n}}\n"
    ) + vrrp_instance(vip=f"{VIP}/24", block="track_script {\n plus\n minus\n }")
    own = Keepline(net.nodes[0], text).start().wait_master(VIP)
    wait_for(lambda: own.instance()["effective_priority"] == 120, what="100 + 20")
    (bad / "broken").touch()
    wait_for(lambda: own.instance()["effective_priority"] == 70, what="100 - 30")
    assert own.state() == "MASTER"


def test_numbers_in_files(lab, scripts):
    """The number times the weight is added; a file may be replaced, or be gone; init_file."""
    net = pair(lab)
    file, made = scripts.folder / "number", scripts.folder / "made"
    file.write_text("3\n")
    text = (
        f"track_file plain {{\n file {file}\n weight 10\n}}\n"
        f"track_file made {{\n file {made}\n weight 0\n init_file 0\n}}\n"
    ) + vrrp_instance(vip=f"{VIP}/24", block="track_file {\n plain\n made\n }")
    own = Keepline(net.nodes[0], text).start().wait_master(VIP)
    assert made.read_text() == "0\n"
    assert own.instance()["effective_priority"] == 130
    file.write_text("0x2")
    wait_for(lambda: own.instance()["effective_priority"] == 120, what="written anew")
    other = scripts.folder / "other"
    other.write_text("-4")
    other.rename(file)
    wait_for(lambda: own.instance()["effective_priority"] == 60, what="replaced")
    file.unlink()
    wait_for(lambda: own.instance()["effective_priority"] == 100, what="gone: 0")
    made.write_text("1")
    wait_for(lambda: own.state() == "FAULT", what="FAULT without weight")
    made.write_text("0")
    own.wait_master(VIP)


def test_what_waits_for_its_first_result(lab, scripts):
    """INIT until a script without weight has been heard; with init_fail FAULT until it is good."""
    net = pair(lab)
    slow = scripts.program("slow", f"sleep 2; test -e {scripts.folder}/good")
    script = f"vrrp_script slow {{\n script {slow}\n interval 1\n timeout 5\n%s\n}}\n"
    words = vrrp_instance(vip=f"{VIP}/24", block="track_script {\n slow\n }")
    own = Keepline(net.nodes[0], GLOBAL % "" + script % "" + words).start()
    assert own.state() == "INIT"
    wait_for(lambda: own.state() == "FAULT", what="the first result is bad")
    (scripts.folder / "good").touch()
    own.wait_master(VIP)
    (scripts.folder / "good").unlink()
    other = Keepline(net.nodes[1], GLOBAL % "" + script % " init_fail" + words).start()
    assert other.state() == "FAULT"


def test_a_script_that_hangs_has_failed(lab, scripts):
    """It is ended with all that it has started, and is not run twice at a time."""
    net = pair(lab)
    hang = scripts.program("hang", f"echo x >> {scripts.folder}/called\ntrap '' TERM\nsleep 60")
    text = GLOBAL % "" + (
        f"vrrp_script hang {{\n script {hang}\n interval 0.2\n timeout 1\n}}\n"
    ) + vrrp_instance(vip=f"{VIP}/24", block="track_script {\n hang\n }")
    own = Keepline(net.nodes[0], text).start()
    wait_for(lambda: own.state() == "FAULT", what="the script has failed")
    assert len(scripts.called()) <= 2, "fifteen intervals, one run at a time"
    assert "timed out" in own.log()


def test_scripts_run_as_their_user(lab, scripts):
    net = pair(lab)
    write = f'echo "$1 $(id -un):$(id -gn):$(id -Gn)" >> {scripts.folder}/called'
    who = scripts.program("who", write)
    (scripts.folder / "called").touch()
    (scripts.folder / "called").chmod(0o666)
    block = f"notify_backup \"{who} b\" nobody nogroup\n notify_master \"{who} m\""
    Keepline(net.nodes[0], GLOBAL % "" + vrrp_instance(vip=f"{VIP}/24", block=block)).start()
    wait_for(lambda: len(scripts.called()) == 2, what="both are run")
    assert scripts.called() == ["b nobody:nogroup:nogroup", "m root:root:root"]


def test_what_cannot_run_is_said_at_the_start(lab, scripts):
    """Named with file and line; the rest works."""
    net = pair(lab)
    open_to_all = scripts.recorder("open")
    open_to_all.chmod(0o777)
    good = scripts.recorder("any")
    block = f"notify_master /nowhere/script\n notify_backup \"{open_to_all}\" root root\n"
    fifos = f" notify_fifo {scripts.folder}/none/fifo\n vrrp_notify_fifo {scripts.folder}/fifo\n"
    text = GLOBAL % (fifos + f" vrrp_notify_fifo_script {open_to_all}")
    block += f" notify {good}"
    own = Keepline(net.nodes[0], text + vrrp_instance(vip=f"{VIP}/24", block=block)).start()
    own.wait_master(VIP)
    wait_for(lambda: len(scripts.called()) == 2, what="the generic one is run")
    assert all(line.startswith("any") for line in scripts.called())
    assert "/nowhere/script is not run: No such file or directory" in own.log()
    assert own.log().count(f"others than root can change {open_to_all}") == 2
    assert "/none/fifo: No such file or directory: left out" in own.log()


def test_a_second_sigterm_does_not_wait(lab, scripts):
    """A notify script that hangs holds up the first one for a second, and not the next."""
    net = pair(lab)
    hang = scripts.program("hang", "sleep 30")
    block = f"notify_stop {hang}"
    own = Keepline(net.nodes[0], GLOBAL % "" + vrrp_instance(vip=f"{VIP}/24", block=block)).start()
    own.wait_master(VIP)
    start = time.monotonic()
    for _ in range(3):
        os.kill(own.process.pid, signal.SIGTERM)
        time.sleep(0.05)
    assert own.process.wait() == 0
    assert time.monotonic() - start < 0.8
    assert not net.nodes[0].has_address(VIP)


def test_startup_delay(lab):
    net = pair(lab)
    text = "global_defs {\n vrrp_startup_delay 3\n}\n" + vrrp_instance(vip=f"{VIP}/24")
    own = Keepline(net.nodes[0], text).start()
    stays(lambda: own.state() == "INIT", 1.5, "nothing is said before its time")
    own.wait_master(VIP)
