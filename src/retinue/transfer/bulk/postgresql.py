"""PostgreSQL: a batch is one array for each column, put side by side by ``unnest``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import Executable, Integer, Table, text
from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.selectable import SelectBase, Subquery
from sqlalchemy.types import TypeEngine

from retinue.engines.postgresql import PostgreSQL
from retinue.transfer.bulk.contract import Bulk

#: unique_violation
_DUPLICATE = "23505"


class PostgreSQLBulk(Bulk):
    """PostgreSQL, and what speaks like it."""

    # Its locks stop only who deletes a user of the batch; count rows are locked at the very end.
    hold_seconds: ClassVar[float] = 3.0

    def batch(self, name: str, columns: Mapping[str, tuple[TypeEngine[Any], str]]) -> Subquery:
        """Return the arrays as a table. Each comes as one text, which the server parses: half the client's work."""
        arrays = ", ".join(f"CAST(:{name}_{column} AS {sql}[])" for column, (_, sql) in columns.items())
        names = ", ".join(columns)
        rows = text(f"SELECT {names}, n FROM unnest({arrays}) WITH ORDINALITY AS given ({names}, n)")  # noqa: S608 - no input
        return rows.columns(n=Integer, **{column: kind for column, (kind, _) in columns.items()}).subquery(name)

    def send(self, connection: Connection, batch: Subquery, values: Sequence[Sequence[Any]]) -> dict[str, Any]:
        """Send nothing yet: the arrays go with the statement."""
        del connection
        columns = [column for column in batch.c if column.key != "n"]
        return {
            f"{batch.name}_{column.key}": self._array(column.type, items)
            for column, items in zip(columns, values, strict=True)
        }

    def insert_all(self, table: Table, columns: list[str], rows: SelectBase) -> Executable:
        """Return a plain insert, whose error says that a row was there."""
        statement: Executable = PostgreSQL.insert(table).from_select(columns, rows)
        return statement

    def met_a_row(self, result: CursorResult[Any]) -> bool:
        """Return False: that would have been an error."""
        del result
        return False

    def says_duplicate(self, error: IntegrityError) -> bool:
        """Return whether it is a unique violation."""
        cause = error.orig
        return (getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)) == _DUPLICATE

    def _array(self, kind: TypeEngine[Any], values: Sequence[Any]) -> str:
        quoted = str if isinstance(kind, Integer) else _quoted
        return f"{{{','.join([quoted(value) for value in self.processed(kind, values)])}}}"


def _quoted(value: object) -> str:
    if value is None:
        return "NULL"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
