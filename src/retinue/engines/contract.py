"""What differs from one family of databases to the next, as one interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Column, Executable, Table
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import SelectBase


class EngineRules(ABC):
    """How one family of databases does what SQL leaves open."""

    #: What an ``Integer`` column can hold, both ends included.
    integer_range: ClassVar[tuple[int, int]]

    #: True where `add_to_count()` makes a missing row; else it changes none, and says so.
    counts_by_upsert: ClassVar[bool]

    #: True where a statement that waited too long fails alone, and what went before it can be committed.
    fails_by_statement: ClassVar[bool]

    def holds_uuid(self, value: UUID) -> bool:
        """Return whether a UUID column can hold *value*: here, any."""
        del value
        return True

    #: True where `insert_new()` fails for a user who is not there; else it inserts nothing.
    unknown_user_fails: ClassVar[bool]

    @abstractmethod
    def one_of(self, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        """Return "*column* is in the list bound as *name*", one statement for any length."""

    @abstractmethod
    def insert_new(self, table: Table, values: Mapping[str, str], key: Column[Any], users: Sequence[str]) -> Executable:
        """
        Return an insert into *table* that leaves an existing row as it is, without an error.

        *values* names the parameter for each column; those in *users* must be the
        *key* of a user.
        """

    @abstractmethod
    def insert_from(self, table: Table, columns: list[str], rows: SelectBase) -> Executable:
        """Return an insert of *rows*, which have a WHERE; it too leaves an existing row as it is."""

    @abstractmethod
    def inserted(self, result: CursorResult[Any]) -> bool:
        """Return whether `insert_new()` made a row, as the database says."""

    @abstractmethod
    def names_no_user(self, error: IntegrityError) -> bool:
        """Return whether *error* says that `insert_new()` named a user who is not there."""

    @abstractmethod
    def add_to_count(self, counts: Table) -> Executable:
        """Return "add *more_followers* and *more_following* to the row of *user* and *slot_*"."""

    @abstractmethod
    def was_counted(self, result: CursorResult[Any]) -> bool:
        """Return whether `add_to_count()` found the row there."""
