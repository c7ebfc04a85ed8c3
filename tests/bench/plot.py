"""docs/performance.svg: ns per packet over the number of flows, beside testpmd.

Written by hand: a few lines and words need no library. Its colours follow the reader's choice of
light or dark.
"""

import html
import math

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 48, 56
LABEL_GAP = 15
SERIES = {  # method, family: light colour, dark colour, dashes
    ("nat", 4): ("#0969da", "#58a6ff", "none"),
    ("nat", 6): ("#0969da", "#58a6ff", "6 4"),
    ("fullnat", 4): ("#8250df", "#bc8cff", "none"),
    ("fullnat", 6): ("#8250df", "#bc8cff", "6 4"),
    ("dr", 4): ("#bc4c00", "#f0883e", "none"),
    ("dr", 6): ("#bc4c00", "#f0883e", "6 4"),
    ("tun", 4): ("#1a7f37", "#3fb950", "none"),
    ("tun", 6): ("#1a7f37", "#3fb950", "6 4"),
}
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 }
  .grid { stroke: #d0d7de; stroke-width: 1 }
  .line { fill: none; stroke-width: 2 }
  .testpmd { stroke: #57606a; stroke-width: 1.5; stroke-dasharray: 2 3 }
"""
DARK = """
    text { fill: #c9d1d9 }
    .grid { stroke: #30363d }
    .testpmd { stroke: #8b949e }
"""


def name_of(method, family):
    return f"{method.upper()} IPv{family}"


def css_class(method, family):
    return f"{method}{family}"


def style():
    light, dark = "", ""
    for (method, family), (on_light, on_dark, dashes) in SERIES.items():
        name = css_class(method, family)
        light += f"  .{name} {{ stroke: {on_light}; stroke-dasharray: {dashes} }}\n"
        light += f"  .dot-{name} {{ fill: {on_light} }}\n"
        dark += f"    .{name} {{ stroke: {on_dark} }}\n    .dot-{name} {{ fill: {on_dark} }}\n"
    media = f"  @media (prefers-color-scheme: dark) {{{DARK}{dark}  }}\n"
    return f"<style>{STYLE}{light}{media}</style>"


def nice_step(largest):
    """A round distance between about five grid lines."""
    rough = largest / 5
    power = 10 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)


def flows_name(flows):
    for unit, name in ((1_000_000, " M"), (1024, " k")):
        if flows >= unit:
            return f"{flows // unit}{name}"
    return str(flows)


class Axes:
    """Flows (logarithmic) to the right, ns per packet upwards from 0."""

    def __init__(self, flows, largest):
        self.flows = flows
        self.step = nice_step(largest)
        self.top = math.ceil(largest / self.step) * self.step
        self._log = [math.log10(flows[0]), math.log10(flows[-1])]

    def x(self, flows):
        low, high = self._log
        part = (math.log10(flows) - low) / (high - low) if high > low else 0.5
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        return HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM)

    def draw(self):
        parts = []
        for number in range(round(self.top / self.step) + 1):
            value = number * self.step
            y = self.y(value)
            parts.append(
                f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            )
            parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
        bottom = HEIGHT - BOTTOM + 20
        for flows in self.flows:
            x = self.x(flows)
            parts.append(
                f'<text x="{x:.1f}" y="{bottom}" text-anchor="middle">{flows_name(flows)}</text>'
            )
        middle = (LEFT + WIDTH - RIGHT) / 2
        parts.append(f'<text x="{middle}" y="{bottom + 22}" text-anchor="middle">flows</text>')
        return parts


def apart(labels):
    """Moves labels down until none covers another."""
    placed, below = [], -math.inf
    for y, words in sorted(labels):
        below = max(y, below + LABEL_GAP)
        placed.append((below, words))
    return placed


def svg(document):
    """The picture of the cases with one worker, or None if there are none."""
    rows = [row for row in document["results"] if row["workers"] == 1]
    if not rows:
        return None
    testpmd = document["testpmd_ns_per_packet"]
    largest = max([testpmd] + [row["ns_per_packet"] for row in rows])
    axes = Axes(sorted({row["flows"] for row in rows}), largest * 1.05)
    where = f"{document['machine']['cpu']}, commit {document['machine']['commit']}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">',
        style(),
        f'<text class="title" x="{LEFT}" y="20">ns per packet on one lcore</text>',
        f'<text x="{LEFT}" y="38">{html.escape(where)}</text>',
        *axes.draw(),
    ]
    labels = [(axes.y(testpmd), "testpmd macswap")]
    y = axes.y(testpmd)
    ends = f'x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"'
    parts.append(f'<line class="testpmd" {ends}/>')
    for method, family in SERIES:
        mine = [row for row in rows if (row["method"], row["family"]) == (method, family)]
        mine.sort(key=lambda row: row["flows"])
        if not mine:
            continue
        points = [(axes.x(row["flows"]), axes.y(row["ns_per_packet"])) for row in mine]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        name = css_class(method, family)
        parts.append(f'<polyline class="line {name}" points="{line}"/>')
        for x, y in points:
            parts.append(f'<circle class="dot-{name}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>')
        labels.append((points[-1][1], name_of(method, family)))
    for y, words in apart(labels):
        parts.append(f'<text x="{WIDTH - RIGHT + 10}" y="{y + 4:.1f}">{words}</text>')
    return "\n".join([*parts, "</svg>", ""])
