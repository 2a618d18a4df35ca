"""Rows into a table by the fastest way a driver has: how contestants get their data before anything is timed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Numbers of a column, one a row; or their type in PostgreSQL beside them: int4, int8 or timestamptz.
Column = NDArray[np.int64]

#: Microseconds from 1970 to 2000, from where PostgreSQL counts its times.
_YEAR_2000 = 946_684_800_000_000
_ROWS_AT_ONCE = 1_000_000

_HEADER, _TRAILER = b"PGCOPY\n\xff\r\n\x00" + bytes(8), b"\xff\xff"


def copy_numbers(
    cursor: Any, table: str, columns: Sequence[str], kinds: Sequence[str], values: Sequence[Column]
) -> None:
    """COPY columns of numbers into *table* on PostgreSQL, in its binary format; *kinds*: int4, int8 or timestamptz."""
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for number, kind in enumerate(kinds):
        fields += [(f"size{number}", ">i4"), (f"value{number}", ">i4" if kind == "int4" else ">i8")]
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT binary)") as copy:
        copy.write(_HEADER)
        for start in range(0, len(values[0]), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            rows = np.empty(len(values[0][part]), dtype=fields)
            rows["fields"] = len(kinds)
            for number, kind in enumerate(kinds):
                rows[f"size{number}"] = 4 if kind == "int4" else 8
                rows[f"value{number}"] = values[number][part] - (_YEAR_2000 if kind == "timestamptz" else 0)
            copy.write(rows.tobytes())
        copy.write(_TRAILER)


def insert_many(cursor: Any, statement: str, rows: Iterable[tuple[Any, ...]], *, at_once: int = 100_000) -> None:
    """Insert *rows* by the driver's ``executemany``, some at a time."""
    rows = iter(rows)
    while chunk := list(islice(rows, at_once)):
        cursor.executemany(statement, chunk)


def totals(users: int, ends: Column) -> Column:
    """Return how many edges end at each user from 1 to *users*."""
    return np.bincount(ends, minlength=users + 1)[1:]
