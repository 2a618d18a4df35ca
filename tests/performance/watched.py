"""What one call did in the database: its statements, how much they read, and which tables they read as a whole."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session

from retinue.testing import count_statements
from tests.performance.crowd import sizes
from tests.performance.models import EVERYTHING

#: What is done in a session of its own, which is rolled back.
Work = Callable[[Session], object]


@dataclass
class Watched:
    """What one call did."""

    statements: list[str] = field(default_factory=list)
    #: Rows read (PostgreSQL, MariaDB) or steps of the virtual machine (SQLite).
    work: int = 0
    #: Tables or indexes that a plan reads as a whole, one sentence each.
    scans: list[str] = field(default_factory=list)
    #: For whoever has to find out why.
    plans: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{len(self.statements)} statements, work {self.work}", *self.scans]
        return "\n\n".join([*lines, *self.statements, *self.plans])


class Watch(ABC):
    """Looks into one engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def of(self, work: Work, *, again: bool = True) -> list[Watched]:
        """Do *work*, and say what it did; and what it did later, where *again* that may be something else."""
        del again
        return [self.once(work)]

    @abstractmethod
    def once(self, work: Work) -> Watched:
        """Do *work*, and say what it did."""


@contextmanager
def session_of(engine: Engine) -> Iterator[tuple[Session, Connection]]:
    """Give a session in a transaction that has begun, and that is rolled back."""
    with Session(engine) as session:
        yield session, session.connection()
        session.rollback()


def counted(engine: Engine, work: Work) -> list[str]:
    """Return the statements of *work*."""
    with session_of(engine) as (session, connection), count_statements(connection) as statements:
        work(session)
        session.flush()
    return statements


@contextmanager
def explaining(connection: Connection, explain: Callable[[str, Any], None]) -> Iterator[None]:
    """Call *explain* with each statement and its parameters, before it runs."""

    def before(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.split(None, 1)[0].upper() in _EXPLAINED:
            explain(statement, parameters[0] if many else parameters)

    event.listen(connection, "before_cursor_execute", before)
    try:
        yield
    finally:
        event.remove(connection, "before_cursor_execute", before)


def is_whole(table: str, rows: float) -> bool:
    """Return whether so many *rows* are the most part of a *table* that is not a small one."""
    return rows > max(2_000, sizes().get(table, 0) / 2)


_EXPLAINED = {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}


def tables_in(statement: str) -> dict[str, str]:
    """Return the tables that *statement* reads, by the names that it gives them."""
    named = {}
    for table in EVERYTHING.metadata.tables:
        named[table] = table
        for alias in re.findall(rf"\b{table} (?:AS )?[`\"]?(\w+)", statement):
            named.setdefault(alias, table)
    return named
