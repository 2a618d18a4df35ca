"""SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from sqlalchemy import Table, bindparam, case, literal, true
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines.on_conflict import OnConflict


class SQLite(OnConflict):
    """SQLite, whose writers come one at a time."""

    #: SQLite's integers have 64 bits, whatever the column is called.
    integer_range: ClassVar[tuple[int, int]] = (-(2**63), 2**63 - 1)
    insert: ClassVar[staticmethod[[Table], Any]] = staticmethod(insert)

    def by_name(self, name: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return the name under ``NOCASE``, which takes A to Z for a to z, and sorts by code points."""
        return name.collate("NOCASE")

    def given(self, gate: ColumnElement[bool], value: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return *value*, or NULL: a condition with a subquery is asked for each row of a walk, its first value once."""
        return case((gate, value))

    def opens(self, gate: ColumnElement[bool]) -> ColumnElement[bool]:
        """Return true: `given()` says it."""
        del gate
        return true()

    def all_names(self, names: ColumnElement[Any], gate: ColumnElement[bool]) -> Sequence[ColumnElement[bool]]:
        """Return a range from the empty name on, before which there is none."""
        return (names >= self.given(gate, literal("")),)

    def one_of(self, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        """Return ``column IN (?, ?, ..)``."""
        return column.in_(bindparam(name, expanding=True))
