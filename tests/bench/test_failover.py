"""The front end of scripts/bench-failover without a lab: plans, figures, tables, pictures."""

import json
import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import failover_bench  # noqa: E402
import failover_plot  # noqa: E402
import failover_report  # noqa: E402


def plan_of(*words):
    return failover_bench.make_plan(failover_bench.parse(words))


def run_of(implementation, scenario, outage_ms, probe="udp", interval=0.1):
    outages = []
    if outage_ms:
        gap = {"start_s": 0.003, "duration_ms": outage_ms, "before": "node1", "after": "node2"}
        outages = [{**gap, "lost": outage_ms * 5, "stalled": False}]
    return {
        "implementation": implementation,
        "scenario": scenario,
        "advert_int_s": interval,
        "probe": probe,
        "rate": 5000,
        "sent": 10_000,
        "lost": outage_ms * 5,
        "slow": 0,
        "late": 1,
        "not_sent": 0,
        "overflowed": 0,
        "outage_ms": outage_ms,
        "span_ms": outage_ms,
        "outages": outages,
        "changes": [{"at_s": 0.05, "before": "node1", "after": "node2"}],
    }


@pytest.fixture
def document():
    runs = [run_of("keepline", "stop", 0), run_of("keepalived", "stop", 60)]
    runs += [run_of("keepline", "machine", ms) for ms in (300, 280, 360)]
    runs += [run_of("keepalived", "machine", ms) for ms in (310, 600, 400)]
    runs += [run_of("keepline-nat", "server", 0), run_of("keepline-nat", "server", 700, "tcp")]
    runs += [run_of("keepline", "machine", 30, interval=0.01)]
    machine = {"cpu": "a <CPU>", "cores": 2, "kernel": "6", "commit": "abc", "date": "today"}
    return {"machine": machine, "left_out": ["something"], "runs": runs}


def test_plan_takes_only_what_fits():
    plan = plan_of()
    assert plan.intervals == [1.0, 0.1, 0.01]
    assert "server" in plan.cases("keepline-nat")
    assert "server" not in plan.cases("keepalived")
    assert plan_of("--scenario", "server", "--implementation", "keepalived").sites() == []


def test_quick_takes_about_two_minutes():
    assert 30 < plan_of("--quick").total_s() < 150
    assert plan_of("--quick", "--repeat", "1").total_s() < plan_of("--quick").total_s()


@pytest.mark.parametrize(
    "words", [["--repeat", "0"], ["--scenario", "flood"], ["--advert-int", "0.001"]]
)
def test_wrong_words(words):
    with pytest.raises(SystemExit) as ended:
        plan_of(*words)
    assert ended.value.code == 2


def test_percentiles_by_the_nearest_rank():
    assert failover_report.median_p99_max([3, 1, 2]) == (2, 3, 3)
    assert failover_report.median_p99_max(range(1, 201)) == (100.5, 198, 200)


def test_span_is_from_the_first_loss_to_the_last():
    outages = [{"start_s": 1.0, "duration_ms": 10}, {"start_s": 1.5, "duration_ms": 20}]
    assert failover_bench.span_ms(outages) == pytest.approx(520)
    assert failover_bench.span_ms([]) == 0


def test_times_count_from_the_action():
    report = dict.fromkeys(
        ("probe", "rate", "sent", "lost", "lost_there", "lost_back", "lost_unknown", "slow")
        + ("refused", "reset", "timeout", "duplicated", "not_sent", "late", "overflowed")
        + ("outage_ms", "outages_sum_ms", "outage_count", "servers", "round_trip_us", "late_us")
    )
    report["started_unix_ns"] = 5_000_000_000
    report["outages"] = [{"start_s": 0.75, "duration_ms": 1}]
    report["changes"] = [{"at_s": 0.25}]
    row = failover_bench.row_of(report, 5_500_000_000, scenario="stop")
    assert row["outages"][0]["start_s"] == pytest.approx(0.25)
    assert row["changes"][0]["at_s"] == pytest.approx(-0.25)


def test_table(document):
    rows = {tuple(row[:3]): row for row in failover_report.rows_of(document)}
    assert rows["machine", "0.1", "keepline"][3:7] == [3, "1,500 / 1,800 / 1,800",
                                                       "300 / 360 / 360", "0.75"]
    assert rows["stop", "0.1", "keepline"][6] == "0.00"
    assert rows["server (TCP)", "0.1", "keepline-nat"][5] == "700 / 700 / 700"
    text = failover_report.text(document)
    assert "left out: something" in text
    assert "sent over 1 ms late" in text
    assert "before anything was done: 0 of 10 runs." in text
    document["runs"][1]["outages"][0]["start_s"] = -0.2
    assert "done: 1 of 10 runs (keepalived 0.1 s)" in failover_report.text(document)
    assert failover_report.markdown(document).count("\n") == len(rows) + 1


def test_a_reference_of_nothing_has_no_ratio():
    mine, nothing = [run_of("keepline", "kill", 10)], [run_of("keepalived", "kill", 0)]
    assert failover_report.ratio(mine, nothing) == "10.0 ms : 0"
    assert failover_report.ratio(nothing, nothing) == "1.00"
    assert failover_report.ratio(mine, None) == "-"


def test_pictures(document):
    drawn = failover_plot.pictures(document)
    assert set(drawn) == {"failover-timeline.svg", "failover-distribution.svg"}
    for picture in drawn.values():
        root = xml.fromstring(picture)
        assert root.tag.endswith("svg")
        assert "a &lt;CPU&gt;" in picture
    assert "1,500 lost, 300 ms" in drawn["failover-timeline.svg"], "the median repetition"
    circles = drawn["failover-distribution.svg"].count("<circle")
    assert circles == sum(r["scenario"] != "server" for r in document["runs"])
    assert failover_plot.pictures({**document, "runs": []}) == {}


def test_results_of_before(document, tmp_path):
    file = tmp_path / "before.json"
    file.write_text(json.dumps(document))
    argv = [sys.executable, HERE / "failover_bench.py", "--from", file]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "300 / 360 / 360" in done.stdout
    missing = subprocess.run([*argv[:3], tmp_path / "none"], capture_output=True, timeout=60)
    assert missing.returncode == 1
