"""The configurations of five published how-tos, as they stand, with the effects shown there."""

import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import adverts
import pytest
from daemons import KEEPLINE, KEEPLINED, ROOT, Keepalived, Keepline
from nginx import Nginx
from process import stays, wait_for
from syslog_socket import Syslog
from topologies import pair

CONFIGS = Path(__file__).parent / "configs"


@pytest.mark.reference
def test_equal_pair(lab, vrrp_daemon):
    """a: whoever starts first is master, the VIP answers on, a node that returns stays backup."""
    vip = "192.168.10.199"
    net = pair(lab, "ens32", ("192.168.10.1", "192.168.10.2"), "192.168.10.100")
    one, two = [vrrp_daemon(node, CONFIGS / "a-equal-pair.conf") for node in net.nodes]

    one.start().wait_master(vip)
    assert net.answers(vip)
    two.start()
    stays(lambda: one.is_master(vip) and not two.is_master(vip), 2, "no fail-over at a start")

    one.stop()
    two.wait_master(vip)
    assert net.answers(vip, 5)

    one.start()
    stays(lambda: two.is_master(vip) and not one.is_master(vip), 5, "no fail-back")
    two.stop()
    one.wait_master(vip)
    assert net.answers(vip, 5)


def test_systemd_unit(tmp_path):
    """a: starts at boot through systemd."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    units = [path for path in ROOT.rglob("*.service") if "build" not in path.parts]
    assert units, "no systemd unit in the tree"
    for unit in units:
        text = unit.read_text()
        assert "--cleanup" in text
        text = re.sub(r"/usr/(local/)?s?bin/keeplined", str(KEEPLINED), text)
        text = re.sub(r"/usr/(local/)?s?bin/keepline\b", str(KEEPLINE), text)
        copy = tmp_path / unit.name
        copy.write_text(text)
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True
        )
        complaints = [line for line in done.stderr.splitlines() if unit.name in line]
        assert done.returncode == 0 and not complaints, done.stderr


@pytest.mark.reference
def test_master_and_backup(lab, vrrp_daemon):
    """b: VIP in `ip a` on the master, state changes in the system log, fail-back by priority."""
    vip = "192.168.2.233"
    net = pair(lab, "eth0", ("192.168.2.115", "192.168.2.227"), "192.168.2.100")
    master = vrrp_daemon(net.nodes[0], CONFIGS / "b-master.conf")
    backup = vrrp_daemon(net.nodes[1], CONFIGS / "b-backup.conf")
    with Syslog(lab, "node1") as log:
        master.process = log.start(net.nodes[0], *master.command())
        master.wait_started()
        backup.start()
        master.wait_master(vip)
        wait_for(lambda: re.search(r"VI_1.*MASTER", log.text()), what="MASTER in the system log")
    assert not backup.is_master(vip)
    assert net.answering_macs(vip) == {net.nodes[0].mac("eth0")}
    assert net.answers(vip)

    master.kill()
    backup.wait_master(vip)
    if vrrp_daemon is Keepalived:  # its kernel goes on answering for the VIP, keepline's does not
        net.nodes[0].ip(f"address del {vip}/32 dev eth0")
    wait_for(lambda: net.answers(vip, 5), what="the VIP answers on")

    master.start()
    master.wait_master(vip)
    backup.wait_backup(vip)
    assert net.answers(vip, 5)
    wait_for(lambda: net.answering_macs(vip) == {net.nodes[0].mac("eth0")}, what="the master alone")


def test_load_balancer(lab):
    """c: round robin with NAT over two web servers, weight 0 for a broken one, sorry server."""
    vip = "203.0.113.100"
    outside, inside = lab.switch("outside"), lab.switch("inside")
    client, node = lab.host("client"), lab.host("node", forward=True)
    lab.cable(client, "eth0", outside, "203.0.113.7/24")
    lab.cable(node, "eth0", outside, "203.0.113.1/24")
    lab.cable(node, "eth1", inside, "192.168.100.1/24")
    webs = []
    for number in (20, 21, 22):
        web = lab.host(f"web{number}")
        lab.cable(web, "eth0", inside, f"192.168.100.{number}/24")
        web.ip("route add default via 192.168.100.1")
        webs.append(Nginx(web))
    sorry, first, second = webs
    keepline = Keepline(node, CONFIGS / "c-load-balancer.conf").start()

    def bodies(count=4):
        return [client.curl(f"http://{vip}/") for _ in range(count)]

    wait_for(lambda: client.curl(f"http://{vip}/", timeout=1), what="the VIP answers")
    got = bodies()
    assert got.count("web21\n") == got.count("web22\n") == 2, got
    assert first.clients() == {"203.0.113.7"}, "NAT keeps the client's address"

    def weight(server):
        return keepline.weight(f"192.168.100.{server}:80")

    assert weight(21) == weight(22) == 1
    listing = keepline.cli_text("services")
    assert re.search(r"^TCP\s+203\.0\.113\.100:80\s+rr", listing, re.MULTILINE), listing
    assert re.search(r"->\s+192\.168\.100\.21:80\s+Masq\s+1\s+\d+\s+\d+", listing), listing

    first.break_()
    wait_for(lambda: weight(21) == 0, 40, "weight 0 for the broken server")
    assert weight(22) == 1
    assert bodies() == ["web22\n"] * 4

    second.break_()
    wait_for(lambda: client.curl(f"http://{vip}/") == "web20\n", 40, "the sorry server")
    first.mend()
    second.mend()
    wait_for(lambda: weight(21) == weight(22) == 1, 40, "both servers are back")
    wait_for(lambda: set(bodies()) == {"web21\n", "web22\n"}, what="both servers answer")
    assert not [row for row in sorry.requests() if row[0] != "203.0.113.7"]


@pytest.mark.reference
def test_suspended_master(lab, vrrp_daemon):
    """d: the adverts on the wire; a suspended master loses the VIP and gets it back."""
    vip = "192.168.1.153"
    net = pair(lab, "ens32", ("192.168.1.151", "192.168.1.152"), "192.168.1.100")
    capture = net.cables[0].capture_sent("ip proto 112")
    one = vrrp_daemon(net.nodes[0], CONFIGS / "d-node1.conf").start()
    two = vrrp_daemon(net.nodes[1], CONFIGS / "d-node2.conf").start()
    one.wait_master(vip)
    assert not net.nodes[1].has_address(vip)
    shown = net.nodes[0].run("ip", "-br", "-4", "address").stdout
    assert f"{vip}/24" in shown
    seen = wait_for(lambda: adverts.captured(capture), what="an advert")[0]
    assert (seen.vrid, seen.priority, seen.addresses) == (51, 101, [vip])
    frame = [frame for frame in capture.frames() if frame.ipv4][0]
    assert frame.ipv4.destination == "224.0.0.18"

    one.freeze()
    two.wait_master(vip)
    one.thaw()
    two.wait_backup(vip)
    one.wait_master(vip)
    assert net.answers(vip, 5)

    net.cables[0].freeze()
    two.wait_master(vip)
    assert net.answers(vip, 5)
    net.cables[0].thaw()
    two.wait_backup(vip)
    one.wait_master(vip)
    assert net.answers(vip, 5)


def arp_scan(client, address):
    done = client.run("arp-scan", "-I", "eth1", "-q", "-x", "-r", 2, address, check=False)
    return set(re.findall(r"[0-9a-f:]{17}", done.stdout.lower()))


@pytest.mark.reference
def test_moving_mac(lab, vrrp_daemon):
    """e: `arp-scan` shows the VIP's MAC moving, and a TCP connect during the change succeeds."""
    vip = "10.0.0.1"
    net = pair(lab, "eth1", ("10.0.0.11", "10.0.0.12"), "10.0.0.100")
    for node in net.nodes:
        Nginx(node)
    one = vrrp_daemon(net.nodes[0], CONFIGS / "e-primary.conf").start()
    two = vrrp_daemon(net.nodes[1], CONFIGS / "e-secondary.conf").start()
    one.wait_master(vip)
    two.wait_backup(vip)
    wait_for(lambda: arp_scan(net.client, vip) == {net.nodes[0].mac("eth1")}, what="primary's MAC")

    one.process.signal(signal.SIGTERM)
    connection = net.client.socket(kind=socket.SOCK_STREAM)
    connection.settimeout(15)
    connection.connect((vip, 80))
    connection.close()
    two.wait_master(vip)
    wait_for(lambda: arp_scan(net.client, vip) == {net.nodes[1].mac("eth1")}, what="secondary's")


