"""How far the run is: a bar on a terminal, a line for each step elsewhere. On standard error."""

import sys
import time

BAR_WIDTH = 24


def clock(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02d}"


class Progress:
    """Steps have an expected length in seconds; what has been seen of them corrects the rest."""

    def __init__(self, total_s, stream=None, now=time.monotonic):
        self._stream = stream or sys.stderr
        self._bar = self._stream.isatty()
        self._total = total_s
        self._now = now
        self._start = now()
        self._done = 0.0
        self._length = 0.0
        self._label = ""
        self._shown = 0

    def step(self, label, length_s):
        """The step before is over, this one begins."""
        self._done += self._length
        self._length = length_s
        self._label = label
        if self._bar:
            self.at(0)
        else:
            print(f"[{clock(self._now() - self._start)}] {label}", file=self._stream, flush=True)

    def at(self, fraction):
        """The step has come this far."""
        if not self._bar:
            return
        part = min(1.0, (self._done + fraction * self._length) / max(self._total, 1e-9))
        filled = round(part * BAR_WIDTH)
        line = f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {part:4.0%} {self._left(part)}"
        line += self._label
        print("\r" + line.ljust(self._shown), end="", file=self._stream, flush=True)
        self._shown = len(line)

    def _left(self, part):
        elapsed = self._now() - self._start
        left = elapsed * (1 - part) / part if part > 0.05 else self._total * (1 - part)
        return f"{clock(left)} left  "

    def end(self):
        """Leaves the line to others."""
        if self._bar and self._shown:
            print("\r" + " " * self._shown + "\r", end="", file=self._stream, flush=True)
            self._shown = 0
