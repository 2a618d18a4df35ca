"""
How everything is timed: all sides in turns, round by round, and each of them warm when its turn is timed.

What a machine does besides slows all sides of a round alike. So the ratio to the floor is taken within each round, from
the medians of the same calls on both sides, and the median of these ratios is what counts.

While a slow side works, the others' data leaves the caches of the processor, of the server and of the disk. A fast side
that came next would be timed cold, and the slow one would look better than it is. So in each of its turns a side first does,
without being timed, what is timed right after.
"""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any, TypeAlias

from benchmarks.results import FLOOR, Figure

#: Arguments of one call.
Arguments: TypeAlias = tuple[Any, ...]
#: A side's turn: takes the number of the round; returns microseconds of each call, or one figure of another kind.
Turn: TypeAlias = Callable[[int], Sequence[float]]
#: By name of a side, what it returned in each round.
Rounds: TypeAlias = Mapping[str, Sequence[Sequence[float]]]


@dataclass
class Calls:
    """A turn of single calls."""

    call: Callable[..., Any]
    #: For each round, the arguments of its calls.
    rounds: Sequence[Sequence[Arguments]]
    #: What warms a call up; by default the call itself, which must then change nothing.
    warm_up: Callable[..., Any] | None = None
    #: No call begins after so many nanoseconds, neither warming up nor timed; the first always does, and the next two
    #: unless it takes ten times that.
    patience: float = float("inf")
    clock: Callable[[], int] = perf_counter_ns
    #: What all timed calls returned, where that is asked for.
    answers: list[Any] | None = None

    def __call__(self, number: int) -> list[float]:
        """Take the turn of a round: warm up, then time the calls."""
        self._repeat(self.warm_up or self.call, number, None)
        return self._repeat(self.call, number, self.answers)

    def _repeat(self, call: Callable[..., Any], number: int, answers: list[Any] | None) -> list[float]:
        clock, times, passed = self.clock, list[float](), 0
        for arguments in self.rounds[number]:
            start = clock()
            answer = call(*arguments)
            took = clock() - start
            times.append(took / 1e3)
            if answers is not None:
                answers.append(answer)
            passed += took
            if passed >= self.patience * (1 if len(times) > 2 else 10):
                break
        return times


def repeated(call: Callable[[], object], *, calls: int, rounds: int) -> Calls:
    """Return a turn of so many *calls* without arguments."""
    return Calls(call, [[()] * calls] * rounds)


def take_turns(sides: Mapping[str, Turn], rounds: int) -> dict[str, list[Sequence[float]]]:
    """Let all *sides* take their turns, round by round; who begins changes. The garbage is collected between rounds."""
    results: dict[str, list[Sequence[float]]] = {name: [] for name in sides}
    order = list(sides)
    for number in range(rounds):
        first = number % len(order)
        gc.collect()
        gc.disable()
        try:
            for name in (*order[first:], *order[:first]):
                results[name].append(sides[name](number))
        finally:
            gc.enable()
    return results


def ratios(theirs: Sequence[Sequence[float]], floors: Sequence[Sequence[float]]) -> list[float]:
    """Return, for each round, how many times the floor's figure theirs is: of the same calls, by their medians."""
    return [
        statistics.median(one[:same]) / statistics.median(floor[:same])
        for one, floor in zip(theirs, floors, strict=True)
        for same in [min(len(one), len(floor))]
    ]


def quarters(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the median, and the quarters around it."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return median, low, high


def figures(rounds: Rounds, *, floor: str = FLOOR, throughput: bool = False) -> tuple[Figure, ...]:
    """Return what each side needed, and its ratio to the *floor*; of a *throughput*, the lowest hundredth is the p99."""
    result = []
    for name, theirs in rounds.items():
        values = sorted((value for turn in theirs for value in turn), reverse=throughput)
        ratio = () if name == floor else quarters(ratios(theirs, rounds[floor]))
        p99 = values[min(len(values) - 1, len(values) * 99 // 100)]
        result.append(Figure(name, statistics.median(values), p99, *ratio))
    return tuple(result)
