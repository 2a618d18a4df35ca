"""Who gets more done in the same time: crews that work in turns."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from benchmarks.loads.comparing import compared
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
    #: How often each team whose calls are timed did what it repeats, with what it did to warm up.
    calls: Mapping[str, int]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Calls a second: the median, and the worst block."""
        reached = {name: [shift.throughput for shift in shifts] for name, shifts in self.shifts.items()}
        return compared(reached, worst=min)

    @property
    def stated(self) -> dict[str, float]:
        """How long a call took those of whom each was timed."""
        said: dict[str, float] = {}
        for name, shifts in self.shifts.items():
            times = np.concatenate([shift.times for shift in shifts]) * 1e6
            if len(times):
                said[f"{name}: p50 of a call, us"] = float(np.quantile(times, 0.5))
                said[f"{name}: p99 of a call, us"] = float(np.quantile(times, 0.99))
            processor = [shift.processor for shift in shifts if shift.processor is not None]
            if processor:
                said[f"{name}: the client's processor for a call, us"] = statistics.median(processor) * 1e6
        return said


def contest(teams: Mapping[str, Team], *, blocks: int, seconds: float, warm_up: float) -> Contest:
    """Let all *teams* work in turns, block by block."""
    calls = {name: len(team.work(warm_up).times) for name, team in teams.items()}
    shifts: dict[str, list[Shift]] = {name: [] for name in teams}
    for _ in range(blocks):
        for name, team in teams.items():
            shifts[name].append(team.work(seconds))
    return Contest(
        shifts, {name: many + sum(len(shift.times) for shift in shifts[name]) for name, many in calls.items()}
    )
