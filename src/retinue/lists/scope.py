"""A condition for statements of the application's own, which never adds to what they select from."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement
from sqlalchemy.exc import CompileError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import FromClause
from sqlalchemy.types import TypeEngine

from retinue.schema.flags import tables_read


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
