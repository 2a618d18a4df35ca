"""One chart for each engine: what one would pick instead, and how far each is from the bare driver."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.amounts import amount, times
from benchmarks.results import ENTITIES, FLOOR, ORM, RETINUE, Row

WIDTH, MARGIN, STEP, TOP = 880.0, 24.0, 30.0, 128.0
#: Where the names of operations end, and where the axis and the columns of numbers begin.
NAMES, AXIS, COLUMNS = 296.0, 312.0, (712.0, 786.0, 856.0)

#: Light first, and what differs on dark. Nothing is told by colour alone: each has a shape of its own.
STYLE = """
text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; fill: #1f2937 }
.paper { fill: #ffffff }
.title { font-size: 18px; font-weight: 650 }
.quiet { fill: #57606a } .tiny { font-size: 10px } .strong { font-weight: 650 }
text.ours { fill: #0b57d0; font-weight: 650 }
.grid { stroke: #e2e6ea; stroke-width: 1 } .floor { stroke: #57606a; stroke-width: 2 }
.mark { fill: #8b97a5; stroke: #ffffff; stroke-width: 1 }
.mark.ours { fill: #0b57d0 } .mark.ring { fill: #ffffff; stroke: #0b57d0; stroke-width: 2.5 }
.mark.cross { fill: none; stroke: #57606a; stroke-width: 2 }
.goal { stroke: #b3261e; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .paper { fill: #0d1117 } .quiet { fill: #9da7b3 } text.ours { fill: #82b1ff }
  .grid { stroke: #262c36 } .floor { stroke: #9da7b3 }
  .mark { fill: #7d8896; stroke: #0d1117 } .mark.ours { fill: #5c9bff }
  .mark.ring { fill: #0d1117; stroke: #5c9bff } .mark.cross { fill: none; stroke: #9da7b3 }
  .goal { stroke: #ff8a80 }
}
"""

#: Draws the shape around a point.
Shape = Callable[[float, float], str]


def _points(*corners: tuple[float, float]) -> Shape:
    def draw(x: float, y: float) -> str:
        return f'<polygon class="mark" points="{" ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)}"/>'

    return draw


def _circle(radius: float, kind: str) -> Shape:
    return lambda x, y: f'<circle class="mark {kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>'


def _cross(x: float, y: float) -> str:
    lines = f"M{x - 4:.1f},{y - 4:.1f} l8,8 M{x - 4:.1f},{y + 4:.1f} l8,-8"
    return f'<path class="mark cross" d="{lines}"/>'


#: Who is drawn, in the order of the legend, and how; what comes last lies on top.
SHAPES: dict[str, Shape] = {
    RETINUE: _circle(6.5, "ours"),
    ENTITIES: _circle(5, "ring"),
    ORM: _cross,
    "lesson": _points((-5, -5), (5, -5), (5, 5), (-5, 5)),
    "django-friendship": _points((0, -6.5), (6.5, 5), (-6.5, 5)),
    "django-activity-stream": _points((0, -7), (7, 0), (0, 7), (-7, 0)),
    "Valkey sorted sets": _points((-6.5, -5), (6.5, -5), (0, 6.5)),
}


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


def drawn(rows: Sequence[Row]) -> list[Row]:
    """Return the calls that have a goal: those of which there is something to show."""
    return [row for row in rows if row.is_call and row.ratio_goal]


def chart(rows: Sequence[Row], title: str) -> str:
    """Draw a line for each operation, with a mark for each competitor: how many times as long as the floor it takes."""
    rows = drawn(rows)
    ratios = [row.over_floor(figure) for row in rows for figure in row.figures if figure.competitor in SHAPES]
    scale = Scale(min(1.0, *ratios) * 0.85, max(10.0, *ratios) * 1.15, AXIS, COLUMNS[0] - 76)
    bottom = TOP + STEP * len(rows)
    shown = [name for name in SHAPES if any(row.of(name) for row in rows)]
    parts = [
        _text(MARGIN, 36, title, "title"),
        _text(MARGIN, 56, "How many times as long as the bare driver with hand-written SQL (the line at 1)", "quiet"),
        *_legend(shown),
    ]
    for decade in scale.decades:
        parts.append(_line(scale(decade), TOP - 8, scale(decade), bottom - 8, "floor" if decade == 1 else "grid"))
        parts.append(_text(scale(decade), TOP - 13, f"{decade:,g}", "tiny quiet", "middle"))
    for at, name in zip(COLUMNS, (FLOOR, RETINUE, "next best"), strict=True):
        parts.append(_text(at, TOP - 13, name, "tiny ours" if name == RETINUE else "tiny quiet", "end"))
    for number, row in enumerate(rows):
        parts += _operation(row, shown, TOP + STEP * number, scale)
    sentences = [
        f"{row.operation}: " + ", ".join(f"{one.competitor} {times(row.over_floor(one))}" for one in row.figures)
        for row in rows
    ]
    return _document(WIDTH, bottom + 8, title, ". ".join(sentences) + ".", parts)


def _legend(shown: Sequence[str]) -> Iterator[str]:
    x = MARGIN + 8
    for name in shown:
        yield SHAPES[name](x, 78)
        yield _text(x + 11, 82, name, "tiny")
        x += 28 + sum(8 if letter.isupper() else 5.2 for letter in name)
    yield _line(x, 71, x, 85, "goal")
    yield _text(x + 8, 82, "goal", "tiny")


def _operation(row: Row, shown: Sequence[str], top: float, scale: Scale) -> Iterator[str]:
    middle = top + 6
    yield _text(NAMES, middle + 4, row.operation, "", "end")
    yield _line(scale.start, middle, scale.end, middle, "grid")
    goal = scale(row.goal or 1)
    yield _line(goal, middle - 9, goal, middle + 9, "goal")
    for name in reversed(shown):
        figure = row.of(name)
        if figure:
            yield SHAPES[name](scale(row.over_floor(figure)), middle)
    others = [row.over_floor(one) for one in row.figures if one.competitor in SHAPES and not _is_ours(one.competitor)]
    ours = row.of(RETINUE)
    if row.floor and ours:
        yield _text(COLUMNS[0], middle + 4, amount(row.floor.p50, row), "quiet", "end")
        yield _text(COLUMNS[1], middle + 4, f"x {times(row.over_floor(ours))}", "ours", "end")
        yield _text(COLUMNS[2], middle + 4, f"x {times(min(others))}" if others else "-", "quiet", "end")


def _is_ours(name: str) -> bool:
    return name.startswith(RETINUE)


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


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """Write *words*, which begin, end or have their middle at x."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Draw a line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'
