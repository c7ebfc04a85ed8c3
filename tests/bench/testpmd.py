"""The reference: dpdk-testpmd that swaps MAC addresses between the queues of one net_null port.

It is kept alive on one worker lcore and polls only between `start` and `stop`. A slice is two
readings of the port's counter with the time between them, so that starting and stopping do not
count.
"""

import os
import re
import shutil
import time
from pathlib import Path

from child import BenchError, Child

COMMAND_S = 20
WARM_UP_S = 0.02  # testpmd first drains the port, for 20 ms
MEMORY_MB = 256


def file_prefix():
    return f"keepline-testpmd-{os.getpid()}"


def command(hugepages):
    cpus = sorted(os.sched_getaffinity(0))
    words = ["dpdk-testpmd", "--lcores", f"0@{cpus[0]},1@{cpus[-1]}", "--no-pci"]
    words += ["--no-telemetry", "--file-prefix", file_prefix()]
    words += ["--in-memory"] if hugepages else ["--no-huge", "-m", str(MEMORY_MB)]
    words += ["--vdev", "net_null0,size=64", "--", "-i", "--forward-mode=macswap"]
    return words + ["--total-num-mbufs=8192"]


class Testpmd(Child):
    __test__ = False  # for pytest: the name is the program's

    def __init__(self, hugepages, argv=None):
        super().__init__(argv or command(hugepages), "dpdk-testpmd", terminal=True)
        try:
            # Its prompt ends no line; the answer to a command says that it is ready.
            self._say("show port summary all", r"Number of available ports: 1")
        except BaseException:
            self.end()
            raise

    def end(self):
        super().end()
        shutil.rmtree(Path("/var/run/dpdk") / file_prefix(), ignore_errors=True)

    def _say(self, text, pattern):
        """Sends a command and returns the match in the line that answers it."""
        self.send(text)
        deadline = time.monotonic() + COMMAND_S
        while time.monotonic() < deadline:
            found = re.search(pattern, self.line(COMMAND_S))
            if found:
                return found
        raise BenchError(f"dpdk-testpmd did not answer {text!r}")

    def _reading(self):
        packets = self._say("show port stats 0", r"TX-packets:\s*(\d+)").group(1)
        return int(packets), time.monotonic()

    def slice(self, seconds):
        """ns per packet over about this time."""
        self.send("start")
        time.sleep(WARM_UP_S)
        packets_before, before = self._reading()
        time.sleep(seconds)
        packets_after, after = self._reading()
        self._say("stop", r"^Done\.")
        packets = packets_after - packets_before
        if packets == 0:
            raise BenchError("dpdk-testpmd forwards nothing")
        return (after - before) * 1e9 / packets
