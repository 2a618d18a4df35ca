"""How what Retinue reached compares with what the floor reached, round by round."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping

from benchmarks.results import Figure

#: What the figures are compared with, and what the project reaches.
FLOOR, OURS = "floor", "Retinue"

#: By name of who took part: what they reached in each round.
Rounds = Mapping[str, list[float]]


def compared(rounds: Rounds, *, worst: Callable[[Iterable[float]], float] = max) -> tuple[Figure, ...]:
    """Return of each the median, the worst round, and what theirs are of the floor's."""
    return tuple(
        Figure(name, statistics.median(reached), worst(reached), *_of_floor(name, rounds))
        for name, reached in rounds.items()
    )


def _of_floor(name: str, rounds: Rounds) -> tuple[float, ...]:
    return () if name == FLOOR else spread(ratios(rounds[name], rounds[FLOOR]))


def spread(ratios: Iterable[float]) -> tuple[float, float, float]:
    """Return the median of *ratios*, and the quarters around it."""
    ordered = sorted(ratios)
    last = len(ordered) - 1
    return statistics.median(ordered), ordered[last // 4], ordered[math.ceil(last * 3 / 4)]


def ratios(theirs: Iterable[float], floors: Iterable[float]) -> list[float]:
    """Return what each of *theirs* is of the floor's in the same round."""
    return [one / floor for one, floor in zip(theirs, floors, strict=True)]
