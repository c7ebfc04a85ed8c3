"""The daemon's options, its errors, what it leaves behind, and the CLI's output."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from daemons import KEEPLINE, KEEPLINED, Keepline
from process import send_signal, wait_for
from topologies import pair, two_arm_configuration, two_arms, virtual_server, vrrp_instance

CONFIGS = Path(__file__).parent / "configs"
VIP = "10.0.0.50"
SYSCTLS = ("net.ipv4.conf.eth0.arp_ignore", "net.ipv4.conf.eth0.arp_announce")


@pytest.fixture
def net(lab):
    return pair(lab)


def traces(node):
    """Everything that keepline may change on an interface."""
    sysctls = [node.sysctl(key) for key in SYSCTLS]
    return node.addresses(), node.xdp_attached("eth0"), sysctls


def config_test(node, text, name="test.conf"):
    """Exit code and messages of `keeplined -t`."""
    path = node.lab.file(name, text)
    done = node.run(KEEPLINED, "-t", "-f", path, check=False)
    return done.returncode, done.stderr + done.stdout


def refused(keepline, *options):
    """Starts a daemon that must end by itself; returns its exit code and what it said."""
    keepline.process = keepline.host.start(*keepline.command(), *options, name="refused")
    return keepline.process.wait(30), keepline.log()


def test_clean_configuration(net):
    code, said = config_test(net.nodes[0], vrrp_instance(vip=VIP))
    assert code == 0, said


GOOD = vrrp_instance(vip=VIP, version=2)


@pytest.mark.parametrize(
    "code, line, words, text",
    [
        (5, 3, ["interfaze", "did you mean", "interface"], GOOD.replace("interface", "interfaze")),
        (5, 5, ["priority"], GOOD.replace("priority 100", "priority 300")),
        (2, 3, ["interface"], GOOD.replace("interface eth0", "interface")),
        (5, 13, ["vrrp_instanze"], GOOD + "vrrp_instanze X {\n}\n"),
        (5, None, ["}"], GOOD.rstrip()[:-1]),
        (None, 3, ["eth7"], GOOD.replace("eth0", "eth7")),
    ],
    ids=["keyword", "number", "parameter", "block", "brace", "interface"],
)
def test_messages(net, code, line, words, text):
    """Errors name file and line; the exit code is keepalived's."""
    got, said = config_test(net.nodes[0], text)
    assert got == code if code else got in (4, 5), said
    for word in words:
        assert word in said, said
    if line:
        assert re.search(rf"test\.conf:{line}\b", said), said


def test_all_messages_at_once(net):
    text = GOOD.replace("priority 100", "priority 300").replace("state BACKUP", "stat BACKUP")
    code, said = config_test(net.nodes[0], text)
    assert code == 5 and "priority" in said and "stat" in said


def test_what_can_never_work_is_refused_with_a_hint(net):
    text = GOOD + virtual_server(VIP).replace(f"virtual_server {VIP} 80", "virtual_server fwmark 7")
    code, said = config_test(net.nodes[0], text)
    assert code != 0 and "fwmark" in said and "address" in said


def test_options(net):
    node = net.nodes[0]
    assert node.run(KEEPLINED, "-v").returncode == 0
    assert "--use-file" in node.run(KEEPLINED, "-h").stdout
    assert node.run(KEEPLINED, "--no-such-option", check=False).returncode == 1
    missing = node.run(KEEPLINED, "-t", "-f", "/nonexistent.conf", check=False)
    assert missing.returncode != 0 and "/nonexistent.conf" in missing.stderr + missing.stdout


@pytest.mark.parametrize("name", sorted(path.name for path in CONFIGS.glob("[a-e]-*.conf")))
def test_tutorial_files_are_accepted(lab, name):
    host = lab.host("node")
    switch = lab.switch()
    path = CONFIGS / name
    for device in ("eth0", "eth1", "ens32"):
        lab.cable(host, device, switch)
    address = {"a": "192.168.10.1", "b": "192.168.2.1", "d": "192.168.1.1", "e": "10.0.0.11"}
    host.ip("address add 203.0.113.1/24 dev eth0", "address add 192.168.100.1/24 dev eth1")
    if name[0] in address:
        device = re.search(r"interface (\S+)", path.read_text()).group(1)
        host.ip(f"address add {address[name[0]]}/24 dev {device}")
    done = host.run(KEEPLINED, "-t", "-f", path, check=False)
    said = done.stderr + done.stdout
    assert done.returncode in (0, 5), said
    assert "nknown keyword" not in said


def test_interface_that_does_not_exist(net):
    """The daemon says which, and where it is named; nothing is left."""
    before = traces(net.nodes[0])
    code, said = refused(Keepline(net.nodes[0], GOOD.replace("eth0", "eth7")))
    assert code not in (0, None) and "eth7" in said
    assert traces(net.nodes[0]) == before


def test_configuration_that_cannot_run_leaves_no_trace(net):
    """One good instance, one that cannot be: not even the good one is begun."""
    node = net.nodes[0]
    before = traces(node)
    bad = vrrp_instance("VI_2", "10.9.9.9", "eth9", 60)
    code, said = refused(Keepline(node, GOOD + bad))
    assert code != 0 and "eth9" in said
    assert traces(node) == before


