"""
The count rows: kept with the edges, in the same transaction.

A row is changed only by the transaction that changed an edge, after the edge,
and users in ascending order of key: whoever holds a row never waits for an edge.
Where a user has no row, the first change counts the edges. That is exact although
others change edges meanwhile: whoever *has* committed a change has made the row.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Executable, Table
from sqlalchemy.exc import DBAPIError, IntegrityError

from retinue.effects import counting as statements
from retinue.schema import Schema
from retinue.values import Counts, Key
from retinue.work import Work, inserting

#: A change: how many more followers, and how many more followed.
Delta = tuple[int, int]


class Deltas:
    """Changes of several users' counters, to be applied together."""

    def __init__(self) -> None:
        self._of: defaultdict[Key, list[int]] = defaultdict(lambda: [0, 0])

    def edge(self, follower: Key, followed: Key, change: int) -> None:
        """Note that *change* edges (1 or -1) lead from *follower* to *followed*."""
        self._of[follower][1] += change
        self._of[followed][0] += change

    def __bool__(self) -> bool:
        return any(a or b for a, b in self._of.values())

    def ascending(self) -> list[tuple[Key, Delta]]:
        """Return the users that change, in the order in which their rows are to be locked."""
        changed = [(user, (a, b)) for user, (a, b) in self._of.items() if a or b]
        return sorted(changed, key=lambda change: change[0])


def read(work: Work, users: Sequence[Key]) -> dict[Key, Counts]:
    """Return the counts of *users*, as `Graph.counts()` says."""
    nobody = Counts()
    found = dict.fromkeys(users, nobody)
    build = statements.counts_of_edges if work.schema.counts is None else statements.counts
    for user, followers, following in work.rows(build, {"users": users}, work.engine) if users else ():
        other_slots = found[user]
        if other_slots is nobody:
            found[user] = Counts(followers, following)
        else:
            found[user] = Counts(other_slots.followers + followers, other_slots.following + following)
    return found


def apply(work: Work, deltas: Deltas) -> None:
    """Change the rows of all users in *deltas*: one statement each, up to four more for one without a row."""
    if work.schema.counts is None:
        return
    with _all_or_nothing(work):
        for user, delta in deltas.ascending():
            _add(work, user, delta)


def apply_rest(work: Work, deltas: Deltas, done: int) -> None:
    """As `apply()`, where counts are kept, the first *done* rows have been changed already, and the next is missing."""
    (user, delta), *others = deltas.ascending()[done:]
    _start(work, _parameters(work.schema, user, delta))
    for user, delta in others:
        _add(work, user, delta)


def parameters_of(schema: Schema, deltas: Deltas) -> dict[str, Any]:
    """Return *deltas* of two users as the parameters of `statements.together.change_edge()`."""
    return {
        f"{which}_{name}": value
        for which, (user, (followers, following)) in zip(("first", "second"), deltas.ascending(), strict=True)
        for name, value in (
            ("user", user),
            ("slot", _slot(schema, (followers, following))),
            ("followers", followers),
            ("following", following),
        )
    }


def apply_to_many(work: Work, deltas: Deltas) -> None:
    """
    As `apply()`, in one select of those who were never counted, and one statement for all that change.

    Adds to slot 0 alone.
    """
    if work.schema.counts is None:
        return
    table, changed = work.schema.counts, deltas.ascending()
    statement = statements.uncounted(work.schema, work.engine)
    found = work.connection.execute(statement, {"users": [user for user, _ in changed]})
    # What the edges say, the new ones too: such a row is not added to, but made.
    counted = {user: (followers, following) for user, followers, following in found}
    with _all_or_nothing(work):
        for delta, alike in groupby(changed, key=itemgetter(1)):
            rows = [(user, *counted.get(user, (0, 0))) for user, _ in alike]
            made = [{"user_id": user, "slot": 0, "followers": to, "following": out} for user, to, out in rows]
            if work.schema.own_of(table).by_python:
                each = statements.add_or_make(work.schema, work.engine, delta)
                inserting.insert_rows(work, table, made, each)
            else:
                parameters = {"more_followers": delta[0], "more_following": delta[1]}
                work.connection.execute(statements.add_or_start(work.schema, work.engine, rows), parameters)
                inserting.refuse_collisions(work, table, made)


