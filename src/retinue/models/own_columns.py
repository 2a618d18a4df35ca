"""
What an application adds to a table of the graph: columns and constraints of its own.

A verb that makes a row knows the values of the mixin's columns alone. The others come from
where SQLAlchemy takes them for a row of the application's own making: from their defaults.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sqlalchemy import CheckConstraint, Column, ColumnDefault, ForeignKeyConstraint, PrimaryKeyConstraint, Table
from sqlalchemy.orm import Mapper

#: Marks, in its ``info``, a CHECK of the library's own.
LIBRARY: Final = "retinue"

#: Constraints that refuse no row beside another one.
_ALONE: Final = (CheckConstraint, ForeignKeyConstraint, PrimaryKeyConstraint)


class Own(NamedTuple):
    """What of a table is the application's."""

    #: The keys of the mixin's columns, for which a verb has the values.
    given: tuple[str, ...] = ()
    #: The keys of columns that nothing fills: NULL, as the ORM writes it, where a default may look for it.
    blank: tuple[str, ...] = ()
    #: A column that must have a value, and for which nobody has one.
    missing: Column[Any] | None = None
    #: Whether Python fills a column.
    by_python: bool = False
    #: Whether it does so anew for each row.
    per_row: bool = False
    #: Whether two rows may collide that do not have the same primary key.
    unique: bool = False
    #: Whether a row that a verb makes may be refused, by Python or by the database.
    refuses: bool = False


#: Of a table that is the library's alone.
NOTHING: Final = Own()


def default_as_mapped(mapper: Mapper[Any]) -> None:
    """
    Let the columns that the ORM fills by itself have that as their default: its version, and which subclass a row is of.

    It does so for instances, which a verb's rows are not.
    """
    generate = mapper.version_id_generator
    if isinstance(mapper.version_id_col, Column) and callable(generate):
        _give_default(mapper.version_id_col, lambda: generate(None))
    if isinstance(mapper.polymorphic_on, Column) and mapper.polymorphic_identity is not None:
        _give_default(mapper.polymorphic_on, mapper.polymorphic_identity)


def _give_default(column: Column[Any], value: Any) -> None:
    if column.default is None and column.server_default is None:
        column.default = ColumnDefault(value)
        column.default.column = column


def own_of(table: Table, mixin: type[Any]) -> Own:
    """Return what the application added to *table*, of the model with *mixin*."""
    given = tuple(column.key for column in table.columns if column.key in vars(mixin))
    columns = [column for column in table.columns if column.key not in given]
    unfilled = [column for column in columns if column.default is None and column.server_default is None]
    defaults = [column.default for column in columns if column.default is not None]
    per_row = any(default.is_callable for default in defaults)
    unique = any(index.unique for index in table.indexes) or any(
        not isinstance(constraint, _ALONE) for constraint in table.constraints
    )
    checks = any(
        isinstance(constraint, CheckConstraint) and LIBRARY not in constraint.info for constraint in table.constraints
    )
    return Own(
        given=given,
        blank=tuple(column.key for column in unfilled),
        missing=next((column for column in unfilled if not column.nullable), None),
        by_python=per_row or any(default.is_scalar for default in defaults),
        per_row=per_row,
        unique=unique,
        refuses=per_row or unique or checks,
    )


def missing(model: type[Any], own: Own) -> str | None:
    """Return why no verb can make a row of *model*, if that is so: a column has no value."""
    if own.missing is None:
        return None
    name = own.missing.name
    return (
        f"{model.__name__}.{name} is NOT NULL and has no default, so no verb can make a row of {model.__name__}:"
        f" write {name} = mapped_column(..., default=...) or server_default=..., or nullable=True"
        " (server_default=FetchedValue() where the database fills it by itself)"
    )
