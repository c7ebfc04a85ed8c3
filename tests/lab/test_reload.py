"""A new configuration while everything runs: what changes, what stays, what is refused."""

import signal

import pytest
from daemons import KEEPLINE, Keepline
from process import stays, wait_for
from topologies import OUTSIDE_VIP, WEBS, pair, two_arm_configuration, two_arms, virtual_server
from topologies import vrrp_instance
from traffic import http_loop, udp_echo, udp_probe

VIP, SECOND_VIP = "10.0.0.50", "10.0.0.51"
REFUSED = 3


def replace(daemon, text):
    """As careful editors do it: nobody sees half of a file."""
    part = daemon.file.with_suffix(".part")
    part.write_text(text)
    part.rename(daemon.file)


def reload(daemon, text, code=0):
    """Writes the file anew and asks for it; returns what is said."""
    replace(daemon, text)
    done = daemon.host.run(KEEPLINE, "reload", check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def two(lab, first, second):
    net = pair(lab)
    nodes = [Keepline(net.nodes[0], first).start()]
    nodes[0].wait_master(VIP)
    nodes.append(Keepline(net.nodes[1], second).start())
    return net, *nodes


def test_services_come_and_go_under_traffic(lab):
    """Connections and packets of the service that stays notice nothing of three reloads."""
    net = two_arms(lab, nodes=1)
    words = {"protocol": "UDP", "check": "", "server_words": ""}
    dns = virtual_server(port=53, **words)
    keepline = Keepline(net.nodes[0], two_arm_configuration(100, dns)).start()
    keepline.wait_master(OUTSIDE_VIP)
    echoes = [udp_echo(web, 53) for web in net.webs]
    assert echoes
    # Right after a start the servers' neighbour entries may still be missing: not what is tested.
    first = udp_probe(net.client, OUTSIDE_VIP, 53, rate=50)
    wait_for(lambda: first.progress()["answered"] > 0, what="both ways are known")
    probe = udp_probe(net.client, OUTSIDE_VIP, 53, rate=500)
    wait_for(lambda: probe.progress()["answered"] > 100, what="traffic")
    since = keepline.instance("OUT")["since_unix_s"]
    order = [row["port"] for row in keepline.services()]

    reload(keepline, two_arm_configuration(100, virtual_server() + dns))
    wait_for(lambda: net.client.curl(f"http://{OUTSIDE_VIP}/"), what="the new service answers")
    assert [row["port"] for row in keepline.services()] == [80, *order]
    one_less = virtual_server(port=53, servers=WEBS[:1], **words)
    reload(keepline, two_arm_configuration(100, virtual_server() + one_less))
    reload(keepline, two_arm_configuration(100, one_less))
    assert not net.client.curl(f"http://{OUTSIDE_VIP}/", timeout=1)
    assert [row["port"] for row in keepline.services()] == order

    report = probe.report()
    assert report["sent"] > 200 and report["lost"] == 0, report
    assert keepline.instance("OUT")["since_unix_s"] == since
    assert keepline.statistics("OUT")["become_master"] == 1


def test_connections_of_a_removed_server_finish(lab):
    """It gets no new ones; the download that it has goes on."""
    net = two_arms(lab, nodes=1)
    text = two_arm_configuration(100, virtual_server(servers=WEBS[:1]))
    keepline = Keepline(net.nodes[0], text).start().wait_master(OUTSIDE_VIP)
    net.nginx[0].add_file("large", b"x" * 3_000_000)
    wait_for(lambda: net.client.curl(f"http://{OUTSIDE_VIP}/"), what="the service answers")
    url = f"http://{OUTSIDE_VIP}/files/large"
    words = ["curl", "-s", "--limit-rate", "1M", "-o", "/dev/null", "-w", "%{size_download}", url]
    download = net.client.start(*words, name="curl")
    wait_for(lambda: keepline.active() == 1, what="the download runs")
    reload(keepline, two_arm_configuration(100, virtual_server(servers=WEBS[1:])))
    wait_for(lambda: net.client.curl(f"http://{OUTSIDE_VIP}/") == "web2\n", what="the new server")
    assert download.wait(30) == 0
    assert download.output().split()[-1] == "3000000"


def test_a_file_that_cannot_run_changes_nothing(lab):
    """It is refused with file, line and reason; what ran runs on; the next one is applied."""
    good = vrrp_instance(vip=f"{VIP}/24", priority=200)
    net, keepline, _ = two(lab, good, vrrp_instance(vip=f"{VIP}/24", priority=100))
    before = keepline.instance()
    for bad, said in (
        (good.replace("virtual_router_id 51", "virtual_router_id 510"), "virtual_router_id"),
        (good.replace("interface eth0", "interface eth9"), "eth9"),
        (good + "dataplane {\n port eth0 {\n vdev net_null0\n }\n}\n", "restart"),
        ("", "nothing to run"),
    ):
        text = reload(keepline, bad, REFUSED)
        assert not bad or f"{keepline.file}:" in text, text
        assert said in text and "everything stays as it was" in text, text
    after = keepline.instance()
    assert (after["state"], after["since_unix_s"]) == ("MASTER", before["since_unix_s"])
    assert net.answers(VIP)
    status = keepline.cli("status")
    assert (status["reloads"], status["reloads_refused"]) == (0, 4)
    assert status["last_reload_refused"]
    reload(keepline, good)
    assert not keepline.cli("status")["last_reload_refused"]


def test_sighup(lab):
    """Also several at once: what is in the file at the end is what runs."""
    text = vrrp_instance(vip=f"{VIP}/24", priority=200)
    net, keepline, _ = two(lab, text, vrrp_instance(vip=f"{VIP}/24", priority=100))
    for priority in range(201, 211):
        replace(keepline, vrrp_instance(vip=f"{VIP}/24", priority=priority))
        keepline.process.signal(signal.SIGHUP)
    wait_for(lambda: keepline.instance()["priority"] == 210, what="the last priority")
    assert keepline.state() == "MASTER" and net.answers(VIP)


def test_addresses_of_a_master(lab):
    """New ones are there and announced at once, those that go are gone; it stays master."""
    one = vrrp_instance(vip=f"{VIP}/24", priority=200)
    net, keepline, backup = two(lab, one, vrrp_instance(vip=f"{VIP}/24", priority=100))
    capture = net.cables[0].capture_sent("arp")
    both = vrrp_instance(vip=f"{VIP}/24\n    {SECOND_VIP}/24", priority=200)
    reload(keepline, both)
    keepline.wait_master(SECOND_VIP)
    assert net.answers(SECOND_VIP) and net.answers(VIP)
    wait_for(lambda: len(capture.arps(SECOND_VIP)) >= 5, what="gratuitous ARP of the new one")
    # The backup's list differs for a while: counted there, nothing more.
    assert backup.state() == "BACKUP"
    reload(backup, both.replace("priority 200", "priority 100"))
    reload(keepline, vrrp_instance(vip=f"{SECOND_VIP}/24", priority=200))
    wait_for(lambda: not keepline.host.has_address(VIP), what="the old one is gone")
    assert not net.answers(VIP) and net.answers(SECOND_VIP)
    assert keepline.statistics()["become_master"] == 1


def test_an_instance_that_goes_loses_nothing(lab):
    """Its peer takes over while it still serves; the other instance notices nothing."""
    first = vrrp_instance("A", f"{VIP}/24", vrid=51, priority=200)
    second = vrrp_instance("B", f"{SECOND_VIP}/24", vrid=52, priority=200)
    lower = (first + second).replace("priority 200", "priority 100")
    net, keepline, backup = two(lab, first + second, lower)
    for node in net.nodes:
        udp_echo(node, 7000)
    probes = [udp_probe(net.client, vip, 7000, rate=500) for vip in (VIP, SECOND_VIP)]
    wait_for(lambda: all(p.progress()["answered"] > 200 for p in probes), what="traffic")
    reload(keepline, second)
    assert list(keepline.instances()) == ["B"]
    backup.wait_state("MASTER", "A")
    wait_for(lambda: not keepline.host.has_address(VIP), what="the address is gone")
    reports = [probe.report() for probe in probes]
    # What a CPU that stalls for a moment may cost, at 500 a second.
    assert all(report["lost"] <= 20 for report in reports), reports
    assert backup.state("B") == "BACKUP"
    # And back: it is a new one, that preempts.
    reload(keepline, second + first)
    keepline.wait_state("MASTER", "A")
    backup.wait_state("BACKUP", "A")
    assert net.answers(VIP)


def test_priority_and_name(lab):
    """A lower priority loses the mastership; another name is the same router."""
    net, keepline, backup = two(
        lab,
        vrrp_instance("A", f"{VIP}/24", priority=200),
        vrrp_instance("A", f"{VIP}/24", priority=100),
    )
    reload(keepline, vrrp_instance("RENAMED", f"{VIP}/24", priority=200))
    assert keepline.state("RENAMED") == "MASTER"
    assert keepline.statistics("RENAMED")["become_master"] == 1
    reload(keepline, vrrp_instance("RENAMED", f"{VIP}/24", priority=50))
    backup.wait_state("MASTER", "A")
    keepline.wait_state("BACKUP", "RENAMED")
    assert net.answers(VIP)


@pytest.mark.parametrize("word", ["", "notify_deleted"])
def test_what_is_told_of_a_removal(lab, word):
    lab.directory.chmod(0o755)
    fifo = lab.directory / "fifo"
    options = f"global_defs {{\n vrrp_notify_fifo {fifo}\n}}\n"
    block = {word: True} if word else {}
    stays_text = vrrp_instance("B", f"{SECOND_VIP}/24", vrid=52, priority=200)
    goes = vrrp_instance("A", f"{VIP}/24", vrid=51, priority=200, **block)
    net = pair(lab)
    keepline = Keepline(net.nodes[0], options + goes + stays_text).start()
    reader = net.nodes[0].start("cat", fifo, name="reader")
    keepline.wait_master(VIP).wait_master(SECOND_VIP)
    reload(keepline, options + stays_text)
    told = "DELETED" if word else "FAULT"
    wait_for(lambda: f'INSTANCE "A" {told} 200' in reader.output(), what=f"{told} is told")
    # The pipe is still the same one.
    reload(keepline, options + stays_text.replace("priority 200", "priority 150"))
    assert keepline.stop() == 0
    wait_for(lambda: 'INSTANCE "B" STOP 150' in reader.output(), what="STOP is told")


def test_scripts_keep_their_results(lab):
    """One that is run as before goes on; one that is new is waited for; one that went is gone."""
    lab.directory.chmod(0o755)
    flag = lab.directory / "good"
    flag.write_text("")

    def text(script, weight=0):
        return (
            "global_defs {\n script_user root\n}\n"
            f'vrrp_script CHECK {{\n script "{script}"\n interval 1\n weight {weight}\n}}\n'
            + vrrp_instance(vip=f"{VIP}/24", block="track_script {\n CHECK\n }")
        )

    net = pair(lab)
    test = f"/usr/bin/test -e {flag}"
    keepline = Keepline(net.nodes[0], text(test)).start().wait_master(VIP)
    reload(keepline, text(test, 20))
    assert keepline.state() == "MASTER"
    wait_for(lambda: keepline.instance()["effective_priority"] == 120, what="its weight counts")
    flag.unlink()
    wait_for(lambda: keepline.instance()["effective_priority"] == 100, what="it failed")
    reload(keepline, text("/bin/true", 30))
    wait_for(lambda: keepline.instance()["effective_priority"] == 130, what="the new one is good")
    reload(keepline, vrrp_instance(vip=f"{VIP}/24"))
    assert keepline.instance()["effective_priority"] == 100
    stays(lambda: keepline.state() == "MASTER", 1, "it stays master")


def test_groups_change(lab):
    """Two instances become a group, and are none again; nobody leaves MASTER for it."""

    def text(group=""):
        return (
            group
            + vrrp_instance("A", f"{VIP}/24", vrid=51)
            + vrrp_instance("B", f"{SECOND_VIP}/24", vrid=52)
        )

    net = pair(lab)
    keepline = Keepline(net.nodes[0], text()).start().wait_master(VIP).wait_master(SECOND_VIP)
    reload(keepline, text("vrrp_sync_group G {\n group {\n A\n B\n }\n}\n"))
    stays(lambda: {keepline.state("A"), keepline.state("B")} == {"MASTER"}, 1, "still master")
    reload(keepline, text())
    assert [keepline.statistics(name)["become_master"] for name in "AB"] == [1, 1]


def test_a_virtual_mac_comes_and_goes(lab):
    """Another MAC makes another router: the old one leaves, the new one takes over."""
    plain = vrrp_instance(vip=f"{VIP}/24", vrid=51)
    net = pair(lab)
    keepline = Keepline(net.nodes[0], plain).start().wait_master(VIP)
    assert net.answering_macs(VIP) == {net.nodes[0].mac("eth0")}
    reload(keepline, vrrp_instance(vip=f"{VIP}/24", vrid=51, use_vmac=True))
    keepline.wait_master(VIP)
    wait_for(
        lambda: net.answering_macs(VIP) == {"00:00:5e:00:01:33"}, what="the virtual MAC answers"
    )
    reload(keepline, plain)
    wait_for(
        lambda: net.answering_macs(VIP) == {net.nodes[0].mac("eth0")}, what="the NIC's MAC answers"
    )


def test_checks_run_on(lab):
    """A server that is down stays down over a reload, and is down for a new service as well."""
    net = two_arms(lab, nodes=1)
    text = two_arm_configuration(100, virtual_server())
    keepline = Keepline(net.nodes[0], text).start().wait_master(OUTSIDE_VIP)
    net.nginx[0].stop()
    wait_for(lambda: keepline.servers()[f"{WEBS[0]}:80"]["health"] == "down", 20, "web1 is down")
    loop = http_loop(net.client, OUTSIDE_VIP, rate=50)
    wait_for(lambda: loop.progress()["answered"] > 20, what="traffic")
    more = virtual_server() + virtual_server(port=81, server_port=80)
    reload(keepline, two_arm_configuration(100, more))
    assert keepline.servers()[f"{WEBS[0]}:80"]["health"] == "down"
    wait_for(lambda: keepline.servers(1)[f"{WEBS[0]}:80"]["health"] == "down", 20, "there as well")
    report = loop.report()
    assert report["failed"] == 0, report
    assert report["servers"].keys() == {"web2"}, report
