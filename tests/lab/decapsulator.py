#!/usr/bin/env python3
"""The far end of a tunnel, for a kernel that has none: unpacks IP in IP, GRE and GUE.

Run on a real server as a program: `decapsulator.py TYPE OUTER_FAMILY [PORT]`. What is inside comes
out of the device `tunnel0` as if it had arrived there. Every tunnelled packet is checked: a GRE or
UDP checksum that is there has to be right, and so has the inner IPv4 header's. At each packet that
is wrong it prints why; the first good one makes it print "open".
"""

import fcntl
import select
import socket
import struct
import subprocess
import sys

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
UDP_NO_CHECK6_RX = 102
PROTOCOLS = {4: 0x0800, 41: 0x86DD}


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def open_tun(name):
    tun = open("/dev/net/tun", "r+b", buffering=0)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    subprocess.run(["ip", "link", "set", name, "up"], check=True)
    return tun


def sockets(kind, family, port):
    """What tunnelled packets arrive on, and the protocol inside when the outer header says it."""
    if kind == "gue":
        udp = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:  # as RFC 6935 allows for tunnels
            udp.setsockopt(socket.IPPROTO_UDP, UDP_NO_CHECK6_RX, 1)
        udp.bind(("", port))
        return {udp: None}
    numbers = [47] if kind == "gre" else [4, 41]
    return {
        socket.socket(family, socket.SOCK_RAW, number): PROTOCOLS.get(number) for number in numbers
    }


def unpack(kind, protocol, packet):
    """The ethertype and the packet inside."""
    if kind == "gre":
        flags, protocol = struct.unpack_from("!HH", packet)
        assert flags in (0, 0x8000), f"GRE flags {flags:04x}"
        if flags and checksum(packet) != 0:
            raise ValueError("wrong GRE checksum")
        return protocol, packet[8 if flags else 4 :]
    if kind == "gue":
        version, number, flags = struct.unpack_from("!BBH", packet)
        assert (version, flags) == (0, 0), f"GUE header {packet[:4].hex()}"
        return PROTOCOLS[number], packet[4:]
    return protocol, packet


def check(protocol, packet):
    version = packet[0] >> 4
    assert (version, protocol) in ((4, 0x0800), (6, 0x86DD)), f"{protocol:04x}: {packet[:20].hex()}"
    if version == 4:
        assert checksum(packet[:20]) == 0, "wrong IPv4 header checksum"
        assert len(packet) == struct.unpack_from("!H", packet, 2)[0], "length of the inner packet"
    else:
        assert len(packet) == 40 + struct.unpack_from("!H", packet, 4)[0], "length of the packet"


def main():
    kind, family = sys.argv[1], sys.argv[2]
    family = socket.AF_INET6 if family == "6" else socket.AF_INET
    tun = open_tun("tunnel0")
    arriving = sockets(kind, family, int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    print("ready", flush=True)
    opened = False
    while True:
        for each in select.select(list(arriving), [], [])[0]:
            packet = each.recv(65535)
            if kind != "gue" and family == socket.AF_INET:  # raw sockets of IPv4 give the header
                packet = packet[(packet[0] & 15) * 4 :]
            try:
                protocol, inside = unpack(kind, arriving[each], packet)
                check(protocol, inside)
                tun.write(inside)
            except (AssertionError, ValueError, KeyError) as error:
                print("bad:", error, flush=True)
                continue
            if not opened:
                print("open", flush=True)
                opened = True


if __name__ == "__main__":
    main()
