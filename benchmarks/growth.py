"""How the time of an operation grows with the graph: the power that fits best, in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import linear_regression

from benchmarks.results import Row
from benchmarks.standing import is_call

#: Up to which power of the edges we say what. A logarithm grows by half from 100,000 edges to 20 million: like the
#: power 0.07.
WORDS = (
    (-0.15, "falls"),
    (0.04, "flat"),
    (0.15, "logarithmic"),
    (0.4, "below the square root"),
    (0.6, "square root"),
    (0.85, "below linear"),
    (1.15, "linear"),
)
FASTEST = "above linear"


@dataclass(frozen=True)
class Curve:
    """What one contestant needed for one operation with graphs of several sizes."""

    database: str
    operation: str
    contestant: str
    #: Edges and the median in microseconds, by ascending edges.
    points: tuple[tuple[int, float], ...]
    is_floor: bool = False

    @property
    def power(self) -> float:
        """The exponent of the power of the edges that fits best."""
        logarithms = [(math.log(edges), math.log(took)) for edges, took in self.points]
        return linear_regression(*zip(*logarithms, strict=True)).slope

    @property
    def words(self) -> str:
        """How it grows."""
        return next((words for most, words in WORDS if self.power <= most), FASTEST)


def curves(rows: Iterable[Row]) -> list[Curve]:
    """Return the curves of all operations that were timed at two sizes or more, in the order of the rows."""
    points: dict[tuple[str, str, str], dict[int, float]] = {}
    floors = set()
    for row in filter(is_call, rows):
        for figure in row.figures:
            if figure.p50 > 0:
                whose = (row.database, row.operation, figure.contestant)
                points.setdefault(whose, {})[row.edges] = figure.p50
                if figure.ratio is None:
                    floors.add(whose)
    return [
        Curve(*whose, tuple(sorted(found.items())), is_floor=whose in floors)
        for whose, found in points.items()
        if len(found) > 1
    ]


def by_operation(found: Sequence[Curve]) -> dict[str, list[Curve]]:
    """Return the *found* curves of one database, operation by operation."""
    operations: dict[str, list[Curve]] = {}
    for curve in found:
        operations.setdefault(curve.operation, []).append(curve)
    return operations
