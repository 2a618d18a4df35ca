"""SQLite."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines.on_conflict import OnConflict


class SQLite(OnConflict):
    """SQLite, whose writers come one at a time."""

    #: SQLite's integers have 64 bits, whatever the column is called.
    integer_range = (-(2**63), 2**63 - 1)
    insert = staticmethod(insert)

    def one_of(self, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        """Return ``column IN (?, ?, ..)``."""
        return column.in_(bindparam(name, expanding=True))
