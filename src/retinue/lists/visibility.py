"""Whom a viewer may know of: a condition for the application's own selects."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, inspect, literal, or_, true
from sqlalchemy.orm import Mapper
from sqlalchemy.orm.util import AliasedInsp

from retinue.errors import MappingError, shown
from retinue.lists.scope import InScope
from retinue.models import now
from retinue.schema.flags import expression_of
from retinue.ties import blocks_between
from retinue.values import ALL, Everything
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
    active = schema.flag_of("active", people)
    here: ColumnElement[bool] = true() if active is None else active.is_not(False)
    if key is None:
        return here if active is None else InScope(here, theirs)
    own = literal(key, schema.key.type)
    if schema.blocks is not None:
        made, met = (work.engine.no_row(rows) for rows in blocks_between(schema, own, theirs, now()))
        known = or_(met, ~made) if blocked else and_(met, made)
        here = and_(here, known)
    return InScope(or_(here, theirs == own), theirs)


def _check(entity: Any, user: type[Any]) -> None:
    """Raise `MappingError` unless *entity* is the class *user*, a subclass of it, or an alias of one."""
    found = inspect(entity, raiseerr=False)
    mapper = found.mapper if isinstance(found, (Mapper, AliasedInsp)) else None
    if mapper is None or not issubclass(mapper.class_, user):
        message = f"visible_to() is about {user.__name__}, a subclass or an alias of one, not {shown(entity)}"
        raise MappingError(message)
