"""Whom a viewer may know of: a condition for the application's own selects, which never adds to what they select from."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, and_, inspect, literal, true
from sqlalchemy.exc import CompileError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapper
from sqlalchemy.orm.util import AliasedInsp
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import FromClause
from sqlalchemy.types import TypeEngine

from retinue import errors
from retinue.errors import MappingError
from retinue.models import now
from retinue.schema.flags import expression_of, tables_read
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
    key = work.viewer(viewer)
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


class InScope(FunctionElement[bool]):
    """
    A *condition* on the rows that a statement has of the table of *key*.

    Any other condition adds its table to those that are selected from, where it is not among them: beside an
    alias of the same table, every row then comes once for each user who meets it, whoever the row is about.
    """

    inherit_cache: bool | None = True
    type: TypeEngine[bool] = Boolean()

    def __init__(self, condition: ColumnElement[bool], key: ColumnElement[Any]) -> None:
        super().__init__(condition, key)

    @property
    def _from_objects(self) -> list[FromClause]:
        return []


@compiles(InScope)
def _compiled(element: InScope, compiler: SQLCompiler, **options: Any) -> str:
    # Not `element.clauses`, which a copy that an alias is put into keeps from its original.
    arguments: Any = element.clause_expr.element
    condition, key = arguments
    if compiler.stack:
        here = {same for rows in compiler.stack[-1]["correlate_froms"] for same in rows._cloned_set}  # noqa: SLF001
        for rows in tables_read(condition) | tables_read(key):
            if here.isdisjoint(rows._cloned_set):  # noqa: SLF001 - a statement that is adapted has copies of an alias
                name = getattr(rows, "name", rows)
                message = (
                    f"a condition of visible_to() is about {name}, which the statement does not select from:"
                    " join it, or name what it does select from, as in visible_to(viewer, aliased(User))"
                )
                raise CompileError(message)
    text: str = compiler.process(condition.self_group(), **options)
    return text
