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
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from retinue import inserting, prepared
from retinue.engines import EngineRules, rules_of
from retinue.schema import Schema
from retinue.statements import counting as statements
from retinue.values import Counts, Key

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


def read(connection: Connection, schema: Schema, users: Sequence[Key]) -> dict[Key, Counts]:
    """Return the counts of *users*, as `Graph.counts()` says."""
    nobody, rules = Counts(), rules_of(connection)
    found = dict.fromkeys(users, nobody)
    build = statements.counts_of_edges if schema.counts is None else statements.counts
    for user, followers, following in (
        prepared.rows(connection, schema, build, {"users": users}, rules) if users else ()
    ):
        other_slots = found[user]
        if other_slots is nobody:
            found[user] = Counts(followers, following)
        else:
            found[user] = Counts(other_slots.followers + followers, other_slots.following + following)
    return found


def apply(connection: Connection, schema: Schema, deltas: Deltas) -> None:
    """Change the rows of all users in *deltas*: one statement each, up to four more for one without a row."""
    if schema.counts is None:
        return
    rules = rules_of(connection)
    with _all_or_nothing(connection, schema, rules):
        for user, delta in deltas.ascending():
            _add(connection, schema, rules, user, delta)


def apply_rest(connection: Connection, schema: Schema, deltas: Deltas, done: int) -> None:
    """As `apply()`, where counts are kept, the first *done* rows have been changed already, and the next is missing."""
    rules = rules_of(connection)
    (user, delta), *others = deltas.ascending()[done:]
    _start(connection, schema, rules, _parameters(schema, user, delta))
    for user, delta in others:
        _add(connection, schema, rules, user, delta)


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


def apply_to_many(connection: Connection, schema: Schema, deltas: Deltas) -> None:
    """
    As `apply()`, in one select of those who were never counted, and one statement for all that change.

    Adds to slot 0 alone.
    """
    if schema.counts is None:
        return
    table, rules, changed = schema.counts, rules_of(connection), deltas.ascending()
    statement = statements.uncounted(schema, rules)
    found = connection.execute(statement, {"users": [user for user, _ in changed]})
    # What the edges say, the new ones too: such a row is not added to, but made.
    counted = {user: (followers, following) for user, followers, following in found}
    with _all_or_nothing(connection, schema, rules):
        for delta, alike in groupby(changed, key=itemgetter(1)):
            rows = [(user, *counted.get(user, (0, 0))) for user, _ in alike]
            made = [{"user_id": user, "slot": 0, "followers": to, "following": out} for user, to, out in rows]
            if schema.own_of(table).by_python:
                each = statements.add_or_make(schema, rules, delta)
                inserting.insert_rows(connection, schema, rules, table, made, each)
            else:
                parameters = {"more_followers": delta[0], "more_following": delta[1]}
                connection.execute(statements.add_or_start(schema, rules, rows), parameters)
                inserting.refuse_collisions(connection, schema, rules, table, made)


@contextmanager
def _all_or_nothing(connection: Connection, schema: Schema, rules: EngineRules) -> Iterator[None]:
    try:
        yield
    except DBAPIError:
        # Where a count may be refused, the verb has a savepoint, or is a part of a flush.
        if rules.fails_by_statement and not schema.effects_refused:
            # Nobody may commit the edge without its counts: as after a deadlock, all is lost.
            connection.invalidate()
        raise


def _add(connection: Connection, schema: Schema, rules: EngineRules, user: Key, delta: Delta) -> None:
    parameters = _parameters(schema, user, delta)
    try:
        result = prepared.insert(connection, schema, statements.add_to_count, parameters, rules)
    except IntegrityError as error:
        if rules.names_no_user(error):
            return  # deleted in this transaction, or waiting to be: there is nothing to count for
        raise
    if rules.was_counted(result):
        return
    if rules.counts_by_upsert:
        _count_after_insert(connection, schema, rules, user, parameters["slot_"], delta)
    else:
        _start(connection, schema, rules, parameters)


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


def _start(connection: Connection, schema: Schema, rules: EngineRules, parameters: dict[str, Any]) -> None:
    """Give the user the row that was not there: the delta beside slot 0, or slot 0 itself, with what the edges say."""
    table: Table = schema.counts  # type: ignore[assignment] # asked for only where counts are kept
    by_python = schema.own_of(table).by_python

    def made(
        build: Callable[..., Executable],
        build_rows: Callable[[Schema], Executable],
        same: Mapping[str, Any] | None = None,
        build_each: Callable[..., Executable] | None = None,
    ) -> int:
        if not by_python:
            return prepared.run(connection, schema, build, parameters, rules).rowcount
        whole, rows, each = build(schema, rules), build_rows(schema), build_each and build_each(schema, rules)
        return inserting.insert_selected(connection, schema, rules, table, whole, rows, parameters, same, each)

    if parameters["slot_"]:
        numbers = (parameters["slot_"], parameters["more_followers"], parameters["more_following"])
        same = dict(zip(statements.COUNT[1:], numbers, strict=True))
        if made(statements.add_slot, statements.first_slot, same, statements.add_to_slots):
            return
    if not made(statements.insert_counted, statements.counted_row):
        # Somebody has made slot 0 just now, who did not see the edge.
        prepared.run(connection, schema, statements.add_to_count, {**parameters, "slot_": 0}, rules)


def _count_after_insert(
    connection: Connection, schema: Schema, rules: EngineRules, user: Key, slot: int, delta: Delta
) -> None:
    """Correct the row that has just been made, and is locked: slot 0 holds what the edges say."""
    counted = count_edges(connection, schema, user)
    beside = delta if slot else (0, 0)
    parameters = {
        "user": user,
        "slot_": 0,
        "set_followers": counted.followers - beside[0],
        "set_following": counted.following - beside[1],
    }
    if slot:
        prepared.insert(connection, schema, statements.insert_count, parameters, rules)
    else:
        prepared.run(connection, schema, statements.set_count, parameters)


def count_edges(connection: Connection, schema: Schema, user: Key) -> Counts:
    """Return what the edges of *user* say, as this transaction sees them. One statement."""
    followers, following = connection.execute(statements.count_edges(schema), {"user": user}).one()
    return Counts(followers, following)
