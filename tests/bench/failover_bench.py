#!/usr/bin/env python3
"""The front end of scripts/bench-failover: scenario x implementation x repetitions in the lab.

Run through scripts/bench-failover, which installs and builds first.
"""

import argparse
import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import failover_plot
import failover_report
from failover_scenarios import SCENARIOS
from failover_site import SITES, Probe
from machine import describe
from progress import Progress

from lab import Lab, sweep

ROOT = Path(__file__).resolve().parents[2]
INTERVALS = (1.0, 0.1, 0.01)
LEFT_OUT = []
NOT_QUICK = ("keepline-bfd",)
UDP_RATE, TCP_RATE = 5000, 100
LEAD_S, TAIL_S = 0.5, 1.0  # the probe runs before it happens, and after it is over
PROBE_WAIT_S = {"udp": 0.5, "tcp": 4.0}  # TCP: a SYN is repeated after 1 and 3 s
CHANGE_S = 2.5  # between repetitions: daemons start, neighbours resolve
START_S = 5


@dataclass(frozen=True)
class Plan:
    implementations: list
    intervals: list
    scenarios: list
    repeat: int
    udp_rate: int = UDP_RATE
    tcp_rate: int = TCP_RATE

    def cases(self, implementation):
        """The scenarios that make sense there."""
        return [name for name in self.scenarios if SCENARIOS[name].fits(SITES[implementation])]

    def sites(self):
        """(implementation, advert interval): one lab each, side by side in time."""
        pairs = [(each, interval) for interval in self.intervals for each in self.implementations]
        return [pair for pair in pairs if self.cases(pair[0])]

    def length_s(self, scenario, interval):
        adverts = SCENARIOS[scenario].adverts + 4.5  # the second ones bring node1 back
        return LEAD_S + TAIL_S + CHANGE_S + adverts * interval

    def total_s(self):
        return sum(
            START_S + self.repeat * sum(self.length_s(name, interval) for name in self.cases(each))
            for each, interval in self.sites()
        )


def parse(words):
    parser = argparse.ArgumentParser(
        prog="scripts/bench-failover",
        description="Counts the packets that a failover costs, of keepline and of keepalived.",
    )
    parser.add_argument("--quick", action="store_true", help="a minute or two: 100 ms, 2 each")
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="only these")
    parser.add_argument("--implementation", action="append", choices=SITES, help="only these")
    parser.add_argument("--advert-int", action="append", type=float, metavar="S", help="only these")
    parser.add_argument("--repeat", type=int, metavar="N", help="of each (10, quick: 2)")
    parser.add_argument("--rate", type=int, default=UDP_RATE, help="datagrams per second (5000)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results")
    parser.add_argument("--from", type=Path, metavar="FILE", help="results of before; no new ones")
    parser.add_argument("--markdown", action="store_true", help="the table as docs/ has it")
    parser.add_argument("--plots", action="store_true", help="docs/failover-*.svg")
    arguments = parser.parse_args(words)
    if arguments.repeat is not None and arguments.repeat < 1:
        parser.error("--repeat must be at least 1")
    if not all(0.01 <= each <= 40 for each in arguments.advert_int or []):
        parser.error("--advert-int: 0.01 to 40 s")
    return arguments


def make_plan(arguments):
    quick = arguments.quick
    implementations = [each for each in SITES if not (quick and each in NOT_QUICK)]
    scenarios = arguments.scenario or [name for name in SCENARIOS if name != "quiet"]
    if quick and not arguments.scenario:
        scenarios = ["stop", "preempt", "kill", "machine", "server"]
    return Plan(
        implementations=arguments.implementation or implementations,
        intervals=arguments.advert_int or ([0.1] if quick else list(INTERVALS)),
        scenarios=scenarios,
        repeat=arguments.repeat or (2 if quick else 10),
        udp_rate=arguments.rate,
    )


def span_ms(outages):
    """From the first lost question to the last one, whatever was answered between them."""
    if not outages:
        return 0
    last = outages[-1]
    return 1e3 * (last["start_s"] - outages[0]["start_s"]) + last["duration_ms"]


