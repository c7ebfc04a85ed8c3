"""scripts/bench-failover at its smallest: a planned stop and a crash of a keepline that NATs."""

import json
import os
import subprocess
import sys
from pathlib import Path

from daemons import KEEPLINED

FRONT_END = Path(__file__).resolve().parents[1] / "bench" / "failover_bench.py"
ADVERT_S = 0.1
FIELDS = {"implementation", "scenario", "advert_int_s", "repetition", "probe", "sent", "lost"}
FIELDS |= {"outage_ms", "lost_there", "lost_back", "late", "not_sent", "outages", "changes"}


def test_stop_and_crash(tmp_path):
    """The crash costs what its backup needs to notice it, the stop (next to) nothing."""
    file = tmp_path / "failover.json"
    words = ["--quick", "--repeat", "1", "--implementation", "keepline-nat"]
    words += ["--scenario", "stop", "--scenario", "kill", "--json", file]
    environment = {**os.environ, "KEEPLINE_BUILD": str(KEEPLINED.parent)}
    argv = [sys.executable, "-B", FRONT_END, *words]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr
    assert "keepline-nat" in done.stdout
    document = json.loads(file.read_text())
    assert document["machine"]["cpu"]
    runs = {(run["scenario"], run["probe"]): run for run in document["runs"]}
    assert set(runs) == {(name, kind) for name in ("stop", "kill") for kind in ("udp", "tcp")}
    for run in runs.values():
        assert FIELDS <= set(run)
        assert run["implementation"] == "keepline-nat" and run["advert_int_s"] == ADVERT_S
        assert run["sent"] > 0
    crash, stop = runs["kill", "udp"], runs["stop", "udp"]
    # Two adverts at least must be missed before anybody can tell that there was a crash.
    assert crash["outage_ms"] > 2 * ADVERT_S * 1e3
    assert crash["lost"] > 0
    assert stop["outage_ms"] < ADVERT_S * 1e3
