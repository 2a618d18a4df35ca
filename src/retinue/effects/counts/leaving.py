"""
The counts of those whom users leave who go.

Scatters over other owners by nature: a user's edges lie with everybody they knew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Executable, Table, Update, and_, func, literal_column, select, union, update
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import Subquery

from retinue.effects.counts.rows import COLUMNS, count_row, count_rows, counted_edges, in_snapshot, plus
from retinue.engines import EngineRules, Rows
from retinue.schema import Schema
from retinue.values import Key
from retinue.work import Work, inserting
from retinue.work.building import once


def count_out(work: Work, users: Sequence[Key]) -> None:
    """Let those at the other ends of the edges of *users* have so many fewer. Five statements."""
    parameters = {"users": list(users)}
    # First the edges: one that somebody is just removing, they count out themselves.
    work.run(lock_neighbours, parameters, work.engine).all()
    # A neighbour who was never counted gets a row: whoever counts them for the first time
    # just now still sees the edges that go, and must meet somebody who took them out.
    whole, selected = count_neighbours(work.schema, work.engine), uncounted_neighbours(work.schema, work.engine)
    inserting.insert_selected(work, count_rows(work.schema), whole, selected, parameters)
    work.run(count_out_followers, parameters, work.engine)
    work.run(count_out_followed, parameters, work.engine)


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
    return engine.insert_from(count_rows(schema), list(COLUMNS), _uncounted(schema, engine))


@once
def uncounted_neighbours(schema: Schema, engine: EngineRules) -> Rows:
    """The count rows that `count_neighbours()` inserts."""
    return _uncounted(schema, engine, engine.current)


def _uncounted(schema: Schema, engine: EngineRules, read: Callable[[Rows], Rows] = in_snapshot) -> Rows:
    near, first = _neighbours(schema, engine), count_rows(schema).alias("counted")
    theirs = and_(first.c.user_id == near.c.user, first.c.slot == 0)
    row = count_row(near.c.user, *counted_edges(schema, near.c.user, read))
    return row.join_from(near, first, theirs, isouter=True).where(first.c.user_id.is_(None)).order_by(near.c.user)


@once
def count_out_followers(schema: Schema, engine: EngineRules) -> Update:
    """Let everybody who follows one of *users* follow so many fewer."""
    edge = schema.edges_by_target.alias("incoming").c
    rows, lost = count_rows(schema), _lost(edge.follower_id, engine.one_of(edge.following_id, "users"))
    return _from_slot_0(rows, lost, following=plus(schema, "following", -lost.c.edges, less=True))


@once
def count_out_followed(schema: Schema, engine: EngineRules) -> Update:
    """Let everybody whom one of *users* follows have so many followers fewer."""
    edge = schema.follows.alias("outgoing").c
    rows, lost = count_rows(schema), _lost(edge.following_id, engine.one_of(edge.follower_id, "users"))
    return _from_slot_0(rows, lost, followers=plus(schema, "followers", -lost.c.edges, less=True))


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
