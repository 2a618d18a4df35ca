"""What differs from one family of databases to the next, as one interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias
from uuid import UUID

from sqlalchemy import CTE, Column, Date, Executable, Select, Subquery, Table, bindparam, func, literal_column, select
from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause, SelectBase

from retinue.errors import NotWritableError

# Rows of any columns: SQLAlchemy 2.1 counts them in its types, 2.0 does not.
if TYPE_CHECKING:
    Rows: TypeAlias = Select[*tuple[Any, ...]]
else:
    Rows = Select


class NewRow(NamedTuple):
    """One row of parameters, which is to be inserted if its users are there and conditions hold."""

    table: Table
    #: The parameter for each column.
    values: Mapping[str, str]
    #: The primary key of users; and for each parameter that must be one, the table of users to find them in.
    key: Column[Any]
    users: Mapping[str, FromClause]
    #: May be about these tables.
    conditions: Sequence[ColumnElement[bool]]
    #: The parameter in *users* whose key each of these columns has.
    ends: Mapping[str, str]

    def selected(self) -> Rows:
        """Return a select of the row."""
        key, users = self.key, self.users
        found = {name: user.c[key.key] == bindparam(name, type_=key.type) for name, user in users.items()}
        first, *others = users
        # Joined on what each of them is, as a bare list of tables looks like a mistake to SQLAlchemy.
        present: FromClause = users[first]
        for name in others:
            present = present.join(users[name], found[name])
        row = [bindparam(name, type_=self.table.c[column].type).label(column) for column, name in self.values.items()]
        return select(*row).select_from(present).where(found[first], *self.conditions)


class Unlike(NamedTuple):
    """A setting of a connection that is not as the promises need it."""

    name: str
    found: str
    wanted: str


def newest_edges_of(edges: FromClause, owner: ColumnElement[Any], limit: int) -> Rows:
    """Return ``other``, the other ends of the *limit* newest *edges* of *owner*: the first rows of an index."""
    other = edges.c.following_id
    rows = select(other.label("other")).where(edges.c.follower_id == owner)
    # A number in the text: PostgreSQL plans badly for one that it does not know.
    return rows.order_by(edges.c.timestamp.desc(), other.desc()).limit(literal_column(str(limit)))


#: What is to be inserted: what a select finds; one row, or several, of values; None: rows that come as parameters.
FreshRows: TypeAlias = SelectBase | Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


def filled(fresh: Any, rows: FreshRows) -> Any:
    """Return *fresh*, an INSERT, of *rows*."""
    if rows is None:
        return fresh
    return fresh.from_select(rows.selected_columns.keys(), rows) if isinstance(rows, SelectBase) else fresh.values(rows)


class Aftermath(Enum):
    """What a statement's error leaves of its transaction."""

    #: It goes on as if the statement had not been sent.
    OPEN = auto()
    #: It accepts nothing but a rollback, to a savepoint or of everything; COMMIT rolls it back, without an error.
    ABORTED = auto()
    #: The database has rolled it back.
    ROLLED_BACK = auto()


