"""
Users that go, and everything of theirs.

Scatters over other owners by nature: a user's edges lie with everybody they knew.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Column,
    Delete,
    Executable,
    Table,
    Update,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    tuple_,
    union,
    update,
)
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import Subquery

from retinue.effects.counting import COUNT, count_row, count_rows, counted_edges
from retinue.engines import EngineRules, Rows
from retinue.models import FollowRequestMixin
from retinue.schema import Schema
from retinue.work.building import once


@once
def lock_users(schema: Schema, engine: EngineRules) -> Rows:
    """Those of *users* who exist, locked: nobody can follow them, or be followed by them, any more."""
    return select(schema.key).where(engine.one_of(schema.key, "users")).order_by(schema.key).with_for_update()


@once
def lock_neighbours(schema: Schema, engine: EngineRules) -> Rows:
    """Lock all edges of *users*, then the count rows of those at their other ends, ascending."""
    rows, near = count_rows(schema), _neighbours(schema, engine)
    order = (rows.c.user_id, rows.c.slot)
    found = select(rows.c.user_id).join(near, near.c.user == rows.c.user_id).order_by(*order)
    return select(func.count()).select_from(found.with_for_update(of=rows).subquery())


@once
def count_neighbours(schema: Schema, engine: EngineRules) -> Executable:
    """Give those neighbours of *users* who have no count row one that says what their edges say."""
    return engine.insert_from(count_rows(schema), list(COUNT), _uncounted(schema, engine))


@once
def uncounted_neighbours(schema: Schema, engine: EngineRules) -> Rows:
    """The count rows that `count_neighbours()` inserts."""
    return _uncounted(schema, engine, engine)


def _uncounted(schema: Schema, engine: EngineRules, now: EngineRules | None = None) -> Rows:
    near, there = _neighbours(schema, engine), count_rows(schema).alias("counted")
    counted = and_(there.c.user_id == near.c.user, there.c.slot == 0)
    row = count_row(near.c.user, *counted_edges(schema, near.c.user, now))
    return row.join_from(near, there, counted, isouter=True).where(there.c.user_id.is_(None)).order_by(near.c.user)


@once
def count_out_followers(schema: Schema, engine: EngineRules) -> Update:
    """Let everybody who follows one of *users* follow so many fewer."""
    edge = schema.edges_by_target.alias("incoming").c
    rows, lost = count_rows(schema), _lost(edge.follower_id, engine.one_of(edge.following_id, "users"))
    return _from_slot_0(rows, lost, following=rows.c.following - lost.c.edges)


@once
def count_out_followed(schema: Schema, engine: EngineRules) -> Update:
    """Let everybody whom one of *users* follows have so many followers fewer."""
    edge = schema.follows.alias("outgoing").c
    rows, lost = count_rows(schema), _lost(edge.following_id, engine.one_of(edge.follower_id, "users"))
    return _from_slot_0(rows, lost, followers=rows.c.followers - lost.c.edges)


@once
def delete_rows_of(schema: Schema, engine: EngineRules, table: Table) -> Delete:
    """Of *users* nothing is left in *table*."""
    del schema
    return delete(table).where(engine.one_of(table.c[table.info["shard_key"]], "users"))


@once
def delete_rows_about(schema: Schema, engine: EngineRules, table: Table) -> Delete:
    """No row of others in *table* is about one of *users* any more."""
    del schema
    return delete(table).where(engine.one_of(table.c[table.info["reverse_key"]], "users"))


@once
def rows_of(schema: Schema, engine: EngineRules, key: Column[Any]) -> Rows:
    """Those of *keys* that there are, locked."""
    del schema
    return select(key).where(engine.one_of(key, "keys")).order_by(key).with_for_update()


@once
def delete_rows(schema: Schema, engine: EngineRules, key: Column[Any]) -> Delete:
    """The rows of *keys* go."""
    del schema
    return delete(key.table).where(engine.one_of(key, "keys"))


@once
def edges_left(schema: Schema, engine: EngineRules) -> Rows:
    """How many edges of *pairs*, each of one of *followers*, there are."""
    return select(func.count()).where(*_pairs(schema.follows, engine))


@once
def requests_left(schema: Schema, engine: EngineRules) -> Rows:
    """How many requests of *pairs*, each of one of *followers*, there are."""
    return select(func.count()).where(*_pairs(schema.table(FollowRequestMixin), engine))


@once
def delete_edges(schema: Schema, engine: EngineRules) -> Delete:
    """Of *pairs*, each of one of *followers*, none is there any more."""
    return delete(schema.follows).where(*_pairs(schema.follows, engine))


def _pairs(table: Table, engine: EngineRules) -> tuple[ColumnElement[bool], ...]:
    row = table.c
    pairs = tuple_(row.follower_id, row.following_id).in_(bindparam("pairs", expanding=True))
    return engine.one_of(row.follower_id, "followers"), pairs


def _neighbours(schema: Schema, engine: EngineRules) -> Subquery:
    """
    Return everybody at the other end of an edge of *users*, once and ascending, and lock those edges.

    The order is made here, and kept by a limit, because MariaDB locks count rows as it reads them.
    The lock waits for whoever is removing an edge; and it makes MariaDB read what is there now,
    not what its snapshot shows.
    """
    into, out = schema.edges_by_target.alias("incoming").c, schema.follows.alias("outgoing").c
    followers = select(into.follower_id.label("user")).where(engine.one_of(into.following_id, "users"))
    followed = select(out.following_id.label("user")).where(engine.one_of(out.follower_id, "users"))
    both = union(*(select(side.with_for_update().subquery()) for side in (followers, followed))).subquery("both")
    return select(both.c.user).order_by(both.c.user).limit(literal_column(str(2**63 - 1))).subquery("near")


def _lost(neighbour: ColumnElement[Any], condition: ColumnElement[bool]) -> Subquery:
    """Return how many of the edges that fulfil *condition* each *neighbour* has."""
    edges = select(neighbour.label("user"), func.count().label("edges"))
    return edges.where(condition).group_by(neighbour).subquery("lost")


def _from_slot_0(rows: Table, lost: Subquery, **values: ColumnElement[Any]) -> Update:
    # A join: MariaDB would answer an IN by reading, and locking, the counters of everybody.
    return update(rows).where(rows.c.user_id == lost.c.user, rows.c.slot == 0).values(**values)
