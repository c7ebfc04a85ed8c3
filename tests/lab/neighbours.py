"""Who has a VIP: asked, and read from captures, in ARP and in neighbour discovery (RFC 4861).

By hand, as in capture.py.
"""

import select
import socket
import struct
import threading
import time
from contextlib import contextmanager

import adverts
from capture import ETHERTYPE_ARP, ETHERTYPE_IPV6, Frame, mac_text

BROADCAST = "ff:ff:ff:ff:ff:ff"
# Link addresses of the VRRP groups.
ROUTERS = {4: "01:00:5e:00:00:12", 6: "33:33:00:00:00:12"}
SOLICITATION, ADVERTISEMENT = 135, 136
SOURCE_OPTION, TARGET_OPTION = 1, 2
ALL_NODES = "ff02::1"


def mac_bytes(mac):
    return bytes.fromhex(mac.replace(":", ""))


def arp_request(mac, sender, target, to=BROADCAST):
    link = mac_bytes(to) + mac_bytes(mac)
    head = link + struct.pack("!HHHBBH", ETHERTYPE_ARP, 1, 0x0800, 6, 4, 1)
    return head + mac_bytes(mac) + socket.inet_aton(sender) + bytes(6) + socket.inet_aton(target)


def solicitation(mac, sender, target, to=None):
    """To the group of `target`, or to the link address `to`; sender :: is address detection."""
    address = socket.inet_pton(socket.AF_INET6, target)
    group = b"\xff\x02" + bytes(9) + b"\x01\xff" + address[13:]
    source = socket.inet_pton(socket.AF_INET6, sender)
    option = b"" if sender == "::" else bytes([SOURCE_OPTION, 1]) + mac_bytes(mac)
    body = bytes(4) + address + option
    length = 4 + len(body)
    prefix = source + group + struct.pack("!II", length, socket.IPPROTO_ICMPV6)
    value = adverts.checksum(prefix + bytes([SOLICITATION, 0, 0, 0]) + body)
    header = struct.pack("!IHBB", 6 << 28, length, socket.IPPROTO_ICMPV6, 255) + source + group
    link = (mac_bytes(to) if to else b"\x33\x33" + group[12:]) + mac_bytes(mac)
    icmp = struct.pack("!BBH", SOLICITATION, 0, value) + body
    return link + struct.pack("!H", ETHERTYPE_IPV6) + header + icmp


def question(mac, sender, target, to=None):
    if ":" in target:
        return solicitation(mac, sender, target, to)
    return arp_request(mac, sender, target, to or BROADCAST)


@contextmanager
def asking(client, sender, vip, device="eth0"):
    """Every ten milliseconds."""
    asked = question(client.mac(device), sender, vip)
    over = threading.Event()
    with client.socket(socket.AF_PACKET, socket.SOCK_RAW) as asker:
        asker.bind((device, 0))

        def ask():
            while not over.wait(0.01):
                asker.send(asked)

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def soliciting(client, vip, device="eth0", count=2):
    """The set of MAC addresses that answer for `vip` over IPv6, as arping does; a second each."""
    mac, macs = client.mac(device), set()
    with client.socket(socket.AF_PACKET, socket.SOCK_RAW) as asker:
        asker.bind((device, ETHERTYPE_IPV6))
        for _ in range(count):
            asker.send(solicitation(mac, client.link_local(device), vip))
            end = time.monotonic() + 1
            while (left_s := end - time.monotonic()) > 0:
                if not select.select([asker], [], [], left_s)[0]:
                    break
                frame = Frame(0, asker.recv(2048))
                if said(frame, vip) == "reply":
                    macs.add(frame.source_mac)
    return macs


def said(frame, vip):
    """What a frame tells of a VIP: a reply, an announcement, a naming (of another node) or a claim
    (asked of routers only); None: nothing."""
    return _said_by_arp(frame, vip) if frame.arp else _said_by_discovery(frame, vip)


def _said_by_arp(frame, vip):
    arp = frame.arp
    if arp.sender == vip:
        if arp.target != vip:
            return "reply"
        return "announcement" if arp.sender_mac == frame.source_mac else "naming"
    is_claim = arp.sender == "0.0.0.0" and arp.target == vip
    return "claim" if is_claim and frame.destination_mac == ROUTERS[4] else None


def _said_by_discovery(frame, vip):
    packet = frame.ipv6
    if packet is None or packet.protocol != socket.IPPROTO_ICMPV6 or len(packet.payload) < 24:
        return None
    kind, options = packet.payload[0], packet.payload[24:]
    if socket.inet_ntop(socket.AF_INET6, packet.payload[8:24]) != vip:
        return None
    if kind == SOLICITATION:
        is_claim = packet.source == "::" and frame.destination_mac == ROUTERS[6]
        return "claim" if is_claim else None
    if kind != ADVERTISEMENT:
        return None
    if packet.destination != ALL_NODES:
        return "reply"
    assert options[:2] == bytes([TARGET_OPTION, 1])
    return "announcement" if mac_text(options[2:8]) == frame.source_mac else "naming"
