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
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("vrrp", "vrrp/handover", "dataplane/net", "tests/sim")
FLAGS = ("-std=c++20", "-O1", "-pthread", "-I.", "-DKEEPLINE_VERSION=\"0\"")


class Mutant(NamedTuple):
    name: str
    path: str
    old: str
    new: str
    breaks: str


MUTANTS = (
    Mutant(
        "lease-too-long",
        "vrrp/timers.h",
        "if (base.down_adverts > 1) return whole_us;",
        "if (base.down_adverts > 1) return whole_us + base.interval_us;",
        "the lease outlives a peer's master-down interval",
    ),
    Mutant(
        "pause-unnoticed",
        "vrrp/instance.cc",
        "gap_us > pause_limit_us(timer_base(), listening())",
        "gap_us > 1000 * pause_limit_us(timer_base(), listening())",
        "a backup that was stopped takes over without listening",
    ),
    Mutant(
        "lapse-unnoticed",
        "vrrp/instance.cc",
        "state_ == State::kMaster && !lease_.valid(now_us)",
        "state_ == State::kMaster && !lease_.held()",
        "a master that was stopped speaks on",
    ),
    Mutant(
        "lapse-no-listening",
        "vrrp/step.cc",
        "S::kBackup, F::kListen, R::kTimeJump",
        "S::kBackup, F::kNone, R::kTimeJump",
        "a stale priority 0 in the queue shortens the wait",
    ),
    Mutant(
        "listening-lost",
        "vrrp/commit.cc",
        "&& listening()) must_listen_ = true;",
        "&& listening()) must_listen_ = false;",
        "a fault in between ends the listening",
    ),
    Mutant(
        "release-ignored",
        "vrrp/commit.cc",
        "succession_ = true;\n      return;",
        "deadline_us_ = now_us + master_down_us(timer_base());\n      return;",
        "priority 0 makes no successor",
    ),
    Mutant(
        "release-unsaid",
        "vrrp/commit.cc",
        "emit(SendAdvert{kReleasePriority});",
        "",
        "a master at fault leaves without priority 0",
    ),
    Mutant(
        "tie-reversed",
        "vrrp/instance.cc",
        "advert.source > config_.source",
        "advert.source < config_.source",
        "the lower address wins a tie",
    ),
    Mutant(
        "never-yields",
        "vrrp/step.cc",
        "S::kBackup, F::kYield, R::kHigherPriority",
        "S::kMaster, F::kNone, R::kNone",
        "a master does not yield to a better one",
    ),
    Mutant(
        "equal-preempts",
        "vrrp/instance.cc",
        "advert.priority >= priority_",
        "advert.priority > priority_",
        "a backup does not respect an equal priority",
    ),
    Mutant(
        "nopreempt-ignored",
        "vrrp/instance.cc",
        "if (config_.never_preempts()) return Event::kHeardMaster;",
        "",
        "nopreempt preempts",
    ),
    Mutant(
        "never-preempts",
        "vrrp/instance.cc",
        "if (config_.never_preempts())",
        "if (config_.may_yield())",
        "nobody preempts",
    ),
    Mutant(
        "preempt-delay-ignored",
        "vrrp/instance.cc",
        "if (delay_us == 0) return",
        "if (delay_us >= 0) return",
        "preempt_delay does not delay",
    ),
    Mutant(
        "preempt-delay-kept",
        "vrrp/commit.cc",
        "  preempt_after_us_.reset();",
        "",
        "preempt_delay of an earlier BACKUP goes on",
    ),
    Mutant(
        "preempt-delay-not-cancelled",
        "vrrp/instance.cc",
        "    preempt_after_us_.reset();",
        "",
        "a better master does not cancel preempt_delay",
    ),
    Mutant(
        "group-stays",
        "vrrp/sync_group.cc",
        "if (masters > 0) {",
        "if (masters > 1) {",
        "members do not follow one that left",
    ),
    Mutant(
        "group-unasked",
        "vrrp/sync_group.cc",
        "const bool agreed = std::all_of(",
        "const bool agreed = std::any_of(",
        "one member's wish makes all master",
    ),
    Mutant(
        "group-fault-alone",
        "vrrp/sync_group.cc",
        "> 0;\n    if (wanted",
        "> 1;\n    if (wanted",
        "a fault of one member does not take the others along",
    ),
    Mutant(
        "skew-of-version-2",
        "vrrp/timers.h",
        "base.version == Version::k2 ? kSecond_us : base.interval_us",
        "base.version == Version::k3 ? kSecond_us : base.interval_us",
        "the skew has the other version's unit",
    ),
    Mutant(
        "skew-forgotten",
        "vrrp/timers.h",
        "return base.down_adverts * base.interval_us + skew_us(base);",
        "return base.down_adverts * base.interval_us;",
        "all backups take over at once",
    ),
    Mutant(
        "interval-not-learned",
        "vrrp/instance.cc",
        "if (config_.version == Version::k3) master_interval_us_",
        "if (config_.version == Version::k2) master_interval_us_",
        "version 3 does not learn the master's interval",
    ),
    Mutant(
        "wait-shortened",
        "vrrp/instance.cc",
        "std::max(least_us, now_us + master_down_us(timer_base()))",
        "now_us + master_down_us(timer_base())",
        "a worse master's last word brings its short interval",
    ),
    Mutant(
        "start-too-short",
        "vrrp/timers.h",
        "return base.interval_us + skew_us(best);",
        "return skew_us(best);",
        "`state MASTER` does not wait for one advert",
    ),
    Mutant(
        "start-moved",
        "vrrp/instance.cc",
        "state_ == State::kBackup && !is_start",
        "state_ == State::kBackup",
        "a higher priority shortens the shortened start",
    ),
    Mutant(
        "owner-waits",
        "vrrp/commit.cc",
        "    deadline_us_ = now_us;",
        "",
        "a grouped owner waits like anybody",
    ),
    Mutant(
        "no-revoke",
        "vrrp/commit.cc",
        "  emit(RevokeLease{});",
        "",
        "VIPs are released under a lease",
    ),
    Mutant(
        "no-release",
        "vrrp/commit.cc",
        "  emit(ReleaseVips{});",
        "",
        "a former master keeps the addresses",
    ),
    Mutant(
        "announcer-runs-on",
        "vrrp/speaker.cc",
        "member.announcer.stop();",
        "",
        "a former master goes on announcing",
    ),
    Mutant(
        "lower-unanswered",
        "vrrp/commit.cc",
        "      emit(StartGarpBurst{GarpReason::kLowerPriorityAdvert});",
        "",
        "a master does not win clients back",
    ),
    Mutant(
        "departure-without-end",
        "vrrp/handover/departure.h",
        "now_us + longest_skew_us(config) + kSlack_us",
        "now_us + longest_skew_us(config) + 100 * kSlack_us",
        "a leaving master serves on without a successor",
    ),
    Mutant(
        "departure-answers-on",
        "vrrp/speaker.cc",
        "host_.mute(index);",
        "(void)index;",
        "a leaving master answers beside its successor",
    ),
    Mutant(
        "departure-recovers",
        "vrrp/speaker.cc",
        "if (leaving_ && !present) return false;",
        "",
        "a leaving owner becomes master again",
    ),
    Mutant(
        "group-lease-broken",
        "vrrp/speaker.cc",
        "if (members_[index].group == kNoGroup) return;",
        "return;",
        "a member speaks on when another one's lease broke",
    ),
    Mutant(
        "first-lease-unheard",
        "vrrp/speaker.cc",
        "if (member.advert_failed) member.machine.handle_unsent(now_us);",
        "",
        "a new master serves although its first advert has not left",
    ),
    Mutant(
        "unsent-renews",
        "vrrp/instance.cc",
        "lease_.take_back();",
        "",
        "adverts that do not leave keep a master in office",
    ),
    Mutant(
        "unsent-granted",
        "vrrp/speaker.cc",
        "if (!member.advert_failed) host_.grant_lease(",
        "host_.grant_lease(",
        "the dataplane answers on the strength of an advert that has not left",
    ),
    Mutant(
        "unsent-no-listening",
        "vrrp/step.cc",
        "S::kBackup, F::kListen, R::kUnsent",
        "S::kBackup, F::kNone, R::kUnsent",
        "a master that nobody heard does not listen before it tries again",
    ),
    Mutant(
        "unsigned-taken",
        "vrrp/advert.cc",
        "return hmac.mode == HmacMode::kEnforce ? std::optional(Reject::kTrailerMissing)",
        "return hmac.mode != HmacMode::kEnforce ? std::optional(Reject::kTrailerMissing)",
        "mode enforce takes adverts without a trailer",
    ),
    Mutant(
        "digest-unchecked",
        "vrrp/advert.cc",
        "return is_authentic(*advert.trailer, *key) ?",
        "return key != nullptr ?",
        "any trailer will do",
    ),
    Mutant(
        "priority-uncovered",
        "vrrp/hmac_trailer.cc",
        "std::memset(&bytes[sizeof pseudo + kChecksumAt], 0, sizeof(net::be16));",
        "std::memset(&bytes[sizeof pseudo + 2], 0, 6);",
        "the digest does not cover the priority",
    ),
    Mutant(
        "number-uncovered",
        "vrrp/hmac_trailer.cc",
        "std::memset(&bytes[bytes.size() - sizeof(Digest)], 0, sizeof(Digest));",
        "std::memset(&bytes[bytes.size() - sizeof(Digest) - 8], 0, sizeof(Digest) + 8);",
        "an old advert can be given a new number",
    ),
    Mutant(
        "replays-taken",
        "vrrp/hmac_sequence.cc",
        "if (counts && !is_after(number, mark->number)) return Verdict::kReplay;",
        "",
        "an advert has its effect every time that it is heard",
    ),
    Mutant(
        "same-number-taken",
        "vrrp/hmac_sequence.cc",
        "if (counts && !is_after(number, mark->number))",
        "if (counts && is_after(mark->number, number))",
        "the last advert can be played again",
    ),
    Mutant(
        "stale-taken",
        "vrrp/hmac_sequence.cc",
        "if (by_time && !is_in_window(number, settings, wall_us)) return Verdict::kStale;",
        "",
        "an old advert is news to who has just started",
    ),
    Mutant(
        "one-mark-for-all",
        "vrrp/hmac_sequence.cc",
        "return mark.sender == sender;",
        "return mark.sender.is_v6() == sender.is_v6();",
        "a node with a slow clock is not heard beside another one",
    ),
    Mutant(
        "leaving-believes-all",
        "vrrp/speaker.cc",
        "members_[index].machine.examine(advert, host_.wall_us())",
        "advert.vrid == 0",
        "a leaving master falls silent at a forged advert",
    ),
    Mutant(
        "owner-listens",
        "vrrp/instance.cc",
        "if (config_.is_owner() && config_.owner_ignore_adverts) return AdvertResult::kIgnored;",
        "",
        "an owner that is to ignore adverts does not",
    ),
    Mutant(
        "owners-tie-kept",
        "vrrp/instance.cc",
        "(advert.priority == priority_ && advert.source > config_.source);",
        "(advert.priority == priority_ && !config_.is_owner() && advert.source > config_.source);",
        "of two owners none yields",
    ),
)


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
    missed = found = 0
    with tempfile.TemporaryDirectory(prefix="keepline-mutants-") as folder:
        tree = Tree(folder)
        sound = tree.build(tree.folder / "sound", tree.sources)
        print(f"{'mutant':28} {'found by':14} {'schedules':>9}  what it breaks")
        for mutant in MUTANTS:
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
