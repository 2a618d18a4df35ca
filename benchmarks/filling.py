"""
How tables are filled before anything is timed: columns of any kind, by the fastest way of each database.

The data is known to be right, so the server does not look up every key again; afterwards the
database knows its tables as well as it would after some days of use.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import URL

from benchmarks.databases import connect, kind_of

Column: TypeAlias = NDArray[np.int64]

_ROWS_AT_ONCE = 100_000


class Filler:
    """Fills tables on one connection of a database's own driver."""

    def __init__(self, connection: Any, kind: str) -> None:
        self.connection = connection
        self.kind = kind

    def fill(self, table: str, **columns: Any) -> None:
        """Insert a row for each place of *columns*; one that is no array has its value in every row."""
        rows = max(len(column) for column in columns.values() if isinstance(column, np.ndarray))
        for start in range(0, rows, _ROWS_AT_ONCE):
            part = slice(start, min(start + _ROWS_AT_ONCE, rows))
            self.insert(table, list(columns), zip(*(_values(column, part) for column in columns.values()), strict=True))

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Insert *rows*: by COPY, by LOAD DATA, or by ``executemany``."""
        names = f"{table} ({', '.join(columns)})"
        if self.kind == "sqlite":
            marks = ", ".join("?" * len(columns))
            self.connection.executemany(f"INSERT INTO {names} VALUES ({marks})", rows)
            return
        text = "".join(["\t".join(map(str, row)) + "\n" for row in rows])
        with self.connection.cursor() as cursor:
            if self.kind == "postgresql":
                with cursor.copy(f"COPY {names} FROM STDIN") as copy:
                    copy.write(text)
            else:
                with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
                    file.write(text)
                    file.flush()
                    cursor.execute(f"LOAD DATA LOCAL INFILE '{file.name}' INTO TABLE {names}")

    def users(self, table: str, number: int, **columns: Any) -> None:
        """Make users 1 to *number*, named as `Data.name_of()` does."""
        keys = np.arange(1, number + 1)
        self.fill(table, id=keys, username=texts(keys, "user"), **columns)
        if self.kind == "postgresql":  # the others go on behind the highest key by themselves
            sequence = f"pg_get_serial_sequence('{table}', 'id')"
            self.connection.execute(f"SELECT setval({sequence}, {number}) WHERE {sequence} IS NOT NULL")


def texts(numbers: Column, before: str) -> NDArray[np.object_]:
    """Return the *numbers* in words, each behind *before*."""
    return np.array([f"{before}{number}" for number in numbers.tolist()], dtype=object)


def moments(times: Any) -> NDArray[np.datetime64]:
    """Return microseconds since 1970 as moments; in UTC, as all times of this benchmark."""
    return np.asarray(times).astype("datetime64[us]")


def _values(column: Any, part: slice) -> Sequence[Any]:
    if not isinstance(column, np.ndarray):
        return [column] * (part.stop - part.start)
    chosen = column[part]
    if chosen.dtype.kind == "M":
        # As SQLAlchemy and Django write times into SQLite, and as the servers read them.
        return [text.replace("T", " ") for text in np.datetime_as_string(chosen).tolist()]
    return list(chosen.tolist())


@contextmanager
def filling(url: URL) -> Iterator[Filler]:
    """Give a `Filler` for the tables of the database at *url*, which then learns what they hold."""
    kind = kind_of(url)
    with closing(connect(url)) as connection:
        if kind == "sqlite":
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute("BEGIN")
        elif kind == "postgresql":
            connection.execute("SET session_replication_role = replica; SET timezone = 'UTC'")
        else:
            connection.query("SET foreign_key_checks = 0, unique_checks = 0, time_zone = '+00:00'")
        yield Filler(connection, kind)
        if kind == "sqlite":
            connection.execute("COMMIT")
    tidy(url)


def tidy(url: URL) -> None:
    """Let the database at *url* know what its tables hold."""
    kind = kind_of(url)
    with closing(connect(url)) as connection:
        if kind == "sqlite":
            connection.executescript("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)")
        elif kind == "postgresql":
            connection.execute("VACUUM ANALYZE")
        else:
            with connection.cursor() as cursor:
                cursor.execute("SHOW TABLES")
                cursor.execute(f"ANALYZE TABLE {', '.join(name for (name,) in cursor.fetchall())}")


def write(path: Path, rows: Iterable[Sequence[Any]]) -> Path:
    """Write *rows* to *path* as CSV, and return it."""
    path.write_text("".join([",".join(map(str, row)) + "\n" for row in rows]))
    return path
