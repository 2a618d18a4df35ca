"""What SQLite and PostgreSQL share: ``ON CONFLICT`` and ``RETURNING``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

from sqlalchemy import Executable, Table
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import SelectBase

from retinue.engines.contract import EngineRules, FreshRows, NewRow, filled

#: The last code point, which stands for no character.
_LAST: Final = "\U0010ffff"


class OnConflict(EngineRules):
    """Databases that insert ``ON CONFLICT DO NOTHING``, and return what they inserted."""

    unknown_user_fails = False

    #: The dialect's own INSERT.
    insert: ClassVar[staticmethod[[Table], Any]]

    def starts_with(
        self, name: ColumnElement[Any], text: ColumnElement[Any], gate: ColumnElement[bool] | None = None
    ) -> Sequence[ColumnElement[bool]]:
        """Return a range: what starts with *text* lies between it and it with the last of all characters behind it."""
        names, first = self.by_name(name), self.by_name(text)
        return names >= (first if gate is None else self.given(gate, first)), names < first.concat(_LAST)

    def insert_new(self, row: NewRow) -> Executable:
        """
        Return an ``INSERT .. SELECT`` from the users named: no user, no row, and no error.

        PostgreSQL locks them against deletion as its foreign keys would, only before
        the insert instead of after it: a user deleted meanwhile gives no row, where a
        foreign key's error would have ended the caller's transaction.
        """
        chosen = row.selected().with_for_update(read=True, key_share=True)
        fresh = self._unless_there(row.table, list(row.values), chosen)
        statement: Executable = fresh.returning(next(iter(row.table.primary_key)))
        return statement

    def upsert(
        self,
        table: Table,
        rows: FreshRows,
        update: Callable[[Any], Mapping[str, ColumnElement[Any]]],
        where: ColumnElement[bool] | None = None,
    ) -> Executable:
        """Return the insert ``ON CONFLICT DO UPDATE``."""
        fresh = filled(self.insert(table), rows)
        statement: Executable = fresh.on_conflict_do_update(
            index_elements=list(table.primary_key), set_=dict(update(fresh.excluded)), where=where
        )
        return statement

    def insert_from(self, table: Table, columns: Sequence[str], rows: SelectBase | None) -> Executable:
        """Return the insert; without a WHERE in *rows* SQLite would take its ``ON`` for that of a join."""
        statement: Executable = self._unless_there(table, columns, rows)
        return statement

    def _unless_there(self, table: Table, columns: Sequence[str], rows: SelectBase | None) -> Any:
        # The primary key's conflict and no other: any other is the error that it is.
        fresh = self.insert(table) if rows is None else self.insert(table).from_select(columns, rows)
        return fresh.on_conflict_do_nothing(index_elements=list(table.primary_key))

    def inserted(self, result: CursorResult[Any]) -> bool:
        """Return whether the insert returned its row."""
        return result.first() is not None

    def names_no_user(self, error: IntegrityError) -> bool:
        """Return False: `insert_new()` makes no such error here."""
        del error
        return False
