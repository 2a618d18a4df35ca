"""Edges: whether there is one, to make one, to end one; and how a viewer stands with others."""

from __future__ import annotations

from typing import Any, Final, cast

from sqlalchemy import (
    Delete,
    Executable,
    Table,
    and_,
    delete,
    exists,
    false,
    literal_column,
    null,
    select,
    true,
    union_all,
)
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue.engines import EngineRules, Rows
from retinue.models import UTCDateTime
from retinue.schema import Schema
from retinue.ties import not_blocked, not_ended, pending
from retinue.work.building import CompoundRows, insert_row, once, people, user_key

#: The parameters of an edge, or of a request for one.
EDGE: Final = {"follower_id": "follower", "following_id": "followed", "timestamp": "at"}

#: The ways in which a viewer and a user stand, as the fields of `Relationship`.
STANDINGS: Final = ("following", "followed_by", "requested", "requested_by", "blocking", "blocked_by", "muting")


@once
def is_following(schema: Schema) -> Rows:
    """A row if *follower* follows *followed*."""
    edge = schema.follows.c
    return select(literal_column("1")).where(
        edge.follower_id == user_key(schema, "follower"), edge.following_id == user_key(schema, "followed")
    )


@once
def insert_edge(schema: Schema, engine: EngineRules) -> Executable:
    """*follower* follows *followed* since *at*, unless they do already, or may not without being asked."""
    users = people(schema, "follower", "followed")
    conditions = _unblocked(schema, engine)
    if not engine.keeps_snapshot:
        # The insert decides. This spares a repeated follow the locks on its users, and so a write to the disk.
        conditions.append(~is_edge(schema, engine))
    locked = schema.flag("locked", users["followed"], engine)
    if locked is not None:
        conditions.append(locked.is_not(true()))
    return insert_row(schema, engine, schema.follows, EDGE, users, *conditions)


@once
def insert_agreed_edge(schema: Schema, engine: EngineRules) -> Executable:
    """As `insert_edge()`, where *followed* has said yes."""
    users = people(schema, "follower", "followed")
    return insert_row(schema, engine, schema.follows, EDGE, users, *_unblocked(schema, engine))


@once
def before_follow(schema: Schema, engine: EngineRules) -> Rows:
    """
    (both, enough, asked, waits): what *follower* meets who wants to follow *followed*; see `guards.Before`.

    Both guards are needed if *followed* approves followers; it is enough if *follower* follows already.
    """
    both: Any = false()
    asked: Any = false()
    waits: Any = false()
    if asks_first(schema):
        requests = cast("Table", schema.requests)
        locked = cast("Any", schema.flag("locked", schema.key.table, engine))
        request = _pair_of(requests, schema, requests.c.timestamp)
        both, asked, waits = locked.is_(true()), exists(request), exists(request.where(pending(schema, requests)))
    said = _named(both=both, enough=is_edge(schema, engine), asked=asked, waits=waits)
    return engine.current(select(*said).where(schema.key == user_key(schema, "followed")))


@once
def before_unfollow(schema: Schema, engine: EngineRules) -> Rows:
    """
    (both, enough): what *follower* meets who wants to follow *followed* no longer; see `guards.Before`.

    Both guards are needed if *follower* has asked; it is enough if there is neither a request nor an edge.
    """
    requests = cast("Table", schema.requests)
    asked = exists(_pair_of(requests, schema, requests.c.timestamp))
    nothing = false() if engine.keeps_snapshot else and_(~asked, ~is_edge(schema, engine))
    return select(*_named(both=asked, enough=nothing))


def asks_first(schema: Schema) -> bool:
    """Return whether there can be requests: somebody may approve their followers, and they have a place."""
    return schema.requests is not None and "locked" in schema.flags


@once
def select_edge(schema: Schema) -> Rows:
    """Since when *follower* follows *followed*; the row is locked."""
    return _pair_of(schema.follows, schema, schema.follows.c.timestamp).with_for_update()


@once
def standing(schema: Schema, engine: EngineRules) -> Rows:
    """
    How *follower* and *followed* stand now: a row (user, locked, edge, asked, rejected, blocked) for each who exists.

    *edge*, *asked* and *rejected* are times; *blocked* says whether either blocks the other.
    """
    users = schema.key.table
    locked = schema.flag("locked", users, engine)
    edge = engine.current(_pair_of(schema.follows, schema, schema.follows.c.timestamp))
    asked: Any = null()
    rejected: Any = null()
    if schema.requests is not None:
        asked = engine.current(_pair_of(schema.requests, schema, schema.requests.c.timestamp)).scalar_subquery()
        rejected = engine.current(_pair_of(schema.requests, schema, schema.requests.c.rejected_at)).scalar_subquery()
    free = not_blocked(schema, engine, user_key(schema, "follower"), user_key(schema, "followed"), now=True)
    return engine.current(
        select(
            schema.key,
            (false() if locked is None else locked.is_(true())).label("locked"),
            edge.scalar_subquery().label("edge"),
            asked.label("asked"),
            rejected.label("rejected"),
            (~free).label("blocked"),
        ).where(schema.key.in_([user_key(schema, "follower"), user_key(schema, "followed")]))
    )


