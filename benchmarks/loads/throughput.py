"""Who gets more done in the same time: crews that work in turns, and how they compare."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from benchmarks.loads.crew import Shift
from benchmarks.results import Figure

#: What the figures are compared with, and what the project reaches.
FLOOR, OURS = "floor", "Retinue"


class Team(Protocol):
    """What can work for a while: a crew, or a program."""

    def work(self, seconds: float) -> Shift:
        """Do as much as possible in so many seconds."""


@dataclass(frozen=True)
class Contest:
    """What all teams did: each in every block."""

    shifts: Mapping[str, list[Shift]]

    def figures(self, floor: str = FLOOR) -> tuple[Figure, ...]:
        """Return calls a second of each: the median, the worst block, and what they are of the *floor*'s."""
        return tuple(self._figure(name, floor) for name in self.shifts)

    def stated(self) -> dict[str, float]:
        """Return how long calls took, for those of whom each call was timed."""
        said = {}
        for name, shifts in self.shifts.items():
            times = np.concatenate([shift.times for shift in shifts]) * 1e6
            if len(times):
                said[f"{name}, p50 of a call, us"] = float(np.quantile(times, 0.5))
                said[f"{name}, p99 of a call, us"] = float(np.quantile(times, 0.99))
            processor = [shift.processor for shift in shifts if shift.processor is not None]
            if processor:
                said[f"{name}, processor time of the client for a call, us"] = statistics.median(processor) * 1e6
        return said

    def _figure(self, name: str, floor: str) -> Figure:
        reached = [shift.throughput for shift in self.shifts[name]]
        middle, worst = statistics.median(reached), min(reached)
        if name == floor:
            return Figure(name, middle, worst)
        return Figure(
            name, middle, worst, *spread([a / b.throughput for a, b in zip(reached, self.shifts[floor], strict=True)])
        )


def contest(teams: Mapping[str, Team], *, blocks: int, seconds: float, warm_up: float) -> Contest:
    """Let all *teams* work in turns, block by block."""
    for team in teams.values():
        team.work(warm_up)
    shifts: dict[str, list[Shift]] = {name: [] for name in teams}
    for _ in range(blocks):
        for name, team in teams.items():
            shifts[name].append(team.work(seconds))
    return Contest(shifts)


def spread(ratios: list[float]) -> tuple[float, float, float]:
    """Return the median of *ratios*, and the quarters around it."""
    ordered = sorted(ratios)
    last = len(ordered) - 1
    return statistics.median(ordered), ordered[last // 4], ordered[math.ceil(last * 3 / 4)]
