"""Who gets more done in the same time: crews that work in turns."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from benchmarks.loads.comparing import beside, compared
from benchmarks.loads.crew import Shift
from benchmarks.results import Figure


class Team(Protocol):
    """What can work for a while: a crew, or a program."""

    def work(self, seconds: float) -> Shift:
        """Do as much as possible in so many seconds."""


@dataclass(frozen=True)
class Contest:
    """What all teams did: each in every block."""

    shifts: Mapping[str, list[Shift]]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Calls a second: the median, and the worst block."""
        return compared(self._throughputs(), worst=min)

    @property
    def stated(self) -> dict[str, float]:
        """How the others did; and how long a call took those of whom each was timed."""
        said = beside(self._throughputs())
        for name, shifts in self.shifts.items():
            times = np.concatenate([shift.times for shift in shifts]) * 1e6
            if len(times):
                said[f"{name}: p50 of a call, us"] = float(np.quantile(times, 0.5))
                said[f"{name}: p99 of a call, us"] = float(np.quantile(times, 0.99))
            processor = [shift.processor for shift in shifts if shift.processor is not None]
            if processor:
                said[f"{name}: the client's processor for a call, us"] = statistics.median(processor) * 1e6
        return said

    def _throughputs(self) -> dict[str, list[float]]:
        return {name: [shift.throughput for shift in shifts] for name, shifts in self.shifts.items()}


def contest(teams: Mapping[str, Team], *, blocks: int, seconds: float, warm_up: float) -> Contest:
    """Let all *teams* work in turns, block by block."""
    for team in teams.values():
        team.work(warm_up)
    shifts: dict[str, list[Shift]] = {name: [] for name in teams}
    for _ in range(blocks):
        for name, team in teams.items():
            shifts[name].append(team.work(seconds))
    return Contest(shifts)