@once
def are_blocked(schema: Schema, engine: EngineRules) -> Rows:
    """Whether *follower* or *followed* blocks the other now."""
    return select(~not_blocked(schema, engine, user_key(schema, "follower"), user_key(schema, "followed"), now=True))


@once
def delete_edge(schema: Schema) -> Delete:
    """*follower* no longer follows *followed*."""
    edge = schema.follows.c
    return delete(schema.follows).where(
        edge.follower_id == user_key(schema, "follower"), edge.following_id == user_key(schema, "followed")
    )


@once
def delete_loaded_edge(schema: Schema) -> Delete:
    """As `delete_edge()`, through the ORM: a `Follow` that the session has loaded is then deleted in it."""
    edge: Any = schema.follow
    return (
        delete(edge)
        .where(edge.follower_id == user_key(schema, "follower"), edge.following_id == user_key(schema, "followed"))
        .execution_options(synchronize_session="fetch")
    )


@once
def relationships(schema: Schema, engine: EngineRules) -> CompoundRows:
    """
    (kind, user, since) for each way in which *viewer* and one of *users* stand; kinds as in `STANDINGS`.

    Who blocks, mutes and asks nobody, as most do, is asked that once, and not about each of *users*.
    """
    viewer = user_key(schema, "viewer")
    nothing = null().cast(UTCDateTime)

    def side(
        kind: str, rows: FromClause, own: str, other: str, *conditions: ColumnElement[bool], first: str | None = None
    ) -> Rows:
        number: ColumnElement[int] = literal_column(str(STANDINGS.index(kind)))
        since = rows.c.timestamp if kind == "following" else nothing
        chosen = select(number, rows.c[other], since).where(engine.one_of(rows.c[other], "users"), *conditions)
        if first is None:
            return chosen.where(rows.c[own] == viewer)
        # Without the order of an index, PostgreSQL may look for a row of somebody with many through the whole table.
        mine = rows.alias(f"any_{kind}")
        one = select(mine.c[own]).where(mine.c[own] == viewer).order_by(mine.c[first]).limit(literal_column("1"))
        there = one.subquery(f"has_{kind}")
        return chosen.select_from(there.join(rows, rows.c[own] == there.c[own]))

    out, back = schema.follows, schema.edges_by_target.alias("back")
    sides = [
        side("following", out, "follower_id", "following_id"),
        side("followed_by", back, "following_id", "follower_id"),
    ]
    if schema.requests is not None:
        sent, received = schema.requests, schema.requests_by_target.alias("received")
        sides += [
            side("requested", sent, "follower_id", "following_id", pending(schema, sent), first="timestamp"),
            side("requested_by", received, "following_id", "follower_id", pending(schema, received), first="timestamp"),
        ]
    if schema.blocks is not None:
        made, met = schema.blocks, schema.blocks_by_target.alias("met")
        sides += [
            side("blocking", made, "blocker_id", "blocked_id", not_ended(made), first="timestamp"),
            side("blocked_by", met, "blocked_id", "blocker_id", not_ended(met), first="blocker_id"),
        ]
    if schema.mutes is not None:
        sides.append(side("muting", schema.mutes, "muter_id", "muted_id", not_ended(schema.mutes), first="timestamp"))
    return union_all(*sides)


def is_edge(schema: Schema, engine: EngineRules) -> ColumnElement[bool]:
    """Return whether *follower* follows *followed*; false where it is a snapshot that says so, which may be old."""
    return false() if engine.keeps_snapshot else exists(_pair_of(schema.follows, schema, schema.follows.c.timestamp))


def _named(**values: ColumnElement[Any]) -> list[Any]:
    return [value.label(name) for name, value in values.items()]


def _unblocked(schema: Schema, engine: EngineRules) -> list[ColumnElement[bool]]:
    if schema.blocks is None:
        return []
    return [not_blocked(schema, engine, user_key(schema, "follower"), user_key(schema, "followed"))]


def _pair_of(table: Table, schema: Schema, *columns: ColumnElement[Any]) -> Rows:
    return select(*columns).where(
        table.c.follower_id == user_key(schema, "follower"), table.c.following_id == user_key(schema, "followed")
    )
