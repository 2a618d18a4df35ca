"""
Faults: rows that the library's own verbs never leave behind.

What can leave them is what it does not see: raw SQL, a restored backup of some tables, foreign keys that were off. The
room whose rows they are says what is wrong about them, and how that is put right; `retinue.doctor` looks for all alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from sqlalchemy import Delete, Table, bindparam, delete, func, select
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines import EngineRules, Rows
from retinue.schema import Schema
from retinue.values import Key
from retinue.work import Work
from retinue.work.building import once, page_limit, user_key


class Severity(StrEnum):
    """How bad a finding is."""

    #: Somebody sees, may do or is told what is not so; or soon will be.
    ERROR = "error"
    #: Nothing is wrong by it yet, but what keeps it so, or keeps it fast, is missing.
    WARNING = "warning"
    #: Nobody sees it: it takes room, or tells an old story otherwise.
    NOTE = "note"


#: The primary key of a row.
RowKey: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Fault:
    """One kind of thing that can be wrong with rows of a table, whose owner its ``info`` names."""

    #: The code word.
    what: str
    table: Table
    #: The condition on rows of the table that have it; with the times of `ties.ends_at()`, and what *given* finds.
    wrong: Callable[[Schema, EngineRules], ColumnElement[bool]]
    severity: Severity
    #: What to do about it, as a sentence.
    fix: str
    #: Puts rows right that had it when somebody looked, in one transaction of which it is the first; None: nobody can
    #: know how. It looks again, at what is there once it holds its locks.
    repair: Callable[[Work, Fault, Sequence[RowKey], Mapping[str, Any]], object] | None = None
    #: Returns further parameters, found out once for a look at the whole table.
    given: Callable[[Work], Mapping[str, Any]] | None = None

    @property
    def owner(self) -> ColumnElement[Any]:
        """The column by which the table is gone through."""
        column: ColumnElement[Any] = self.table.c[self.table.info["shard_key"]]
        return column


def delete_if_wrong(work: Work, fault: Fault, rows: Sequence[RowKey], given: Mapping[str, Any]) -> list[RowKey]:
    """Delete those of *rows* that still have *fault*; return which. One delete each."""
    return [row for row in rows if work.run(delete_wrong, {**given, **_parameters(row)}, work.engine, fault).rowcount]


@once
def owners_after(schema: Schema, table: Table, started: bool) -> Rows:
    """Some whose rows *table* has, ascending; if *started*, of those after the key *after*: an index has them in order."""
    owner = table.c[table.info["shard_key"]]
    chosen = select(owner).distinct().order_by(owner).limit(page_limit())
    return chosen.where(owner > user_key(schema, "after")) if started else chosen


@once
def count_wrong(schema: Schema, engine: EngineRules, fault: Fault, started: bool) -> Rows:
    """How many rows have *fault*, of owners up to *upto*; if *started*, of those after *after*."""
    number = select(func.count()).select_from(fault.table)
    return number.where(*_of_some(schema, fault, started), fault.wrong(schema, engine))


@once
def wrong_rows(schema: Schema, engine: EngineRules, fault: Fault, started: bool) -> Rows:
    """The keys of at most *limit* rows that `count_wrong()` counts, in their order."""
    key = tuple(fault.table.primary_key)
    chosen = select(*key).where(*_of_some(schema, fault, started), fault.wrong(schema, engine))
    return chosen.order_by(*key).limit(page_limit())


@once
def delete_wrong(schema: Schema, engine: EngineRules, fault: Fault) -> Delete:
    """The row with one primary key goes, if it has *fault*."""
    keys = (column == bindparam(f"key_{at}", type_=column.type) for at, column in enumerate(fault.table.primary_key))
    return delete(fault.table).where(*keys, fault.wrong(schema, engine))


def _parameters(row: RowKey) -> dict[str, Key]:
    return {f"key_{at}": value for at, value in enumerate(row)}


def _of_some(schema: Schema, fault: Fault, started: bool) -> list[ColumnElement[bool]]:
    upto = fault.owner <= user_key(schema, "upto")
    return [fault.owner > user_key(schema, "after"), upto] if started else [upto]
