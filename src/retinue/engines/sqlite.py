"""SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from sqlalchemy import (
    Executable,
    Subquery,
    Table,
    and_,
    bindparam,
    case,
    column,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
    true,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines.contract import Aftermath, NewRow, Rows, Unlike, newest_edges_of
from retinue.engines.on_conflict import OnConflict
from retinue.engines.preparing import begin_to_write, in_transaction, is_prepared

#: What ``PRAGMA foreign_keys`` says; named as the statements of the graph are.
_FOREIGN_KEYS: Final = select(table("pragma_foreign_keys", column("foreign_keys")).c.foreign_keys).execution_options(
    retinue="foreign_keys"
)

#: The columns of the primary key's index of a table, and their collations.
_KEY_COLLATIONS: Final = text(
    "SELECT part.name, part.coll FROM pragma_index_list(:name, :schema) AS list,"
    " pragma_index_xinfo(list.name, :schema) AS part WHERE list.origin = 'pk' AND part.key = 1"
).execution_options(retinue="collations")

#: A limit that cuts nothing off.
_ALL: Final[ColumnElement[int]] = literal_column("-1")


class SQLite(OnConflict):
    """SQLite, whose writers come one at a time."""

    #: SQLite's integers have 64 bits, whatever the column is called.
    integer_range: ClassVar[tuple[int, int]] = (-(2**63), 2**63 - 1)
    integers_are_alike = True
    one_writer = True
    unknown_user_fails = True
    insert: ClassVar[staticmethod[[Table], Any]] = staticmethod(insert)

    def by_name(self, name: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return the name under ``NOCASE``, which takes A to Z for a to z, and sorts by code points."""
        return name.collate("NOCASE")

    def given(self, gate: ColumnElement[bool], value: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return *value*, or NULL: a condition with a subquery is asked for each row of a walk, its first value once."""
        return case((gate, value))

    def opens(self, gate: ColumnElement[bool]) -> ColumnElement[bool]:
        """Return true: `given()` says it."""
        del gate
        return true()

    def all_names(self, names: ColumnElement[Any], gate: ColumnElement[bool]) -> Sequence[ColumnElement[bool]]:
        """Return a range from the empty name on, before which there is none."""
        return (names >= self.given(gate, literal("")),)

    def newest_of_each(self, edges: Table, owners: Subquery, limit: int, slots: int) -> Rows:
        """
        Return a join with those among an owner's newest: SQLite has no lateral join, but lets IN look outside.

        The limit keeps the count from being made anew for each edge.
        """
        del slots
        few = newest_edges_of(edges.alias("counted"), owners.c[0], limit).correlate(owners).subquery("counted_few")
        number = select(func.count()).select_from(few).scalar_subquery()
        sized = select(*owners.c, number.label("number")).limit(_ALL).subquery("sized")
        edge = edges.alias("edge")
        newest = newest_edges_of(edges.alias("newest"), sized.c[0], limit).correlate(sized)
        theirs = and_(edge.c.follower_id == sized.c[0], edge.c.following_id.in_(newest))
        columns = [sized.c[name] for name in owners.c.keys()]  # noqa: SIM118 - columns, not a dict
        return select(*columns, edge.c.following_id.label("other"), sized.c.number).join_from(sized, edge, theirs)

    def one_of(self, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        """Return ``column IN (?, ?, ..)``."""
        return column.in_(bindparam(name, expanding=True))

    def cascades(self, connection: Connection) -> bool:
        """Return whether this connection enforces foreign keys, as that of a prepared engine does."""
        return bool(connection.execute(_FOREIGN_KEYS).scalar())

    def insert_new(self, row: NewRow) -> Executable:
        """
        As elsewhere; but where no condition stands against the row, it has NULL for a user who is not there.

        The database refuses that. So no row means that there is one already, and nobody need ask why.
        """
        if row.conditions:
            return super().insert_new(row)
        values = []
        for key, name in row.values.items():
            value: ColumnElement[Any] = bindparam(name, type_=row.table.c[key].type)
            if key in row.ends:
                user = row.users[row.ends[key]].c[row.key.key]
                value = select(user).where(user == bindparam(name, type_=row.key.type)).scalar_subquery()
            values.append(value.label(key))
        fresh = self._unless_there(row.table, list(row.values), select(*values).where(true()))
        statement: Executable = fresh.returning(next(iter(row.table.primary_key)))
        return statement

    def names_no_user(self, error: IntegrityError) -> bool:
        """Return whether a column is NULL that must not be."""
        return getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_CONSTRAINT_NOTNULL

    def hold_all(self, connection: Connection) -> bool:
        """Begin to write, unless that is done. Only a prepared engine does so before it reads what decides."""
        if not is_prepared(connection):
            return False
        begin_to_write(connection)
        return True

    def is_prepared(self, connection: Connection) -> bool:
        """Return whether a prepared engine gave this connection out."""
        return is_prepared(connection)

    def unlike(self, connection: Connection) -> Sequence[Unlike]:
        """Return which pragmas are not: foreign keys, the write-ahead log, some patience. Three statements."""
        wanted = {"foreign_keys": ("1",), "journal_mode": ("wal", "memory"), "busy_timeout": None}
        found = {name: str(connection.exec_driver_sql(f"PRAGMA {name}").scalar()) for name in wanted}
        return [
            Unlike(name, found[name], "1 or more" if good is None else good[0])
            for name, good in wanted.items()
            if (found[name] == "0" if good is None else found[name] not in good)
        ]

    def collations(self, connection: Connection, table: Table) -> Mapping[str, str]:
        """Return those of the primary key's index, which a table of one number has not."""
        given = {"name": table.name, "schema": table.schema or "main"}
        return {name: collation.lower() for name, collation in connection.execute(_KEY_COLLATIONS, given)}

    def after_error(self, connection: Connection, error: BaseException) -> Aftermath:
        """Return what the driver says: a full disk, for one, ends a transaction; one that is too busy is none yet."""
        busy = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
        return Aftermath.OPEN if busy or in_transaction(connection) else Aftermath.ROLLED_BACK
