"""The machine that is measured: what it is, and its hugepages for the time of a run."""

import datetime
import os
import platform
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HUGEPAGES = Path("/proc/sys/vm/nr_hugepages")
HUGEPAGE_MB = 2
KEEP_FREE_MB = 1024


def cpu_model():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def commit():
    words = ["git", "-c", f"safe.directory={ROOT}", "-C", ROOT, "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(words, capture_output=True, text=True)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def describe(hugepages):
    return {
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "hugepages": hugepages,
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "commit": commit(),
    }


def available_mb():
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable"):
            return int(line.split()[1]) >> 10
    return 0


class Hugepages:
    """Context manager: `wanted_mb` of hugepages where memory allows, afterwards as before."""

    def __init__(self, wanted_mb, file=HUGEPAGES, available=available_mb):
        self._wanted = wanted_mb // HUGEPAGE_MB
        self._file = Path(file)
        self._available = available
        self._before = None

    def __enter__(self):
        try:
            before = int(self._file.read_text())
            missing_mb = (self._wanted - before) * HUGEPAGE_MB
            if missing_mb > 0 and self._available() >= missing_mb + KEEP_FREE_MB:
                self._before = before
                self._file.write_text(f"{self._wanted}\n")
        except (OSError, ValueError):
            pass  # not root, or a kernel without them: the run says that it has none
        return self

    def __exit__(self, *_):
        if self._before is not None:
            self._file.write_text(f"{self._before}\n")
