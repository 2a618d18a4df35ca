"""SQLite."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import Column, bindparam
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines import on_conflict
from retinue.engines.on_conflict import (
    COUNTS_BY_UPSERT,
    add_to_count,
    inserted,
    names_no_user,
    was_counted,
)

__all__ = [
    "COUNTS_BY_UPSERT",
    "INTEGER_RANGE",
    "add_to_count",
    "insert_new",
    "inserted",
    "names_no_user",
    "one_of",
    "was_counted",
]

#: SQLite's integers have 64 bits, whatever the column is called.
INTEGER_RANGE = (-(2**63), 2**63 - 1)

insert_new = partial(on_conflict.insert_new, insert)


def one_of(column: Column[Any], name: str) -> ColumnElement[bool]:
    """Return ``column IN (?, ?, ..)``."""
    return column.in_(bindparam(name, expanding=True))
