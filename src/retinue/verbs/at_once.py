"""
Follow, unfollow and block in one statement: guards, what decides, the change and all that follows.

For engines that change several tables by one statement. All of its parts see what was there when it began; so it may
change something only if nobody else has held its guards since. Who had to wait for somebody changes nothing, but holds
the guards then: the same statement, run again, sees what they left. What it does not decide even so (a block, a limit,
somebody unknown) is for the statements that go one after the other, which find the guards held.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    CTE,
    Delete,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal_column,
    null,
    select,
    true,
)
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import SelectBase
from sqlalchemy.sql.visitors import iterate

from retinue import effects, guards, limits, ties
from retinue.effects.changes import KINDS, Possible, returned_by
from retinue.engines import EngineRules, Rows
from retinue.events import Blocked, EdgeEvent, Followed, FollowerRemoved, Requested, Unfollowed
from retinue.models import BlockMixin, FollowRequestMixin, UTCDateTime
from retinue.schema import Schema
from retinue.ties import BLOCK, CUTS, FOLLOW, REQUEST, Tie, not_blocked, pending
from retinue.values import Outcome
from retinue.verbs.before import before_block, before_follow, before_unfollow
from retinue.work import Build, Pair, Work
from retinue.work.building import OPTION, once, user_key

#: What tells that a statement has changed something.
_CHANGES: Final = ("edge", "request", "block")


class Tried(NamedTuple):
    """What one statement did of a verb."""

    #: What the verb answers; None: it is not decided.
    answer: Any = None
    #: What it found, whose guards are held since; None: no statement was run, or one of the users is not there.
    before: guards.Before | None = None


def follow(work: Work, pair: Pair, at: datetime) -> Tried:
    """Follow or ask, whichever the second of *pair* wants. One statement; two if somebody else was at it."""
    if not fits(work.schema, work.engine):
        return Tried()
    done, asked = Followed(*pair, at), Requested(*pair, at)
    possible = (done, asked) if _may_ask(work.schema) else (done,)
    found = _run(work, insert_at_once, possible, limits.parameters_of(work.schema, at))
    if found is None:
        return Tried()
    if found.unchanged:
        # A row of this pair that the session has loaded may be of an edge that somebody has replaced.
        work.refresh(work.schema.follow, pair)
        return Tried(Outcome.UNCHANGED)
    if found.edge:
        effects.complete(work, found, done)
        if found.asked and ties.end(work, REQUEST, pair):
            effects.close_requests(work, [pair])
        work.refresh(work.schema.follow, pair)
        return Tried(Outcome.FOLLOWED)
    if found.request:
        effects.complete(work, found, asked)
        return Tried(Outcome.REQUESTED)
    return Tried(before=guards.Before(*map(bool, (found.locked, False, found.asked, found.waits))))


def unfollow(work: Work, pair: Pair, at: datetime) -> Tried:
    """End the edge, and a request that waits. One statement; two if somebody else was at it."""
    schema = work.schema
    if not fits(schema, work.engine) or not REQUEST.is_declared(schema) or work.loaded(schema.follow, pair) is not None:
        return Tried()
    ended = Unfollowed(*pair, at)
    found = _run(work, delete_at_once, (ended,), {})
    if found is None or not (found.unchanged or found.current):
        return Tried()
    if found.request:
        work.refresh(schema.models[FollowRequestMixin], pair)
    effects.complete(work, found, *([ended] if found.edge else ()))
    return Tried(bool(found.edge or found.request))


def block(work: Work, pair: Pair, at: datetime, until: datetime | None) -> Tried:
    """Block, and end what is between the two. One statement; two if somebody else was at it."""
    schema, back = work.schema, (pair[1], pair[0])
    if not fits(schema, work.engine) or any(work.loaded(schema.follow, edge) is not None for edge in (pair, back)):
        return Tried()
    edges = Unfollowed(*pair, at), FollowerRemoved(*back, at)
    found = _run(work, block_at_once, edges, {"until": until})
    if found is None or not (found.unchanged or found.block):
        return Tried()
    if found.unchanged:
        return Tried(False)
    ended = [edge for edge, number in zip(edges, (found.edge, found.edge_back), strict=True) if number]
    effects.complete(work, found, *ended, beside=[Blocked(*pair, at, until)])
    work.refresh(schema.models[BlockMixin], pair)
    for asked in (pair, back) if REQUEST.is_declared(schema) else ():
        work.refresh(schema.models[FollowRequestMixin], asked)
    return Tried(True)


def fits(schema: Schema, engine: EngineRules) -> bool:
    """
    Return whether a verb can be one statement.

    Not where an edge and its effects cannot; nor where whether somebody approves followers is read from other rows than
    their own: those nobody locks.
    """
    found: bool | None = schema.built.get((fits, engine))
    if found is None:
        locked = schema.flag("locked", schema.key.table)
        alone = locked is None or not any(isinstance(part, SelectBase) for part in iterate(locked))
        tables = [tie.table(schema) for tie in (REQUEST, ties.BLOCK) if tie.is_declared(schema)]
        by_python = any(schema.own_of(table).by_python for table in tables)
        together = schema.guards is not None and effects.fits_one_statement(schema, engine)
        found = schema.built[fits, engine] = together and alone and not by_python
    return found


def _may_ask(schema: Schema) -> bool:
    return REQUEST.is_declared(schema) and "locked" in schema.flags


def _run(work: Work, build: Build, possible: tuple[EdgeEvent, ...], more: Mapping[str, Any]) -> Any:
    """Return the row of the statement, run again if it was not current; None if there is no such user."""
    parameters, before = {**effects.at_once(work.schema, *possible), **more}, work.changed
    ascending = effects.is_ascending(possible[0])
    found: Any = None
    for _ in range(2):
        found = work.run(build, parameters, work.engine, ascending).first()
        if found is None or found.unchanged or found.current:
            break
    if found is None or not any(getattr(found, name, 0) for name in _CHANGES):
        work.changed = before
    return found


# --- Statements ----------------------------------------------------------------------------------


@once
def insert_at_once(schema: Schema, engine: EngineRules, ascending: bool) -> Rows:
    """
    *follower* follows *followed*, or asks to, with what follows.

    One row: what they met, as `before_follow()`; whether that is *current*; and how many edges and requests are new.
    """
    held = guards.hold(schema, engine, before_follow)
    met, people = held.answers.c, held.people.c
    # Who was just changing that may have been waited for as well: this is how it is since then.
    approves = select(people.locked).where(people[schema.key.key] == user_key(schema, "followed")).scalar_subquery()
    room = limits.room(schema, engine, case((met.waits, 1), else_=0))
    ends = [user_key(schema, name) for name in FOLLOW.ends]
    new = {"follower": ends[0], "followed": ends[1], "at": bindparam("at", type_=UTCDateTime)}
    may = and_(_both(held), not_blocked(schema, engine, *ends), room.any)
    gate = _gate(held, held.current(schema), approves == met.locked, may=may, may_ask=room.requests, **new)
    row = gate.c
    possible = [_inserted(schema, engine, gate, FOLLOW, Followed, ascending, row.current, row.may, ~row.locked)]
    if _may_ask(schema):
        asks = row.current, row.may, row.may_ask, row.locked
        possible.append(_inserted(schema, engine, gate, REQUEST, Requested, ascending, *asks))
    done = select(*_met(held, gate), *(one.answer() for one in possible))
    return effects.with_effects(schema, engine, done, *possible).execution_options(**{OPTION: "insert_edge"})


@once
def delete_at_once(schema: Schema, engine: EngineRules, ascending: bool) -> Rows:
    """
    *follower* no longer follows *followed*, nor asks to, with what follows.

    One row: what they met, as `before_unfollow()`; whether that is *current*; how many requests and edges went.
    """
    held = guards.hold(schema, engine, before_unfollow)
    current = held.current(schema)
    may = select(current.c.current).scalar_subquery()
    requests = REQUEST.table(schema)
    request = _ended(schema, REQUEST, REQUEST.ends, may, pending(schema, requests))
    withdrawn = request.returning(requests.c.follower_id).cte("request")
    edge = Possible(KINDS[Unfollowed], returned_by(schema, engine, _ended(schema, FOLLOW, FOLLOW.ends, may)), ascending)
    number = select(func.count()).select_from(withdrawn).scalar_subquery()
    met = select(held.answers, current.c.current).select_from(held.answers.join(current, true()))
    done = met.add_columns(number.label("request"), edge.answer())
    done = effects.with_effects(schema, engine, effects.without_requests(schema, done, withdrawn), edge)
    return done.execution_options(**{OPTION: "delete_edge"})


@once
def block_at_once(schema: Schema, engine: EngineRules, ascending: bool) -> Rows:
    """
    *follower* blocks *followed* until *until*, and what is between them ends, with what follows.

    One row: what they met, as `before_block()`; whether that is *current*; how many blocks, and edges of each direction.
    """
    held = guards.hold(schema, engine, before_block)
    gate = _gate(held, held.current(schema))
    may = select(and_(gate.c.current, ~gate.c.lasts)).scalar_subquery()
    edges = [
        Possible(KINDS[event], returned_by(schema, engine, _ended(schema, FOLLOW, pair, may), name), ascending)
        for event, pair, name in (
            (Unfollowed, FOLLOW.ends, "edge"),
            (FollowerRemoved, FOLLOW.ends[::-1], "edge_back"),
        )
    ]
    cut: list[ColumnElement[Any]] = [edge.changed.table.c.since for edge in edges]
    if REQUEST.is_declared(schema):
        for name, pair in (("request", REQUEST.ends), ("request_back", REQUEST.ends[::-1])):
            rows = REQUEST.table(schema).c
            asked = _ended(schema, REQUEST, pair, may, pending(schema, REQUEST.table(schema)))
            cut.append(asked.returning(rows.timestamp.label("since")).cte(name).c.since)
    block = _blocked(schema, engine, held, may, cut)
    number = select(func.count()).select_from(block).scalar_subquery().label("block")
    done = select(*_met(held, gate), number, *(edge.answer() for edge in edges))
    done = effects.kept_apart(schema, done, exists(select(block)))
    return effects.with_effects(schema, engine, done, *edges).execution_options(**{OPTION: "insert_block"})


def _ended(schema: Schema, tie: Tie, ends: Sequence[str], *conditions: ColumnElement[bool]) -> Delete:
    """Return the delete of the *tie* of the parameters *ends*, if *conditions* hold."""
    rows, keys = tie.table(schema), [user_key(schema, end) for end in ends]
    return delete(rows).where(rows.c[tie.owner] == keys[0], rows.c[tie.other] == keys[1], *conditions)


def _blocked(
    schema: Schema, engine: EngineRules, held: guards.Held, may: ColumnElement[bool], cut: Sequence[ColumnElement[Any]]
) -> CTE:
    """Return the block of two who are both there, with the times at which what it has *cut* had begun."""
    rows = BLOCK.table(schema)
    owner, other = (user_key(schema, name) for name in FOLLOW.ends)
    times = {name: bindparam(name, type_=UTCDateTime) for name in ("at", "until")}
    values: dict[str, ColumnElement[Any]] = {
        BLOCK.owner: owner,
        BLOCK.other: other,
        "timestamp": times["at"],
        "until": times["until"],
        **{name: select(since).scalar_subquery() for name, since in zip(CUTS, cut, strict=False)},
    }
    new = select(*(value.label(name) for name, value in values.items())).where(may, _both(held))
    # One that has ended may still be there.
    renewed = [*CUTS, "timestamp", "until"]
    blocked: Any = engine.upsert(
        rows, new, lambda new: {name: new[name] if name in values else null() for name in renewed}
    )
    done: CTE = blocked.returning(rows.c[BLOCK.owner]).cte("block")
    return done


def _gate(held: guards.Held, current: CTE, *still: ColumnElement[bool], **conditions: ColumnElement[bool]) -> CTE:
    """Return one row: what was met; whether it is *current*, and *still* is so; and which of the *conditions* hold."""
    now = and_(current.c.current, *still).label("current")
    columns = [condition.label(name) for name, condition in conditions.items()]
    return select(held.answers, now, *columns).select_from(held.answers.join(current, true())).cte("gate")


def _both(held: guards.Held) -> ColumnElement[bool]:
    """Return whether both users are there."""
    return select(func.count() == literal_column("2")).select_from(held.people).scalar_subquery()


def _inserted(
    schema: Schema,
    engine: EngineRules,
    gate: CTE,
    tie: Tie,
    event: type[EdgeEvent],
    ascending: bool,
    *may: ColumnElement[bool],
) -> Possible:
    """Return the insert of the *tie* that *gate* has the values of, if it *may* be."""
    row = select(*(gate.c[name].label(column) for column, name in tie.row.items())).where(*may)
    inserted = engine.insert_from(tie.table(schema), list(tie.row), row)
    return Possible(KINDS[event], returned_by(schema, engine, inserted, tie.name), ascending)


def _met(held: guards.Held, gate: CTE) -> Sequence[ColumnElement[Any]]:
    """Return the columns of *gate* that say what was met, and whether that is current."""
    return [gate.c[column.name] for column in held.answers.c] + [gate.c.current]