def row_of(report, action_unix_ns, **words):
    """One of runs[]: what the probe found, times counted from what was done to the master."""
    action_s = (action_unix_ns - report["started_unix_ns"]) / 1e9
    kept = ("probe", "rate", "sent", "lost", "lost_there", "lost_back", "lost_unknown", "slow")
    kept += ("refused", "reset", "timeout", "duplicated", "not_sent", "late", "overflowed")
    kept += ("outage_ms", "outages_sum_ms", "outage_count", "servers", "round_trip_us", "late_us")
    row = {**words, **{key: report[key] for key in kept}}
    row["span_ms"] = span_ms(report["outages"])
    row["outages"] = [
        {**each, "start_s": each["start_s"] - action_s} for each in report["outages"][:50]
    ]
    row["changes"] = [{**each, "at_s": each["at_s"] - action_s} for each in report["changes"][:50]]
    return row


def said(lab):
    """The last words of the daemons that ran last; the probes' reports are long."""
    daemons = [(name, log) for name, log in lab.logs(8) if "keep" in name.split(" ")[0]]
    return "\n".join(f"--- {name[:150]}\n{log}" for name, log in daemons[-4:])


class Run:
    """All repetitions; `rows` has what was found so far, also after an error."""

    def __init__(self, plan, progress):
        self.plan = plan
        self.progress = progress
        self.rows = []
        self.failures = []

    def all(self):
        for implementation, interval in self.plan.sites():
            self.progress.step(f"{implementation}, adverts each {interval:g} s", START_S)
            with Lab() as lab:
                try:
                    site = SITES[implementation](lab, interval)
                    site.start()
                    for name in self.plan.cases(implementation):
                        self.repeat(site, implementation, name)
                except AssertionError as error:  # the lab's way to say: it did not happen
                    self.failures.append(f"{implementation}, {interval:g} s: {error}\n{said(lab)}")

    def repeat(self, site, implementation, name):
        for repetition in range(self.plan.repeat):
            label = f"{implementation} {site.interval:g} s {name} {repetition + 1}"
            self.progress.step(label, self.plan.length_s(name, site.interval))
            words = {"implementation": implementation, "scenario": name}
            words |= {"advert_int_s": site.interval, "repetition": repetition}
            self.rows += self.once(site, SCENARIOS[name], words)

    def once(self, site, scenario, words):
        site.make_ready()
        scenario.prepare(site)
        time.sleep(LEAD_S)  # what the change before has left: second ARP bursts, late neighbours
        rates = {"udp": self.plan.udp_rate, "tcp": self.plan.tcp_rate}
        probes = [Probe(site, kind, rate, PROBE_WAIT_S[kind]) for kind, rate in rates.items()]
        time.sleep(LEAD_S)
        action_unix_ns = time.time_ns()
        scenario.act(site)
        scenario.wait_done(site)
        time.sleep(TAIL_S)
        reports = [probe.report() for probe in probes]
        scenario.restore(site)
        return [row_of(report, action_unix_ns, **words) for report in reports]


def measure(plan):
    sweep()
    progress = Progress(plan.total_s())
    run = Run(plan, progress)
    try:
        run.all()
    except KeyboardInterrupt:
        run.failures.append("interrupted: what was measured until then is shown")
    finally:
        progress.end()
    document = {"machine": describe(None), "left_out": LEFT_OUT, "runs": run.rows}
    return document, run.failures


def work(arguments):
    failures = []
    if before := getattr(arguments, "from"):
        document = json.loads(before.read_text())
    else:
        if os.geteuid() != 0:
            print("scripts/bench-failover: this needs root", file=sys.stderr)
            return 1
        document, failures = measure(make_plan(arguments))
    if arguments.json:
        arguments.json.write_text(json.dumps(document, indent=1) + "\n")
    tell = failover_report.markdown if arguments.markdown else failover_report.text
    print(tell(document))
    if arguments.plots:
        for name, picture in failover_plot.pictures(document).items():
            (ROOT / "docs" / name).write_text(picture)
            print(f"written: docs/{name}")
    for failure in failures:
        print(f"scripts/bench-failover: {failure}", file=sys.stderr)
    return 1 if failures else 0


def main(words):
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        return work(parse(words))
    except (OSError, ValueError) as error:
        print(f"scripts/bench-failover: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
