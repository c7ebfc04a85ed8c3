"""The front end of scripts/bench, with stand-ins for the programs that it runs."""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import bench  # noqa: E402
import cases  # noqa: E402
import plot  # noqa: E402
import report  # noqa: E402
from child import BenchError, Child, Forwarding  # noqa: E402
from machine import Hugepages  # noqa: E402
from progress import Progress  # noqa: E402
from testpmd import Testpmd  # noqa: E402

FORWARDING = [sys.executable, str(HERE / "fake_forwarding.py")]
TESTPMD = [sys.executable, str(HERE / "fake_testpmd.py")]
RATIO = 4  # of what the two stand-ins say


def command(*words, forwarding=()):
    argv = [sys.executable, HERE / "bench.py", "--program", shlex.join([*FORWARDING, *forwarding])]
    return [*argv, "--testpmd", shlex.join(TESTPMD), *words]


def run(*words, forwarding=()):
    argv = command(*words, forwarding=forwarding)
    return subprocess.run(argv, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """A short run: what it printed, and what it wrote."""
    file = tmp_path_factory.mktemp("bench") / "results.json"
    done = run("--quick", "--rounds", "1", "--json", file)
    assert done.returncode == 0, done.stderr
    return done, json.loads(file.read_text()), file


def test_json(quick):
    _, document, _ = quick
    keys = {(row["method"], row["family"], row["flows"]) for row in document["results"]}
    flows = (1, 16384, 1_000_000)
    assert keys == {(m, f, n) for m in cases.METHODS for f in (4, 6) for n in flows}
    for row in document["results"]:
        assert row["ns_per_packet"] == 40
        assert row["mpps"] == 25
        assert row["ratio_to_testpmd"] == pytest.approx(RATIO, rel=0.1)
        assert row["workers"] == 1
    assert document["testpmd_ns_per_packet"] == pytest.approx(10, rel=0.1)
    assert document["setups_per_second"] == 2_000_000
    assert document["cookies_per_second"] == 9_000_000
    assert document["connections_per_second"] == 500_000
    assert document["bytes_per_connection"] == {"4": 84, "6": 86}
    assert document["publish"][0]["builder_us"] == 1500
    assert document["publish"][0]["ring_us"] == 800
    assert document["end_to_end"] == []
    machine = {"cpu", "cores", "kernel", "hugepages", "date", "commit"}
    assert set(document["machine"]) == machine


def test_table(quick):
    done, _, _ = quick
    row = next(line for line in done.stdout.splitlines() if line.startswith("dr ipv6"))
    assert row.split()[:5] == ["dr", "ipv6", "1", "40.0", "25.00"]
    assert "testpmd macswap" in done.stdout
    assert "without hugepages" in done.stdout
    assert "500,000  per second" in done.stdout
    assert "nat ipv4 16384 flows 1 worker" in done.stderr, "progress as lines: no terminal"


def test_results_of_before_are_compared_and_drawn(quick, tmp_path):
    _, document, file = quick
    document["results"][0]["ratio_to_testpmd"] /= 2
    document["setups_per_second"] *= 1.05
    before, picture = tmp_path / "before.json", tmp_path / "picture.svg"
    before.write_text(json.dumps(document))
    done = run("--from", file, "--compare", before, "--plot", picture)
    assert done.returncode == 0, done.stderr
    assert "slower by more than 10%: nat ipv4, 1 flows (+100.0%)" in done.stdout
    assert done.stdout.count("slower by more than") == 1
    assert picture.read_text().count("<polyline") == 2 * len(cases.METHODS)


def test_comparison_is_of_ratios():
    row = {"method": "nat", "family": 4, "flows": 1, "workers": 1}
    before = {"results": [{**row, "ns_per_packet": 10, "ratio_to_testpmd": 2}], "end_to_end": []}
    after = {"results": [{**row, "ns_per_packet": 99, "ratio_to_testpmd": 2}], "end_to_end": []}
    before["setups_per_second"], after["setups_per_second"] = 100, 50
    table, slower = report.comparison(before, after)
    assert "+0.0%" in table
    assert slower == ["setups per second (+100.0%)"]
    before["testpmd_ns_per_packet"], after["testpmd_ns_per_packet"] = 10, 20
    assert report.comparison(before, after)[1] == [], "the machine is half as fast"


def test_end_to_end_is_compared_by_the_ratio_to_nftables():
    def document(ours, theirs):
        keys = ("connections_per_second", "requests_per_second", "gbit_per_second")
        rows = {"keepline": ours, "nftables": theirs}
        rows = [{"balancer": name, **dict.fromkeys(keys, rows[name])} for name in rows]
        return {"results": [], "end_to_end": rows}

    assert report.comparison(document(10, 20), document(5, 10))[1] == []
    _, slower = report.comparison(document(10, 20), document(5, 20))
    assert slower[0] == "end to end, connections per second (+100.0%)"


def test_end_to_end_table_has_our_part():
    ours = {"connections_per_second": 50, "requests_per_second": 300, "gbit_per_second": 2}
    theirs = {"connections_per_second": 100, "requests_per_second": 100, "gbit_per_second": 2.5}
    rows = [{"balancer": "keepline", "errors": 0, **ours}]
    rows += [{"balancer": "nftables", "errors": 7, **theirs}]
    shown = report.end_to_end_table(rows).splitlines()[-1].split()
    assert shown == ["nftables", "100", "0.50", "100", "3.00", "2.50", "0.80", "7"]


def test_slices_alternate_and_medians_count():
    order, ours = [], iter([50.0, 1000.0, 40.0])

    class Program:
        def ask(self, question, answer, progress=None, **words):
            order.append(question)
            return {"ns_per_packet": next(ours)} if question == "run" else {}

    class Reference:
        def slice(self, seconds):
            order.append("testpmd")
            return [10.0, 10.0, 10.0, 900.0][order.count("testpmd")]

    plan = cases.Plan((cases.Case("nat", 4, 1),), rounds=3, slice_s=0.1, rate_s=0.1)
    progress = Progress(1, open(os.devnull, "w"))
    found = cases.Measurement(plan, Program(), Reference(), progress).run()
    assert order == ["prepare"] + ["testpmd", "run"] * 3
    (row,) = found["results"]
    assert (row["ns_per_packet"], row["ratio_to_testpmd"]) == (50, 5)
    assert row["spread"] == pytest.approx(960 / 50)


def test_only_and_list():
    done = run("--quick", "--list", "--only", "dr ipv6|lives")
    names = [f"dr ipv6 {flows} flows 1 worker" for flows in (1, 16384, 1000000)]
    assert done.stdout.splitlines() == [*names, "lives"]
    assert run("--only", "no such name").returncode == 2
    assert "end-to-end" in run("--list").stdout


@pytest.mark.parametrize(
    "forwarding, said",
    [
        (("--fail", "prepare"), ["no memory for 10000000 connections"]),
        (("--die", "run"), ["ended with exit code 3; it said last:", "out of cheese"]),
    ],
)
def test_a_failure_is_readable(forwarding, said):
    only = ("--only", "nat ipv4 1 flows", "--rounds", "1")
    done = run("--quick", *only, forwarding=forwarding)
    assert done.returncode == 1
    assert [text for text in said if text not in done.stderr] == []
    assert "Traceback" not in done.stderr


def test_unreadable_files():
    done = run("--compare", "/nowhere.json")
    assert done.returncode == 1
    assert "/nowhere.json" in done.stderr


def test_a_program_that_is_missing_or_silent():
    with pytest.raises(BenchError, match="cannot be started"):
        Child(["/nowhere"], "it")
    with Child(["cat"], "it") as silent, pytest.raises(BenchError, match="said nothing"):
        silent.line(timeout=0.05)
    with pytest.raises(BenchError, match="ended with exit code 1"):
        Forwarding(["false"])


def test_testpmd_counts_only_between_start_and_stop():
    with Testpmd(False, TESTPMD) as testpmd:
        slices = [testpmd.slice(0.05), testpmd.slice(0.1)]
    assert slices == pytest.approx([10, 10], rel=0.1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_its_children(number):
    argv = command("--quick", "--rounds", "1")
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as started:
        while b"nat ipv4 16384" not in started.stderr.readline():
            assert started.poll() is None
        children = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text().split()
        started.send_signal(number)
        assert started.wait(10) == 128 + number
    assert len(children) == 2
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


def test_hugepages_are_raised_where_memory_allows_and_put_back(tmp_path):
    file = tmp_path / "nr_hugepages"
    file.write_text("3\n")
    with pytest.raises(KeyboardInterrupt), Hugepages(1000, file, available=lambda: 4000):
        assert file.read_text() == "500\n"
        raise KeyboardInterrupt
    assert file.read_text() == "3\n"
    with Hugepages(1000, file, available=lambda: 1500):
        assert file.read_text() == "3\n", "there would be too little left"
    with Hugepages(4, file, available=lambda: 4000):
        assert file.read_text() == "3\n", "there are more already"


def test_progress_bar():
    class Terminal:
        text = ""

        def isatty(self):
            return True

        def write(self, text):
            self.text += text

        def flush(self):
            pass

    terminal, times = Terminal(), iter(range(0, 1000, 10))
    progress = Progress(100, terminal, now=lambda: next(times))
    progress.step("first", 50)
    progress.step("second", 50)
    progress.at(0.5)
    assert "0% 1:40 left  first" in terminal.text
    assert "75% 0:10 left  second" in terminal.text
    progress.end()
    assert terminal.text.endswith("\r")


def test_plan_fits_the_machine():
    large, small = cases.full_plan(2, 16_000), cases.full_plan(1, 2_000)
    assert {case.workers for case in large.cases} == {1, 2}
    assert {case.workers for case in small.cases} == {1}
    assert max(case.flows for case in large.cases) == 10_000_000
    assert max(case.flows for case in small.cases) == 1_000_000
    plan = bench.make_plan(bench.parse(["--end-to-end", "--rounds", "2"]))
    assert (plan.names(), plan.end_to_end_rounds) == (["end-to-end"], 2)
    assert plan.needs_program() is False


def test_plot_follows_light_and_dark(quick):
    picture = plot.svg(quick[1])
    assert "prefers-color-scheme: dark" in picture
    for word in ("NAT IPv4", "DR IPv6", "testpmd macswap"):
        assert word in picture
