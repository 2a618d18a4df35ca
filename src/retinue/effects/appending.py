"""Effects that append a row for each change: they say the row once, as values or as columns alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import Insert, insert, literal, select
from sqlalchemy.sql.elements import ColumnElement

from retinue.effects.changes import Changed, Kind, Selected
from retinue.effects.effect import Change, InStatement, Parts
from retinue.engines import EngineRules
from retinue.events import Event
from retinue.schema import Schema
from retinue.work import Work, inserting
from retinue.work.building import OPTION, once


class Appending(InStatement):
    """An effect whose rows are one for each change, and never change."""

    #: What its rows are called in the names of statements.
    name: ClassVar[str]

    def row(self, kind: Kind, changed: Changed) -> Mapping[str, Any] | None:
        """Return the row for a change of *kind*, of its values or of its columns; None if there is none."""
        raise NotImplementedError

    def write(self, work: Work, changes: Sequence[Change], *, bulk: bool) -> Sequence[Event]:
        """Append a row for each. One insert."""
        del bulk
        self.append(work, [self.row(kind, Changed.of(event)) for event, kind in changes])
        return ()

    def write_selected(self, work: Work, kind: Kind, selected: Selected) -> None:
        """Append a row for each. One insert."""
        if work.schema.own_of(work.schema.table(self.mixin)).per_row:
            self.append(work, [self.row(kind, one) for one in selected.values()])
        else:
            for statement in self._inserts(work.schema, kind, selected.changed):
                selected.run(work, f"insert_{self.name}", statement)

    def append(self, work: Work, rows: Sequence[Mapping[str, Any] | None]) -> None:
        """Append those of *rows* that there are. One insert."""
        present = [row for row in rows if row is not None]
        if present:
            table = work.schema.table(self.mixin)
            work.run_each(append_rows, inserting.complete(work.schema, table, present), self)

    def parts(self, schema: Schema, engine: EngineRules, kind: Kind, changed: Changed) -> Parts:
        """Return the insert of the row."""
        del engine
        return Parts([statement.cte(self.name) for statement in self._inserts(schema, kind, changed)])

    def _inserts(self, schema: Schema, kind: Kind, changed: Changed) -> Sequence[Insert]:
        """Return the insert of a row for each change that *changed* has, if there are rows of *kind*."""
        table, row = schema.table(self.mixin), self.row(kind, changed)
        if row is None:
            return ()
        values = {
            name: value if isinstance(value, ColumnElement) else literal(value, table.c[name].type)
            for name, value in row.items()
        }
        rows = select(*(one.label(name) for name, one in values.items()))
        return (insert(table).from_select(list(values), rows),)


@once
def append_rows(schema: Schema, effect: Appending) -> Insert:
    """Rows of *effect*, which come as parameters."""
    return insert(schema.table(effect.mixin)).execution_options(**{OPTION: f"insert_{effect.name}"})
