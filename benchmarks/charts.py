"""A chart of what the benchmark found: how far everybody is from the floor."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.amounts import amount, times
from benchmarks.results import RETINUE, Row

WIDTH, MARGIN, COLUMNS = 880.0, 24.0, 2
PANEL = (WIDTH - 3 * MARGIN) / COLUMNS
TOP = 84.0

BAR, STEP, HEAD = 11.0, 17.0, 38.0
NAMES, VALUES = 164.0, 90.0

#: Light first, and what differs on dark. Nothing is told by colour alone: all that is drawn has its name beside it.
STYLE = """
text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; fill: #1f2937 }
.paper { fill: #ffffff }
.title { font-size: 18px; font-weight: 650 }
.head { font-size: 13px; font-weight: 650 }
.quiet { fill: #57606a }
.small { font-size: 11px } .tiny { font-size: 9.5px }
.over { paint-order: stroke; stroke: #ffffff; stroke-width: 3px; stroke-linejoin: round }
.strong { font-weight: 650 } .second { fill: #57606a } .ours .second { fill: #0b57d0; font-weight: 400 }
.ours { fill: #0b57d0; font-weight: 650 }
.grid { stroke: #e2e6ea; stroke-width: 1 }
.floor-line { stroke: #57606a; stroke-width: 1 }
.bar { fill: #a9b4c0 } .bar.floor { fill: #57606a } .bar.ours { fill: #0b57d0 } .bar.every { fill: #7aa7ee }
.goal { stroke: #b3261e; stroke-width: 2 } .around { stroke: #ffffff; stroke-width: 5 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .over { stroke: #0d1117 } .second { fill: #9da7b3 } .ours .second { fill: #82b1ff }
  .paper { fill: #0d1117 } .quiet { fill: #9da7b3 } text.ours { fill: #82b1ff }
  .grid { stroke: #262c36 } .floor-line { stroke: #9da7b3 }
  .bar { fill: #525d6b } .bar.floor { fill: #9da7b3 } .bar.ours { fill: #5c9bff } .bar.every { fill: #35598f }
  .goal { stroke: #ff8a80 } .around { stroke: #0d1117 }
}
"""


@dataclass(frozen=True)
class Scale:
    """A logarithmic axis: from which value, to which, and where they are drawn."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return where *value* is drawn."""
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.end - self.start)

    @property
    def decades(self) -> list[float]:
        """1, 10, 100 and so on, as far as the axis goes."""
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        return [10.0**power for power in range(first, last + 1)]


def _kind(competitor: str, *, is_floor: bool) -> str:
    """Return how a competitor is drawn."""
    if is_floor:
        return "floor"
    return "ours" if competitor == RETINUE else "every" if competitor.startswith(RETINUE) else ""


def ratio_chart(rows: Sequence[Row], title: str) -> str:
    """Draw a panel for each operation, with a bar for each competitor: how many times as long as the floor it takes."""
    rows, title = [row for row in rows if row.figures], f"{title}: how far from the floor"
    ratios = [row.over_floor(figure) for row in rows for figure in row.figures]
    low, high = min(1.0, *ratios) * 0.85, max(10.0, *ratios) * 1.05
    about = (
        "How many times as long as the bare driver with hand-written SQL (which is 1), on",
        "a logarithmic scale; beside it the median. The red mark is the goal for Retinue.",
    )
    parts = [_text(MARGIN, 36, title, "title")]
    parts += [_text(MARGIN, 56 + 16 * number, words, "quiet") for number, words in enumerate(about)]
    height = TOP
    for start in range(0, len(rows), COLUMNS):
        side_by_side = rows[start : start + COLUMNS]
        for column, row in enumerate(side_by_side):
            left = MARGIN + column * (PANEL + MARGIN)
            parts += _ratio_panel(row, left, height, Scale(low, high, left + NAMES, left + PANEL - VALUES))
        height += max(HEAD + STEP * len(row.figures) for row in side_by_side) + 18
    sentences = [
        f"{row.operation}: " + ", ".join(f"{one.competitor} {times(row.over_floor(one))}" for one in row.figures)
        for row in rows
    ]
    return _document(WIDTH, height, title, ". ".join(sentences) + ".", parts)


def _ratio_panel(row: Row, left: float, top: float, scale: Scale) -> Iterator[str]:
    yield _text(left, top + 14, row.operation, "head")
    first, last = top + HEAD - 4, top + HEAD + STEP * len(row.figures) - 4
    for decade in scale.decades:
        yield _line(scale(decade), first, scale(decade), last, "floor-line" if decade == 1 else "grid")
        yield _text(scale(decade), first - 3, f"{decade:,g}", "tiny quiet", "middle")
    for number, figure in enumerate(row.figures):
        y = top + HEAD + STEP * number
        kind, value = _kind(figure.competitor, is_floor=figure is row.floor), row.over_floor(figure)
        yield _text(left + NAMES - 8, y + BAR - 1, figure.competitor, f"small {kind}", "end")
        yield _bar(scale(1), scale(value), y, BAR, kind)
        end = max(scale(1), scale(value))
        if figure.competitor == RETINUE and row.goal is not None:
            goal = scale(1 / row.goal if row.throughput else row.goal)
            yield from (_line(goal, y - 2, goal, y + BAR + 2, drawn) for drawn in ("around", "goal"))
            end = max(end, goal)
        yield _text(end + 6, y + BAR - 1, times(value), f"small over {kind}", second=amount(figure.p50, row))


# --- SVG: readable on light and on dark, and by those who hear it ---------------------------------


def _document(width: float, height: float, title: str, description: str, parts: Sequence[str]) -> str:
    """Return the whole drawing."""
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title description">\n'
        f'<title id="title">{escape(title)}</title>\n<desc id="description">{escape(description)}</desc>\n'
        f'<style>{STYLE}</style>\n<rect class="paper" width="{width:g}" height="{height:g}" rx="8"/>\n'
        + "\n".join([*parts, "</svg>\n"])
    )


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start", second: str = "") -> str:
    """Write *words*, which begin, end or have their middle at x; and a *second*, weaker one beside them."""
    inside = escape(words)
    if second:
        inside = f'<tspan class="strong">{inside}</tspan><tspan dx="6" class="second">{escape(second)}</tspan>'
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{inside}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Draw a line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def _bar(x1: float, x2: float, y: float, height: float, kind: str) -> str:
    """Draw a horizontal bar from x1 to x2, whichever is greater."""
    left, width = min(x1, x2), max(abs(x2 - x1), 2)
    return f'<rect x="{left:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:g}" rx="1.5" class="bar {kind}"/>'
