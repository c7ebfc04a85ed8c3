#!/usr/bin/env python3
"""Numbered traffic that knows exactly what was lost.

Run in a namespace as a program (`echo`, `udp`, `http`), steered from outside through the classes
below. While it runs it prints one JSON object a line with the counts so far; at SIGTERM it waits
for what is still under way and prints the report, the last line.
"""

import argparse
import json
import select
import signal
import socket
import struct
import sys
import threading
import time

PROGRESS_S = 0.2
GRACE_S = 1.0
IP_PKTINFO = 8  # not in the socket module before Python 3.14


class Stop:
    """Set by SIGTERM and SIGINT."""

    def __init__(self):
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, *_):
        self.asked = True


def say(report):
    print(json.dumps(report), flush=True)


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def behind_proxy_header(data):
    """The client of a PROXY protocol header (version 2, for datagrams), and what follows it."""
    assert data[:13] == b"\r\n\r\n\0\r\nQUIT\n\x21", data[:16]
    family = {0x12: socket.AF_INET, 0x22: socket.AF_INET6}[data[13]]
    size = 4 if family == socket.AF_INET else 16
    end = 16 + struct.unpack_from("!H", data, 14)[0]
    return socket.inet_ntop(family, data[16 : 16 + size]), data[end:]


def echo(arguments):
    """Answers each datagram with its number and the server's name; says who asked."""
    v6 = family_of(arguments.address) == socket.AF_INET6
    server = socket.socket(family_of(arguments.address), socket.SOCK_DGRAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((arguments.address, arguments.port))
    # Answer from the address that was asked.
    if v6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        server.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    stop = Stop()
    say({"listening": arguments.port})
    server.settimeout(PROGRESS_S)
    clients = set()
    while not stop.asked:
        try:
            data, ancillary, _, client = server.recvmsg(2048, 128)
        except TimeoutError:
            continue
        asker = client[0]
        if arguments.proxy:
            asker, data = behind_proxy_header(data)
        if asker not in clients:
            clients.add(asker)
            say({"clients": sorted(clients)})
        asked = ancillary[0][2]
        if v6:
            information = struct.pack("=16sI", asked[:16], 0)
            source = (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, information)
        else:
            information = struct.pack("=I4s4s", 0, asked[8:12], bytes(4))
            source = (socket.IPPROTO_IP, IP_PKTINFO, information)
        server.sendmsg([data[:8] + arguments.name.encode()], [source], 0, client)


def udp_report(sent, answered, rate):
    """Lost count and longest run of lost datagrams among those sent."""
    longest = run = lost = 0
    for number in range(sent):
        run = 0 if number in answered else run + 1
        lost += number not in answered
        longest = max(longest, run)
    servers = {}
    for name in answered.values():
        servers[name] = servers.get(name, 0) + 1
    return {
        "sent": sent,
        "answered": len(answered),
        "lost": lost,
        "longest_run": longest,
        "longest_gap_ms": round(1000 * longest / rate, 1),
        "servers": servers,
    }


def udp(arguments):
    """Datagrams numbered from 0 at a fixed rate; the answer to each is looked for."""
    client = socket.socket(family_of(arguments.address), socket.SOCK_DGRAM)
    client.setblocking(False)
    client.connect((arguments.address, arguments.port))
    stop = Stop()
    sent, answered = 0, {}
    period = 1 / arguments.rate
    due = progress = time.monotonic()
    end = None
    while end is None or time.monotonic() < end:
        now = time.monotonic()
        if end is None and (stop.asked or arguments.count and sent >= arguments.count):
            end = now + GRACE_S
        if end is None and now >= due:
            try:
                client.send(struct.pack("!Q", sent))
            except OSError:
                pass  # no route, no neighbour, refused: this one is lost
            sent += 1
            due = max(due + period, now - period)  # late by more: go on from here, no burst
        if now >= progress:
            progress = now + PROGRESS_S
            say({"sent": sent, "answered": len(answered), "waiting": sent - len(answered)})
        timeout = GRACE_S / 10 if end else max(0, due - time.monotonic())
        if select.select([client], [], [], timeout)[0]:
            try:
                data = client.recv(2048)
                answered[struct.unpack("!Q", data[:8])[0]] = data[8:].decode()
            except OSError:
                pass
    say(udp_report(sent, answered, arguments.rate))


def http_get(address, port, number, timeout):
    """One request on a connection of its own; the first word of the body or an OSError."""
    with socket.create_connection((address, port), timeout) as client:
        client.sendall(f"GET /?n={number} HTTP/1.0\r\nHost: {address}\r\n\r\n".encode())
        answer = b""
        while data := client.recv(65536):
            answer += data
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head[:16]:
        raise OSError(head[:40].decode(errors="replace") or "empty answer")
    return body.decode().split()[0]


class HttpLoop:
    """Requests at a fixed rate from a few threads; the next number goes to whoever is free."""

    THREADS = 16

    def __init__(self, arguments):
        self.arguments = arguments
        self.lock = threading.Lock()
        self.start = time.monotonic()
        self.next = 0
        self.sent = 0
        self.failed = {}
        self.servers = {}
        self.successes = [self.start]
        self.done = False

    def next_number(self):
        with self.lock:
            number = self.next
            if self.arguments.count and number >= self.arguments.count:
                return None
            self.next += 1
        wait = self.start + number / self.arguments.rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        with self.lock:
            if wait < -1:  # all threads were held up: go on from here, no burst
                self.start -= wait
            if self.done:
                return None
            self.sent += 1
        return number

    def work(self):
        while (number := self.next_number()) is not None:
            arguments = self.arguments
            try:
                name = http_get(arguments.address, arguments.port, number, arguments.timeout)
            except (OSError, IndexError) as error:
                with self.lock:
                    self.failed[number] = str(error)
            else:
                with self.lock:
                    self.servers[name] = self.servers.get(name, 0) + 1
                    self.successes.append(time.monotonic())

    def progress(self):
        answered = len(self.successes) - 1
        return {"sent": self.sent, "answered": answered, "failed": len(self.failed)}

    def report(self):
        times = sorted(self.successes)
        gaps = [later - earlier for earlier, later in zip(times, times[1:])]
        return {
            **self.progress(),
            "longest_outage_ms": round(1000 * max(gaps, default=0), 1),
            "servers": self.servers,
            "errors": sorted(set(self.failed.values())),
        }


def http(arguments):
    stop = Stop()
    loop = HttpLoop(arguments)
    threads = [threading.Thread(target=loop.work, daemon=True) for _ in range(HttpLoop.THREADS)]
    for thread in threads:
        thread.start()
    while not stop.asked and any(thread.is_alive() for thread in threads):
        say(loop.progress())
        time.sleep(PROGRESS_S)
    loop.done = True
    for thread in threads:
        thread.join(arguments.timeout + GRACE_S)
    say(loop.report())


class Traffic:
    """A running `udp` or `http` loop in a host's namespace."""

    def __init__(self, host, kind, address, port, *options):
        words = [kind, "--address", address, "--port", str(port), *map(str, options)]
        self._process = host.start(sys.executable, "-u", __file__, *words, name=kind)

    def progress(self):
        lines = self._process.output().splitlines()
        complete = [line for line in lines if line.startswith("{") and line.endswith("}")]
        return json.loads(complete[-1]) if complete else {"sent": 0, "answered": 0}

    def report(self):
        """Ends the loop (if it has no count of its own) and returns what it found."""
        assert self._process.stop(timeout=30) == 0, self._process.output()
        return self.progress()

    def report_when_done(self, timeout):
        """Waits until the loop has sent its count."""
        assert self._process.wait(timeout) == 0, self._process.output()
        return self.progress()


def udp_probe(host, address, port, rate=200, count=0):
    return Traffic(host, "udp", address, port, "--rate", rate, "--count", count)


def http_loop(host, address, port=80, rate=20, count=0, timeout=3):
    options = ["--rate", rate, "--count", count, "--timeout", timeout]
    return Traffic(host, "http", address, port, *options)


def udp_echo(host, port, address="0.0.0.0", name=None, proxy=False):
    words = ["echo", "--address", address, "--port", str(port), "--name", name or host.name]
    words += ["--proxy"] if proxy else []
    process = host.start(sys.executable, "-u", __file__, *words, name="echo")
    process.wait_output("listening")
    return process


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["echo", "udp", "http"])
    parser.add_argument("--address", default="0.0.0.0")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--name", default="")
    parser.add_argument("--proxy", action="store_true", help="expect PROXY headers")
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--count", type=int, default=0, help="0: until SIGTERM")
    parser.add_argument("--timeout", type=float, default=3)
    arguments = parser.parse_args()
    {"echo": echo, "udp": udp, "http": http}[arguments.kind](arguments)


if __name__ == "__main__":
    main()
