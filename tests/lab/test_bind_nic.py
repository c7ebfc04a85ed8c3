"""scripts/bind-nic: a NIC goes to a DPDK driver and comes back as it was."""

import fcntl
import struct
from pathlib import Path

import pytest
from lab import run
from nics import BIND_NIC, mac, netdevs

pytestmark = pytest.mark.vm

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
PAGES = Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")


@pytest.fixture
def nic():
    """A NIC of this machine's first namespace, with addresses and routes."""
    name = netdevs()[mac("a", 0)]
    Path("/proc/sys/net/ipv6/conf/default/accept_dad").write_text("0")
    run(["ip", "link", "set", name, "down"])
    run(["ip", "link", "set", name, "name", "lan0", "mtu", "1400", "up"])
    for address in ("203.0.113.5/24", "2001:db8:5::5/64"):
        run(["ip", "address", "add", address, "dev", "lan0"])
    run(["ip", "route", "add", "198.51.100.0/24", "via", "203.0.113.1", "metric", "77"])
    run(["ip", "-6", "route", "add", "2001:db8:6::/64", "via", "2001:db8:5::1"])
    yield "lan0"
    run([BIND_NIC, "--undo"], check=False)
    run(["ip", "address", "flush", "dev", "lan0"], check=False)
    for words in (["set", "lan0", "down"], ["set", "lan0", "name", "nic-a0", "mtu", "1500"]):
        run(["ip", "link", *words], check=False)


def dress(name):
    """What is the same wherever the NIC is: MAC and MTU, addresses, routes."""
    link = run(["ip", "-o", "link", "show", name]).stdout
    addresses = run(["ip", "-o", "address", "show", "dev", name, "scope", "global"]).stdout
    routes = [run(["ip", family, "route", "show", "dev", name]).stdout for family in ("-4", "-6")]
    lines = [line for text in routes for line in text.splitlines() if "fe80" not in line]
    return (
        link.split("link/ether ")[1].split()[0],
        link.split("mtu ")[1].split()[0],
        sorted(line.split()[3] for line in addresses.splitlines()),
        sorted(" ".join(word for word in line.split() if word != "linkdown") for line in lines),
    )


def kind(name):
    return "tap" if Path(f"/sys/class/net/{name}/tun_flags").exists() else "nic"


def test_there_and_back(nic):
    """MAC, MTU, addresses, routes and hugepages outlive the way there and the way back."""
    before, pages = dress(nic), int(PAGES.read_text())
    said = run([BIND_NIC, "--hugepages", pages + 8, nic]).stdout
    assert "vfio-pci" in said and "port lan0 { pci 0000:" in said
    assert kind(nic) == "tap" and dress(nic) == before
    assert int(PAGES.read_text()) == pages + 8
    assert "lan0: vfio-pci: port lan0 { pci" in run([BIND_NIC, "--status"]).stdout
    again = run([BIND_NIC, nic], check=False)
    assert again.returncode != 0 and "handed over already" in again.stderr
    # What was changed meanwhile is kept, too, but no VIP that a dead keepline has left.
    run(["ip", "address", "add", "203.0.113.6/24", "dev", nic])
    after = dress(nic)
    run(["ip", "address", "add", "203.0.113.7/32", "dev", nic])
    Path("/run/keepline").mkdir(exist_ok=True)
    footprint = Path("/run/keepline/dead.footprint")
    footprint.write_text(f"1-address {nic} 203.0.113.7/32\n")
    # A daemon that has the TAP keeps it.
    tap = open("/dev/net/tun", "r+b", buffering=0)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH", nic.encode(), IFF_TAP | IFF_NO_PI))
    refused = run([BIND_NIC, "--undo", nic], check=False)
    assert "lan0 is in use: stop keeplined first" in refused.stderr and kind(nic) == "tap"
    tap.close()
    assert "the kernel's again" in run([BIND_NIC, "--undo"]).stdout
    assert kind(nic) == "nic" and dress(nic) == after
    assert int(PAGES.read_text()) == pages
    assert "lan0" not in run([BIND_NIC, "--status"]).stdout
    footprint.unlink()


def test_what_cannot_be_bound(nic):
    """Nothing has changed after a mistake, and it is said what was wrong."""
    before = dress(nic)
    for words, message in (
        (["nothing0"], "there is no netdev nothing0"),
        (["lo"], "lo is no PCI NIC"),
        (["--driver", "no_such_driver", nic], "there is no driver no_such_driver"),
        (["--undo", "lo"], "lo is not handed over"),
    ):
        done = run([BIND_NIC, *words], check=False)
        assert done.returncode != 0 and message in done.stderr, done.stderr
    session = "SSH_CONNECTION=203.0.113.9 50000 203.0.113.5 22"
    # As after sudo: whom we come from knows.
    words = ["sh", "-c", f"env -u SSH_CONNECTION {BIND_NIC} {nic}; exit $?"]
    done = run(["env", session, *words], check=False)
    assert "your own connection comes through lan0" in done.stderr, done.stderr
    run(["ip", "link", "add", "link", nic, "name", "lan0.7", "type", "vlan", "id", "7"])
    done = run([BIND_NIC, nic], check=False)
    run(["ip", "link", "delete", "lan0.7"])
    assert "lan0 has others on top, which would be lost: lan0.7" in done.stderr, done.stderr
    assert kind(nic) == "nic" and dress(nic) == before
