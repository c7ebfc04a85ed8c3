"""A system log for one host: /dev/log of its own, in a mount namespace of its own."""

import itertools
import os
import socket
import stat
import threading

DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9)}

_numbers = itertools.count()


class Syslog:
    """Programs started through `start` find this object's socket at /dev/log."""

    def __init__(self, lab, name):
        self.directory = lab.directory / f"dev-{name}-{next(_numbers)}"
        self._messages = []

    def __enter__(self):
        (self.directory / "net").mkdir(parents=True)
        (self.directory / "shm").mkdir()
        for name, (major, minor) in {**DEVICES, "net/tun": (10, 200)}.items():
            device = os.makedev(major, minor)
            os.mknod(self.directory / name, stat.S_IFCHR | 0o666, device)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.directory / "log"))
        threading.Thread(target=self._receive, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._socket.shutdown(socket.SHUT_RDWR)

    def _receive(self):
        while data := self._socket.recv(65536):
            self._messages.append(data.decode(errors="replace"))

    def text(self):
        return "\n".join(self._messages)

    def start(self, host, *argv):
        """The program sees the directory as /dev; nothing outside it is touched."""
        script = f'mount --bind {self.directory} /dev && exec "$@"'
        return host.start("unshare", "-m", "sh", "-c", script, "sh", *argv, name="logged")
