"""Processes of the lab: started in a namespace, logged to a file, stopped by their own pid.

Waiting is polling with a deadline (`wait_for`); nothing in the lab sleeps and hopes.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

DEADLINE_S = 20.0


def wait_for(condition, timeout=DEADLINE_S, what="", interval=0.05):
    """Polls `condition` until it returns something true, and returns that."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what or condition}")
        time.sleep(interval)


def stays(condition, seconds, what=""):
    """Asserts that `condition` is true all the time for `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), f"did not stay true for {seconds:g} s: {what or condition}"
        time.sleep(0.05)


def descendants(pid):
    """The pids of all living children of `pid`, deepest last."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    found = []
    for child in map(int, children):
        found += [child, *descendants(child)]
    return found


def send_signal(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


class Process:
    """One started program with its children; output goes to `log`."""

    def __init__(self, argv, name, log, env=None):
        self.name = name
        self.log = Path(log)
        self.argv = [str(word) for word in argv]
        self._asked = False
        with open(self.log, "ab") as output:
            self._popen = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )

    @property
    def pid(self):
        return self._popen.pid

    @property
    def exit_code(self):
        """None while it runs."""
        return self._popen.poll()

    def running(self):
        return self.exit_code is None

    def output(self):
        return self.log.read_text(errors="replace")

    def wait_output(self, text, timeout=DEADLINE_S):
        """Waits until `text` is in the log; an exit without it is a failure at once."""

        def seen():
            if text in self.output():
                return True
            assert self.running(), f"{self.name} ended ({self.exit_code}):\n{self.output()[-2000:]}"
            return False

        wait_for(seen, timeout, f"{text!r} in the output of {self.name}")

    def signal(self, number):
        """Sends to the process and all its children."""
        for pid in [self.pid, *descendants(self.pid)]:
            send_signal(pid, number)

    def wait(self, timeout=DEADLINE_S):
        """Waits for the end and returns the exit code."""
        return self._popen.wait(timeout)

    def stop(self, timeout=DEADLINE_S):
        """Asks for an orderly end (SIGTERM to the process itself) and returns the exit code."""
        if self.running():
            send_signal(self.pid, signal.SIGTERM)
        return self.wait(timeout)

    def kill(self):
        """A crash: SIGKILL, children first so that none gets a chance to clean up."""
        self.freeze()
        for pid in [*descendants(self.pid), self.pid]:
            send_signal(pid, signal.SIGKILL)
        self.wait()

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def ask_to_finish(self):
        """The first half of `finish`, so that many processes can end at the same time."""
        if self.running() and not self._asked:
            self._asked = True
            self.thaw()
            send_signal(self.pid, signal.SIGTERM)

    def finish(self):
        """The finaliser: whatever state it is in, afterwards it is gone."""
        self.ask_to_finish()
        try:
            self.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.kill()
