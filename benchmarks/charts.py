"""Charts of what the benchmark found: how far everybody is from the floor, and how that grows with the graph."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks import svg
from benchmarks.amounts import amount, duration, edges, times
from benchmarks.growth import Curve, by_operation
from benchmarks.results import Figure, Row
from benchmarks.standing import OURS, Standing

WIDTH, MARGIN, COLUMNS = 880.0, 24.0, 2
PANEL = (WIDTH - 3 * MARGIN) / COLUMNS
TOP = 84.0

BAR, STEP, HEAD = 11.0, 17.0, 38.0
NAMES, VALUES = 164.0, 90.0

PLOT, LABELS, LABEL_STEP = 150.0, 128.0, 12.5


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


# --- How far from the floor -----------------------------------------------------------------------


def ratio_chart(rows: Sequence[Row], title: str) -> str:
    """Draw a panel for each operation, with a bar for each contestant: how many times as long as the floor it takes."""
    standings = [Standing(row) for row in rows if row.figures]
    ratios = [one.over_floor(figure) for one in standings for figure in one.row.figures]
    low, high = min(1.0, *ratios) * 0.85, max(10.0, *ratios) * 1.05
    parts = [
        svg.text(MARGIN, 36, f"{title}: how far from the floor", "title"),
        svg.text(
            MARGIN, 56, "How many times as long as the bare driver with hand-written SQL (which is 1), on", "quiet"
        ),
        svg.text(
            MARGIN, 72, "a logarithmic scale; beside it the median. The red mark is the goal for Retinue.", "quiet"
        ),
    ]
    height = TOP
    for line in _lines(standings):
        for column, standing in enumerate(line):
            left = MARGIN + column * (PANEL + MARGIN)
            scale = Scale(low, high, left + NAMES, left + PANEL - VALUES)
            parts += _ratio_panel(standing, left, height, scale)
        height += max(HEAD + STEP * len(standing.row.figures) for standing in line) + 18
    return svg.document(WIDTH, height, f"{title}: how far from the floor", _in_words(standings), parts)


def _lines(standings: Sequence[Standing]) -> Iterator[Sequence[Standing]]:
    return (standings[start : start + COLUMNS] for start in range(0, len(standings), COLUMNS))


def _ratio_panel(standing: Standing, left: float, top: float, scale: Scale) -> Iterator[str]:
    row = standing.row
    yield svg.text(left, top + 14, row.operation, "head")
    first, last = top + HEAD - 4, top + HEAD + STEP * len(row.figures) - 4
    for decade in scale.decades:
        yield svg.line(scale(decade), first, scale(decade), last, "floor-line" if decade == 1 else "grid")
        yield svg.text(scale(decade), first - 3, f"{decade:,g}", "tiny quiet", "middle")
    for number, figure in enumerate(row.figures):
        y = top + HEAD + STEP * number
        kind, value = _kind(figure, standing.floor), standing.over_floor(figure)
        yield svg.text(left + NAMES - 8, y + BAR - 1, figure.contestant, f"small {kind}", "end")
        yield svg.bar(scale(1), scale(value), y, BAR, kind)
        end = max(scale(1), scale(value))
        if figure is standing.ours and row.goal is not None:
            goal = scale(1 / row.goal if row.throughput else row.goal)
            yield svg.line(goal, y - 2, goal, y + BAR + 2, "around")
            yield svg.line(goal, y - 2, goal, y + BAR + 2, "goal")
            end = max(end, goal)
        yield svg.pair(end + 6, y + BAR - 1, times(value), amount(figure.p50, row), f"small over {kind}")


def _kind(figure: Figure, floor: Figure | None) -> str:
    if figure is floor:
        return "floor"
    return _kind_of(figure.contestant)


def _kind_of(contestant: str) -> str:
    if contestant == OURS:
        return "ours"
    return "every" if contestant.startswith(OURS) else ""


def _in_words(standings: Sequence[Standing]) -> str:
    sentences = [
        f"{one.row.operation}: "
        + ", ".join(f"{figure.contestant} {times(one.over_floor(figure))}" for figure in one.row.figures)
        for one in standings
    ]
    return ". ".join(sentences) + "."


# --- How it grows ---------------------------------------------------------------------------------


def growth_chart(found: Sequence[Curve], title: str) -> str:
    """Draw a panel for each operation, with a curve for each contestant: its median against the edges of the graph."""
    operations = list(by_operation(found).items())
    sizes = sorted({size for curve in found for size, _ in curve.points})
    parts = [
        svg.text(MARGIN, 36, f"{title}: how the time of a call grows with the graph", "title"),
        svg.text(MARGIN, 56, "Median of a call against the edges of the graph; both axes are logarithmic.", "quiet"),
    ]
    height = TOP
    for start in range(0, len(operations), COLUMNS):
        for column, (operation, curves) in enumerate(operations[start : start + COLUMNS]):
            parts += _growth_panel(operation, curves, sizes, MARGIN + column * (PANEL + MARGIN), height)
        height += HEAD + PLOT + 44
    sentences = [
        f"{operation}: " + ", ".join(f"{curve.contestant} {curve.words}" for curve in curves)
        for operation, curves in operations
    ]
    return svg.document(WIDTH, height, f"{title}: growth with the graph", ". ".join(sentences) + ".", parts)


def _growth_panel(
    operation: str, curves: Sequence[Curve], sizes: Sequence[int], left: float, top: float
) -> Iterator[str]:
    upper, lower = top + HEAD, top + HEAD + PLOT
    across = Scale(sizes[0], sizes[-1], left + 54, left + PANEL - LABELS)
    up = _fitting([took for curve in curves for _, took in curve.points], lower, upper)
    yield svg.text(left, top + 14, operation, "head")
    for decade in up.decades:
        yield svg.line(across.start, up(decade), across.end, up(decade), "grid")
        yield svg.text(
            across.start - 8,
            up(decade) + 4,
            duration(decade).replace(".00", "").replace(".0", ""),
            "small quiet",
            "end",
        )
    for size in sizes:
        yield svg.line(across(size), upper, across(size), lower, "grid")
        anchor = "middle" if sizes[0] < size < sizes[-1] else "start" if size == sizes[0] else "end"
        yield svg.text(across(size), lower + 16, edges(size).removesuffix(" edges"), "small quiet", anchor)
    ends = [(across(curve.points[-1][0]), up(curve.points[-1][1])) for curve in curves]
    drawn = zip(curves, ends, _apart([y for _, y in ends], lower), strict=True)
    # The own curve last, so that it lies over the others.
    for curve, (x, y), place in sorted(drawn, key=lambda one: one[0].contestant == OURS):
        kind = "floor" if curve.is_floor else _kind_of(curve.contestant)
        yield svg.line(x + 3, y, across.end + 10, place, "leader")
        yield svg.curve([(across(size), up(took)) for size, took in curve.points], kind)
        yield svg.text(across.end + 12, place + 4, curve.contestant, f"small {kind}")


def _fitting(values: Sequence[float], lower: float, upper: float) -> Scale:
    """Return an axis of whole decades for *values*: of three at least, so that what is flat looks flat."""
    first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    first -= max(0, 3 - (last - first)) // 2
    return Scale(10.0**first, 10.0 ** max(last, first + 3), lower, upper)


def _apart(wanted: Sequence[float], lowest: float) -> list[float]:
    """Return places near the *wanted* ones that leave room for a line of text each, none below the *lowest*."""
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    places = list(wanted)
    for before, after in pairwise(order):
        places[after] = max(places[after], places[before] + LABEL_STEP)
    room = lowest
    for one in reversed(order):
        places[one] = min(places[one], room)
        room = places[one] - LABEL_STEP
    return places
