"""How the time of an operation grows with the graph: the power that fits best, in words."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import linear_regression

from benchmarks.results import Row

#: Up to which power of the edges we call it what. A logarithm grows by half from 100,000 edges to 20 million: like the
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
    """What one competitor needed for one operation with graphs of several sizes."""

    operation: str
    competitor: str
    #: Edges and the median in microseconds, by ascending edges.
    points: tuple[tuple[int, float], ...]

    @property
    def power(self) -> float:
        """The exponent of the power of the edges that fits best."""
        logarithms = [(math.log(edges), math.log(took)) for edges, took in self.points]
        return linear_regression(*zip(*logarithms, strict=True)).slope

    @property
    def words(self) -> str:
        """How it grows."""
        return next((words for highest, words in WORDS if self.power <= highest), FASTEST)


def curves(rows: Iterable[Row]) -> list[Curve]:
    """Return the curves of all operations on one database that were timed at two sizes or more, in the rows' order."""
    points: dict[tuple[str, str], dict[int, float]] = {}
    for row in rows:
        for figure in row.figures if row.is_call else ():
            if figure.p50 > 0:
                points.setdefault((row.operation, figure.competitor), {})[row.edges] = figure.p50
    return [Curve(*whose, tuple(sorted(found.items()))) for whose, found in points.items() if len(found) > 1]
