"""docs/failover-timeline.svg and docs/failover-distribution.svg, written by hand as plot.py's.

The timeline has one repetition of each, the median one; the distribution has all of them.
"""

import html
import math
import statistics

from failover_report import PER_CONNECTION, groups, machine_line
from failover_scenarios import SCENARIOS
from plot import nice_step

WIDTH = 760
LEFT, RIGHT, TOP = 120, 150, 64
LANE, PANEL_GAP = 22, 62
MARGIN_MS = 0.15  # of the longest gap, before and behind it
LEAST_MS = 20  # a panel shows at least so much
TIMELINE_SCENARIOS = ("stop", "preempt", "machine")
TIMELINE_INTERVAL_S = 0.1
SHADES = {  # light, dark
    "before": ("#0969da", "#58a6ff"),
    "after": ("#1a7f37", "#3fb950"),
    "gap": ("#cf222e", "#f85149"),
    "s1": ("#8250df", "#bc8cff"),
    "s0.1": ("#0969da", "#58a6ff"),
    "s0.01": ("#bc4c00", "#f0883e"),
    "other": ("#57606a", "#8b949e"),
}
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 }
  .small { font-size: 11px }
  .grid { stroke: #d0d7de; stroke-width: 1 }
  .median { stroke: #24292f; stroke-width: 1.5 }
"""
DARK = """
    text { fill: #c9d1d9 }
    .grid { stroke: #30363d }
    .median { stroke: #c9d1d9 }
"""


def css_class(name):
    return "f-" + name.replace(".", "-")


def style():
    light = "".join(f"  .{css_class(name)} {{ fill: {on[0]} }}\n" for name, on in SHADES.items())
    dark = "".join(f"    .{css_class(name)} {{ fill: {on[1]} }}\n" for name, on in SHADES.items())
    media = f"  @media (prefers-color-scheme: dark) {{{DARK}{dark}  }}\n"
    return f"<style>{STYLE}{light}{media}</style>"


def text(x, y, words, anchor="start", kind=""):
    known = f' class="{kind}"' if kind else ""
    where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f"<text{known} {where}>{html.escape(words)}</text>"


def box(x, y, width, height, shade):
    size = f'width="{max(width, 0):.1f}" height="{height}"'
    return f'<rect class="{css_class(shade)}" x="{x:.1f}" y="{y:.1f}" {size}/>'


def upright(x, top, bottom, kind="grid"):
    return f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>'


def document_of(title, below, height, parts):
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}">'
    words = [text(16, 20, title, kind="title"), text(16, 38, below, kind="small")]
    return "\n".join([head, style(), *words, *parts, "</svg>", ""])


# --- the timeline of one switchover ------------------------------------------------------------


class Switchover:
    """The longest outage of a run, or the moment at which another server answers."""

    def __init__(self, row):
        longest = max(row["outages"], key=lambda each: each["duration_ms"], default=None)
        change = row["changes"][0] if row["changes"] else None
        self.lost = row["lost"]
        self.gap_ms = longest["duration_ms"] if longest else 0
        self.start_ms = 1e3 * (longest["start_s"] if longest else change["at_s"] if change else 0)
        self.seen = longest is not None or change is not None

    def words(self):
        return f"{self.lost:,} lost, {self.gap_ms:.3g} ms" if self.lost else "nothing lost"


def median_row(rows):
    return sorted(rows, key=lambda row: row["outage_ms"])[(len(rows) - 1) // 2]


class Panel:
    """One scenario; each implementation is a lane."""

    def __init__(self, scenario, rows):
        self.scenario = scenario
        self.lanes = {name: Switchover(row) for name, row in rows.items()}
        # Daemons take their time to start: what comes before the switchover says nothing.
        self.from_switch = scenario == "preempt"
        self.starts = {name: self.start_of(lane) for name, lane in self.lanes.items()}
        ends = [self.starts[name] + lane.gap_ms for name, lane in self.lanes.items()]
        margin = max(MARGIN_MS * max(ends), LEAST_MS / 4)
        self.low, self.high = -margin, max(max(ends), LEAST_MS) + margin

    def start_of(self, lane):
        return 0 if self.from_switch else lane.start_ms

    def x(self, at_ms):
        return LEFT + (at_ms - self.low) / (self.high - self.low) * (WIDTH - LEFT - RIGHT)

    def height(self):
        return LANE * len(self.lanes)

    def draw(self, top):
        zero = "since the first lost packet" if self.from_switch else "since then"
        title = f"{SCENARIOS[self.scenario].words}; ms {zero}"
        parts = [text(LEFT, top - 8, title)]
        bottom = top + self.height()
        step = nice_step(self.high)
        for number in range(math.floor(self.high / step) + 1):
            x = self.x(number * step)
            parts.append(upright(x, top, bottom + 4))
            parts.append(text(x, bottom + 17, f"{number * step:g}", "middle", "small"))
        for number, (name, lane) in enumerate(self.lanes.items()):
            y = top + number * LANE + 4
            parts.append(text(LEFT - 8, y + 11, name, "end"))
            parts.append(text(WIDTH - RIGHT + 8, y + 11, lane.words()))
            if not lane.seen:
                parts.append(box(LEFT, y, WIDTH - RIGHT - LEFT, LANE - 8, "other"))
                continue
            start = self.x(self.starts[name])
            end = self.x(self.starts[name] + lane.gap_ms)
            parts.append(box(LEFT, y, start - LEFT, LANE - 8, "before"))
            parts.append(box(start, y + 4, end - start, LANE - 16, "gap"))
            parts.append(box(end, y, WIDTH - RIGHT - end, LANE - 8, "after"))
        return parts


def timeline(document):
    """None when none of its scenarios was measured."""
    rows = {}
    for (scenario, interval, implementation), probes in groups(document).items():
        if scenario in TIMELINE_SCENARIOS and interval == TIMELINE_INTERVAL_S and "udp" in probes:
            rows.setdefault(scenario, {})[implementation] = median_row(probes["udp"])
    panels = [Panel(name, rows[name]) for name in TIMELINE_SCENARIOS if name in rows]
    if not panels:
        return None
    parts, top = [], TOP + 24
    for panel in panels:
        parts += panel.draw(top)
        top += panel.height() + PANEL_GAP
    legend = (("before", "the old master answers"), ("gap", "nobody"), ("after", "the new one"))
    legend += (("other", "one of them"),)
    x = LEFT
    for shade, words in legend:
        parts += [box(x, top - 26, 12, 12, shade), text(x + 18, top - 16, words, kind="small")]
        x += 30 + 7 * len(words)
    title = f"One switchover each (the median one), adverts each {TIMELINE_INTERVAL_S:g} s"
    return document_of(title, machine_line(document["machine"]), top, parts)


# --- the distribution over the repetitions -----------------------------------------------------

DECADES = (0.1, 1, 10, 100, 1000, 10_000)
ZERO_WIDTH = 64  # where outages of nothing at all are


def x_of(outage_ms):
    if outage_ms <= 0:
        return LEFT + 70 + ZERO_WIDTH / 4
    low, high = math.log10(DECADES[0]), math.log10(DECADES[-1])
    part = (min(max(math.log10(outage_ms), low), high) - low) / (high - low)
    start = LEFT + 70 + ZERO_WIDTH
    return start + part * (WIDTH - 30 - start)


def dots(rows, y, interval):
    """Those of the same outage stand on each other."""
    shade = f"s{interval:g}" if f"s{interval:g}" in SHADES else "other"
    parts = []
    for number, row in enumerate(rows):
        dy = (number % 5 - 2) * 1.2
        spot = f'cx="{x_of(row["outage_ms"]):.1f}" cy="{y + dy:.1f}" r="3" fill-opacity="0.7"'
        parts.append(f'<circle class="{css_class(shade)}" {spot}/>')
    middle = x_of(statistics.median(row["outage_ms"] for row in rows))
    parts.append(upright(middle, y - 8, y + 8, "median"))
    return parts


def distribution(document):
    """None when nothing was measured."""
    found = {
        key: probes["udp"]
        for key, probes in groups(document).items()
        if "udp" in probes and key[0] != PER_CONNECTION
    }
    if not found:
        return None
    lanes = {}
    for (scenario, interval, implementation), rows in found.items():
        lanes.setdefault((scenario, implementation), {})[interval] = rows
    ordered = sorted(lanes, key=lambda key: list(SCENARIOS).index(key[0]))
    parts, y, last = [], TOP, None
    for key in ordered:
        if key[0] != last:
            y += 8
            parts.append(text(16, y + 4, key[0]))
            last = key[0]
        parts.append(text(LEFT + 62, y + 4, key[1], "end", "small"))
        for interval, rows in sorted(lanes[key].items()):
            parts += dots(rows, y, interval)
        y += LANE
    lines = [text(x_of(0), y + 8, "0", "middle", "small")]
    for decade in DECADES:
        lines.append(upright(x_of(decade), TOP - 6, y - 6))
        lines.append(text(x_of(decade), y + 8, f"{decade:g} ms", "middle", "small"))
    x = LEFT + 70
    for interval in sorted({interval for _, interval, _ in found}, reverse=True):
        shade = f"s{interval:g}" if f"s{interval:g}" in SHADES else "other"
        words = f"adverts each {interval:g} s"
        parts += [box(x, y + 22, 12, 12, shade), text(x + 18, y + 32, words, kind="small")]
        x += 150
    title = "Outage of each repetition; the upright line is the median"
    return document_of(title, machine_line(document["machine"]), y + 48, [*lines, *parts])


def pictures(document):
    """{file name in docs/: SVG}, as many as there are results for."""
    drawn = {
        "failover-timeline.svg": timeline(document),
        "failover-distribution.svg": distribution(document),
    }
    return {name: picture for name, picture in drawn.items() if picture}
