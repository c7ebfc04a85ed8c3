"""keepline capture: frames as they come in and as they leave, read by tcpdump and by eye."""

import socket
import struct

import pytest
from daemons import KEEPLINE, Keepline
from process import wait_for
from test_full_nat import configuration, lost_servers
from topologies import CLIENT, OUTSIDE_VIP, WEBS

URL = f"http://{OUTSIDE_VIP}/"
IN, OUT = 1, 2


def blocks(data):
    """(type, body) of a pcapng file's blocks; lengths have to agree."""
    found = []
    while data:
        kind, length = struct.unpack_from("<II", data)
        assert struct.unpack_from("<I", data, length - 4)[0] == length
        found.append((kind, data[8 : length - 4]))
        data = data[length:]
    return found


def frames(data):
    """(interface, way, frame, whether it was dropped) of each frame."""
    found = []
    for kind, body in blocks(data):
        if kind != 6:
            continue
        interface, _, _, kept, length = struct.unpack_from("<IIIII", body)
        assert kept <= length
        options = body[20 + (kept + 3) // 4 * 4 :]
        code, size, way = struct.unpack_from("<HHI", options)
        assert (code, size) == (2, 4)
        found.append((interface, way, body[20 : 20 + kept], b"dropped" in options))
    return found


def ends(frame):
    """Source and destination of an IPv4 packet."""
    return tuple(".".join(map(str, frame[at : at + 4])) for at in (26, 30))


@pytest.fixture
def net(lab):
    net = lost_servers(lab, nodes=1)
    net.keepline = Keepline(net.nodes[0], configuration()).start()
    net.keepline.wait_master(OUTSIDE_VIP)
    wait_for(lambda: net.client.curl(URL, timeout=1), 30, f"{URL} answers")
    return net


def capture(net, *words, traffic):
    """What a capture with these words has of the traffic."""
    path = net.lab.directory / "capture.pcapng"
    process = net.nodes[0].start(KEEPLINE, "capture", "-w", path, *words, name="capture")
    wait_for(lambda: path.exists() and path.stat().st_size > 0, 10, "the capture has begun")
    traffic()
    assert process.wait(30) == 0, process.output()
    return path.read_bytes(), process.output()


def test_both_sides_of_a_request(net):
    data, said = capture(
        net, "--seconds", 3, "tcp port 80 and host", CLIENT, traffic=lambda: net.client.curl(URL)
    )
    seen = frames(data)
    pairs = {(way, *ends(frame)) for _, way, frame, _ in seen}
    local = {source for way, source, _ in pairs if way == OUT and source.startswith("10.1.0.2")}
    (server,) = {destination for way, _, destination in pairs if destination in WEBS}
    # What matches on one side of the rewriting is shown on both.
    assert (IN, CLIENT, OUTSIDE_VIP) in pairs and (OUT, OUTSIDE_VIP, CLIENT) in pairs
    assert any((OUT, each, server) in pairs and (IN, server, each) in pairs for each in local)
    assert f"{len(seen)} frames" in said and "missed" not in said
    names = [body for kind, body in blocks(data) if kind == 1]
    assert [b"eth0" in names[0], b"eth1" in names[1]] == [True, True]
    # Others read it, too; times go on.
    path = net.lab.directory / "capture.pcapng"
    text = net.nodes[0].run("tcpdump", "-nn", "-tt", "-r", path).stdout.splitlines()
    assert len(text) == len(seen)
    times = [float(line.split()[0]) for line in text]
    # Frames of one burst may be written in another order than they were timed in.
    assert all(b > a - 0.001 for a, b in zip(times, times[1:])) and times[-1] - times[0] < 3


def test_what_is_dropped_says_so(net):
    def stray_segment():
        raw = net.client.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
        raw.sendto(struct.pack("!HHIIBBHHH", 7777, 80, 1, 1, 0x50, 0x10, 9, 0, 0), (OUTSIDE_VIP, 0))
        raw.close()

    data, _ = capture(net, "--seconds", 2, "tcp port 7777", traffic=stray_segment)
    ((_, way, frame, dropped),) = frames(data)
    assert (way, ends(frame), dropped) == (IN, (CLIENT, OUTSIDE_VIP), True)


def test_count_and_bytes(net):
    def traffic():
        for _ in range(5):
            net.client.curl(URL)

    data, said = capture(net, "-c", 10, "-s", 64, "tcp port 80", traffic=traffic)
    seen = frames(data)
    assert len(seen) == 10 and "10 frames" in said
    assert max(len(frame) for _, _, frame, _ in seen) <= 64


def test_wrong_words(net):
    node = net.nodes[0]
    for words, message in (
        (("hosst", "10.0.0.1"), "filter: "),
        (("--seconds", 4000), "seconds must be a number in 1..3600"),
        (("-s", 9999), "bytes must be a number in 64..1536"),
    ):
        path = net.lab.directory / "wrong.pcapng"
        done = node.run(KEEPLINE, "capture", "-w", path, *words, check=False)
        assert done.returncode != 0 and message in done.stderr, done.stderr
    done = node.run(KEEPLINE, "capture", "-w", "/no/such/folder/file", check=False)
    assert done.returncode == 1 and "No such file or directory" in done.stderr


def test_one_at_a_time_and_a_client_that_leaves(net):
    node = net.nodes[0]
    path = net.lab.directory / "first.pcapng"
    first = node.start(KEEPLINE, "capture", "-w", path, "--seconds", 60, name="first")
    wait_for(lambda: path.exists() and path.stat().st_size > 0, 10, "the capture has begun")
    words = (KEEPLINE, "capture", "-w", net.lab.directory / "second.pcapng", "--seconds", 1)
    second = node.run(*words, check=False)
    assert second.returncode == 1 and "another capture is running" in second.stderr
    first.kill()
    wait_for(lambda: node.run(*words, check=False).returncode == 0, 10, "the first one is over")
    assert net.client.curl(URL) in ("web1\n", "web2\n")
