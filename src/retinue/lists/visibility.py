"""Whom a viewer may know of: a condition for the application's own selects."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, inspect, literal, true
from sqlalchemy.orm import Mapper
from sqlalchemy.orm.util import AliasedInsp

from retinue import errors
from retinue.errors import MappingError
from retinue.lists.scope import InScope
from retinue.models import now
from retinue.schema.flags import expression_of
from retinue.values import ALL, Everything
from retinue.viewer import Context, Row, shown
from retinue.work import Work


def visible_to(
    work: Work, viewer: Any | Everything | None, entity: Any = None, *, blocked: bool = False
) -> ColumnElement[bool]:
    """See `Graph.visible_to()`."""
    schema = work.schema
    people = schema.user if entity is None else entity
    if entity is not None:
        _check(people, schema.user)
    if viewer is ALL:
        return true()
    work.read()
    key = None if viewer is None else work.key(viewer)
    theirs = expression_of(people, schema.key_name)
    own = None if key is None else literal(key, schema.key.type)
    row = Row(schema, work.engine, theirs, own, users=people, at=now())
    conditions = shown(row, Context.UNBLOCKING if blocked else Context.LIST)
    if key is None and not conditions:
        return true()
    return InScope(and_(true(), *conditions), theirs)


def _check(entity: Any, user: type[Any]) -> None:
    """Raise `MappingError` unless *entity* is the class *user*, a subclass of it, or an alias of one."""
    found = inspect(entity, raiseerr=False)
    mapper = found.mapper if isinstance(found, (Mapper, AliasedInsp)) else None
    if mapper is None or not issubclass(mapper.class_, user):
        message = f"visible_to() is about {user.__name__}, a subclass or an alias of one, not {errors.shown(entity)}"
        raise MappingError(message)
