"""PostgreSQL."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import ARRAY, Table, any_, bindparam
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines.on_conflict import OnConflict


class PostgreSQL(OnConflict):
    """PostgreSQL, and what speaks like it."""

    integer_range: ClassVar[tuple[int, int]] = (-(2**31), 2**31 - 1)
    insert: ClassVar[staticmethod[[Table], Any]] = staticmethod(insert)

    def one_of(self, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        """Return ``column = ANY(array)``: one parameter and one plan, however long the list."""
        return column == any_(bindparam(name, type_=ARRAY(column.type)))