class EngineRules(ABC):
    """How one family of databases does what SQL leaves open."""

    #: What an ``Integer`` column can hold, both ends included.
    integer_range: ClassVar[tuple[int, int]]

    #: True where every column of whole numbers holds these, whatever it is declared as.
    integers_are_alike: ClassVar[bool] = False

    #: True where an UPDATE that finds no row locks the place where it would be: an upsert does not.
    locks_missing_rows: ClassVar[bool] = False

    #: True where one statement may change several tables, each part by what the one before it changed: in CTEs.
    modifying_ctes: ClassVar[bool] = False

    #: True where writers come one at a time, so that no two wait for one another in a circle, whatever their order.
    one_writer: ClassVar[bool] = False

    def hold_all(self, connection: Connection) -> bool:
        """
        See to it that nobody else writes until the transaction of *connection* ends, if the engine has one writer at a time.

        Return whether that is so: then no guard is needed. No statement but what begins a transaction.
        """
        del connection
        return False

    def holds_uuid(self, value: UUID) -> bool:
        """Return whether a UUID column can hold *value*: here, any."""
        del value
        return True

    def pads(self, collation: str) -> bool:
        """Return whether texts that differ in spaces at their end are equal by *collation*; "" is the usual one."""
        del collation
        return False

    #: True where the number of rows that a page has is part of how the server plans to find them.
    plans_for_limit: ClassVar[bool] = False

    #: True where an insert hides that a row met one with another primary key, by a unique constraint: see `collided()`.
    hides_collisions: ClassVar[bool] = False

    @property
    def refusing(self) -> EngineRules:
        """The same rules, but that inserts refuse every row that meets one: the database says by which constraint."""
        return self

    #: True where `insert_new()` without conditions fails for a user who is not there; else it inserts nothing.
    unknown_user_fails: ClassVar[bool]

    #: True where a transaction goes on reading what was there when it began.
    keeps_snapshot: ClassVar[bool] = False

    #: True where a rollback to a savepoint keeps the locks that were taken after it.
    savepoint_keeps_locks: ClassVar[bool] = True

    #: True where a text can hold a NUL character.
    holds_nul: ClassVar[bool] = True

    def cannot_hold(self, error: DBAPIError) -> bool:
        """Return whether *error* says that a text has characters which the column that it is compared with has not."""
        del error
        return False

    @abstractmethod
    def by_name(self, name: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return *name* as names are compared and sorted: what an index for that must hold."""

    @abstractmethod
    def starts_with(
        self, name: ColumnElement[Any], text: ColumnElement[Any], gate: ColumnElement[bool] | None = None
    ) -> Sequence[ColumnElement[bool]]:
        """
        Return the conditions for names that start with *text*, in a form that the index for `by_name()` answers.

        A walk through these names begins only if *gate*, where there is one, is open: see `given()`.
        """

    def utc_day(self, time: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return the day in UTC of a *time* that the library keeps."""
        return func.date(time, type_=Date)

    def given(self, gate: ColumnElement[bool], value: ColumnElement[Any]) -> ColumnElement[Any]:
        """
        Return *value*, which begins a walk through an index, if *gate* is open.

        The gate is a question about no row of the walk. Where an engine does not ask such
        questions first (`opens()`), the value is NULL if it is closed, and the walk has no rows.
        """
        del gate
        return value

    def perhaps_many(self, rows: FromClause) -> FromClause:
        """
        Return *rows* of one owner, in words for which the engine walks through their index in its order, and stops early.

        Where it makes one plan for all owners, it thinks of the few rows that the average has, and would rather sort them:
        a million of somebody else's.
        """
        return rows

    def whichever(self, parameter: ColumnElement[Any]) -> ColumnElement[Any]:
        """
        Return the value of *parameter*, in words for which the engine makes one plan, whichever value it is.

        Where it can see the value, it may plan for just that one, anew at each call: longer than the statement takes.
        """
        return parameter

    def decided(self, answer: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return *answer*, which reads rows: found once, for a statement that has it in several places."""
        once = self.materialized(select(answer.label("answer")))
        return select(once.c.answer).scalar_subquery()

    def materialized(self, rows: Rows, name: str | None = None) -> CTE:
        """Return *rows* as a CTE that is computed once, however often it is used."""
        return rows.cte(name).prefix_with("MATERIALIZED")

    def opens(self, gate: ColumnElement[bool]) -> ColumnElement[bool]:
        """Return the condition that lets a walk begin only if *gate* is open."""
        return gate

    def all_names(self, names: ColumnElement[Any], gate: ColumnElement[bool]) -> Sequence[ColumnElement[bool]]:
        """Return what a walk through all *names* needs beside `opens()`, to have no rows if *gate* is closed."""
        del names, gate
        return ()

    def micros(self) -> ColumnElement[int]:
        """Return the microseconds since 1970 when this part of a statement runs; only with `modifying_ctes`."""
        raise NotImplementedError

    @abstractmethod
    def one_of(self, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        """Return "*column* is in the list bound as *name*", one statement for any length."""

    def looked_up(self, key: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        """As `one_of()`, where each *key* is one row at most: whatever the engine plans is right for any number."""
        return self.one_of(key, name)

    def by_key(self, rows: Rows) -> Rows:
        """
        Return *rows*, which by its primary key is one at most, in words for which the engine looks it up by that.

        Where another index holds all that is asked for, an engine may go through the few rows that the average owner has
        there: a million of somebody else's.
        """
        return rows

    def of_each(self, rows: Rows, key: ColumnElement[Any], name: str) -> Rows:
        """Return those of *rows* whose *key* is in the list bound as *name*, each of them looked up as by `by_key()`."""
        return rows.where(self.one_of(key, name))

    @abstractmethod
    def insert_new(self, row: NewRow) -> Executable:
        """
        Return an insert of *row* that leaves one with the same primary key as it is, without an error.

        The conditions are judged by what is committed now, not by an older snapshot.
        """

    @abstractmethod
    def upsert(
        self,
        table: Table,
        rows: FreshRows,
        update: Callable[[Any], Mapping[str, ColumnElement[Any]]],
        where: ColumnElement[bool] | None = None,
    ) -> Executable:
        """
        Return an insert of *rows*, whose columns are named as those of *table*.

        Where a row with the same primary key is there, and meets *where*, it gets
        what *update* returns for the row that was to be inserted, in that order.
        """

    def no_row(self, rows: Rows, *, one_by_one: bool = False) -> ColumnElement[bool]:
        """
        Return whether *rows*, which by its primary key is one at most, is none.

        Asked as "there is no such value": a NOT EXISTS would let an engine read a
        whole table first, to save itself the look-up for each row. *one_by_one*:
        not even where the engine has no better words for it.
        """
        del one_by_one
        return rows.scalar_subquery().is_(None)

    def current(self, rows: Rows) -> Rows:
        """Return *rows* as they are committed now, also in a transaction that reads an older snapshot."""
        return rows

    def slots(self, owners: int) -> int:
        """Return for how many owners `newest_of_each()` has to be built, if there are so many: here, for any number."""
        del owners
        return 0

    def slot_values(self, owners: Sequence[Any]) -> Mapping[str, Any]:
        """Return the parameters that `newest_of_each()` needs besides those of its owners: here, none."""
        del owners
        return {}

    @abstractmethod
    def newest_of_each(self, edges: Table, owners: Subquery, limit: int, slots: int) -> Rows:
        """
        Return the *limit* newest edges of each owner, reading no more than that of any.

        *owners* has their keys in its first column. The columns: those of *owners*;
        ``other``, the other end of an edge; ``number``, how many edges the owner has here.
        """

    @abstractmethod
    def insert_from(self, table: Table, columns: Sequence[str], rows: SelectBase | None) -> Executable:
        """
        Return an insert of *rows*, which have a WHERE; it too leaves a row with the same primary key as it is.

        None: of rows that come as parameters, and have *columns* at least.
        """

    @abstractmethod
    def inserted(self, result: CursorResult[Any]) -> bool:
        """Return whether `insert_new()`, or where `locks_missing_rows` an `upsert()` of one row, inserted it."""

    def collided(self, result: CursorResult[Any]) -> bool:
        """Return whether an insert of one row made none, and met one with another primary key: here that is an error."""
        del result
        return False

    @abstractmethod
    def names_no_user(self, error: IntegrityError) -> bool:
        """Return whether *error* says that `insert_new()` named a user who is not there."""

    #: True where a new savepoint takes the place of an older one of its name; else it hides that until it is released.
    savepoint_replaces: ClassVar[bool] = False

    def cascades(self, connection: Connection) -> bool:
        """Return whether the database deletes rows along with those that they refer to, where a foreign key says so."""
        del connection
        return True

    def savepoint_name(self, written: str) -> str:
        """Return by what name a savepoint is known that is *written* so in a statement: here, in any case."""
        return written.strip("\"`'[]").lower()

    def refuse_autocommit(self, connection: Connection) -> None:
        """
        Refuse a *connection* on which the database commits each statement by itself. No statement.

        Raises:
            NotWritableError: It is one.
        """
        if connection._is_autocommit_isolation():  # noqa: SLF001 - whatever is public asks the database
            what = "in AUTOCOMMIT, a change and what follows from it cannot be one"
            raise NotWritableError(what, "a session with transactions")

    def found_locked(self, connection: Connection, error: OperationalError) -> bool:
        """Return whether *error* is that of a select that waits for no lock (NOWAIT), and the transaction goes on."""
        del connection, error
        return False

    def is_prepared(self, connection: Connection) -> bool:
        """Return whether `prepare_engine()` saw to *connection*, or need not: `unlike()` tells the rest. No statement."""
        del connection
        return True

    def unlike(self, connection: Connection) -> Sequence[Unlike]:
        """Return the settings of *connection* that are not as `prepare_engine()` makes them. A statement each, if any."""
        del connection
        return ()

    @abstractmethod
    def collations(self, connection: Connection, table: Table) -> Mapping[str, str]:
        """
        Return by which collation the database compares the texts of each column of *table*, in small letters.

        Of columns of the primary key at least. Where it is none by name: ``citext``, ``rtrim`` for one that is filled up
        with spaces, ``nondeterministic``; "" for the usual one. One statement.
        """

    @abstractmethod
    def after_error(self, connection: Connection, error: BaseException) -> Aftermath:
        """Return what is left of the transaction of *connection*, in which the driver raised *error*. No statement."""
