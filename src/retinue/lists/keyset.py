"""Keysets: the total order of a list, what is beside a place in it, and the objects of what a page holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import Subquery

from retinue.cursors import Way
from retinue.engines import EngineRules, Rows
from retinue.lists.columns import Attributes
from retinue.schema import Schema


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
    engine: EngineRules,
    key: ColumnElement[Any],
    at: ColumnElement[Any],
    way: Way | None,
    *,
    ascending: bool = False,
    this: Any = None,
) -> Sequence[ColumnElement[bool]]:
    """
    Return the conditions for rows beside that of the place (*at*, *key*), in the order of `in_order()`.

    None where there is no *way* to a place. ``t <= :t AND (t < :t OR k < :k)`` is the one
    form that every engine answers from the index; a tuple comparison makes MariaDB read
    the whole list. *this* is the place's own *at*, where that is not simply the parameter.
    """
    if way is None:
        return ()
    place = engine.whichever(bindparam("at", type_=at.type)) if this is None else this
    same, or_same = engine.whichever(bindparam("key", type_=key.type)), way in (Way.ON_OR_SAME, Way.BACK_OR_SAME)
    if way.forward is ascending:
        return at >= place, (at > place) | (key >= same if or_same else key > same)
    return at <= place, (at < place) | (key <= same if or_same else key < same)


def hydrate(
    entity: Any,
    key: ColumnElement[Any],
    page: Subquery,
    order: tuple[str, str],
    way: Way | None,
    *,
    attributes: Attributes | None = None,
    head: Subquery | None = None,
    ascending: bool = False,
    by: Callable[[ColumnElement[Any]], ColumnElement[Any]] | None = None,
) -> Rows:
    """
    Return each row of *page* with its object: (an *entity*, the other columns of the page), in the page's order.

    So the page comes first, from indexes alone, and objects are joined to what is left. Its first column is the *key* of
    the object; *order* names the columns that it goes by, that which decides between equal ones last; the first one as
    *by* returns it. Where *attributes* are enough: (the key, the other columns, the attributes).

    A *head* is one row, or none, whose columns every row ends with; it comes without a page, all else NULL, if that is
    empty, or if its first column is not true.
    """
    joined, *others = page.c
    at, last = (page.c[name] for name in order)
    columns = (entity, *others) if attributes is None else (key, *others, *attributes.selected())
    found: Any = select(*columns)
    if head is None:
        found = found.select_from(entity).join(page, joined == key)
    else:
        # Compared, as to SQLAlchemy a join on one side alone looks like a mistake.
        told = head.c[0] == joined.is_not(None)
        found = found.add_columns(*head.c).select_from(head).outerjoin(page, told).outerjoin(entity, joined == key)
    return found.order_by(*in_order(last, at if by is None else by(at), way, ascending=ascending))  # type: ignore[no-any-return]


def hydrate_users(schema: Schema, page: Subquery, order: tuple[str, str], way: Way | None = None, **how: Any) -> Rows:
    """As `hydrate()`: the users whose keys are the first column of *page*, as the application's own class."""
    user: Any = schema.user
    return hydrate(user, getattr(user, schema.key_name), page, order, way, **how)
