"""One graph on one database: every competitor takes it over, and every operation is checked and timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import URL

from benchmarks.competitor import Competitor
from benchmarks.databases import WIRE, Place
from benchmarks.operations import OPERATIONS, Operation
from benchmarks.results import ENTITIES, EVERY_MODEL, FLOOR, ORM, RETINUE, Figure, Row, Stated
from benchmarks.runner import Arguments, Calls, Rounds, figures, quarters, ratios, take_turns
from benchmarks.world import Draw, World, world

#: The goal with every model declared, to itself without; and for users as objects, to a select of SQLAlchemy's ORM.
EVERY_MODEL_GOAL, ENTITIES_GOAL = 1.5, 1.25

_FIRST_PAGE = "first page of the same list"


@dataclass(frozen=True)
class Effort:
    """How often everything is done."""

    rounds: int
    reads: int
    writes: int
    #: A competitor that has read for so long in a round has to stop: what it did is what counts.
    patience_seconds: float
    #: Answers of so many calls are compared; a competitor that takes longer than so is compared less often.
    checks: int
    checking_seconds: float


FULL = Effort(9, 100, 30, patience_seconds=0.125, checks=30, checking_seconds=5)
QUICK = Effort(5, 30, 8, patience_seconds=0.01, checks=6, checking_seconds=0.05)


class DifferentAnswerError(AssertionError):
    """Two competitors answered the same question differently, so that there is nothing to time."""


def measure(
    place: Place, kinds: Sequence[type[Competitor]], wanted: Callable[[str], bool], report: Callable[[str], object]
) -> Iterator[Row]:
    """Measure every operation whose name is *wanted*; the first of the competitors is the floor."""
    operations = [
        operation
        for operation in OPERATIONS
        if wanted(operation.name) and (place.name != WIRE or operation.goals.wire is not None)
    ]
    if not operations:
        return
    graph = world(place.data)
    with _loaded(place, kinds, graph, report) as present:
        draw, effort = Draw(graph, seed=2), QUICK if place.quick else FULL
        for operation in operations:
            yield _measured(place, [one for one in present if one.offers(operation.method)], operation, draw, effort)


@contextmanager
def _loaded(
    place: Place, kinds: Sequence[type[Competitor]], graph: World, report: Callable[[str], object]
) -> Iterator[list[Competitor]]:
    """Give the competitors with the graph and its posts, each in a database of its own, if it does not share another's."""
    present: list[Competitor] = []
    try:
        for kind in kinds:
            if kind.shares:
                present.append(kind(next(one.url for one in present if one.name == kind.shares)))
                continue
            start = time.perf_counter()
            present.append(kind(place.fresh() if kind.runs_on else URL.create("valkey")))
            load(present[-1], graph)
            report(
                f"{place.name}: {kind.name} has {len(graph.data.times):,} edges ({time.perf_counter() - start:.1f} s)"
            )
        yield present
    finally:
        for competitor in present:
            competitor.close()


def load(competitor: Competitor, graph: World) -> None:
    """Let a new *competitor* take over the graph and its posts."""
    competitor.create()
    competitor.load(graph.data)
    if competitor.offers("home_timeline"):
        competitor.load_posts(graph.authors.tolist(), graph.post_times.tolist())


def _measured(place: Place, able: Sequence[Competitor], operation: Operation, draw: Draw, effort: Effort) -> Row:
    """Check one operation on all who offer it, and time it."""
    calls = effort.writes if operation.writes else effort.reads
    # The first round counts for nothing: it makes the statements that others have made long ago.
    drawn = operation.draw(draw, calls * (effort.rounds + 1))
    rounds = [drawn[start : start + calls] for start in range(0, len(drawn), calls)]
    sides = {one.name: _side(one, operation, rounds, effort) for one in able}
    if not operation.writes:
        _check_reads(operation, sides, effort)
    timed = dict(sides)
    if operation.to_first_page and RETINUE in sides:
        first_page = next(one for one in able if one.name == RETINUE).operation("first_page")
        timed[_FIRST_PAGE] = Calls(first_page, [[arguments[:1] for arguments in calls] for calls in rounds])
    found = {name: turns[1:] for name, turns in take_turns(timed, len(rounds)).items()}
    if operation.writes:
        _check_writes(operation, sides, able, drawn)
    goal, edges = operation.goals.of(place.name), len(place.data.times)
    compared = figures({name: found[name] for name in sides})
    stated = _stated(operation, place.name, found, compared, {one.name for one in able if one.is_peer})
    return Row(operation.name, place.name, edges, compared, goal, note=operation.note(draw), stated=tuple(stated))


