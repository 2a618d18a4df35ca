"""
How the peers' tables are filled before anything is timed: columns of any kind, on a bare connection of its own.

The data is known to be right, so PostgreSQL does not look up every key again; afterwards the
database knows its tables as well as it would after some days of use.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import URL

from benchmarks.contestants.loading import Column, insert_many

Moments: TypeAlias = NDArray[np.datetime64]

_CHUNK_ROWS = 100_000


class Filler:
    """Fills tables on one bare connection of SQLite's or PostgreSQL's driver."""

    def __init__(self, connection: Any, *, postgresql: bool) -> None:
        self.connection = connection
        self.postgresql = postgresql

    def fill(self, table: str, **columns: Any) -> None:
        """Insert a row for each place of *columns*; one that is no array has its value in every row."""
        rows = max(len(column) for column in columns.values() if isinstance(column, np.ndarray))
        names = ", ".join(columns)
        for start in range(0, rows, _CHUNK_ROWS):
            end = min(start + _CHUNK_ROWS, rows)
            chunk = zip(*(self._values(column, start, end) for column in columns.values()), strict=True)
            if self.postgresql:
                with self.connection.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                    copy.write("".join("\t".join(map(str, row)) + "\n" for row in chunk))
            else:
                marks = ", ".join("?" * len(columns))
                insert_many(self.connection, f"INSERT INTO {table} ({names}) VALUES ({marks})", chunk)

    def _values(self, column: Any, start: int, end: int) -> Sequence[Any]:
        if not isinstance(column, np.ndarray):
            return [column] * (end - start)
        part = column[start:end]
        if part.dtype.kind == "M":
            # As SQLAlchemy and Django write times into SQLite, and as PostgreSQL reads them.
            return [text.replace("T", " ") for text in np.datetime_as_string(part).tolist()]
        return list(part.tolist())

    def restart_keys(self, table: str, key: str = "id") -> None:
        """Let the *table*'s own keys go on behind those that were filled in."""
        if self.postgresql:  # SQLite does by itself
            sequence = f"pg_get_serial_sequence('{table}', '{key}')"
            self.connection.execute(f"SELECT setval({sequence}, (SELECT max({key}) FROM {table}))")

    def text(self, numbers: Column, before: str = "") -> NDArray[np.object_]:
        """Return the *numbers* in words, each behind *before*."""
        return np.array([f"{before}{number}" for number in numbers.tolist()], dtype=object)


def moments(times: Column) -> Moments:
    """Return microseconds since 1970 as moments; in UTC, as all times of this benchmark."""
    return times.astype("datetime64[us]")


@contextmanager
def filling(url: URL) -> Iterator[Filler]:
    """Give a `Filler` for the tables of the database at *url*."""
    if url.get_backend_name() == "sqlite":
        file = sqlite3.connect(str(url.database))
        try:
            yield Filler(file, postgresql=False)
            file.commit()
            file.execute("ANALYZE")
        finally:
            file.close()
        return
    import psycopg  # noqa: PLC0415  (SQLite alone needs no driver)

    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica; SET timezone = 'UTC'")
        yield Filler(connection, postgresql=True)
        connection.execute("VACUUM ANALYZE")


def log_writes_ahead(url: URL) -> None:
    """Give a file of SQLite a write-ahead log, as each contestant's has: how it commits is no part of the contest."""
    if url.get_backend_name() == "sqlite":
        file = sqlite3.connect(str(url.database))
        file.execute("PRAGMA journal_mode = WAL")
        file.close()
