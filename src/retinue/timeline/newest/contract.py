"""
What a page of the newest is cut from: rows that have an author and a time, and a set of authors.

The statements say which rows and whom; each engine says how it finds the newest of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import CTE, Column, Integer, Table, func, literal_column, select
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue.engines.contract import Rows

#: Returns a column of some rows, given that of their table.
Of: TypeAlias = Callable[[Column[Any]], ColumnElement[Any]]

#: Conditions, all of which hold.
Conditions: TypeAlias = Sequence[ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Authors:
    """
    A set of authors: those whom *key* names in the rows for which *owned* holds, and *shown*; and *own*, if it is given.

    The first two are conditions on the rows of that one table; what *shown* says of others it says by subqueries.
    """

    key: ColumnElement[Any]
    owned: ColumnElement[bool]
    shown: Conditions
    own: ColumnElement[Any] | None = None

    @property
    def conditions(self) -> Conditions:
        """All that is asked of a row."""
        return (self.owned, *self.shown)

    def listed(self) -> Rows:
        """Return their keys, as *author*."""
        return select(self.key.label("author")).where(*self.conditions)

    def all(self) -> Rows:
        """Return their keys, with those who are not shown: to be counted, at no more cost than that."""
        return select(self.key.label("author")).where(self.owned)

    def named(self, author: ColumnElement[Any]) -> Rows:
        """Return the key of *author*, if it is one of them."""
        return select(self.key).where(self.key == author, *self.conditions)


@dataclass(frozen=True, slots=True)
class Feed:
    """Rows with an author and a time: which of them, and in which order a page has them."""

    #: What the parts of a statement are called after that are about it alone.
    name: str
    table: Table
    key: Column[Any]
    author: Column[Any]
    time: Column[Any]
    #: Returns what is asked of a row, its place beside the cursor included.
    keep: Callable[[Of], Conditions]
    #: Returns what of that is about the time, when a row is looked at, and not about its place.
    lasting: Callable[[Of], Conditions]
    #: Returns the order of rows, given their key and time.
    order: Callable[[ColumnElement[Any], ColumnElement[Any]], Sequence[ColumnElement[Any]]]
    #: Whether it goes from newer rows to older ones.
    forward: bool
    #: Returns a column as a time in UTC.
    utc: Callable[[ColumnElement[Any]], ColumnElement[Any]]
    #: How many rows a page has.
    most: ColumnElement[int]
    #: How many that can be.
    longest: int

    def of(self, rows: FromClause) -> Of:
        """Return what finds the columns of *rows*, which are of this table."""
        return lambda column: self.utc(rows.c[column.key]) if column is self.time else rows.c[column.key]

    def read(self, *authors: Callable[[ColumnElement[Any]], ColumnElement[bool]]) -> Rows:
        """Return (key, time, author) of the rows in their order, if what is asked of the author holds."""
        of = self.of(self.table.alias())
        return (
            select(of(self.key).label("key"), of(self.time).label("time"), of(self.author).label("author"))
            .where(*(condition(of(self.author)) for condition in authors), *self.keep(of))
            .order_by(*self.order(of(self.key), of(self.time)))
        )

    def times(self) -> Rows:
        """Return the times of all rows in their order: from an index alone, if there is one of them."""
        of = self.of(self.table.alias())
        found = select(of(self.time).label("time")).where(*self.keep(of))
        return found.order_by(*self.order(of(self.key), of(self.time)))


class Newest(ABC):
    """How one family of databases finds the newest rows of a set of authors; all return (key, time)."""

    @abstractmethod
    def found(
        self, feed: Feed, authors: Authors, gate: ColumnElement[bool] | None, *, looks: bool
    ) -> Sequence[FromClause]:
        """
        Return parts whose rows are, put together, a page of *authors* and what is behind it.

        With *looks*, some of them look through everybody's rows; and nothing is read where *gate* is closed.
        """

    @abstractmethod
    def merge(self, feed: Feed, authors: Authors, gate: ColumnElement[bool]) -> Rows:
        """Return a page of the rows of *authors*, by at least one look at each; none where *gate* is closed."""

    def kept(self, rows: Rows, name: str) -> CTE:
        """Return *rows* as a named part of a statement, which is computed once, however often it is asked for."""
        return rows.cte(name).prefix_with("MATERIALIZED")


def hits(look: FromClause) -> ColumnElement[int]:
    """Return how many rows a *look* found."""
    return select(func.count()).select_from(look).scalar_subquery()


def counted(rows: Rows, up_to: int) -> ColumnElement[int]:
    """Return how many *rows* there are, counted no further than *up_to*."""
    return select(func.count()).select_from(rows.limit(number(up_to)).subquery()).scalar_subquery()


def number(value: int) -> ColumnElement[int]:
    """Return *value* as a number in the statement's text, which a planner goes by."""
    return literal_column(str(value), Integer)
