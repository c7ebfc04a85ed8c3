"""Real-time scheduling of the daemon's threads, as vrrp_rt_priority and its like ask for."""

import os
import time
from pathlib import Path

import pytest
from daemons import Keepline
from lab import Lab
from process import wait_for
from test_reload import reload
from topologies import bfd_instance, pair, vrrp_instance

VIP = "10.0.0.50"
BUSY_S = 8
HOG = f"import time\nend = time.time() + {2 * BUSY_S}\nwhile time.time() < end:\n pass"
OTHER = (os.SCHED_OTHER, 0)


def scheduling(pid):
    """Policy and priority of the control thread, the worker and all others."""
    control, worker, others = None, None, set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        thread = int(task.name)
        policy = os.sched_getscheduler(thread) & ~os.SCHED_RESET_ON_FORK
        found = (policy, os.sched_getparam(thread).sched_priority)
        if thread == pid:
            control = found
        elif (task / "comm").read_text().strip() == "rte-worker-1":
            worker = found
        else:
            others.add(found)
    return control, worker, others


def test_priorities(lab):
    """VRRP's is for both, checks' for the control thread, BFD's for workers; children have none."""
    net = pair(lab)
    seen = lab.directory / "policy"
    script = lab.file("notify", f"#!/bin/sh\ncut -d ' ' -f 41 /proc/self/stat > {seen}\n")
    script.chmod(0o755)
    instance = vrrp_instance(vip=VIP, block=f'notify_master "{script}" root')
    words = "vrrp_rt_priority 10\n checker_rt_priority 5\n bfd_rt_priority 20"
    keepline = Keepline(net.nodes[0], f"global_defs {{\n {words}\n}}\n{instance}")
    pid = keepline.start().wait_master(VIP).process.pid
    assert scheduling(pid) == ((os.SCHED_RR, 10), (os.SCHED_RR, 20), {OTHER})
    wait_for(lambda: seen.exists() and seen.read_text(), what="the notify script has run")
    assert seen.read_text().strip() == str(os.SCHED_OTHER)

    reload(keepline, "global_defs {\n checker_rt_priority 5\n}\n" + instance)
    assert scheduling(pid) == ((os.SCHED_RR, 5), OTHER, {OTHER})
    reload(keepline, instance)
    assert scheduling(pid) == (OTHER, OTHER, {OTHER})


def test_one_that_was_started_so_keeps_it(lab):
    """`chrt --rr 3 keeplined`, and nothing in the file."""
    net = pair(lab)
    instance = vrrp_instance(vip=VIP)
    keepline = Keepline(net.nodes[0], instance)
    keepline.start().wait_master(VIP)
    pid = keepline.process.pid
    os.sched_setscheduler(pid, os.SCHED_RR, os.sched_param(3))
    reload(keepline, instance)
    assert scheduling(pid)[0] == (os.SCHED_RR, 3)


def false_alarms(lab, words):
    """How often 3 x 3 ms of silence were seen on a machine whose CPUs others want as well."""
    net = pair(lab)
    daemons = []
    for node, other in zip(net.nodes, reversed(net.addresses)):
        sessions = bfd_instance(neighbour=other, interval_ms=3, multiplier=3)
        daemons.append(Keepline(node, words + sessions + vrrp_instance(vip=VIP)).start())
    for daemon in daemons:
        daemon.wait_bfd("Up")
    hogs = [
        net.client.start("/usr/bin/python3", "-c", HOG, name="hog")
        for _ in range(2 * os.cpu_count())
    ]
    time.sleep(BUSY_S)
    for hog in hogs:
        hog.kill()
    return sum(daemon.log().count("Up -> Down") for daemon in daemons)


@pytest.mark.alone
def test_bfd_of_a_busy_machine(lab):
    """With bfd_rt_priority a worker need not wait for its turn."""
    with Lab() as reference:
        without = false_alarms(reference, "")
    alarms = false_alarms(lab, "global_defs {\n bfd_rt_priority 50\n}\n")
    print(f"{alarms} false alarms, {without} without it")
    assert alarms <= without / 4
