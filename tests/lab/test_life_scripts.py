"""Scripts at the daemon's start and end, and lines about priorities.

Those that take `vrrp_daemon` hold for keepalived as well (`--reference`).
"""

import os
import signal
import time

import pytest
from daemons import Keepline
from process import wait_for
from programs import GLOBAL, Scripts
from topologies import pair, vrrp_instance

VIP = "10.0.0.50"


@pytest.fixture
def scripts(lab):
    return Scripts(lab)


def watcher(scripts, name, then=""):
    """Writes its name down, and how many addresses eth0 has."""
    count = "$(ip -4 addr show dev eth0 | grep -c inet)"
    return scripts.program(name, f'echo "{name} $* {count}" >> {scripts.folder}/called\n{then}')


@pytest.mark.reference
def test_before_everything_and_after_everything(lab, scripts, vrrp_daemon):
    """The startup script is waited for, and may still bring the address of the interface."""
    net = pair(lab)
    net.nodes[0].ip("addr del 10.0.0.1/24 dev eth0")
    start = watcher(scripts, "start", "sleep 1\nip addr add 10.0.0.1/24 dev eth0")
    end = watcher(scripts, "end", "sleep 1\necho ended >> " + str(scripts.folder / "called"))
    notify = scripts.recorder("notify")
    text = GLOBAL % f' startup_script "{start} a b"\n shutdown_script {end}'
    text += vrrp_instance(vip=f"{VIP}/24", block=f"notify {notify}")
    own = vrrp_daemon(net.nodes[0], text).start().wait_master(VIP)
    wait_for(lambda: len(scripts.called()) == 3, what="start and two states")
    assert own.stop() == 0
    assert scripts.called() == [
        "start a b 0",
        "notify INSTANCE VI_1 BACKUP 100",
        "notify INSTANCE VI_1 MASTER 100",
        "notify INSTANCE VI_1 STOP 100",
        "end  1",
        "ended",
    ]


@pytest.mark.reference
def test_a_startup_script_that_hangs_or_fails_stops_nobody(lab, scripts, vrrp_daemon):
    net = pair(lab)
    hang = watcher(scripts, "hang", "sleep 60")
    text = GLOBAL % f" startup_script {hang}\n startup_script_timeout 1"
    vrrp_daemon(net.nodes[0], text + vrrp_instance(vip=f"{VIP}/24")).start().wait_master(VIP)
    fail = watcher(scripts, "fail", "exit 3")
    text = GLOBAL % f" startup_script {fail}" + vrrp_instance(vip="10.0.0.51/24", vrid=52)
    vrrp_daemon(net.nodes[1], text).start().wait_master("10.0.0.51")
    assert [line.split()[0] for line in scripts.called()] == ["hang", "fail"]


def test_a_signal_ends_the_startup_script(lab, scripts):
    """And the daemon, which has touched nothing yet."""
    net = pair(lab)
    hang = watcher(scripts, "hang", "sleep 60")
    text = GLOBAL % f" startup_script {hang}\n startup_script_timeout 60"
    own = Keepline(net.nodes[0], text + vrrp_instance(vip=f"{VIP}/24"))
    own.process = net.nodes[0].start(*own.command(), name="keeplined")
    wait_for(lambda: scripts.called(), what="the script runs")
    began = time.monotonic()
    os.kill(own.process.pid, signal.SIGTERM)
    assert own.process.wait() == 1
    assert time.monotonic() - began < 2
    assert not net.nodes[0].xdp_attached("eth0")


@pytest.mark.reference
def test_priorities_in_a_fifo(lab, scripts, vrrp_daemon):
    """Of instances that say so or whose group does; no script is called."""
    net = pair(lab)
    number, fifo = scripts.folder / "number", scripts.folder / "fifo"
    number.write_text("0\n")
    read = scripts.program("reader", f'cat "$1" > {scripts.folder}/lines')
    notify = f"notify {scripts.recorder('notify')}"
    text = GLOBAL % f" notify_fifo {fifo}\n notify_fifo_script {read}"
    text += f"track_file f {{\n file {number}\n weight 1\n}}\n"
    track = "track_file {\n f\n }\n"
    own_word = f"notify_priority_changes\n {notify}\n"
    text += vrrp_instance("A", f"{VIP}/24", vrid=51, block=track + own_word)
    text += vrrp_instance("B", "10.0.0.51/24", vrid=52, block=track)
    text += vrrp_instance("C", "10.0.0.52/24", vrid=53)
    text += (
        "vrrp_sync_group G {\n group {\n C\n }\n sync_group_tracking_weight\n"
        f" notify_priority_changes\n {track} }}\n"
    )
    own = vrrp_daemon(net.nodes[0], text).start()
    for address in (VIP, "10.0.0.51", "10.0.0.52"):
        own.wait_master(address)
    wait_for(lambda: len(scripts.called()) == 2, what="two states")
    number.write_text("20\n")
    lines = scripts.folder / "lines"

    def told():
        return [line for line in lines.read_text().splitlines() if "_PRIORITY" in line]

    expected = ['INSTANCE "A" MASTER_PRIORITY 120', 'INSTANCE "C" MASTER_PRIORITY 120']
    wait_for(lambda: sorted(told()) == expected, what="both are told")
    better = vrrp_instance("A", f"{VIP}/24", vrid=51, priority=200)
    vrrp_daemon(net.nodes[1], better).start().wait_master(VIP)
    own.wait_backup(VIP)
    number.write_text("30\n")
    wait_for(lambda: 'INSTANCE "A" BACKUP_PRIORITY 130' in told(), what="of a backup, too")
    own.stop()
    assert not [line for line in scripts.called() if "PRIORITY" in line]
