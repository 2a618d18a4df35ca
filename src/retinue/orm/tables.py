"""Find the table that a statement changes, and the model of that table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast
from weakref import ReferenceType, WeakKeyDictionary, ref

from sqlalchemy import Alias, Table, event
from sqlalchemy.orm import Mapper
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue.models.ownership import GraphModel, GraphUser, root_of
from retinue.orm import parts

#: The class of each table. Not in the table's ``info``, which migration tools write into revisions.
_models: Final[WeakKeyDictionary[Table, ReferenceType[type[Any]]]] = WeakKeyDictionary()


@event.listens_for(GraphUser, "instrument_class", propagate=True)
@event.listens_for(GraphModel, "instrument_class", propagate=True)
def _note_table(mapper: Mapper[Any], cls: type[Any]) -> None:
    if root_of(mapper) is mapper and isinstance(mapper.local_table, Table):
        _models[mapper.local_table] = ref(cls)


def model_of(table: FromClause | None) -> type[Any]:
    """Return the user class, or the model of a graph, whose rows *table* holds; ``object`` for any other table."""
    known = _models.get(table) if isinstance(table, Table) else None
    return (known and known()) or object


@dataclass(frozen=True, slots=True)
class Target:
    """The table that an INSERT, UPDATE or DELETE changes."""

    #: The table, or its alias that the statement uses.
    named: FromClause
    table: FromClause
    #: The mapper, and the class or alias, of a statement about entities; None for one about a table.
    mapper: Mapper[Any] | None = None
    entity: Any = None

    @classmethod
    def of(cls, statement: Any) -> Target:
        """Return the target of *statement*."""
        named: FromClause = statement.table
        entity = parts.entity(named)
        if entity is not None:
            mapper: Mapper[Any] = entity.mapper
            table = mapper.local_table
            return cls(named if entity.is_aliased_class else table, table, mapper, entity.entity)
        table = named
        while isinstance(table, Alias):
            table = cast("FromClause", table.element)
        return cls(named, table)

    @property
    def model(self) -> type[Any]:
        """The user class, or the model of a graph, of this table; ``object`` if it has none."""
        return model_of(self.table)

    def columns(self, columns: Sequence[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
        """Return *columns* of the table as columns of what the statement uses: the table or its alias."""
        return [self.named.c[cast("str", column.key)] for column in columns]

    def attributes(self, columns: Sequence[ColumnElement[Any]]) -> list[Any]:
        """Return *columns* of the table as attributes, if the statement is about entities."""
        if self.mapper is None:
            return self.columns(columns)
        find = self.mapper.get_property_by_column
        return [getattr(self.entity, find(cast("Any", column)).key) for column in columns]


def is_of_users(table: FromClause) -> bool:
    """Return whether the rows of *table* are users of a graph."""
    return issubclass(model_of(table), GraphUser)
