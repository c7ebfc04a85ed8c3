"""keepline and a real keepalived on one wire: as its backup and as its master, versions 2 and 3."""

import adverts
import pytest
from daemons import Keepalived, Keepline
from process import stays, wait_for
from topologies import pair, vrrp_instance

VIP = "10.0.0.50"
SECOND_VIP = "10.0.0.51"


def configuration(version, priority, state="BACKUP", **words):
    return vrrp_instance(
        vip=f"{VIP}/24\n    {SECOND_VIP}/24",
        vrid=77,
        priority=priority,
        state=state,
        version=version,
        **words,
    )


def check_adverts(seen, version, priority):
    """Every advert of one sender is as the RFC wants it."""
    assert seen
    for advert in seen:
        assert advert.ttl == 255
        assert advert.kind == 1
        assert advert.version == version
        assert advert.vrid == 77
        assert advert.priority in (priority, 0)
        assert advert.addresses == [VIP, SECOND_VIP]
        assert advert.good_checksum
        assert advert.interval == (1 if version == 2 else 20)


@pytest.mark.reference
@pytest.mark.parametrize("password", [None, "secret"])
@pytest.mark.parametrize("version", [2, 3])
def test_backup_of_keepalived(lab, vrrp_daemon, version, password):
    """Takes over when keepalived stops, gives back when it returns, takes over when it dies."""
    if version == 3 and password:
        pytest.skip("authentication is gone in version 3")
    net = pair(lab)
    captures = [cable.capture_sent("ip proto 112") for cable in net.cables]
    peer = Keepalived(net.nodes[0], configuration(version, 200, "MASTER", password=password))
    own = vrrp_daemon(net.nodes[1], configuration(version, 100, password=password))
    peer.start().wait_master(VIP)
    own.start()
    stays(lambda: peer.is_master(VIP) and not own.is_master(VIP), 2, "the backup is silent")
    assert not adverts.captured(captures[1])

    assert peer.stop() == 0
    own.wait_master(VIP)
    assert net.answers(VIP) and net.answers(SECOND_VIP)
    wait_for(lambda: len(adverts.captured(captures[1])) >= 3, what="three adverts")
    assert net.answering_macs(VIP) == {net.nodes[1].mac("eth0")}

    peer.start().wait_master(VIP)
    own.wait_backup(VIP)
    wait_for(lambda: net.answering_macs(VIP) == {net.nodes[0].mac("eth0")}, what="one answer")
    assert peer.complaints() == []

    peer.kill()
    net.nodes[0].ip(f"address del {VIP}/24 dev eth0")
    own.wait_master(VIP)
    assert net.answers(VIP)
    check_adverts(adverts.captured(captures[0]), version, 200)
    check_adverts(adverts.captured(captures[1]), version, 100)


@pytest.mark.reference
@pytest.mark.parametrize("version", [2, 3])
def test_master_of_keepalived(lab, vrrp_daemon, version):
    """keepalived follows our adverts, takes over at our stop and crash, and yields again."""
    net = pair(lab)
    capture = net.cables[0].capture_sent("ip proto 112")
    own = vrrp_daemon(net.nodes[0], configuration(version, 200, "MASTER"))
    peer = Keepalived(net.nodes[1], configuration(version, 100)).start()
    own.start().wait_master(VIP)
    peer.wait_backup(VIP)
    stays(lambda: own.is_master(VIP) and not peer.is_master(VIP), 4, "keepalived stays backup")

    assert own.stop() == 0
    peer.wait_master(VIP)
    assert adverts.captured(capture)[-1].priority == 0, "a stopping master says so"
    assert not net.nodes[0].has_address(VIP)
    assert net.answering_macs(VIP) == {net.nodes[1].mac("eth0")}

    own.start().wait_master(VIP)
    peer.wait_backup(VIP)
    assert net.answers(VIP)

    own.kill()
    peer.wait_master(VIP)
    if vrrp_daemon is Keepline:
        assert net.answering_macs(VIP) == {net.nodes[1].mac("eth0")}, "a dead node is silent"
    assert peer.complaints() == []
    check_adverts(adverts.captured(capture), version, 200)


def test_higher_priority_takes_over_a_running_master(lab):
    """A keepalived of higher priority joins: keepline leaves, and names the new master."""
    net = pair(lab)
    own = Keepline(net.nodes[0], configuration(3, 100, "MASTER")).start()
    own.wait_master(VIP)
    peer = Keepalived(net.nodes[1], configuration(3, 150)).start()
    peer.wait_master(VIP)
    own.wait_backup(VIP)
    wait_for(lambda: own.state() == "BACKUP", what="BACKUP in the CLI")
    assert own.instance()["master_address"] == "10.0.0.2"


def test_wrong_password_is_not_accepted(lab):
    """The advert of a higher master with another password counts, and changes nothing."""
    net = pair(lab)
    peer = Keepalived(net.nodes[0], configuration(2, 200, "MASTER", password="right"))
    own = Keepline(net.nodes[1], configuration(2, 100, password="wrong"))
    peer.start().wait_master(VIP)
    own.start().wait_master(VIP)
    wait_for(lambda: own.statistics()["auth_failure"] >= 2, what="auth_failure counts")
    assert own.state() == "MASTER"


def test_subsecond_interval_is_learned(lab):
    """Version 3: a backup takes the interval of the master's adverts, 10 ms included."""
    net = pair(lab)
    capture = net.cables[1].capture_sent("ip proto 112")
    peer = Keepalived(net.nodes[0], configuration(3, 200, "MASTER", advert_int=0.3))
    own = Keepline(net.nodes[1], configuration(3, 100, advert_int=0.01))
    peer.start().wait_master(VIP)
    own.start()
    # Until it has heard the master it goes by its own interval, as RFC 9568 says, and may speak.
    wait_for(lambda: own.statistics()["advert_rcvd"] > 0 and own.state() == "BACKUP")
    own.wait_backup(VIP)
    before = len(adverts.captured(capture))
    stays(lambda: not own.is_master(VIP), 3, "3 x 10 ms would long be over")
    assert len(adverts.captured(capture)) == before
    peer.stop()
    own.wait_master(VIP)
    seen = wait_for(
        lambda: len(adverts.captured(capture)) > before + 50 and adverts.captured(capture)
    )
    assert {advert.interval for advert in seen} == {1}