@pytest.mark.parametrize("options", [[], ["--instance=second"]], ids=["same", "other instance"])
def test_second_daemon_is_refused(net, options):
    """It names the daemon that holds the interface, which goes on undisturbed."""
    node = net.nodes[0]
    first = Keepline(node, GOOD).start().wait_master(VIP)
    second = Keepline(node, vrrp_instance("VI_2", "10.0.0.60", vrid=60))
    code, said = refused(second, *options)
    assert code != 0
    assert str(first.process.pid) in said, said
    assert first.is_master(VIP) and first.state() == "MASTER"
    assert not node.has_address("10.0.0.60")
    assert net.answers(VIP)


def test_cleanup_after_a_crash(net):
    node = net.nodes[0]
    before = traces(node)
    keepline = Keepline(node, GOOD).start().wait_master(VIP)
    assert traces(node) != before
    keepline.kill()
    assert traces(node) != before
    node.run(KEEPLINED, "--cleanup", "-f", keepline.file)
    assert traces(node) == before
    node.run(KEEPLINED, "--cleanup", "-f", keepline.file)
    assert traces(node) == before, "a second time is no harm"


# Who starts meanwhile would find hugepages that are about to go.
@pytest.mark.alone
def test_hugepages_are_used_when_there_are_some(net):
    hugepages = Path("/proc/sys/vm/nr_hugepages")
    before = hugepages.read_text()
    try:
        hugepages.write_text("300")
        if int(hugepages.read_text()) < 300:
            pytest.skip("this machine has no 600 MiB in one piece to spare")
        keepline = Keepline(net.nodes[0], GOOD).start().wait_master(VIP)
        assert net.answers(VIP)
        assert "without" not in keepline.log() and huge_bytes(keepline.process.pid) > 0
        assert keepline.stop() == 0
    finally:
        hugepages.write_text(before)


def huge_bytes(pid):
    """Memory in hugetlb pages that the process has mapped."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(kib) for kib in re.findall(r"_Hugetlb:\s+(\d+) kB", rollup))


@pytest.mark.alone
def test_nothing_has_to_be_prepared(net):
    """It runs with the machine as it is, and changes nothing on it that is not the namespace's."""
    hugepages = Path("/proc/sys/vm/nr_hugepages")

    def machine():
        # Namespaces that other tests make and remove meanwhile are mounts as well.
        mounts = Path("/proc/mounts").read_text().splitlines()
        return hugepages.read_text(), [line for line in mounts if "/run/netns" not in line]

    before = machine()
    keepline = Keepline(net.nodes[0], GOOD).start().wait_master(VIP)
    assert net.answers(VIP)
    assert machine() == before
    if int(before[0]) == 0:  # a machine may have some already
        assert "without" in keepline.log() and huge_bytes(keepline.process.pid) == 0
    assert keepline.stop() == 0


