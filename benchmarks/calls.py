"""One graph on one database: every contestant takes it over, and every operation is checked and timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import URL

from benchmarks.contestant import Contestant
from benchmarks.contestants.floor import Floor
from benchmarks.contestants.ours import Retinue, RetinueEveryModel
from benchmarks.databases import Place
from benchmarks.operations import OPERATIONS, Operation
from benchmarks.results import Figure, Row
from benchmarks.timing import Arguments, Lane, figure, middle, race, ratios
from benchmarks.world import Draw, World, world

#: The goal for everything with every model declared, to itself without.
EVERY_MODEL_GOAL = 1.5
FAR_AHEAD = 8.0


@dataclass(frozen=True)
class Effort:
    """How often everything is done."""

    blocks: int
    reads_each: int
    writes_each: int
    #: A contestant that has read for so long in a block has to stop: what it did is what counts.
    patience_seconds: float
    #: Answers of so many calls are compared; a contestant that takes longer than so is compared less often.
    checks: int
    checking_seconds: float


FULL = Effort(9, 100, 30, patience_seconds=0.25, checks=30, checking_seconds=5)
QUICK = Effort(5, 30, 8, patience_seconds=0.015, checks=15, checking_seconds=0.15)


class DifferentAnswerError(AssertionError):
    """Two contestants answered the same question differently, so that there is nothing to time."""


def measure(
    place: Place, contestants: Sequence[type[Contestant]], wanted: Callable[[str], bool], say: Callable[[str], object]
) -> Iterator[Row]:
    """Measure every operation whose name is *wanted*; the first of the *contestants* is the floor."""
    operations = [operation for operation in OPERATIONS if wanted(operation.name)]
    if not operations:
        return
    of = world(place.data)
    with _loaded(place, contestants, of, say) as present:
        draw, effort = Draw(of, seed=2), QUICK if place.quick else FULL
        for operation in operations:
            yield _measured(place, present, operation, draw, effort)


@contextmanager
def _loaded(
    place: Place, contestants: Sequence[type[Contestant]], of: World, say: Callable[[str], object]
) -> Iterator[list[Contestant]]:
    """Give the contestants that can run here, with the graph and its posts, each in a database of its own."""
    present: list[Contestant] = []
    try:
        for kind in contestants:
            if place.kind in kind.runs_on or "valkey" in kind.runs_on:
                start = time.perf_counter()
                present.append(kind(place.fresh() if place.kind in kind.runs_on else URL.create("valkey")))
                present[-1].load(of.data)
                if present[-1].offers("home_timeline"):
                    present[-1].load_posts(of.authors.tolist(), of.post_times.tolist())
                say(f"{place.kind}: {kind.name} has {len(of.data.times):,} edges ({time.perf_counter() - start:.1f} s)")
        yield present
    finally:
        for contestant in present:
            contestant.close()


def _measured(place: Place, present: Sequence[Contestant], operation: Operation, draw: Draw, effort: Effort) -> Row:
    """Check one operation on all who offer it, and time it."""
    able = [contestant for contestant in present if contestant.offers(operation.method)]
    each = effort.writes_each if operation.writes else effort.reads_each
    # The first block is not timed: it makes the statements that others have made long ago.
    drawn = operation.draw(draw, each * (effort.blocks + 1))
    blocks = [drawn[start : start + each] for start in range(0, len(drawn), each)]
    lanes = [_lane(contestant, operation, blocks) for contestant in able]
    others = [_other_lane(contestant, operation, blocks) for contestant in able if operation.beside]
    if operation.writes:
        _race_writes(operation, able, lanes, drawn)
    else:
        _check_reads(operation, lanes, effort)
        race([*lanes, *others], patience_seconds=effort.patience_seconds)
    for lane in (*lanes, *others):
        del lane.took[0]
    return _row(place, operation, lanes, others, draw, {one.name for one in able if _is_peer(one)})


def _lane(contestant: Contestant, operation: Operation, blocks: Sequence[Sequence[Arguments]]) -> Lane:
    given = [[operation.given(contestant, arguments) for arguments in block] for block in blocks]
    return Lane(contestant.name, getattr(contestant, operation.method), given)


def _other_lane(contestant: Contestant, operation: Operation, blocks: Sequence[Sequence[Arguments]]) -> Lane:
    assert operation.beside
    given = [[operation.beside.given(arguments) for arguments in block] for block in blocks]
    return Lane(contestant.name, getattr(contestant, operation.beside.method), given)


# --- The same answers ----------------------------------------------------------------------------


def _check_reads(operation: Operation, lanes: Sequence[Lane], effort: Effort) -> None:
    """Compare what all answer; who is slow is asked less often."""
    for other in lanes:
        began = time.perf_counter()
        for arguments, expected_arguments in list(_all_calls(other, lanes[0]))[: effort.checks]:
            answer = other.call(*arguments)
            _compare(operation, lanes[0], lanes[0].call(*expected_arguments), other, answer, expected_arguments)
            if time.perf_counter() - began > effort.checking_seconds:
                break


def _all_calls(one: Lane, other: Lane) -> Iterator[tuple[Arguments, Arguments]]:
    for ours, theirs in zip(one.blocks, other.blocks, strict=True):
        yield from zip(ours, theirs, strict=True)


def _race_writes(
    operation: Operation, able: Sequence[Contestant], lanes: Sequence[Lane], drawn: Sequence[Arguments]
) -> None:
    """Time them, and compare what they answered, and the counters afterwards."""
    race(lanes, keep=True)
    for lane in lanes:
        _compare(operation, lanes[0], lanes[0].answers, lane, lane.answers, "all calls")
    users = list(dict.fromkeys(user for pair in drawn for user in pair)) if operation.method != "post" else []
    for start in range(0, len(users), 50):
        asked = users[start : start + 50]
        counts = [(contestant.name, contestant.counts(asked)) for contestant in able if contestant.offers("counts")]
        for name, found in counts:
            if found != counts[0][1]:
                raise DifferentAnswerError(f"after {operation.name}: counts of {name} and {counts[0][0]} differ")


def _compare(operation: Operation, floor: Lane, expected: object, lane: Lane, answer: object, asked: object) -> None:
    if answer != expected:
        raise DifferentAnswerError(
            f"{operation.name}{asked}: {lane.name} says {answer!r}, and {floor.name} {expected!r}"
        )


# --- What was found ------------------------------------------------------------------------------


def _is_peer(contestant: Contestant) -> bool:
    """Whether it is a follow system on a database: neither the floor nor Retinue, and no server of its own kind."""
    return not isinstance(contestant, Floor | Retinue) and "valkey" not in contestant.runs_on


def _row(
    place: Place,
    operation: Operation,
    lanes: Sequence[Lane],
    others: Sequence[Lane],
    draw: Draw,
    peers: Container[str],
) -> Row:
    by_name = {lane.name: lane for lane in lanes}
    floor = lanes[0]
    figures = tuple(figure(lane, None if lane is floor else floor) for lane in lanes)
    stated: dict[str, float] = {}
    ours, every = by_name.get(Retinue.name), by_name.get(RetinueEveryModel.name)
    if ours and every:
        stated[f"with every model, to itself without (goal {EVERY_MODEL_GOAL})"] = middle(ratios(every, ours))[0]
    for other in others:
        if operation.beside and other.name == Retinue.name and ours:
            what = f"to the {operation.beside.what} (goal {operation.beside.goal})"
            stated[what] = middle(ratios(ours, other))[0]
    stated |= _tail(operation, figures) | _ahead(operation, figures, peers)
    goal = operation.goal_sqlite if place.kind == "sqlite" else operation.goal
    return Row(
        operation.name, place.kind, len(place.data.times), figures, goal, note=operation.note(draw), stated=stated
    )


def _tail(operation: Operation, figures: Sequence[Figure]) -> dict[str, float]:
    if operation.tail is None:
        return {}
    return {
        f"{one.contestant}: p99 to p50 (goal {operation.tail:g})": one.p99 / one.p50
        for one in figures
        if one.contestant == Retinue.name
    }


def _ahead(operation: Operation, figures: Sequence[Figure], peers: Container[str]) -> dict[str, float]:
    """How many times as long as Retinue the fastest of the *peers* takes."""
    ours = next((one for one in figures if one.contestant == Retinue.name), None)
    theirs = [one.ratio for one in figures if one.contestant in peers and one.ratio is not None]
    if not ours or not ours.ratio or not theirs:
        return {}
    goal = FAR_AHEAD if operation.far_ahead else 1
    return {f"ahead of the fastest peer by (goal {goal:g})": min(theirs) / ours.ratio}
