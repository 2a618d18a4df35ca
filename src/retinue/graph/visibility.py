"""Whom a viewer may know of: a condition for the application's own selects."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, inspect, literal, or_, true
from sqlalchemy.orm import Mapper
from sqlalchemy.orm.util import AliasedInsp

from retinue.errors import MappingError, shown
from retinue.flags import expression_of
from retinue.graph.part import Part, U
from retinue.models import now
from retinue.statements.building import blocks_between
from retinue.statements.scope import InScope
from retinue.values import ALL, Everything, Key


class Visibility(Part[U]):
    """Whom a viewer may know of."""

    __slots__ = ()

    def visible_to(
        self, viewer: U | Key | Everything | None, entity: Any = None, *, blocked: bool = False
    ) -> ColumnElement[bool]:
        """
        Return the condition that holds for every user of whom *viewer* may know. No statement.

        It is for selects of the application's own, about the user class itself or joined
        to it: a search, a directory, posts with their authors::

            select(User).where(User.username == "ann", graph.visible_to(viewer))

        Left out are inactive users, and those who block the viewer or are blocked by
        them: the same as on the graph's own lists. The viewer always sees themselves. It
        holds for the moment at which it is made: make it anew for each request.

        It is about the rows that a statement selects of *entity*, and never adds them: a
        statement without them is refused with SQLAlchemy's `CompileError`, such as one
        that has an alias of the user class and no more (``joinedload()`` makes one).

        Args:
            viewer: Who looks: a user, None for somebody not logged in, or `ALL`.
            entity: Whom it is about: the user class unless said otherwise, a subclass
                of it, or an alias of one, as `aliased()` makes it.
            blocked: Keep those whom the viewer blocks, also if they block back: for the
                address of a page on which a block can be taken back. So nobody learns
                from what is missing there whether they are blocked, too.

        Raises:
            InvalidUserError: *viewer* is neither a user nor a possible key.
            MappingError: *entity* is neither the user class, a subclass, nor an alias.
        """
        schema = self._schema
        people = schema.user if entity is None else entity
        if entity is not None:
            _check(people, schema.user)
        if viewer is ALL:
            return true()
        _, engine = self._caller.read()
        key = None if viewer is None else self._caller.key(viewer, engine)
        theirs = expression_of(people, schema.key_name)
        active = schema.flag_of("active", people)
        here: ColumnElement[bool] = true() if active is None else active.is_not(False)
        if key is None:
            return here if active is None else InScope(here, theirs)
        own = literal(key, schema.key.type)
        if schema.blocks is not None:
            made, met = (engine.no_row(rows) for rows in blocks_between(schema, own, theirs, now()))
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
