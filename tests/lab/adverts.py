"""VRRP adverts, read and forged: RFC 3768 (version 2) and RFC 5798/9568 (version 3), IPv4.

As a program: `adverts.py DEVICE ADVERT RATE SECONDS` sends an advert (JSON) again and again, and
prints how many it has sent.
"""

import json
import socket
import struct
import sys
import time
from dataclasses import dataclass, field

GROUP = "224.0.0.18"
PROTOCOL = 112
AUTH_NONE, AUTH_PASS = 0, 1


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo_header(source, destination, length):
    addresses = socket.inet_aton(source) + socket.inet_aton(destination)
    return addresses + struct.pack("!BBH", 0, PROTOCOL, length)


def multicast_mac(group=GROUP):
    low = socket.inet_aton(group)
    return bytes([0x01, 0x00, 0x5E, low[1] & 0x7F, low[2], low[3]])


@dataclass
class Advert:
    """One advert; what a forger wants to be wrong is a field of its own."""

    source: str
    vrid: int
    priority: int
    addresses: list = field(default_factory=list)
    version: int = 2
    interval: int = 1  # seconds in version 2, centiseconds in version 3
    auth_type: int = AUTH_NONE
    password: str = ""
    ttl: int = 255
    kind: int = 1
    good_checksum: bool = True
    time_s: float = 0

    def payload(self):
        body = b"".join(map(socket.inet_aton, self.addresses))
        head = struct.pack(
            "!BBBB", self.version << 4 | self.kind, self.vrid, self.priority, len(self.addresses)
        )
        if self.version == 3:
            middle = struct.pack("!H", self.interval)
            prefix = pseudo_header(self.source, GROUP, 8 + len(body))
        else:
            middle = struct.pack("!BB", self.auth_type, self.interval)
            body += self.password.encode().ljust(8, b"\0")[:8]
            prefix = b""
        value = checksum(prefix + head + middle + b"\0\0" + body)
        if not self.good_checksum:
            value ^= 0x5555
        return head + middle + struct.pack("!H", value) + body

    def frame(self, source_mac, cut=0):
        """The Ethernet frame; `cut` bytes are missing at the end of the advert."""
        payload = self.payload()
        payload = payload[: len(payload) - cut]
        length = 20 + len(payload)
        header = struct.pack("!BBHHHBBH", 0x45, 0xC0, length, 0, 0, self.ttl, PROTOCOL, 0)
        header += socket.inet_aton(self.source) + socket.inet_aton(GROUP)
        header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
        source = bytes.fromhex(source_mac.replace(":", ""))
        return multicast_mac() + source + b"\x08\x00" + header + payload


def is_advert(frame):
    """Of either family."""
    return frame.packet is not None and frame.packet.protocol == PROTOCOL


def parse(frame):
    """The Advert in a captured frame, or None if it carries none."""
    packet = frame.ipv4
    if packet is None or packet.protocol != PROTOCOL or len(packet.payload) < 8:
        return None
    data = packet.payload
    version, count = data[0] >> 4, data[3]
    prefix = pseudo_header(packet.source, packet.destination, len(data)) if version == 3 else b""
    addresses = [socket.inet_ntoa(data[8 + 4 * i : 12 + 4 * i]) for i in range(count)]
    advert = Advert(packet.source, data[1], data[2], addresses, version)
    advert.ttl = packet.ttl
    advert.kind = data[0] & 15
    advert.good_checksum = checksum(prefix + data) == 0
    if version == 3:
        advert.interval = struct.unpack_from("!H", data, 4)[0] & 0x0FFF
    else:
        advert.auth_type, advert.interval = data[4], data[5]
        advert.password = data[8 + 4 * count :].rstrip(b"\0").decode(errors="replace")
    advert.time_s = frame.time_s
    return advert


def captured(capture, source=None):
    """The adverts of a capture in their order, of one sender if given."""
    found = [advert for frame in capture.frames() if (advert := parse(frame))]
    return [advert for advert in found if source in (None, advert.source)]


def flood(device, words, rate, seconds):
    """Sends at a rate, as many as are due every millisecond; returns how many it was."""
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sender.bind((device, 0))
    frame = Advert(**words).frame("02:00:00:00:0f:0f")
    start, sent = time.monotonic(), 0
    while (passed := time.monotonic() - start) < seconds:
        for _ in range(int(passed * rate) - sent):
            sender.send(frame)
            sent += 1
        time.sleep(0.001)
    return sent


if __name__ == "__main__":
    print(flood(sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
