"""SQLite."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import Table, bindparam
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines.on_conflict import OnConflict


class SQLite(OnConflict):
    """SQLite, whose writers come one at a time."""

    #: SQLite's integers have 64 bits, whatever the column is called.
    integer_range: ClassVar[tuple[int, int]] = (-(2**63), 2**63 - 1)
    insert: ClassVar[staticmethod[[Table], Any]] = staticmethod(insert)

    def one_of(self, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        """Return ``column IN (?, ?, ..)``."""
        return column.in_(bindparam(name, expanding=True))
