"""Programs that the benchmark talks to: lines in, lines out, ended by their own pid.

The forwarding program answers each JSON object with one JSON object, and may report its progress
before that. testpmd is a command line (testpmd.py). Whatever goes wrong in either is a BenchError
with a text for people.
"""

import json
import os
import pty
import selectors
import subprocess
import time

STARTED_WITHIN_S = 60
ANSWERED_WITHIN_S = 300  # ten million connections are set up one by one
ENDED_WITHIN_S = 5
TAIL_LINES = 15


class BenchError(Exception):
    """The measurement cannot go on; says why."""


class Child:
    """A program with our hands on its standard input and output."""

    def __init__(self, argv, name, terminal=False):
        self.name = name
        # A program that believes in a terminal shows each line at once.
        ours, theirs = pty.openpty() if terminal else os.pipe()
        try:
            self._popen = subprocess.Popen(
                [str(word) for word in argv],
                stdin=subprocess.PIPE,
                stdout=theirs,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for us alone: it ends the children in their turn.
                start_new_session=True,
            )
        except OSError as error:
            os.close(ours)
            raise BenchError(f"{name} cannot be started: {error}") from error
        finally:
            os.close(theirs)
        self._output = ours
        self._selector = selectors.DefaultSelector()
        self._selector.register(ours, selectors.EVENT_READ)
        self._partial = b""
        self._lines = []
        self.tail = []

    @property
    def pid(self):
        return self._popen.pid

    def send(self, line):
        try:
            self._popen.stdin.write(line.encode() + b"\n")
            self._popen.stdin.flush()
        except OSError:
            self._died()

    def line(self, timeout):
        """The next line of its output, without its end."""
        deadline = time.monotonic() + timeout
        while not self._lines:
            if not self._selector.select(max(0, deadline - time.monotonic())):
                raise BenchError(self._report(f"{self.name} said nothing for {timeout:g} s"))
            self._read()
        line = self._lines.pop(0)
        self.tail = [*self.tail, line][-TAIL_LINES:]
        return line

    def _read(self):
        try:
            data = os.read(self._output, 65536)
        except OSError:  # a terminal whose other end is closed
            data = b""
        if not data:
            self._died()
        *lines, self._partial = (self._partial + data).split(b"\n")
        self._lines += [line.decode(errors="replace").rstrip("\r") for line in lines]

    def _died(self):
        try:
            code = self._popen.wait(ENDED_WITHIN_S)
        except subprocess.TimeoutExpired:
            code = None
        how = "closed its output" if code is None else f"ended with signal {-code}"
        if code is not None and code >= 0:
            how = f"ended with exit code {code}"
        raise BenchError(self._report(f"{self.name} {how}"))

    def _report(self, what):
        said = [*self.tail, *self._lines, self._partial.decode(errors="replace")]
        said = "\n".join(line for line in said if line.strip())
        return f"{what}; it said last:\n{said}" if said else what

    def end(self):
        """Ends it: by the end of its input, and if that does not help by SIGKILL."""
        try:
            self._popen.stdin.close()
        except OSError:
            pass
        try:
            self._popen.wait(ENDED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._selector.close()
        os.close(self._output)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class Forwarding(Child):
    """tests/bench/forwarding: the real pipeline between net_null ports."""

    def __init__(self, argv):
        super().__init__(argv, "the forwarding program")
        try:
            self.hello = self._answer("hello", STARTED_WITHIN_S, None)
        except BaseException:
            self.end()
            raise

    def ask(self, question, answer, progress=None, **words):
        """Asks {question: words} and returns what is in {answer: ...}."""
        self.send(json.dumps({question: words}))
        return self._answer(answer, ANSWERED_WITHIN_S, progress)

    def _answer(self, key, timeout, progress):
        while True:
            line = self.line(timeout)
            try:
                said = json.loads(line)
            except ValueError:
                continue  # DPDK has something to say
            if not isinstance(said, dict):
                continue
            if "error" in said:
                raise BenchError(f"{self.name}: {said['error']}")
            if key in said:
                return said[key]
            if "progress" in said:
                if progress:
                    progress(said["progress"])
                continue
            raise BenchError(f"{self.name} answered {line} where {key!r} was expected")
