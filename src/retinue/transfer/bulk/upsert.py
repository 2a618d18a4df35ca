"""The upsert that SQLite and PostgreSQL share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Executable, Table
from sqlalchemy.sql.selectable import SelectBase


def insert_or_add(insert: Any, table: Table, columns: list[str], rows: SelectBase, added: Sequence[str]) -> Executable:
    """Return *insert* of *rows*; to a row that is there it adds the columns *added*."""
    fresh = insert.from_select(columns, rows)
    statement: Executable = fresh.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={name: table.c[name] + fresh.excluded[name] for name in added},
    )
    return statement
