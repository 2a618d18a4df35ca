"""The interface of all families of databases to a batch of rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

from sqlalchemy import Column, Executable, Integer, Table, insert, text
from sqlalchemy.engine import Connection, CursorResult, Dialect
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import KeyedColumnElement
from sqlalchemy.sql.selectable import SelectBase, Subquery
from sqlalchemy.types import TypeEngine


class Bulk(ABC):
    """One family of databases, for one import."""

    #: The isolation level in which a batch is written; None for the connection's own.
    isolation: ClassVar[str | None] = None

    #: True where the database is a part of this process.
    in_process: ClassVar[bool] = False

    #: About how many seconds a batch should hold its locks.
    hold_seconds: ClassVar[float] = 1.0

    #: Rows that a batch has at least, however long it takes, if the caller does not want fewer.
    rows_least: ClassVar[int] = 1_000

    def __init__(self, dialect: Dialect, options: Mapping[str, Any]) -> None:
        self.dialect: Dialect = dialect
        #: Execution options of the statements that are run here.
        self.options: dict[str, Any] = dict(options)

    def tuned(self, connection: Connection) -> AbstractContextManager[None]:
        """Set *connection* up for a faster batch, and reset it at the end."""
        del connection
        return nullcontext()

    def spelled(self, connection: Connection, column: Column[Any]) -> str:
        """Return the SQL type of *column* in a batch. At most one statement."""
        del connection
        return self.compiled(column.type)

    @abstractmethod
    def batch(self, name: str, columns: Mapping[str, tuple[TypeEngine[Any], str]]) -> Subquery:
        """Return the batch *name* as a table: *columns* (type, and its SQL), and ``n``, the order of the rows."""

    @abstractmethod
    def packed(self, batch: Subquery, values: Sequence[Sequence[Any]]) -> Any:
        """Return *values*, one list for each column of *batch*, as `send()` takes them: all that needs no connection."""

    def send(self, connection: Connection, batch: Subquery, packed: Any) -> dict[str, Any]:
        """Fill *batch*; return the parameters for a statement that reads it: here, what is sent with that."""
        del connection, batch
        parameters: dict[str, Any] = packed
        return parameters

    def insert_all(self, table: Table, columns: list[str], rows: SelectBase) -> Executable:
        """Return an insert of *rows*, none of which may exist in *table* yet; here, one that fails then."""
        return insert(table).from_select(columns, rows)

    def met_a_row(self, result: CursorResult[Any]) -> bool:
        """Return whether a row of `insert_all()` existed already, so that the transaction has to be rolled back."""
        del result
        return False

    @abstractmethod
    def says_duplicate(self, error: IntegrityError) -> bool:
        """Return whether *error* says that a row of `insert_all()`, or of a plain insert, existed already."""

    def table_of(self, name: str, columns: Mapping[str, tuple[TypeEngine[Any], str]], sql: str) -> Subquery:
        """Return the SELECT *sql* of ``n`` and *columns* as the table *name*."""
        return text(sql).columns(n=Integer, **{column: kind for column, (kind, _) in columns.items()}).subquery(name)

    def columns_of(self, batch: Subquery) -> list[KeyedColumnElement[Any]]:
        """Return the columns of a batch, without ``n``."""
        return [column for column in batch.c if column.key != "n"]

    def rows_of(self, batch: Subquery, values: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """Return the rows of *values*, one list for each column of *batch*, as the driver takes them."""
        columns = self.columns_of(batch)
        lists = [self.processed(column.type, items) for column, items in zip(columns, values, strict=True)]
        return list(zip(*lists, strict=True))

    def compiled(self, kind: TypeEngine[Any]) -> str:
        """Return the SQL for a type, without its collation."""
        return kind.compile(dialect=self.dialect).partition(" COLLATE")[0]

    def processed(self, kind: TypeEngine[Any], values: Sequence[Any]) -> Sequence[Any]:
        """Return *values* as the driver takes them."""
        process = kind.dialect_impl(self.dialect).bind_processor(self.dialect)
        return values if process is None else [process(value) for value in values]
