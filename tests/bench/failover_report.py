"""The failover runs as a table: what was lost, how long, and beside keepalived."""

import math
import statistics

from failover_scenarios import SCENARIOS
from failover_site import SITES
from report import table

REFERENCE = "keepalived"
PER_CONNECTION = "server"  # where one flow says nothing: it has one server for all its life
KEY = ("scenario", "advert_int_s", "implementation")


def median_p99_max(values):
    """By the nearest rank: with fewer than 100 values p99 is the largest."""
    ordered = sorted(values)
    rank = math.ceil(0.99 * len(ordered)) - 1
    return statistics.median(ordered), ordered[rank], ordered[-1]


def short(number):
    """Three digits or so; counts as they are."""
    is_whole = number >= 100 or number == int(number)
    return f"{number:,.0f}" if is_whole else f"{number:.3g}"


def three(values):
    if not values:
        return "-"
    return " / ".join(short(value) for value in median_p99_max(values))


def groups(document):
    """{(scenario, interval, implementation): {probe: rows}} in the order of the scenarios."""
    found = {}
    for row in document["runs"]:
        key = tuple(row[word] for word in KEY)
        found.setdefault(key, {}).setdefault(row["probe"], []).append(row)
    names = list(SCENARIOS)

    def rank(item):
        scenario, interval, implementation = item[0]
        return names.index(scenario), -interval, list(SITES).index(implementation)

    return dict(sorted(found.items(), key=rank))


def ratio(mine, reference):
    """Of the median outages, mine to keepalived's."""
    if not reference:
        return "-"
    own, other = (statistics.median(row["outage_ms"] for row in rows) for rows in (mine, reference))
    if other == 0:
        return "1.00" if own == 0 else f"{own:.1f} ms : 0"
    return f"{own / other:.2f}"


def outages_of(rows):
    return [row["outage_ms"] for row in rows]


HEAD = ["scenario", "advert s", "implementation", "runs", "lost median/p99/max"]
HEAD += ["outage ms median/p99/max", "to keepalived", "TCP failed", "TCP slow"]


def rows_of(document):
    found = groups(document)
    rows = []
    for (scenario, interval, implementation), probes in found.items():
        udp, tcp = probes.get("udp", []), probes.get("tcp", [])
        reference = found.get((scenario, interval, REFERENCE), {}).get("udp")
        per_connection = scenario == PER_CONNECTION
        rows.append(
            [
                f"{scenario} (TCP)" if per_connection else scenario,
                f"{interval:g}",
                implementation,
                len(udp),
                three([row["lost"] + row["slow"] for row in (tcp if per_connection else udp)]),
                three([row["span_ms"] for row in tcp] if per_connection else outages_of(udp)),
                "" if implementation == REFERENCE else ratio(udp, reference),
                three([row["lost"] for row in tcp]),
                three([row["slow"] for row in tcp]),
            ]
        )
    return rows


def own_troubles(document):
    """What the probe did not send, sent late or dropped itself."""
    udp = [row for row in document["runs"] if row["probe"] == "udp"]
    sent = sum(row["sent"] for row in udp)
    words = []
    for key, name in (
        ("late", "sent over 1 ms late"),
        ("not_sent", "not sent at all, and not counted"),
        ("overflowed", "answers dropped by the probe's own socket"),
    ):
        count = sum(row[key] for row in udp)
        words.append(f"{count / max(sent, 1):.2%} {name}")
    return f"Of {sent:,} datagrams the probe's own doing: " + ", ".join(words) + "."


def disturbed(document):
    """Runs of datagrams with an outage or a change of the master that was over before anything
    was done: a busy machine, or adverts too fast for it.
    """
    udp = [row for row in document["runs"] if row["probe"] == "udp"]

    def too_early(row):
        ends = [each["start_s"] + each["duration_ms"] / 1e3 for each in row["outages"]]
        return any(end < 0 for end in [*ends, *(each["at_s"] for each in row["changes"])])

    return [row for row in udp if too_early(row)], udp


def disturbed_line(document):
    early, udp = disturbed(document)
    names = sorted({f"{row['implementation']} {row['advert_int_s']:g} s" for row in early})
    words = f"Switched over before anything was done: {len(early)} of {len(udp)} runs"
    return words + (f" ({', '.join(names)})." if names else ".")


def machine_line(machine):
    words = f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}"
    return f"{words}, commit {machine['commit']}, {machine['date']}"


def text(document):
    if not document["runs"]:
        return "nothing was measured"
    rates = {row["probe"]: row["rate"] for row in document["runs"]}
    lines = [machine_line(document["machine"])]
    lines.append(f"probe: {rates.get('udp', 0):g} datagrams and {rates.get('tcp', 0):g} new "
                 "connections per second")
    lines += ["", table(HEAD, rows_of(document)), "", own_troubles(document)]
    lines.append(disturbed_line(document))
    lines += [f"left out: {words}" for words in document["left_out"]]
    return "\n".join(lines)


def markdown(document):
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows_of(document)]
    return "\n".join(lines)
