"""Fixtures of the lab suite. It needs root and build/keeplined; scripts/test provides both.

`--reference` runs the tests that fit with the real keepalived in keepline's place: it shows that
lab, probes and expectations are right, and how keepalived does in the same lab.
"""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from daemons import KEEPLINED, Keepalived, Keepline  # noqa: E402
from lab import Cable, Lab, sweep  # noqa: E402
from nics import EmulatedNic, VirtualNic, vlan_of  # noqa: E402

NODE_CABLES = {
    "veth": Cable,
    "vdev": VirtualNic,
    "pci": EmulatedNic,
    "vlan": vlan_of(Cable),
    "pci-vlan": vlan_of(EmulatedNic),
}


def pytest_addoption(parser):
    parser.addoption("--reference", action="store_true", help="keepalived in keepline's place")
    parser.addoption(
        "--node-cable",
        choices=sorted(NODE_CABLES),
        default="veth",
        help="what nodes have in place of a NIC: veth, owned by DPDK (vdev, pci), VLANs of one NIC",
    )
    parser.addoption("--switchovers", type=int, default=10, help="in a row, planned ones")
    parser.addoption("--switchover-rate", type=int, default=2000, help="numbered packets a second")


def pytest_configure(config):
    config.addinivalue_line("markers", "reference: also true of the real keepalived")
    config.addinivalue_line("markers", "alone: needs the processors for itself, or takes them")
    config.addinivalue_line("markers", "vm: needs what only tests/vm/vm.py has")
    if not hasattr(config, "workerinput") and os.geteuid() == 0:
        sweep()


def pytest_collection_modifyitems(config, items):
    if "KEEPLINE_VM_OUT" not in os.environ:
        left_out = [item for item in items if item.get_closest_marker("vm")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    reference = config.getoption("--reference")
    reason = None
    if os.geteuid() != 0:
        reason = "the lab needs root"
    elif not reference and not KEEPLINED.exists():
        reason = "build/keeplined is missing: run scripts/build"
    for item in items:
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))
        elif reference and not item.get_closest_marker("reference"):
            item.add_marker(pytest.mark.skip(reason="not for keepalived"))


@pytest.fixture
def lab(request):
    with Lab(node_cable=NODE_CABLES[request.config.getoption("--node-cable")]) as lab:
        request.node.lab = lab
        yield lab


@pytest.fixture
def vrrp_daemon(request):
    """The class of the daemon under test, for tests that keepalived could pass as well."""
    return Keepalived if request.config.getoption("--reference") else Keepline


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    lab = getattr(item, "lab", None)
    if report.failed and report.when == "call" and lab:
        report.sections += list(lab.logs())
