"""How one family of databases takes a batch of rows, as one interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

from sqlalchemy import Column, Executable, Table
from sqlalchemy.engine import Connection, CursorResult, Dialect
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.selectable import SelectBase, Subquery
from sqlalchemy.types import TypeEngine


class Bulk(ABC):
    """One family of databases, for one import."""

    #: The isolation level in which a batch is written; None for the connection's own.
    isolation: ClassVar[str | None] = None

    #: True where the database is a part of this process.
    in_process: ClassVar[bool] = False

    #: Seconds that a batch should hold its locks, about.
    hold_seconds: ClassVar[float] = 1.0

    def __init__(self, dialect: Dialect, options: Mapping[str, Any]) -> None:
        self.dialect: Dialect = dialect
        #: Execution options of the statements that are run here.
        self.options: dict[str, Any] = dict(options)

    def tuned(self, connection: Connection) -> AbstractContextManager[None]:
        """Give *connection* what makes a batch faster, and take it back at the end."""
        del connection
        return nullcontext()

    def spelled(self, connection: Connection, column: Column[Any]) -> str:
        """Return the SQL for the type in which a batch holds values of *column*. At most one statement."""
        del connection
        return self.compiled(column.type)

    @abstractmethod
    def batch(self, name: str, columns: Mapping[str, tuple[TypeEngine[Any], str]]) -> Subquery:
        """Return the batch *name* as a table: *columns* (type, and its SQL), and ``n``, the order of the rows."""

    @abstractmethod
    def send(self, connection: Connection, batch: Subquery, values: Sequence[Sequence[Any]]) -> dict[str, Any]:
        """Fill *batch*, from one list for each column; return the parameters for a statement that reads it."""

    @abstractmethod
    def insert_all(self, table: Table, columns: list[str], rows: SelectBase) -> Executable:
        """Return an insert of *rows*, of which none is to be in *table* yet."""

    @abstractmethod
    def met_a_row(self, result: CursorResult[Any]) -> bool:
        """Return whether `insert_all()` found one of its rows there, so that the transaction is to be undone."""

    @abstractmethod
    def says_duplicate(self, error: IntegrityError) -> bool:
        """Return whether *error* is the word of `insert_all()`, or of a plain insert, for a row that was there."""

    def compiled(self, kind: TypeEngine[Any]) -> str:
        """Return the SQL for a type, without its collation."""
        return kind.compile(dialect=self.dialect).partition(" COLLATE")[0]

    def processed(self, kind: TypeEngine[Any], values: Sequence[Any]) -> Sequence[Any]:
        """Return *values* as the driver takes them."""
        process = kind.dialect_impl(self.dialect).bind_processor(self.dialect)
        return values if process is None else [process(value) for value in values]
