"""
SQLite: a batch is a temporary table.

The connection gets a larger page cache meanwhile: with the usual 2 MB the indexes
do not fit, and their pages go to the disk and back several times in one batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, ClassVar

from sqlalchemy import Executable, Integer, Table, text
from sqlalchemy.engine import Connection, CursorResult, Dialect
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.selectable import SelectBase, Subquery
from sqlalchemy.types import TypeEngine

from retinue.engines.sqlite import SQLite
from retinue.transfer.bulk.contract import Bulk

#: SQLITE_CONSTRAINT_PRIMARYKEY, _UNIQUE and _ROWID
_DUPLICATES = (1555, 2067, 2579)

#: Parameters of one statement: SQLite itself takes no more than 32,766.
_PARAMETERS_MOST = 30_000

#: Kibibytes of page cache.
_CACHE = 65_536


class SQLiteBulk(Bulk):
    """SQLite, whose writers come one at a time."""

    in_process: ClassVar[bool] = True

    def __init__(self, dialect: Dialect, options: Mapping[str, Any]) -> None:
        super().__init__(dialect, options)
        self._tables: set[str] = set()

    @contextmanager
    def tuned(self, connection: Connection) -> Iterator[None]:
        """Enlarge the page cache; and drop the temporary tables at the end, if a rollback does not."""
        before = self._run(connection, "PRAGMA cache_size").scalar_one()
        self._run(connection, f"PRAGMA cache_size = {-_CACHE}")
        try:
            yield
            for name in self._tables:
                self._run(connection, f"DROP TABLE IF EXISTS {name}")
        finally:
            self._run(connection, f"PRAGMA cache_size = {before}")

    def batch(self, name: str, columns: Mapping[str, tuple[TypeEngine[Any], str]]) -> Subquery:
        """Return the temporary table."""
        rows = text(f"SELECT n, {', '.join(columns)} FROM temp.retinue_{name}")  # noqa: S608 - no input
        return rows.columns(n=Integer, **{column: kind for column, (kind, _) in columns.items()}).subquery(name)

    def send(self, connection: Connection, batch: Subquery, values: Sequence[Sequence[Any]]) -> dict[str, Any]:
        """Make the table anew, and fill it."""
        name = f"temp.retinue_{batch.name}"
        self._tables.add(name)
        columns = [column for column in batch.c if column.key != "n"]
        typed = ", ".join(f"{column.key} {self.compiled(column.type)}" for column in columns)
        self._run(connection, f"DROP TABLE IF EXISTS {name}")
        self._run(connection, f"CREATE TABLE {name} (n INTEGER PRIMARY KEY, {typed})")
        lists = [self.processed(column.type, items) for column, items in zip(columns, values, strict=True)]
        insert = f"INSERT INTO {name} ({', '.join(column.key for column in columns)}) VALUES "  # noqa: S608 - no input
        marks = f"({', '.join('?' * len(columns))})"
        rows = list(zip(*lists, strict=True))
        # Not executemany: it hands Python's lock back and forth at each row, which another thread may want.
        at_once = _PARAMETERS_MOST // len(columns)
        for start in range(0, len(rows), at_once):
            some = rows[start : start + at_once]
            self._run(connection, insert + ", ".join([marks] * len(some)), tuple(chain.from_iterable(some)))
        return {}

    def insert_all(self, table: Table, columns: list[str], rows: SelectBase) -> Executable:
        """Return a plain insert, whose error says that a row was there."""
        statement: Executable = SQLite.insert(table).from_select(columns, rows)
        return statement

    def met_a_row(self, result: CursorResult[Any]) -> bool:
        """Return False: that would have been an error."""
        del result
        return False

    def says_duplicate(self, error: IntegrityError) -> bool:
        """Return whether a unique constraint refused the row."""
        return getattr(error.orig, "sqlite_errorcode", None) in _DUPLICATES

    def _run(self, connection: Connection, sql: str, parameters: tuple[Any, ...] = ()) -> CursorResult[Any]:
        return connection.exec_driver_sql(sql, parameters, execution_options=self.options)
