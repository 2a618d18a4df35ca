"""
Single calls, timed side by side: all contestants in turns, block by block, in one process.

What a machine does besides slows all of them alike within a block, so the ratio to the floor
is taken block by block, and its median and quarters over the blocks are what counts.
"""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import Any

from benchmarks.results import Figure

#: Arguments of one call.
Arguments = tuple[Any, ...]


@dataclass
class Lane:
    """One contestant's calls of one operation."""

    name: str
    call: Callable[..., Any]
    #: For each block, the arguments of its calls.
    blocks: Sequence[Sequence[Arguments]]
    #: For each block, nanoseconds of each call.
    took: list[list[int]] = field(default_factory=list)
    #: What the calls of all blocks returned, where that was asked for.
    answers: list[Any] = field(default_factory=list)

    def run(self, block: int, patience_seconds: float | None, *, keep: bool) -> None:
        """Time the calls of a block; with *patience_seconds*, those that begin before it is over, and one at least."""
        call, clock, took, answers = self.call, perf_counter_ns, list[int](), list[Any]()
        left = float("inf") if patience_seconds is None else patience_seconds * 1e9
        for arguments in self.blocks[block]:
            start = clock()
            answer = call(*arguments)
            took.append(clock() - start)
            if keep:
                answers.append(answer)
            left -= took[-1]
            if left <= 0:
                break
        self.took.append(took)
        self.answers += answers


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Collect what is there, and nothing inside."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def race(lanes: Sequence[Lane], *, patience_seconds: float | None = None, keep: bool = False) -> None:
    """Time all lanes, block by block; who begins changes from block to block. With *keep*, keep what the calls return."""
    for block in range(len(lanes[0].blocks)):
        with no_garbage_collection():
            for lane in (*lanes[block % len(lanes) :], *lanes[: block % len(lanes)]):
                lane.run(block, patience_seconds, keep=keep)


def ratios(lane: Lane, floor: Lane) -> list[float]:
    """Return, for each block, how many times as long a call of *lane* took: the same calls of both, by their medians."""
    found = []
    for ours, theirs in zip(lane.took, floor.took, strict=True):
        same = min(len(ours), len(theirs))
        found.append(statistics.median(ours[:same]) / statistics.median(theirs[:same]))
    return found


def middle(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the median, and the quarters around it."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return median, low, high


def figure(lane: Lane, floor: Lane | None) -> Figure:
    """Return what a lane needed, and its ratio to the *floor*; None: it is the floor, or there is none."""
    took = sorted(one / 1e3 for block in lane.took for one in block)
    p50, p99 = statistics.median(took), took[min(len(took) - 1, len(took) * 99 // 100)]
    if floor is None:
        return Figure(lane.name, p50, p99)
    return Figure(lane.name, p50, p99, *middle(ratios(lane, floor)))


def microseconds(calls: Mapping[str, Callable[[], Any]], blocks: int, calls_each: int) -> dict[str, Figure]:
    """Time calls without arguments side by side; the first is the floor. For what has no contestant."""
    lanes = [Lane(name, call, [[()] * calls_each] * blocks) for name, call in calls.items()]
    race(lanes)
    return {lane.name: figure(lane, lanes[0] if lane is not lanes[0] else None) for lane in lanes}
