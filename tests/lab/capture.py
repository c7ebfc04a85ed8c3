"""Frames on a cable: tcpdump writes them, this file reads them back.

The little parsing that the lab needs (ARP, IPv4, IPv6) is done here by hand and not with
keepline's own code, so that the two cannot be wrong together.
"""

import itertools
import socket
import struct
from dataclasses import dataclass

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_ARP = 0x0806
ETHERTYPE_IPV6 = 0x86DD

_numbers = itertools.count()


def mac_text(data):
    return ":".join(f"{byte:02x}" for byte in data)


@dataclass(frozen=True)
class Arp:
    operation: int  # 1 request, 2 reply
    sender_mac: str
    sender: str
    target: str


@dataclass(frozen=True)
class Ipv4:
    source: str
    destination: str
    ttl: int
    protocol: int
    payload: bytes


@dataclass(frozen=True)
class Ipv6:
    source: str
    destination: str
    hop_limit: int
    protocol: int  # the next header
    payload: bytes


class Frame:
    def __init__(self, time_s, data):
        self.time_s = time_s
        self.data = data
        self.destination_mac = mac_text(data[0:6])
        self.source_mac = mac_text(data[6:12])
        self.ethertype = struct.unpack_from("!H", data, 12)[0] if len(data) >= 14 else 0

    @property
    def arp(self):
        if self.ethertype != ETHERTYPE_ARP or len(self.data) < 42:
            return None
        body = self.data[14:42]
        return Arp(
            struct.unpack_from("!H", body, 6)[0],
            mac_text(body[8:14]),
            socket.inet_ntoa(body[14:18]),
            socket.inet_ntoa(body[24:28]),
        )

    @property
    def ipv4(self):
        if self.ethertype != ETHERTYPE_IPV4 or len(self.data) < 34:
            return None
        header = self.data[14:]
        length = struct.unpack_from("!H", header, 2)[0]
        header_length = (header[0] & 15) * 4
        return Ipv4(
            socket.inet_ntoa(header[12:16]),
            socket.inet_ntoa(header[16:20]),
            header[8],
            header[9],
            bytes(header[header_length:length]),
        )

    @property
    def packet(self):
        """An Ipv4, an Ipv6, or None."""
        return self.ipv4 or self.ipv6

    @property
    def ipv6(self):
        if self.ethertype != ETHERTYPE_IPV6 or len(self.data) < 54:
            return None
        header = self.data[14:]
        length = struct.unpack_from("!H", header, 4)[0]
        return Ipv6(
            socket.inet_ntop(socket.AF_INET6, header[8:24]),
            socket.inet_ntop(socket.AF_INET6, header[24:40]),
            header[7],
            header[6],
            bytes(header[40 : 40 + length]),
        )


def read_pcap(path):
    """The frames of a classic pcap file; a half-written last one is left out."""
    data = path.read_bytes()
    if len(data) < 24:
        return []
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    fraction = 1e9 if data[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1e6
    frames, offset = [], 24
    while offset + 16 <= len(data):
        seconds, part, length, _ = struct.unpack_from(order + "IIII", data, offset)
        offset += 16
        if offset + length > len(data):
            break
        frames.append(Frame(seconds + part / fraction, data[offset : offset + length]))
        offset += length
    return frames


class Capture:
    """A running tcpdump; `frames` may be asked at any time."""

    def __init__(self, namespace, device, expression="", direction="inout"):
        self.path = namespace.lab.directory / f"capture-{next(_numbers)}.pcap"
        words = ["tcpdump", "-n", "-U", "--immediate-mode", "-Z", "root", "-i", device]
        words += ["-Q", direction, "-w", self.path]
        # With the default snapshot length its ring has room for 8 frames, and a burst is lost.
        words += ["-s", 4096]
        words += [expression] if expression else []
        self._process = namespace.start(*words, name=f"tcpdump-{device}")
        self._process.wait_output("listening on")

    def frames(self):
        return read_pcap(self.path)

    def arps(self, sender=None):
        """(time, source MAC, Arp) of ARP packets, of one sender protocol address if given."""
        found = [(frame.time_s, frame.source_mac, frame.arp) for frame in self.frames()]
        return [row for row in found if row[2] and sender in (None, row[2].sender)]

    def stop(self):
        if self._process.running():
            self._process.stop()
        return self.frames()
