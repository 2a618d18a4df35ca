"""
What differs from one database to the next when thousands of rows are written at once.

One statement then takes a whole batch. How the batch reaches it as a table is
each engine's own: arrays, a JSON document, or a temporary table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import Column, Executable, Select, Table
from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.selectable import FromClause
from sqlalchemy.types import TypeEngine

from retinue.engines import bulk_mariadb, bulk_postgresql, bulk_sqlite

#: The columns of a batch, in order.
Columns = Mapping[str, TypeEngine[Any]]


class BulkRules(Protocol):
    """How one family of databases takes a batch."""

    #: The isolation level that a batch asks for; None for the connection's own.
    ISOLATION: str | None

    #: True where nobody else can write while a transaction does.
    SINGLE_WRITER: bool

    def tuned(self, connection: Connection) -> AbstractContextManager[None]:
        """Give *connection* what speeds a batch up; take it back at the end."""

    def column_types(self, connection: Connection, column: Column[Any]) -> TypeEngine[Any]:
        """Return the type that a batch needs to be compared with *column*. At most one statement."""

    def batch(self, name: str, columns: Columns) -> FromClause:
        """Return the batch *name* as a table; beside *columns* it has ``n``, its order."""

    def send(
        self, connection: Connection, name: str, columns: Columns, values: Sequence[Sequence[Any]]
    ) -> dict[str, Any]:
        """Send the batch *name*, one list for each of *columns*; return the parameters for who reads it."""

    def insert_all(self, table: Table, columns: Sequence[str], rows: Select[Any]) -> Executable:
        """Return an insert of *rows*, none of which may be in *table* yet."""

    def all_were_new(self, result: CursorResult[Any]) -> bool:
        """Return whether `insert_all()` met no row that was there; if it did, undo the transaction."""

    def says_not_new(self, error: IntegrityError) -> bool:
        """Return whether *error* is how `insert_all()` says that a row was there."""

    def insert_missing(self, table: Table, columns: Sequence[str], rows: Select[Any]) -> Executable:
        """Return an insert of those *rows* that are not in *table* yet."""

    def insert_or_add(self, table: Table, columns: Sequence[str], rows: Select[Any], add: Sequence[str]) -> Executable:
        """Return an insert of *rows* that adds its columns *add* to those of a row that is there."""
