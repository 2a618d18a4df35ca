"""Where Retinue stands in a row: beside the floor, beside the goal, and beside each peer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from benchmarks.results import Figure, Row

OURS = "Retinue"

_GOAL = re.compile(r"(?P<what>.*) \(goal (?P<goal>[\d.]+)\)")


@dataclass(frozen=True)
class Wish:
    """What was wanted of a row."""

    what: str
    value: float
    goal: float
    #: True: to be reached; False: not to be passed.
    at_least: bool

    @property
    def met(self) -> bool:
        """Whether it is so, in the two decimals that are shown."""
        value = round(self.value, 2)
        return value >= self.goal if self.at_least else value <= self.goal


@dataclass(frozen=True)
class Standing:
    """One row, read."""

    row: Row

    @cached_property
    def floor(self) -> Figure | None:
        """What the others are compared with."""
        return next((figure for figure in self.row.figures if figure.ratio is None), None)

    @cached_property
    def ours(self) -> Figure | None:
        """Retinue, as an application has it."""
        return self.by(OURS)

    def by(self, contestant: str) -> Figure | None:
        """Return the figure of *contestant*, if it took part."""
        return next((figure for figure in self.row.figures if figure.contestant == contestant), None)

    @property
    def wish(self) -> Wish | None:
        """The ratio to the floor that was wanted."""
        if self.row.goal is None or self.ours is None or self.ours.ratio is None:
            return None
        return Wish("ratio to the floor", self.ours.ratio, self.row.goal, at_least=self.row.throughput)

    @property
    def wishes(self) -> list[Wish]:
        """What else was wanted."""
        found = ((_GOAL.fullmatch(name), value) for name, value in self.row.stated.items())
        return [
            Wish(match["what"], value, float(match["goal"]), at_least=match["what"].startswith("ahead"))
            for match, value in found
            if match
        ]

    @property
    def stated(self) -> dict[str, float]:
        """What was stated and has no goal."""
        return {name: value for name, value in self.row.stated.items() if not _GOAL.fullmatch(name)}

    def slower(self, contestant: str) -> float | None:
        """Return how many times as long as Retinue *contestant* takes; below 1 it is faster."""
        theirs = self.by(contestant)
        if theirs is None or self.ours is None:
            return None
        # By the ratios where there are any: they come from the interleaved blocks.
        compared = (theirs.ratio or theirs.p50) if self.ours.ratio and theirs.ratio else theirs.p50
        own = self.ours.ratio if self.ours.ratio and theirs.ratio else self.ours.p50
        return own / compared if self.row.throughput else compared / own

    def over_floor(self, figure: Figure) -> float:
        """Return how many times as long as the floor a figure is."""
        ratio = 1.0 if figure.ratio is None else figure.ratio
        return 1 / ratio if self.row.throughput else ratio


def is_call(row: Row) -> bool:
    """Return whether calls were timed one by one; else it is a load, a size, or only stated."""
    return bool(row.figures) and row.unit == "us" and not row.throughput


def others(rows: Iterable[Row]) -> list[str]:
    """Return whoever is neither the floor nor Retinue in these *rows*, in the order of their appearance."""
    standings = [Standing(row) for row in rows]
    floors = {standing.floor.contestant for standing in standings if standing.floor}
    names = dict.fromkeys(figure.contestant for standing in standings for figure in standing.row.figures)
    return [name for name in names if name != OURS and name not in floors]
