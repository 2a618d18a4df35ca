"""
The interface for finding a page of the newest rows of a set of authors.

A statement gives the rows (`Feed`) and the authors (`Authors`); each family of databases has its way to find the newest.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import CTE, Column, Integer, Table, func, literal_column, select
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue.engines.contract import EngineRules, Rows

#: Maps a column of the table to that column of some rows.
Of: TypeAlias = Callable[[Column[Any]], ColumnElement[Any]]

#: Conditions, all of which hold.
Conditions: TypeAlias = Sequence[ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Authors:
    """
    A set of authors: the *key* of each row for which *owned* and *shown* hold; and *own*, if it is given.

    *owned* and *shown* are conditions on the rows of one table; *shown* reads other tables by subqueries only.
    """

    key: ColumnElement[Any]
    owned: ColumnElement[bool]
    shown: Conditions
    own: ColumnElement[Any] | None = None

    @property
    def conditions(self) -> Conditions:
        """All conditions on a row."""
        return (self.owned, *self.shown)

    def listed(self) -> Rows:
        """Select the keys of the authors, as *author*."""
        return select(self.key.label("author")).where(*self.conditions)

    def all(self) -> Rows:
        """Select the keys of all authors, those who are not shown included: the cheapest way to count them."""
        return select(self.key.label("author")).where(self.owned)

    def named(self, author: ColumnElement[Any]) -> Rows:
        """Select *author*, if it is one of the authors."""
        return select(self.key).where(self.key == author, *self.conditions)


@dataclass(frozen=True, slots=True)
class Feed:
    """The rows that a page may have, each with an author and a time, and their order."""

    #: The prefix of the names of its CTEs.
    name: str
    table: Table
    key: Column[Any]
    author: Column[Any]
    time: Column[Any]
    #: Returns the conditions on a row, its place after the cursor included.
    keep: Callable[[Of], Conditions]
    #: Returns those of the conditions that are about the time now, not about the place.
    lasting: Callable[[Of], Conditions]
    #: Returns the order of rows, given their key and time.
    order: Callable[[ColumnElement[Any], ColumnElement[Any]], Sequence[ColumnElement[Any]]]
    #: Whether it goes from newer rows to older ones.
    forward: bool
    #: Returns a column as a time in UTC.
    utc: Callable[[ColumnElement[Any]], ColumnElement[Any]]
    #: How many rows a page has.
    limit: ColumnElement[int]
    #: The greatest possible limit.
    longest: int

    def of(self, rows: FromClause) -> Of:
        """Return a function that maps a column of the table to that column of *rows*."""
        return lambda column: self.utc(rows.c[column.key]) if column is self.time else rows.c[column.key]

    def read(self, *authors: Callable[[ColumnElement[Any]], ColumnElement[bool]]) -> Rows:
        """Select (key, time, author) of the rows in their order, where the conditions on their *authors* hold."""
        of = self.of(self.table.alias())
        return (
            select(of(self.key).label("key"), of(self.time).label("time"), of(self.author).label("author"))
            .where(*(condition(of(self.author)) for condition in authors), *self.keep(of))
            .order_by(*self.order(of(self.key), of(self.time)))
        )

    def times(self) -> Rows:
        """Select the times of all rows in their order: an index on the time alone serves it."""
        of = self.of(self.table.alias())
        found = select(of(self.time).label("time")).where(*self.keep(of))
        return found.order_by(*self.order(of(self.key), of(self.time)))


class Newest(ABC):
    """How one family of databases finds the newest rows of a set of authors; all select (key, time)."""

    def __init__(self, engine: EngineRules) -> None:
        self.materialized: Callable[[Rows, str], CTE] = engine.materialized

    @abstractmethod
    def found(
        self, feed: Feed, authors: Authors, gate: ColumnElement[bool] | None, *, looks: bool
    ) -> Sequence[FromClause]:
        """
        Return parts whose rows, in union, include a page of the rows of *authors*.

        With *looks*, some parts scan the newest rows of everybody. Nothing is read where *gate* is false.
        """

    @abstractmethod
    def merge(self, feed: Feed, authors: Authors, gate: ColumnElement[bool]) -> Rows:
        """Select a page of the rows of *authors* by an index search for each; none where *gate* is false."""

    def among(self, author: ColumnElement[Any], authors: Authors) -> ColumnElement[bool]:
        """Return whether *author* is one of the *authors*, for many rows at a time."""
        return author.in_(authors.listed())


def hits(look: FromClause) -> ColumnElement[int]:
    """Return how many rows *look* found."""
    return select(func.count()).select_from(look).scalar_subquery()


def counted(rows: Rows, up_to: int) -> ColumnElement[int]:
    """Return how many *rows* there are, at most *up_to*."""
    return select(func.count()).select_from(rows.limit(number(up_to)).subquery()).scalar_subquery()


def number(value: int) -> ColumnElement[int]:
    """Return *value* as a number in the statement's text, where the planner sees it."""
    return literal_column(str(value), Integer)
