"""Lists of people, newest first: a page from any place, at the cost of the first; and who may see what of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import bindparam, exists, func, select
from sqlalchemy.sql.elements import ColumnElement

from retinue.cursors import Way
from retinue.engines import EngineRules, Rows
from retinue.models import UTCDateTime
from retinue.schema import Schema
from retinue.viewer import Audience, left_out, shown_to
from retinue.work.building import OPTION, most, once, user_key

#: A list: the column of its users, that of its times, what else belongs to a row, and who is on it.
Edges = tuple[ColumnElement[Any], ColumnElement[Any], Sequence[ColumnElement[Any]], Sequence[ColumnElement[bool]]]


def followers(schema: Schema) -> Edges:
    """Return those who follow *user*."""
    edge = schema.edges_by_target.c
    return edge.follower_id, edge.timestamp, (), (edge.following_id == user_key(schema, "user"),)


def following(schema: Schema) -> Edges:
    """Return those whom *user* follows."""
    edge = schema.follows.c
    return edge.following_id, edge.timestamp, (), (edge.follower_id == user_key(schema, "user"),)


def known_followers(schema: Schema) -> Edges:
    """Return those whom *viewer* follows, since when; and who follow *user*: no more than *viewer* follows are read."""
    mine, edge = schema.follows.c, schema.edges_by_target.c
    known = (
        mine.follower_id == user_key(schema, "viewer"),
        edge.following_id == user_key(schema, "user"),
        edge.follower_id == mine.following_id,
    )
    return mine.following_id, mine.timestamp, (), known


@once
def page_of(
    schema: Schema, engine: EngineRules, edges: Callable[[Schema], Edges], way: Way | None, audience: Audience
) -> Rows:
    """
    A page of (user, since, what else belongs to it) of a list, newest first, from the given place on.

    The page comes first, from the index alone; its users are joined to what is left.
    """
    key, time, more, conditions = edges(schema)
    chosen = select(key.label("user_key"), time.label("since"), *more).where(
        *conditions, *shown_to(audience, schema, engine, key)
    )
    if way is not None:
        chosen = chosen.where(*beside(key, time, way))
    page = chosen.order_by(*in_order(key, time, way)).limit(most()).subquery("page")
    user: Any = schema.user
    return (
        select(user, page.c.since, *(page.c[str(column.key)] for column in more))
        .join(page, page.c.user_key == getattr(user, schema.key_name))
        .order_by(*in_order(page.c.user_key, page.c.since, way))
        .execution_options(**{OPTION: edges.__name__})
    )


@once
def total_of(schema: Schema, engine: EngineRules, edges: Callable[[Schema], Edges], audience: Audience) -> Rows:
    """How many rows a list has."""
    key, _, _, conditions = edges(schema)
    return select(func.count(key)).where(*conditions, *shown_to(audience, schema, engine, key))


@once
def left_out_of(schema: Schema, engine: EngineRules, edges: Callable[[Schema], Edges]) -> Rows:
    """Whether somebody was left out for the owner of the stretch of a list between two times, both included."""
    key, time, _, conditions = edges(schema)
    since, until = (bindparam(name, type_=UTCDateTime) for name in ("oldest", "newest"))
    stretch = select(time).where(*conditions, time >= since, time <= until, left_out(schema, engine, key))
    return select(exists(stretch))


# --- Keysets -------------------------------------------------------------------------------------


def in_order(
    key: ColumnElement[Any], at: ColumnElement[Any], way: Way | None, *, ascending: bool = False
) -> Sequence[ColumnElement[Any]]:
    """
    Return the total order of a list: by *at*, and by *key* within it; the other way round for the way back.

    Newest first, if *at* is a time; *ascending*: oldest first, or by name.
    """
    forward = way is None or way.forward
    return (at.asc(), key.asc()) if forward is ascending else (at.desc(), key.desc())


def beside(
    key: ColumnElement[Any], at: ColumnElement[Any], way: Way, *, ascending: bool = False, this: Any = None
) -> Sequence[ColumnElement[bool]]:
    """
    Return the conditions for rows beside that of the place (*at*, *key*), in the order of `in_order()`.

    ``t <= :t AND (t < :t OR k < :k)`` is the one form that every engine answers
    from the index; a tuple comparison makes MariaDB read the whole list. *this* is
    the place's own *at*, where that is not simply the parameter.
    """
    there = bindparam("at", type_=at.type) if this is None else this
    return past(key, at, bindparam("key", type_=key.type), there, way, ascending=ascending)


def past(
    key: ColumnElement[Any],
    at: ColumnElement[Any],
    same: ColumnElement[Any],
    there: ColumnElement[Any],
    way: Way,
    *,
    ascending: bool = False,
) -> Sequence[ColumnElement[bool]]:
    """Return the conditions for rows beside the place (*there*, *same*); as `beside()`."""
    or_same = way in (Way.ON_OR_SAME, Way.BACK_OR_SAME)
    if way.forward is ascending:
        return at >= there, (at > there) | (key >= same if or_same else key > same)
    return at <= there, (at < there) | (key <= same if or_same else key < same)
