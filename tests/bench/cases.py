"""What is measured: the cases of a run, how long each takes, and the measurements themselves."""

import re
import statistics
from dataclasses import dataclass, replace

METHODS = ("nat", "fullnat", "dr", "tun")
FAMILIES = (4, 6)
RATES = {  # what the program is asked, and where it stands in the document
    "setups": "setups_per_second",
    "cookies": "cookies_per_second",
    "lives": "connections_per_second",
}
FLOWS = (1, 16384, 1_000_000, 10_000_000)
QUICK_FLOWS = FLOWS[:3]
TWO_WORKERS = (("nat", 4, 16384), ("nat", 4, 1_000_000), ("dr", 4, 16384), ("dr", 4, 1_000_000))
BYTES_PER_FLOW = 256  # at most: its connection, and room in the table
SET_UP_PER_S = 1_000_000  # connections that the program prepares per second, roughly
OVERHEAD_S = 0.15  # of a round: starting and stopping testpmd


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    method: str
    family: int
    flows: int
    workers: int = 1

    @property
    def name(self):
        workers = "1 worker" if self.workers == 1 else f"{self.workers} workers"
        return f"{self.method} ipv{self.family} {self.flows} flows {workers}"

    def words(self):
        return {
            "method": self.method,
            "family": self.family,
            "flows": self.flows,
            "workers": self.workers,
        }


@dataclass(frozen=True)
class Plan:
    """How much of everything."""

    cases: tuple
    rounds: int
    slice_s: float
    rate_s: float
    rates: tuple = ()  # questions to the program: "setups", "lives"...
    publishes: tuple = ()  # (services, servers of each)
    end_to_end: bool = False
    end_to_end_rounds: int = 3
    end_to_end_s: int = 4

    def only(self, pattern):
        """What of it has a name that the regular expression finds."""

        def wanted(name):
            return re.search(pattern, name) is not None

        return replace(
            self,
            cases=tuple(case for case in self.cases if wanted(case.name)),
            rates=tuple(rate for rate in self.rates if wanted(rate)),
            publishes=tuple(size for size in self.publishes if wanted(publish_name(size))),
            end_to_end=self.end_to_end and wanted("end-to-end"),
        )

    def end_to_end_alone(self):
        return replace(self, cases=(), rates=(), publishes=(), end_to_end=True)

    def with_rounds(self, rounds):
        return replace(self, rounds=rounds, end_to_end_rounds=rounds)

    def names(self):
        names = [case.name for case in self.cases] + list(self.rates)
        names += [publish_name(size) for size in self.publishes]
        return names + (["end-to-end"] if self.end_to_end else [])

    def needs_program(self):
        return bool(self.cases or self.rates or self.publishes)

    def case_s(self, case):
        return case.flows / SET_UP_PER_S + self.rounds * (2 * self.slice_s + OVERHEAD_S)

    def pipeline_s(self):
        rates_s = len(self.rates) * self.rounds * self.rate_s
        return sum(map(self.case_s, self.cases)) + rates_s + len(self.publishes)

    def memory_mb(self):
        """Of hugepages, for the connections, the packets and testpmd."""
        return memory_mb(max((case.flows for case in self.cases), default=0))


def memory_mb(flows):
    return 512 + flows * BYTES_PER_FLOW // (1 << 20)


def publish_name(size):
    return f"publish {size[0]} services x {size[1]} servers"


def all_cases(flows):
    return tuple(
        Case(method, family, count) for method in METHODS for family in FAMILIES for count in flows
    )


def full_plan(cores, available_mb):
    """Without the cases for which this machine is too small."""
    cases = all_cases(tuple(flows for flows in FLOWS if memory_mb(flows) <= available_mb))
    if cores >= 2:
        cases += tuple(Case(*words, workers=2) for words in TWO_WORKERS)
    publishes = ((100, 10), (10_000, 100))
    return Plan(cases, 5, 0.5, 1.0, ("setups", "cookies", "lives"), publishes, end_to_end=True)


def quick_plan():
    """Its end-to-end part is taken only with --end-to-end."""
    plan = Plan(all_cases(QUICK_FLOWS), 3, 0.25, 0.5, ("setups", "cookies", "lives"), ((100, 10),))
    return replace(plan, end_to_end_rounds=1, end_to_end_s=2)


def alternate(rounds, slices, progress=None):
    """Calls the slices in turn, `rounds` times; the results of each, as a list of lists.

    In turn, so that whatever else the machine does meets all of them alike.
    """
    results = [[] for _ in slices]
    for number in range(rounds):
        for result, take in zip(results, slices):
            result.append(take())
        if progress:
            progress((number + 1) / rounds)
    return results


class Measurement:
    """Runs a plan's pipeline part; what it finds is in `found`, in the words of --json."""

    def __init__(self, plan, program, testpmd, progress):
        self._plan = plan
        self._program = program
        self._testpmd = testpmd
        self._progress = progress
        self._reference = []
        self.found = {"results": [], "bytes_per_connection": {}, "publish": []}

    def run(self):
        for case in self._plan.cases:
            self._progress.step(case.name, self._plan.case_s(case))
            self.found["results"].append(self._measure(case))
        for question in self._plan.rates:
            self._progress.step(question, self._plan.rounds * self._plan.rate_s)
            self.found[RATES[question]] = self._rate(question)
        for services, servers in self._plan.publishes:
            self._progress.step(publish_name((services, servers)), 1)
            answer = self._program.ask("publish", "publish", services=services, servers=servers)
            row = {"services": services, "servers": servers, **answer}
            self.found["publish"].append(row)
        if self._reference:
            self.found["testpmd_ns_per_packet"] = statistics.median(self._reference)
        return self.found

    def _measure(self, case):
        ready = self._program.ask("prepare", "ready", self._progress.at, **case.words())
        self._note_bytes(case, ready)
        testpmd, ours = alternate(
            self._plan.rounds,
            (
                lambda: self._testpmd.slice(self._plan.slice_s),
                lambda: self._program.ask("run", "ran", seconds=self._plan.slice_s)[
                    "ns_per_packet"
                ],
            ),
            self._progress.at,
        )
        self._reference += testpmd
        ns = statistics.median(ours)
        return {
            **case.words(),
            "ns_per_packet": ns,
            "mpps": 1000 / ns,
            "ratio_to_testpmd": ns / statistics.median(testpmd),
            "spread": (max(ours) - min(ours)) / ns,
        }

    def _note_bytes(self, case, ready):
        """Of the case with the most flows: there the table's constant part counts least."""
        if "bytes_per_connection" in ready:
            self.found["bytes_per_connection"][str(case.family)] = ready["bytes_per_connection"]

    def _rate(self, question):
        def once():
            answer = self._program.ask(question, question, family=4, seconds=self._plan.rate_s)
            return answer["per_second"]

        (rates,) = alternate(self._plan.rounds, (once,), self._progress.at)
        return statistics.median(rates)