@contextmanager
def _all_or_nothing(work: Work) -> Iterator[None]:
    try:
        yield
    except DBAPIError:
        # Where a count may be refused, the verb has a savepoint, or is a part of a flush.
        if work.engine.fails_by_statement and not work.schema.effects_refused:
            # Nobody may commit the edge without its counts: as after a deadlock, all is lost.
            work.connection.invalidate()
        raise


def _add(work: Work, user: Key, delta: Delta) -> None:
    parameters = _parameters(work.schema, user, delta)
    try:
        result = work.insert_row(statements.add_to_count, parameters)
    except IntegrityError as error:
        if work.engine.names_no_user(error):
            return  # deleted in this transaction, or waiting to be: there is nothing to count for
        raise
    if work.engine.was_counted(result):
        return
    if work.engine.counts_by_upsert:
        _count_after_insert(work, user, parameters["slot_"], delta)
    else:
        _start(work, parameters)


def _parameters(schema: Schema, user: Key, delta: Delta) -> dict[str, Any]:
    return {"user": user, "slot_": _slot(schema, delta), "more_followers": delta[0], "more_following": delta[1]}


def _slot(schema: Schema, delta: Delta) -> int:
    """
    Return one of the slots that a user's counts are spread over: any for a new follower.

    Whom one follows oneself is counted in slot 0: there is no crowd about it, and a follower's first
    touch of another slot would cost them a row.
    """
    slots = schema.settings.counter_slots
    return random.randrange(slots) if slots > 1 and delta[0] else 0  # noqa: S311 - spreads load, hides nothing


def _start(work: Work, parameters: dict[str, Any]) -> None:
    """Give the user the row that was not there: the delta beside slot 0, or slot 0 itself, with what the edges say."""
    table: Table = work.schema.counts  # type: ignore[assignment] # asked for only where counts are kept
    by_python = work.schema.own_of(table).by_python

    def made(
        build: Callable[..., Executable],
        build_rows: Callable[[Schema], Executable],
        same: Mapping[str, Any] | None = None,
        build_each: Callable[..., Executable] | None = None,
    ) -> int:
        if not by_python:
            return work.run(build, parameters, work.engine).rowcount
        whole, rows, each = (
            build(work.schema, work.engine),
            build_rows(work.schema),
            build_each and build_each(work.schema, work.engine),
        )
        return inserting.insert_selected(work, table, whole, rows, parameters, same, each)

    if parameters["slot_"]:
        numbers = (parameters["slot_"], parameters["more_followers"], parameters["more_following"])
        same = dict(zip(statements.COUNT[1:], numbers, strict=True))
        if made(statements.add_slot, statements.first_slot, same, statements.add_to_slots):
            return
    if not made(statements.insert_counted, statements.counted_row):
        # Somebody has made slot 0 just now, who did not see the edge.
        work.run(statements.add_to_count, {**parameters, "slot_": 0}, work.engine)


def _count_after_insert(work: Work, user: Key, slot: int, delta: Delta) -> None:
    """Correct the row that has just been made, and is locked: slot 0 holds what the edges say."""
    counted = count_edges(work, user)
    beside = delta if slot else (0, 0)
    parameters = {
        "user": user,
        "slot_": 0,
        "set_followers": counted.followers - beside[0],
        "set_following": counted.following - beside[1],
    }
    if slot:
        work.insert_row(statements.insert_count, parameters)
    else:
        work.run(statements.set_count, parameters)


def count_edges(work: Work, user: Key) -> Counts:
    """Return what the edges of *user* say, as this transaction sees them. One statement."""
    followers, following = work.connection.execute(statements.count_edges(work.schema), {"user": user}).one()
    return Counts(followers, following)
