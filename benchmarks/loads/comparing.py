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
    """Return the floor and Retinue: the median, the worst round, and what Retinue's are of the floor's."""
    floor, ours = rounds[FLOOR], rounds[OURS]
    return (
        Figure(FLOOR, statistics.median(floor), worst(floor)),
        Figure(OURS, statistics.median(ours), worst(ours), *spread(_ratios(ours, floor))),
    )


def beside(rounds: Rounds) -> dict[str, float]:
    """Return, of all others, what theirs is of the floor's."""
    others = {name: reached for name, reached in rounds.items() if name not in (FLOOR, OURS)}
    return {f"{name}: of the floor": spread(_ratios(reached, rounds[FLOOR]))[0] for name, reached in others.items()}


def spread(ratios: Iterable[float]) -> tuple[float, float, float]:
    """Return the median of *ratios*, and the quarters around it."""
    ordered = sorted(ratios)
    last = len(ordered) - 1
    return statistics.median(ordered), ordered[last // 4], ordered[math.ceil(last * 3 / 4)]


def _ratios(theirs: Iterable[float], floors: Iterable[float]) -> list[float]:
    return [one / floor for one, floor in zip(theirs, floors, strict=True)]