def test_daemonising(lab, net):
    """Without -n the command returns when the daemon runs; the pid file goes with it."""
    node = net.nodes[0]
    keepline = Keepline(node, GOOD)
    pid_file = lab.directory / "keeplined.pid"
    command = [KEEPLINED, "-f", keepline.file, "-p", pid_file]
    done = subprocess.run(
        node.inside(command), timeout=30, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    assert done.returncode == 0
    pid = int(wait_for(lambda: pid_file.exists() and pid_file.read_text().strip()))
    assert os.readlink(f"/proc/{pid}/exe") == str(KEEPLINED.resolve())
    wait_for(lambda: node.has_address(VIP), what="it becomes master")
    assert keepline.cli("status")["pid"] == pid
    send_signal(pid, signal.SIGTERM)
    wait_for(lambda: not Path(f"/proc/{pid}").exists(), what="it ends")
    assert not pid_file.exists() and not node.has_address(VIP)


def test_vrrp_only_and_services_only(lab):
    two = two_arms(lab, nodes=1)
    text = two_arm_configuration(100, virtual_server())
    vrrp_only = Keepline(two.nodes[0], text).start("-P").wait_master("192.0.2.100")
    assert vrrp_only.services() == [] and vrrp_only.cli("status")["mode"] == "vrrp only"
    assert vrrp_only.stop() == 0
    services_only = Keepline(two.nodes[0], text).start("-C")
    assert services_only.instances() == {}
    assert len(services_only.services()) == 1
    assert services_only.cli("status")["mode"] == "services only"


def test_cli_without_a_daemon(net):
    done = net.nodes[0].run(KEEPLINE, "status", check=False)
    assert done.returncode != 0
    assert "/run/keepline/" in done.stderr


def test_json_of_every_command(lab):
    """The members that scripts may rely on, and the same facts in the text."""
    two = two_arms(lab, nodes=1)
    keepline = Keepline(two.nodes[0], two_arm_configuration(100, virtual_server())).start()
    keepline.wait_master("192.0.2.100").wait_master("10.1.0.254")
    wait_for(lambda: two.client.curl("http://192.0.2.100/", timeout=1), what="the VIP answers")

    status = keepline.cli("status")
    assert {"version", "pid", "instance", "uptime_s", "config_path", "mode"} <= status.keys()
    assert status["pid"] == keepline.process.pid
    assert status["config_path"] == str(keepline.file)
    assert status["mode"] == "full"
    assert {port["name"] for port in status["ports"]} == {"eth0", "eth1"}
    worker = status["workers"][0]
    assert {"id", "lcore", "bursts", "packets", "idle_percent", "drops"} <= worker.keys()

    outside = keepline.instance("OUT")
    assert (outside["state"], outside["interface"], outside["vrid"]) == ("MASTER", "eth0", 51)
    assert (outside["version"], outside["priority"], outside["effective_priority"]) == (3, 100, 100)
    assert outside["advert_interval_us"] == 200_000
    assert [vip.partition("/")[0] for vip in outside["vips"]] == ["192.0.2.100"]
    assert outside["statistics"]["advert_sent"] > 0

    (service,) = keepline.services()
    assert (service["protocol"], service["vip"], service["port"]) == ("TCP", "192.0.2.100", 80)
    assert service["scheduler"] == "rr"
    assert service["stats"]["packets_in"] > 0 and service["stats"]["bytes_in"] > 0
    real = {"address", "port", "forward", "weight", "active", "inactive", "health", "in_pool"}
    assert len(service["reals"]) == 2
    for row in service["reals"]:
        assert real <= row.keys()
        assert (row["forward"], row["health"], row["in_pool"]) == ("Masq", "up", True)

    traffic = {"connections", "packets_in", "packets_out", "bytes_in", "bytes_out"}
    for row in (service, *service["reals"]):
        assert row["stats"].keys() == row["rates"].keys() == traffic

    (lcore,) = keepline.cli("lcores")["lcores"]
    assert {"packets", "bytes", "packets_per_s", "busy_percent", "drops", "ports"} <= lcore.keys()

    rows = keepline.connections()  # one for each try until the VIP answered
    members = {"protocol", "expires_s", "state", "client", "virtual", "destination"}
    assert rows and all(members <= row.keys() for row in rows)

    assert re.search(r"OUT\s.*MASTER", keepline.cli_text("vrrp"))
    assert re.search(r"^TCP\s+192\.0\.2\.100:80\s+rr", keepline.cli_text("services"), re.MULTILINE)
    assert "192.0.2.100:80" in keepline.cli_text("connections")
    some = keepline.cli("connections", "--client", rows[0]["client"])["connections"]
    assert [row["client"] for row in some] == [rows[0]["client"]]
    assert keepline.cli("connections", "--virtual", ":81")["connections"] == []
    assert len(keepline.cli("connections", "--virtual", ":80", "--protocol", "tcp")["connections"])
    assert str(keepline.process.pid) in keepline.cli_text("status")


def test_sampling_of_stages_is_switched(net):
    keepline = Keepline(net.nodes[0], GOOD).start()
    assert keepline.cli("stages")["sampling"] is False, "off at start"
    assert keepline.cli("stages", "on")["sampling"] is True
    assert "Sampling is on" in keepline.cli_text("stages")
    stages = [row["stage"] for row in keepline.cli("stages")["workers"][0]["stages"]]
    assert stages == ["receive", "parse", "classify", "lookup", "forward", "transmit"]
    assert keepline.cli("stages", "off")["sampling"] is False


@pytest.mark.parametrize(
    "words",
    [
        "services --stats --rate",
        "stages perhaps",
        "explain 10.0.0.7:1 10.0.0.50:80",
        "explain 10.0.0.7:1 10.0.0.50 tcp",
        "explain 10.0.0.7:1 [::1]:80 tcp",
        "explain 10.0.0.7:1 10.0.0.50:80 icmp",
    ],
)
def test_wrong_usage(net, words):
    assert net.nodes[0].run(KEEPLINE, *words.split(), check=False).returncode == 2


def test_missing_capability_is_named(net):
    """Root without a capability: what is missing, and what to do; nothing has been touched."""
    node = net.nodes[0]
    before = traces(node)
    configuration = Keepline(node, GOOD).file
    weaker = ["setpriv", "--bounding-set=-net_admin,-ipc_lock"]
    done = node.run(*weaker, KEEPLINED, "-n", "-f", configuration, check=False)
    assert done.returncode == 4
    assert "CAP_NET_ADMIN" in done.stderr and "CAP_IPC_LOCK" in done.stderr
    assert "as root" in done.stderr
    assert traces(node) == before


def test_socket_speaks_http(net):
    """What the CLI prints can be had without it."""
    keepline = Keepline(net.nodes[0], GOOD).start()
    socket = f"/run/keepline/{keepline.cli('status')['instance']}.sock"
    url = ["curl", "-s", "-w", "%{http_code}", "--unix-socket", socket]
    answer = net.nodes[0].run(*url, "http://localhost/v1/vrrp").stdout
    assert answer.endswith("200") and '"instances"' in answer
    answer = net.nodes[0].run(*url, "http://localhost/v1/nothing").stdout
    assert answer.endswith("404") and '"error"' in answer
    assert os.stat(socket).st_mode & 0o777 == 0o600
