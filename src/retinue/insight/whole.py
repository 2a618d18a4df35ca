"""Statements for numbers about a graph as a whole: each reads all of a table, or of one of its indexes."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Integer, Label, and_, case, func, literal_column, null, select
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue.engines import Rows
from retinue.schema import Schema
from retinue.ties import Tie
from retinue.work.building import once, page_limit
from retinue.work.criteria import passing

#: The highest power of two that has a band of its own.
_POWERS: Final = 40


@once
def totals(schema: Schema, ties: tuple[Tie, ...]) -> Rows:
    """(users, follows, returned follows, live rows of each of *ties*); NULL for a tie that is not declared."""
    edge, back = schema.follows.alias("edge"), schema.follows.alias("back")
    returned = edge.join(
        back, and_(back.c.follower_id == edge.c.following_id, back.c.following_id == edge.c.follower_id)
    )
    return select(
        _number("users", schema.key.table),
        _number("follows", schema.follows),
        _number("returned", returned),
        *(_number_of(schema, tie) for tie in ties),
    )


def _number_of(schema: Schema, tie: Tie) -> Label[Any]:
    if not tie.is_declared(schema):
        return null().label(tie.plural)
    rows = tie.table(schema)
    return _number(tie.plural, rows, *tie.live(schema, rows))


def _number(name: str, rows: FromClause, *conditions: ColumnElement[bool]) -> Label[Any]:
    return select(func.count()).select_from(rows).where(*conditions).scalar_subquery().label(name)


@once
def degrees(schema: Schema, *, followers: bool) -> Rows:
    """
    (power, how many users): the users with 2**power or more *followers*, and fewer than twice as many.

    Without *followers*, the users who follow so many.
    """
    edges, number = schema.edges_by_target if followers else schema.follows, func.count().label("number")
    owner = edges.c.following_id if followers else edges.c.follower_id
    each = select(number).select_from(edges).group_by(owner).subquery("each")
    # In the statement's text: a power of two may be more than a driver takes for a whole number.
    below = [(each.c.number < _literal(2 ** (power + 1)), _literal(power)) for power in range(_POWERS)]
    power = case(*below, else_=_literal(_POWERS)).label("power")
    powers = select(power).subquery("powers")
    return select(powers.c.power, func.count()).group_by(powers.c.power)


def _literal(number: int) -> ColumnElement[int]:
    return literal_column(str(number), Integer)


@once
def most_followed(schema: Schema) -> Rows:
    """(user, number of followers) of the users with the most followers."""
    edge, number = schema.edges_by_target.c, func.count().label("number")
    few = (
        select(edge.following_id.label("user_key"), number)
        .group_by(edge.following_id)
        .having(*passing(schema, edge.following_id))
        .order_by(number.desc(), edge.following_id)
        .limit(page_limit())
        .subquery("few")
    )
    user: Any = schema.user
    return (
        select(user, few.c.number)
        .join(few, few.c.user_key == getattr(user, schema.key_name))
        .order_by(few.c.number.desc(), few.c.user_key)
    )
