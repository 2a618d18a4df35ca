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

from sqlalchemy import CTE, Executable, Table, false, func, literal_column, or_, select, true
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

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
    before the first guard is taken. One statement; none, and true, where nothing needs a guard: nor on an engine with one
    writer at a time, of whom nobody knows then whether they are there.
    """
    if work.schema.guards is None or work.engine.hold_all(work.connection):
        return True
    parameters = {"users": list(users), "people": [*users, *beside]}
    return bool(work.run(take_guards, parameters, work.engine).rowcount)


def ask_and_take(work: Work, pair: tuple[Key, Key], ask: Question, at: datetime) -> Before:
    """
    Hold the guards that the change of an edge needs, if it needs any: *ask* tells.

    One statement; two where an engine has neither data-modifying CTEs nor one writer at a time; none where nothing
    needs a guard.
    """
    if work.schema.guards is None:
        return Before()
    parameters = {"follower": pair[0], "followed": pair[1], **moment(work.schema, at)}
    # The one writer first of all: so what is asked stays as it is.
    alone, at_once = work.engine.hold_all(work.connection), work.engine.modifying_ctes
    build, arguments = (ask_and_take_guards, (work.engine, ask)) if at_once else (ask, (work.engine,))
    found: Any = work.run(build, parameters, *arguments).first()
    before = Before(*(bool(answer) for answer in found or ()))
    if not (alone or at_once or before.unchanged):
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
    people = _people(schema, engine.looked_up(schema.key, "people")).subquery("people")
    taken: Executable = _taken(schema, engine, people, engine.one_of(people.c[schema.key.key], "users"))
    return taken.execution_options(preserve_rowcount=True, **{HOLDS: True})


@once
def ask_and_take_guards(schema: Schema, engine: EngineRules, ask: Question) -> Rows:
    """
    What *ask* says; and hold the guards that the change needs, as `hold()` does.

    As `take_guards()`, for engines with data-modifying CTEs.
    """
    held = hold(schema, engine, ask)
    return select(held.answers).add_cte(held.taken).execution_options(**{HOLDS: True})


class Held(NamedTuple):
    """What a statement knows that takes guards before it goes on: on engines with data-modifying CTEs."""

    #: The row that was asked for.
    answers: CTE
    #: The two users, locked against deletion; those who are there, and none if nothing is to change. *locked*: whether they
    #: approve followers since then.
    people: CTE
    #: Their guards, with the versions that they have now.
    taken: CTE

    def current(self, schema: Schema) -> CTE:
        """
        Return one row: whether nobody else has held one of the guards since the statement's snapshot. Then that is *current*.

        Whoever had to wait for somebody who committed knows by that what they wait for, but not what it is now: the
        statement may change nothing then. It is run again, and reads anew, while the guards are held.
        """
        guards: Table = schema.guards  # type: ignore[assignment]
        rows, seen = self.taken.c, guards.alias("seen").c
        before = select(seen.version).where(seen.user_id == rows.user_id).scalar_subquery()
        alone = func.bool_and(rows.version == func.coalesce(before, literal_column("0")) + literal_column("1"))
        return select(func.coalesce(alone, false()).label("current")).cte("current")


def hold(schema: Schema, engine: EngineRules, ask: Question) -> Held:
    """
    Return what a statement begins with that holds the guards of *follower* and *followed*.

    By what it *asks*, it is that of the follower, that of *followed* too if *locked* or *asked*, and none if *unchanged*.
    """
    pair = follower, _ = user_key(schema, "follower"), user_key(schema, "followed")
    answers = ask(schema, engine).cte("answers")
    locked = schema.flag("locked", schema.key.table)
    people = _people(schema, schema.key.in_(pair), (false() if locked is None else locked.is_(true())).label("locked"))
    both = select(or_(answers.c.locked, answers.c.asked)).scalar_subquery()
    there = people.where(select(answers.c.unchanged).scalar_subquery().is_not(true())).cte("people")
    taken = _taken(schema, engine, there, or_(there.c[schema.key.key] == follower, both))
    return Held(answers, there, taken.returning(*taken.table.columns).cte("taken"))


def _people(schema: Schema, who: ColumnElement[bool], *columns: ColumnElement[Any]) -> Rows:
    people = select(schema.key, *columns).where(who).order_by(schema.key)
    return people.limit(literal_column(str(2**63 - 1))).with_for_update(read=True, key_share=True)


def _taken(schema: Schema, engine: EngineRules, people: FromClause, chosen: ColumnElement[bool]) -> Any:
    guards: Table = schema.guards  # type: ignore[assignment] # asked for only where there are guards
    user = people.c[schema.key.key]
    rows = select(user.label("user_id"), literal_column("1").label("version")).where(chosen).order_by(user)
    return engine.upsert(guards, rows, lambda _new: {"version": guards.c.version + literal_column("1")})


@once
def guard_version(schema: Schema) -> Rows:
    """How often the guard of *user* was taken, as this transaction sees it."""
    guards: Table = schema.guards  # type: ignore[assignment]
    return select(guards.c.version).where(guards.c.user_id == user_key(schema, "user"))
