#!/usr/bin/env python3
"""The front end of scripts/bench: what to measure, with which children, and what to tell.

Run through scripts/bench, which installs and builds first.
"""

import argparse
import json
import os
import shlex
import signal
import sys
from pathlib import Path

import plot
import report
from cases import Measurement, full_plan, quick_plan
from child import BenchError, Forwarding
from machine import Hugepages, available_mb, describe
from progress import Progress
from testpmd import Testpmd

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("KEEPLINE_BUILD", "build")


def parse(words):
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measures keepline beside dpdk-testpmd, haproxy and nftables.",
    )
    parser.add_argument("--quick", action="store_true", help="the pipeline only, under 60 s")
    parser.add_argument("--end-to-end", action="store_true", help="only real TCP in the lab")
    parser.add_argument("--only", metavar="REGEX", help="what has such a name, see --list")
    parser.add_argument("--list", action="store_true", help="the names, without measuring")
    parser.add_argument("--rounds", type=int, help="of each measurement, instead of 5 (3, 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results")
    parser.add_argument("--from", type=Path, metavar="FILE", help="results of before; no new ones")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="results of before, beside")
    parser.add_argument(
        "--plot",
        type=Path,
        nargs="?",
        const=ROOT / "docs" / "performance.svg",
        metavar="FILE",
        help="draw ns per packet over flows (docs/performance.svg)",
    )
    # For the front end's own tests.
    parser.add_argument("--program", type=shlex.split, help=argparse.SUPPRESS)
    parser.add_argument("--testpmd", type=shlex.split, help=argparse.SUPPRESS)
    parser.set_defaults(program=[BUILD / "tests/bench/forwarding"])
    arguments = parser.parse_args(words)
    if arguments.rounds is not None and arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    return arguments


def make_plan(arguments):
    cores = len(os.sched_getaffinity(0))
    plan = quick_plan() if arguments.quick else full_plan(cores, available_mb())
    if arguments.end_to_end:
        plan = plan.end_to_end_alone()
    if arguments.rounds:
        plan = plan.with_rounds(arguments.rounds)
    return plan.only(arguments.only) if arguments.only else plan


def load(path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BenchError(f"{path}: {error}") from error


def measure_pipeline(plan, arguments, progress):
    """What the program finds, and whether it had hugepages."""
    progress.step("starting", 3)
    with Hugepages(plan.memory_mb()), Forwarding(arguments.program) as program:
        hugepages = bool(program.hello.get("hugepages"))
        with Testpmd(hugepages, arguments.testpmd) as testpmd:
            return Measurement(plan, program, testpmd, progress).run(), hugepages


def measure(plan, arguments):
    """The document of --json."""
    total_s = 3 + plan.pipeline_s() if plan.needs_program() else 0
    found = {"results": [], "bytes_per_connection": {}, "publish": []}
    hugepages, rows = None, []
    if plan.end_to_end:
        if os.geteuid() != 0:
            raise BenchError("the end-to-end part needs root")
        import end_to_end  # needs the lab, which the other parts do not

        lengths = plan.end_to_end_rounds, plan.end_to_end_s
        total_s += end_to_end.length_s(*lengths)
    progress = Progress(total_s)
    try:
        if plan.needs_program():
            found, hugepages = measure_pipeline(plan, arguments, progress)
        if plan.end_to_end:
            rows = end_to_end.measure(*lengths, progress.step)
    finally:
        progress.end()
    return {"machine": describe(hugepages), **found, "end_to_end": rows}


def tell_comparison(before, document):
    table, slower = report.comparison(before, document)
    print(f"\nBefore: {report.machine_line(before['machine'])}\n\n{table}")
    for words in slower:
        print(f"slower by more than {report.SLOWER_LIMIT:.0%}: {words}")


def work(arguments):
    before = load(arguments.compare) if arguments.compare else None
    document = load(getattr(arguments, "from")) if getattr(arguments, "from") else None
    if document is None:
        plan = make_plan(arguments)
        if arguments.list or not plan.names():
            print("\n".join(plan.names()) or "nothing has such a name; see --list")
            return 0 if arguments.list else 2
        document = measure(plan, arguments)
    print(report.text(document))
    if arguments.json:
        arguments.json.write_text(json.dumps(document, indent=2) + "\n")
    if before:
        tell_comparison(before, document)
    if arguments.plot:
        picture = plot.svg(document)
        if not picture:
            raise BenchError("--plot: there is no case with one worker among the results")
        arguments.plot.write_text(picture)
    return 0


def terminated(number, _):
    raise SystemExit(128 + number)  # so that children and hugepages are seen to


def main(words):
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, terminated)
    try:
        return work(parse(words))
    except BenchError as error:
        print(f"scripts/bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("scripts/bench: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
