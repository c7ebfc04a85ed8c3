"""More of mutants.py's mistakes: in planned changes of master, and in reloads."""

from mutant_list import Mutant

MUTANTS = (
    Mutant(
        "no-linger",
        "vrrp/handover/departure.h",
        "end_us_ = now_us + kLinger_us;",
        "end_us_ = now_us;",
        "who hands over is gone when its successor speaks",
    ),
    Mutant(
        "preempted-gone-at-once",
        "vrrp/speaker_leave.cc",
        "  if (is_succeeded) return forward_on(index, now_us);",
        "  if (is_succeeded) return end_linger(index);",
        "who was preempted forwards nothing that is still on its way",
    ),
    Mutant(
        "no-lead",
        "vrrp/commit.cc",
        "preempted_ = preempts(now_us);",
        "preempted_ = false;",
        "who preempts speaks before it can be reached",
    ),
    Mutant(
        "lead-without-addresses",
        "vrrp/speaker.cc",
        "  machine.lead_on(now_us, kAnnounceRetry_us);\n",
        "",
        "who preempts speaks before its kernel has the addresses",
    ),
    Mutant(
        "announced-unready",
        "vrrp/speaker.cc",
        "is_unsent() && host_.may_announce(index);",
        "is_unsent();",
        "clients are led to where the kernel does not have the address",
    ),
    Mutant(
        "not-confirmed",
        "vrrp/speaker.cc",
        "      members_[i].announcer.confirm();\n",
        "",
        "who asked the predecessor meanwhile keeps its answer",
    ),
    Mutant(
        "goodbye-without-service",
        "vrrp/speaker_leave.cc",
        "host_.grant_lease(index, departure.end_us() + more_us - now_us);",
        "host_.revoke_lease(index);",
        "who leaves serves no more before anybody has succeeded it",
    ),
    Mutant(
        "goodbye-overtaken",
        "vrrp/instance.cc",
        "if (is_overtaken(advert, now_us)) return AdvertResult::kUsed;",
        "",
        "an advert that was overtaken undoes a goodbye",
    ),
    Mutant(
        "stands-by-ignored",
        "vrrp/instance.cc",
        "  stands_by_ = true;\n",
        "",
        "who has handed over preempts",
    ),
    Mutant(
        "take-back-ignored",
        "vrrp/instance.h",
        "void take_back() { stands_by_ = false; }",
        "void take_back() {}",
        "who may preempt again does not",
    ),
    Mutant(
        "half-a-group-taken-back",
        "vrrp/speaker_leave.cc",
        "with_groups(instances)) members_[index].machine.take_back();",
        "instances) members_[index].machine.take_back();",
        "one member of a group goes on standing by",
    ),
    Mutant(
        "nobody-stays",
        "vrrp/speaker_leave.cc",
        "member.leaving == Leaving::kToBackup && has_successor(index);",
        "member.leaving == Leaving::kToBackup;",
        "a failover without a successor costs the service",
    ),
    Mutant(
        "reload-shortens-start",
        "vrrp/instance.cc",
        "deadline_us_ += wait_us(shortened) - before_us;\n  const",
        "deadline_us_ += master_down_us(timer_base()) - before_us;\n  const",
        "a reload changes a wait by what it is not made of",
    ),
    Mutant(
        "succeeded-then-stopped",
        "vrrp/speaker_leave.cc",
        "if (serves_on || lingers) return;",
        "if (serves_on) return;",
        "who was just succeeded and stops drops what is on its way",
    ),
    Mutant(
        "nobody-led",
        "vrrp/speaker_leave.cc",
        "  if (members_[index].successor.is_known()) host_.lead_to_successor(index);\n",
        "",
        "who yields keeps its clients, though the better one does not know of them",
    ),
    Mutant(
        "led-to-the-last",
        "vrrp/handover/successor.h",
        "const bool is_worse = heard_ && !is_same && heard < *heard_;",
        "const bool is_worse = false;",
        "of several who succeed at once, clients are led to the last one heard",
    ),
    Mutant(
        "led-to-the-gone",
        "vrrp/handover/successor.h",
        "is_gone_ = is_gone_ || ",
        "is_gone_ = false && ",
        "clients are led to a successor who has left meanwhile",
    ),
    Mutant(
        "not-won-back",
        "vrrp/commit.cc",
        """      // A second master has been there, whom clients may have been led to.
      emit(StartGarpBurst{GarpReason::kLowerPriorityAdvert});
""",
        "",
        "whom a second master led away before it left is not won back",
    ),
)
