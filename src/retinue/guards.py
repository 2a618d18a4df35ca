"""
Guard rows: what puts the verbs about one user in order.

Follow and block could each miss what the other is just doing: neither sees rows
that are not committed. So each takes the guard of the users whose edges it decides
about, by a real write that waits for whoever else took it; ascending by key, before
anything else, so that nobody waits in a circle. A graph that has neither requests nor
blocks nor limits has no guards and needs none.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Executable, Table, and_, literal_column, or_, select, true
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines import EngineRules, Rows
from retinue.schema import Schema
from retinue.values import Key
from retinue.work import Work
from retinue.work.building import HOLDS, moment, once, user_key


class Before(NamedTuple):
    """
    What two users find before one of them changes what leads from the first, the follower, to the second.

    All that is about a request needs the guards of both; else the follower's will do.
    """

    #: Whether the second approves followers, so that the change is a request.
    locked: bool = False
    #: Whether it is so already: then there is nothing to change, and no guard is taken.
    unchanged: bool = False
    #: Whether there is a request, answered or not.
    asked: bool = False
    #: Whether it waits for an answer.
    waits: bool = False


#: A statement about *follower* and *followed* that answers as many of these as it asks for.
Question: TypeAlias = Callable[[Schema, EngineRules], Rows]


def take(work: Work, *users: Key, beside: tuple[Key, ...] = ()) -> bool:
    """
    Hold the guards of *users* until the transaction ends; return whether there are any.

    *beside*: the others that the transaction is about. All are locked against deletion
    before the first guard is taken. One statement; none, and true, where nothing needs a guard.
    """
    if work.schema.guards is None:
        return True
    parameters = {"users": list(users), "people": [*users, *beside]}
    return bool(work.run(take_guards, parameters, work.engine).rowcount)


def ask_and_take(work: Work, pair: tuple[Key, Key], ask: Question, at: datetime) -> Before:
    """
    Hold the guards that the change of an edge needs, if it needs any: *ask* tells.

    One statement; two where an engine has no data-modifying CTEs; none where nothing needs a guard.
    """
    if work.schema.guards is None:
        return Before()
    parameters = {"follower": pair[0], "followed": pair[1], **moment(work.schema, at)}
    at_once = work.engine.modifying_ctes
    build, arguments = (ask_and_take_guards, (work.engine, ask)) if at_once else (ask, (work.engine,))
    found: Any = work.run(build, parameters, *arguments).first()
    before = Before(*(bool(answer) for answer in found or ()))
    if not (at_once or before.unchanged):
        take(work, *(pair if before.locked or before.asked else pair[:1]), beside=pair)
    return before


def version(work: Work, user: Key) -> int:
    """Return how often the guard of *user* was taken, as this transaction sees it. One statement."""
    return work.run(guard_version, {"user": user}).scalar() or 0


# --- Statements ----------------------------------------------------------------------------------


@once
def take_guards(schema: Schema, engine: EngineRules) -> Executable:
    """
    Hold the guard rows of *users* until the transaction ends; made on first use. A user who is not there has none.

    First all *people* are locked against deletion, ascending, *users* among them: whoever
    deletes one wants the guard row after that, too; and MariaDB lets nobody lock a user any more for whom
    somebody else waits to change them. The limit keeps MariaDB from doing both at a time.
    """
    people = engine.one_of(schema.key, "people")
    taken: Executable = _taken(schema, engine, people, lambda user: engine.one_of(user, "users"))
    return taken.execution_options(preserve_rowcount=True, **{HOLDS: True})


@once
def ask_and_take_guards(schema: Schema, engine: EngineRules, ask: Callable[[Schema, EngineRules], Rows]) -> Rows:
    """
    What *ask* says; and hold the guard of *follower*, that of *followed* too if *locked* or *asked*, none if *unchanged*.

    As `take_guards()`, for engines with data-modifying CTEs.
    """
    answers = ask(schema, engine).cte("answers")
    found = or_(answers.c.locked, answers.c.asked), answers.c.unchanged
    both, unchanged = (select(answer).scalar_subquery() for answer in found)
    pair = follower, _ = user_key(schema, "follower"), user_key(schema, "followed")
    people = and_(schema.key.in_(pair), unchanged.is_not(true()))
    taken = _taken(schema, engine, people, lambda user: or_(user == follower, both))
    return select(answers).add_cte(taken.cte("taken")).execution_options(**{HOLDS: True})


def _taken(
    schema: Schema,
    engine: EngineRules,
    people: ColumnElement[bool],
    chosen: Callable[[ColumnElement[Any]], ColumnElement[bool]],
) -> Any:
    guards: Table = schema.guards  # type: ignore[assignment] # asked for only where there are guards
    locked = select(schema.key.label("user_id")).where(people).order_by(schema.key)
    locked = locked.limit(literal_column(str(2**63 - 1))).with_for_update(read=True, key_share=True)
    held = locked.subquery("people")
    rows = select(held.c.user_id, literal_column("1").label("version"))
    rows = rows.where(chosen(held.c.user_id)).order_by(held.c.user_id)
    return engine.upsert(guards, rows, lambda _new: {"version": guards.c.version + 1})


@once
def guard_version(schema: Schema) -> Rows:
    """How often the guard of *user* was taken, as this transaction sees it."""
    guards: Table = schema.guards  # type: ignore[assignment]
    return select(guards.c.version).where(guards.c.user_id == user_key(schema, "user"))
