"""
SQLite: a batch is a temporary table.

The connection gets a larger page cache meanwhile: the indexes do not fit into the
usual 2 MB, and their pages would be written and read several times in one batch.

A batch changes most pages of the indexes, however few its rows are. So the smaller the batches, the more is
written for each row; and the longer that takes, the smaller they would become.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, ClassVar

from sqlalchemy.engine import Connection, CursorResult, Dialect
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.selectable import Subquery
from sqlalchemy.types import TypeEngine

from retinue.transfer.bulk.contract import Bulk

#: SQLITE_CONSTRAINT_PRIMARYKEY, _UNIQUE and _ROWID
_DUPLICATES = (1555, 2067, 2579)

#: Parameters of one statement: SQLite itself takes no more than 32,766.
_MAX_PARAMETERS = 30_000

#: Kibibytes of page cache, at most: the indexes of some two million edges.
_CACHE = 262_144


class SQLiteBulk(Bulk):
    """SQLite, whose writers come one at a time."""

    in_process: ClassVar[bool] = True

    # Other writers wait meanwhile, as they do for one another.
    hold_seconds: ClassVar[float] = 3.0
    rows_least: ClassVar[int] = 50_000

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
        return self.table_of(name, columns, f"SELECT n, {', '.join(columns)} FROM temp.retinue_{name}")  # noqa: S608 - no input

    def packed(self, batch: Subquery, values: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """Return the rows."""
        return self.rows_of(batch, values)

    def send(self, connection: Connection, batch: Subquery, packed: list[tuple[Any, ...]]) -> dict[str, Any]:
        """Create the table anew, and fill it."""
        name = f"temp.retinue_{batch.name}"
        self._tables.add(name)
        columns = self.columns_of(batch)
        typed = ", ".join(f"{column.key} {self.compiled(column.type)}" for column in columns)
        self._run(connection, f"DROP TABLE IF EXISTS {name}")
        self._run(connection, f"CREATE TABLE {name} (n INTEGER PRIMARY KEY, {typed})")
        insert = f"INSERT INTO {name} ({', '.join(column.key for column in columns)}) VALUES "  # noqa: S608 - no input
        marks = f"({', '.join('?' * len(columns))})"
        # Not executemany: it releases and takes Python's lock for each row, while another thread wants it.
        at_once = _MAX_PARAMETERS // len(columns)
        for start in range(0, len(packed), at_once):
            some = packed[start : start + at_once]
            self._run(connection, insert + ", ".join([marks] * len(some)), tuple(chain.from_iterable(some)))
        return {}

    def says_duplicate(self, error: IntegrityError) -> bool:
        """Return whether a unique constraint refused the row."""
        return getattr(error.orig, "sqlite_errorcode", None) in _DUPLICATES

    def _run(self, connection: Connection, sql: str, parameters: tuple[Any, ...] = ()) -> CursorResult[Any]:
        return connection.exec_driver_sql(sql, parameters, execution_options=self.options)
