"""SCTP ends for the lab, where the kernel has no SCTP: libusrsctp over raw sockets.

Run in a namespace as a program: `serve` sends its name and then returns every message of an
association; `ask` sends messages, compares what comes back and prints a report as JSON.
"""

import argparse
import ctypes
import ctypes.util
import json
import os
import socket
import struct
import sys
import threading

LIBRARY = "libusrsctp.so.2"
SHUT_WR = 1
MESSAGE_LIMIT = 1 << 16


class Library:
    def __init__(self):
        self.c = ctypes.CDLL(LIBRARY, use_errno=True)
        for name in ("usrsctp_socket", "usrsctp_accept"):
            getattr(self.c, name).restype = ctypes.c_void_p
        for name in ("usrsctp_sendv", "usrsctp_recvv"):
            getattr(self.c, name).restype = ctypes.c_ssize_t
        # Raw sockets, not UDP encapsulation.
        self.c.usrsctp_init(0, None, None)

    def __getattr__(self, name):
        return getattr(self.c, f"usrsctp_{name}")

    def check(self, done, what):
        if done is None or done == -1:
            code = ctypes.get_errno()
            raise OSError(code, f"{what}: {os.strerror(code)}")
        return done


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def socket_address(address, port):
    family = family_of(address)
    raw = socket.inet_pton(family, address)
    if family == socket.AF_INET6:
        return struct.pack("=H", family) + struct.pack("!HI", port, 0) + raw + bytes(4)
    return struct.pack("=H", family) + struct.pack("!H", port) + raw + bytes(8)


class Association:
    """A one-to-one style socket."""

    def __init__(self, library, family=None, handle=None):
        self.library = library
        self.handle = ctypes.c_void_p(
            handle
            or library.check(
                library.socket(family, socket.SOCK_STREAM, 132, None, None, 0, None), "socket"
            )
        )

    def bind(self, address, port):
        name = socket_address(address, port)
        self.library.check(self.library.bind(self.handle, name, len(name)), "bind")

    def listen(self):
        self.library.check(self.library.listen(self.handle, 16), "listen")

    def accept(self):
        handle = self.library.check(self.library.accept(self.handle, None, None), "accept")
        return Association(self.library, handle=handle)

    def connect(self, address, port):
        name = socket_address(address, port)
        self.library.check(self.library.connect(self.handle, name, len(name)), "connect")

    def send(self, data):
        done = self.library.sendv(
            self.handle, data, ctypes.c_size_t(len(data)), None, 0, None, 0, 0, 0
        )
        self.library.check(done, "send")

    def receive(self):
        """The next message; empty when the other end has shut down."""
        buffer = ctypes.create_string_buffer(MESSAGE_LIMIT)
        zero = ctypes.byref(ctypes.c_uint32(0))
        flags = ctypes.byref(ctypes.c_int(0))
        size = ctypes.c_size_t(MESSAGE_LIMIT)
        done = self.library.recvv(self.handle, buffer, size, None, zero, None, zero, zero, flags)
        return buffer.raw[: self.library.check(done, "receive")]

    def shutdown(self):
        self.library.shutdown(self.handle, SHUT_WR)

    def close(self):
        self.library.close(self.handle)


def serve_one(association, name):
    try:
        association.send(name.encode())
        while data := association.receive():
            association.send(data)
    except OSError as error:
        print(error, file=sys.stderr, flush=True)
    association.close()


def serve(arguments):
    listener = Association(Library(), family_of(arguments.address))
    listener.bind(arguments.address, arguments.port)
    listener.listen()
    print("listening", flush=True)
    while True:
        words = (listener.accept(), arguments.name)
        threading.Thread(target=serve_one, args=words, daemon=True).start()


def ask(arguments):
    association = Association(Library(), family_of(arguments.address))
    # Bound to one address it tells of no other ones, which would not be translated.
    association.bind(arguments.source, arguments.source_port)
    association.connect(arguments.address, arguments.port)
    server = association.receive().decode()
    equal = 0
    for _ in range(arguments.count):
        data = os.urandom(arguments.size)
        association.send(data)
        equal += association.receive() == data
    association.shutdown()
    rest = association.receive()
    association.close()
    print(json.dumps({"server": server, "equal": equal, "rest": len(rest)}), flush=True)


def server(host, address, port):
    words = ("serve", "--address", address, "--port", port, "--name", host.name)
    process = host.start(sys.executable, "-u", __file__, *words, name="sctp")
    process.wait_output("listening")
    return process


def client(host, source, address, port, count=10, size=500, source_port=0, timeout=30):
    """What the client reports; nothing when it fails."""
    words = ["ask", "--source", source, "--source-port", source_port, "--address", address]
    words += ["--port", port, "--count", count, "--size", size]
    done = host.run(sys.executable, "-u", __file__, *words, timeout=timeout, check=False)
    return json.loads(done.stdout) if done.returncode == 0 and done.stdout else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["serve", "ask"])
    parser.add_argument("--address", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--name", default="")
    parser.add_argument("--source", default="")
    parser.add_argument("--source-port", type=int, default=0)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--size", type=int, default=500)
    arguments = parser.parse_args()
    {"serve": serve, "ask": ask}[arguments.kind](arguments)
    # The library's threads have no end of their own.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
