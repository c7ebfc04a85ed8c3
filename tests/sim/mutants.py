#!/usr/bin/env python3
"""Checks the checks: puts one mistake after another into vrrp/ and expects the simulation to fail.

mutants.py [--schedules N] [--filter WORD]

Each mistake is made in a copy. What it does not touch is compiled only once. The last line is
"mutants: N found, N missed"; a mistake whose text is not found exactly once counts as missed.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import handover_mutants
import mutant_list

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("vrrp", "vrrp/handover", "dataplane/net", "tests/sim")
FLAGS = ("-std=c++20", "-O1", "-pthread", "-I.", "-DKEEPLINE_VERSION=\"0\"")


def compiler():
    words = os.environ.get("CXX", "g++").split()
    return ["ccache", *words] if shutil.which("ccache") and "ccache" not in words[0] else words


class Tree:
    """A copy of what the simulation is made of, and its object files."""

    def __init__(self, folder):
        self.folder = Path(folder)
        for name in FOLDERS:
            (self.folder / name).mkdir(parents=True)
            for pattern in ("*.h", "*.cc"):
                for source in (ROOT / name).glob(pattern):
                    shutil.copy(source, self.folder / name)
        self.sources = sorted(
            path.relative_to(self.folder) for name in FOLDERS
            for path in (self.folder / name).glob("*.cc"))

    def compile(self, source, objects):
        target = objects / (str(source).replace("/", "_") + ".o")
        target.parent.mkdir(exist_ok=True)
        subprocess.run(
            [*compiler(), *FLAGS, "-MMD", "-c", str(source), "-o", str(target)],
            cwd=self.folder, check=True)
        return target

    def build(self, objects, sources):
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return dict(zip(sources, pool.map(lambda s: self.compile(s, objects), sources)))

    def users(self, path, objects):
        """The sources whose objects depend on a file."""
        return [source for source, target in objects.items()
                if path in re.split(r"[\s\\]+", target.with_suffix(".d").read_text())]

    def link(self, objects, program):
        words = [*compiler(), "-pthread", *map(str, objects), "-o", str(program), "-lcrypto"]
        subprocess.run(words, cwd=self.folder, check=True)


def try_mutant(tree, sound, mutant, schedules):
    """Returns the invariant that broke and after how many schedules, or (None, why)."""
    path = tree.folder / mutant.path
    text = path.read_text()
    if text.count(mutant.old) != 1:
        return None, f"its text is there {text.count(mutant.old)} times"
    path.write_text(text.replace(mutant.old, mutant.new))
    try:
        spoilt = tree.build(tree.folder / "mutant", tree.users(mutant.path, sound))
        program = tree.folder / "mutant" / "sim"
        tree.link({**sound, **spoilt}.values(), program)
    finally:
        path.write_text(text)
    words = [str(program), "--no-minimise", "--schedules", str(schedules)]
    output = subprocess.run(words, cwd=tree.folder, capture_output=True, text=True).stdout
    broken = re.search(r"^broken: (\S+)", output, re.MULTILINE)
    after = re.search(r"^seed \d+, after (\d+) schedules", output, re.MULTILINE)
    if not broken or not after:
        return None, f"survived {schedules} schedules"
    return broken[1], after[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--schedules", type=int, default=300_000)
    parser.add_argument("--filter", default="")
    options = parser.parse_args()
    # The copy goes when this is ended, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    missed = found = 0
    with tempfile.TemporaryDirectory(prefix="keepline-mutants-") as folder:
        tree = Tree(folder)
        sound = tree.build(tree.folder / "sound", tree.sources)
        print(f"{'mutant':28} {'found by':14} {'schedules':>9}  what it breaks")
        for mutant in mutant_list.MUTANTS + handover_mutants.MUTANTS:
            if options.filter not in mutant.name:
                continue
            invariant, after = try_mutant(tree, sound, mutant, options.schedules)
            found += invariant is not None
            missed += invariant is None
            verdict = f"{invariant:14} {after:>9}" if invariant else f"MISSED: {after}"
            print(f"{mutant.name:28} {verdict}  {mutant.breaks}", flush=True)
    print(f"mutants: {found} found, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