def _side(competitor: Competitor, operation: Operation, rounds: Sequence[Sequence[Arguments]], effort: Effort) -> Calls:
    given = [[operation.given(competitor, arguments) for arguments in calls] for calls in rounds]
    call = competitor.operation(operation.method)
    if operation.writes:
        return Calls(call, given, warm_up=competitor.operation("is_following"), answers=[])
    return Calls(call, given, patience=effort.patience_seconds * 1e9)


# --- The same answers ----------------------------------------------------------------------------


def _check_reads(operation: Operation, sides: dict[str, Calls], effort: Effort) -> None:
    """Compare what all answer; who is slow is asked less often."""
    floor = sides[FLOOR]
    for name, side in sides.items():
        began = time.perf_counter()
        calls = zip(_all_calls(side), _all_calls(floor), range(effort.checks), strict=False)
        for arguments, floor_arguments, _ in calls:
            _compare(operation, name, side.call(*arguments), floor.call(*floor_arguments), floor_arguments)
            if time.perf_counter() - began > effort.checking_seconds:
                break


def _all_calls(side: Calls) -> Iterator[Arguments]:
    for calls in side.rounds:
        yield from calls


def _check_writes(
    operation: Operation, sides: dict[str, Calls], able: Sequence[Competitor], drawn: Sequence[Arguments]
) -> None:
    """Compare what the calls answered, and the counters after them."""
    for name, side in sides.items():
        _compare(operation, name, side.answers, sides[FLOOR].answers, "all calls")
    users = list(dict.fromkeys(user for pair in drawn for user in pair)) if operation.method != "post" else []
    for start in range(0, len(users), 50):
        some = users[start : start + 50]
        counts = [(one.name, one.operation("counts")(some)) for one in able]
        for name, found in counts:
            _compare(operation, name, found, counts[0][1], " and then the counts")


def _compare(operation: Operation, name: str, answer: object, expected: object, arguments: object) -> None:
    if answer != expected:
        raise DifferentAnswerError(
            f"{operation.name}{arguments}: {name} answers {answer!r}, and the {FLOOR} {expected!r}"
        )


# --- What was found ------------------------------------------------------------------------------


def _stated(
    operation: Operation, place: str, found: Rounds, compared: Sequence[Figure], peers: set[str]
) -> Iterator[Stated]:
    """Yield what else is wanted of Retinue."""
    of = {one.competitor: one for one in compared}
    ours = of.get(RETINUE)
    if ours is None:
        return

    def ratio(side: str, to: str) -> float:
        return quarters(ratios(found[side], found[to]))[0]

    if EVERY_MODEL in found and (goal := operation.every_model.of(place)) is not None:
        yield Stated("with every model, ratio to the floor", of[EVERY_MODEL].ratio or 1, goal)
    elif EVERY_MODEL in found:
        yield Stated("with every model, to itself without", ratio(EVERY_MODEL, RETINUE), EVERY_MODEL_GOAL)
    if ENTITIES in found and ORM in found:
        yield Stated("users as objects, to SQLAlchemy's ORM", ratio(ENTITIES, ORM), ENTITIES_GOAL)
    if operation.to_first_page:
        yield Stated(f"to the {_FIRST_PAGE}", ratio(RETINUE, _FIRST_PAGE), operation.to_first_page)
    if operation.tail:
        yield Stated("Retinue: p99 to p50", ours.p99 / ours.p50, operation.tail)
    theirs = [one.ratio for one in compared if one.competitor in peers and one.ratio]
    if ours.ratio and theirs:
        yield Stated("ahead of the fastest peer by", min(theirs) / ours.ratio, operation.ahead, at_least=True)
