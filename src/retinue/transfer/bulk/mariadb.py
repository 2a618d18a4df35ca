"""
MariaDB and MySQL: a batch is one JSON document, read as a table.

It is written under READ COMMITTED: an ``INSERT .. SELECT`` then locks no gaps, and
every statement sees what is committed by then.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import Column, Executable, Table, text
from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.selectable import SelectBase, Subquery
from sqlalchemy.types import TypeEngine

from retinue.engines.mariadb import MariaDB
from retinue.transfer.bulk.contract import Bulk

#: ER_DUP_ENTRY
_DUPLICATE = 1062

_RULES = MariaDB()

_COLLATION = text(
    "SELECT column_type, character_set_name, collation_name FROM information_schema.columns"
    " WHERE table_schema = coalesce(:schema, database()) AND table_name = :table AND column_name = :column"
)


class MariaDBBulk(Bulk):
    """MariaDB from 10.6, MySQL from 8.0.4: both have ``JSON_TABLE``."""

    isolation: ClassVar[str | None] = "READ COMMITTED"

    def spelled(self, connection: Connection, column: Column[Any]) -> str:
        """Return the type; of a text with the collation of *column*, as else no index would be used."""
        sql = self.compiled(column.type)
        if sql == "UUID":
            return "CHAR(36)"  # JSON_TABLE does not know the type, but a comparison does
        if "CHAR" not in sql:
            return sql
        where = {"schema": column.table.schema, "table": column.table.name, "column": column.name}
        found = connection.execute(_COLLATION, where, execution_options=self.options).first()
        return "{} CHARACTER SET {} COLLATE {}".format(*found) if found else sql

    def batch(self, name: str, columns: Mapping[str, tuple[TypeEngine[Any], str]]) -> Subquery:
        """Return the document as a table."""
        paths = ", ".join(f"{column} {sql} PATH '$[{at}]'" for at, (column, (_, sql)) in enumerate(columns.items()))
        sql = (
            f"SELECT n, {', '.join(columns)}"  # noqa: S608 - no input
            f" FROM JSON_TABLE(:{name}, '$[*]' COLUMNS (n FOR ORDINALITY, {paths})) AS given"
        )
        return self.table_of(name, columns, sql)

    def packed(self, batch: Subquery, values: Sequence[Sequence[Any]]) -> dict[str, str]:
        """Return the document."""
        rows = self.rows_of(batch, values)
        return {batch.name: json.dumps(rows, default=str, separators=(",", ":"), ensure_ascii=False)}

    def insert_all(self, table: Table, columns: list[str], rows: SelectBase) -> Executable:
        """Return an insert whose result tells of an existing row: see `retinue.engines.mariadb`."""
        return _RULES.insert_from(table, columns, rows)

    def met_a_row(self, result: CursorResult[Any]) -> bool:
        """Return whether the result tells of an existing row."""
        return not _RULES.inserted(result)

    def says_duplicate(self, error: IntegrityError) -> bool:
        """Return whether it is a duplicate entry, which comes from a plain insert only."""
        return bool(error.orig and error.orig.args and error.orig.args[0] == _DUPLICATE)
