"""
What differs from one database to the next, behind one interface.

A statement that every engine understands alike does not belong here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Column, Executable, Table
from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines import mariadb, postgresql, sqlite
from retinue.engines.retry import transact
from retinue.engines.safety import prepare_engine

__all__ = ["EngineRules", "prepare_engine", "rules_of", "transact"]


class EngineRules(Protocol):
    """How one family of databases does what SQL leaves open."""

    #: What an ``Integer`` column can hold, both ends included.
    INTEGER_RANGE: tuple[int, int]

    #: True where `add_to_count()` makes a missing row; else it changes none, and says so.
    COUNTS_BY_UPSERT: bool

    def one_of(self, column: Column[Any], name: str) -> ColumnElement[bool]:
        """Return "*column* is in the list bound as *name*", one statement for any length."""

    def insert_new(
        self, table: Table, values: Mapping[str, str], key: Column[Any], users: Sequence[str], /
    ) -> Executable:
        """
        Return an insert into *table* that leaves an existing row as it is, without an error.

        *values* names the parameter for each column; those in *users* must be the
        *key* of a user.
        """

    def inserted(self, result: CursorResult[Any]) -> bool:
        """Return whether `insert_new()` made a row, as the database says."""

    def names_no_user(self, error: IntegrityError, /) -> bool:
        """Return whether *error* says that `insert_new()` named a user who is not there."""

    def add_to_count(self, counts: Table) -> Executable:
        """Return "add *followers* and *following* to the row of *user* and *slot*"."""

    def was_counted(self, result: CursorResult[Any]) -> bool:
        """Return whether `add_to_count()` found the row there."""


_RULES: dict[str, EngineRules] = {
    "sqlite": sqlite,
    "postgresql": postgresql,
    "mysql": mariadb,
    "mariadb": mariadb,
}


def rules_of(connection: Connection) -> EngineRules:
    """
    Return the rules of the database behind *connection*.

    Raises:
        NotImplementedError: It is none of SQLite, PostgreSQL, MariaDB and MySQL.
    """
    name = connection.dialect.name
    try:
        return _RULES[name]
    except KeyError:
        message = f"Retinue knows SQLite, PostgreSQL, MariaDB and MySQL, not {name}"
        raise NotImplementedError(message) from None