def test_planned_switchovers_lose_no_ping(lab):
    """e: 13 pings, one a second, across a stop and a return of the primary."""
    vip = "10.0.0.1"
    net = pair(lab, "eth1", ("10.0.0.11", "10.0.0.12"), "10.0.0.100")
    one = Keepline(net.nodes[0], CONFIGS / "e-primary.conf").start()
    two = Keepline(net.nodes[1], CONFIGS / "e-secondary.conf").start()
    one.wait_master(vip)
    two.wait_backup(vip)
    assert net.answers(vip)
    ping = net.client.start("ping", "-n", "-c", 13, "-i", 1, "-W", 1, vip)
    ping.wait_output("icmp_seq=3")
    one.stop()
    two.wait_master(vip)
    ping.wait_output("icmp_seq=8")
    one.start().wait_master(vip)
    ping.wait(timeout=30)
    assert "13 received" in ping.output(), ping.output()


def with_virtual_mac(name):
    return (CONFIGS / name).read_text().replace("interface eth1\n", "interface eth1\nuse_vmac\n")


def test_switchovers_with_a_virtual_mac(lab):
    """e, with use_vmac: ten switchovers lose no ping, move no MAC and hold up no connection."""
    vip = "10.0.0.1"
    net = pair(lab, "eth1", ("10.0.0.11", "10.0.0.12"), "10.0.0.100")
    for node in net.nodes:
        Nginx(node)
    one = Keepline(net.nodes[0], with_virtual_mac("e-primary.conf")).start().wait_master(vip)
    two = Keepline(net.nodes[1], with_virtual_mac("e-secondary.conf")).start()
    two.wait_state("BACKUP")
    virtual = {"00:00:5e:00:01:c8"}
    assert arp_scan(net.client, vip) == virtual
    ping = net.client.start("ping", "-n", "-i", 0.1, vip)
    ping.wait_output("icmp_seq=5")

    split = []

    def connects_at_once():
        """Within the second after which a lost SYN would be sent again."""
        time.sleep(0.01)
        with net.client.socket(kind=socket.SOCK_STREAM) as connection:
            connection.settimeout(0.9)
            try:
                connection.connect((vip, 80))
            except ConnectionResetError as error:
                # One node has taken the SYN, the other one gets the rest of the handshake.
                split.append(error)

    for _ in range(5):
        one.process.signal(signal.SIGTERM)
        while one.process.running():
            connects_at_once()
        two.wait_master(vip)
        assert arp_scan(net.client, vip) == virtual
        one.start()
        while not one.is_master(vip):
            connects_at_once()
        two.wait_backup(vip)
        assert arp_scan(net.client, vip) == virtual
    assert len(split) <= 1
    ping.signal(signal.SIGINT)
    ping.wait()
    assert " 0% packet loss" in ping.output() and "+" not in ping.output(), ping.output()[-300:]
