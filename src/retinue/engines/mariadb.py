"""
MariaDB and MySQL.

A plain ``INSERT`` that meets an existing row takes a *shared* lock on it, then
wants an exclusive one: after an unfollow, two sessions that follow again at once
deadlock. ``ON DUPLICATE KEY UPDATE`` asks for the exclusive lock at once: no
deadlock in 2,000 such races, where the plain insert had 317. Which of its two
branches ran, `LAST_INSERT_ID(expr)` tells: the manual's own way to hand a value
out of the statement. The count of rows cannot tell, as SQLAlchemy has the driver
report rows found, and ``INSERT IGNORE`` would follow the wrong user.

It takes every unique constraint for the key. So each value is set only in a row with the
same primary key; a row that is met by another constraint stays as it is, and
`LAST_INSERT_ID(expr)` tells that as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final
from uuid import UUID

from sqlalchemy import (
    CTE,
    Executable,
    Subquery,
    Table,
    and_,
    bindparam,
    case,
    false,
    func,
    literal_column,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.mysql import Insert, insert
from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import SelectBase

from retinue.engines.contract import Aftermath, EngineRules, FreshRows, NewRow, Rows, Unlike, filled, newest_edges_of

#: ER_NO_REFERENCED_ROW_2: the foreign key's other end is not there.
_NO_REFERENCED_ROW = 1452

#: ER_CANT_AGGREGATE_2COLLATIONS: one of two texts cannot become one of the other's kind.
_NOTHING_IN_COMMON = 1267

#: The errors after which InnoDB has rolled back the transaction: deadlock, lock table full.
_ENDS_TRANSACTION = (1213, 1206)

#: A lock is not free: MariaDB's error, and MySQL's.
_LOCK_WAIT_TIMEOUT, _LOCK_NOWAIT = 1205, 3572
#: What an insert leaves word of: it met a row with the same primary key, or one with another. No number that a
#: column of the application's own with AUTO_INCREMENT may have.
_SAME = 2**63 + 1
_OTHER = 2**63 + 2

#: Takes its meaning from what follows it in a LIKE. Not a backslash, whose own meaning a server may switch off.
_ESCAPE = "/"

#: The columns of a table that have a collation, and which.
_COLLATIONS: Final = text(
    "SELECT column_name, collation_name FROM information_schema.columns WHERE table_name = :name"
    " AND table_schema = coalesce(:schema, database()) AND collation_name IS NOT NULL"
).execution_options(retinue="collations")

#: For how many owners `newest_of_each()` is built.
_SLOTS = (10, 50, 120, 200)


class MariaDB(EngineRules):
    """MariaDB and MySQL, under InnoDB."""

    integer_range: ClassVar[tuple[int, int]] = (-(2**31), 2**31 - 1)
    locks_missing_rows = True
    unknown_user_fails = True
    keeps_snapshot = True
    savepoint_replaces = True
    # Not those of rows that a statement has deleted: two that delete the same users each took them for theirs.
    savepoint_keeps_locks = False
    hides_collisions = True

    @property
    def refusing(self) -> EngineRules:
        """Rules whose inserts are plain ones."""
        return _REFUSING

    def pads(self, collation: str) -> bool:
        """Return that all do but those which say that they do not; MySQL's newer ones, of UCA 9.0.0, do not either."""
        return "nopad" not in collation and "_0900_" not in collation

    def holds_uuid(self, value: UUID) -> bool:
        """Return whether MariaDB's own type takes *value*: not a new version (8 to 15) of an old variant."""
        version, variant = value.int >> 76 & 0xF, value.int >> 60 & 0xF
        return variant >= 8 or version < 8

    def cannot_hold(self, error: DBAPIError) -> bool:
        """Return whether two texts have no character set in common: an emoji and a column in ``utf8mb3``, for one."""
        return bool(error.orig and error.orig.args and error.orig.args[0] == _NOTHING_IN_COMMON)

    def by_name(self, name: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return the name as it is: its column's collation compares and sorts it."""
        return name

    def starts_with(
        self, name: ColumnElement[Any], text: ColumnElement[Any], gate: ColumnElement[bool] | None = None
    ) -> Sequence[ColumnElement[bool]]:
        """Return a LIKE: a collation has no last character that a range could end with."""
        del gate  # `opens()` says it
        for sign in (_ESCAPE, "%", "_"):
            text = func.replace(text, sign, _ESCAPE + sign)
        return (name.like(func.concat(text, "%"), escape=_ESCAPE),)

    def one_of(self, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        """Return ``column IN (%s, %s, ..)``."""
        return column.in_(bindparam(name, expanding=True))

    def slots(self, owners: int) -> int:
        """Return the least of a few sizes: each is a statement of its own, to be kept."""
        return next(size for size in _SLOTS if size >= owners)

    def slot_values(self, owners: Sequence[Any]) -> Mapping[str, Any]:
        """Return an owner for each slot; those left over are nobody's."""
        padded = [*owners, *[None] * (self.slots(len(owners)) - len(owners))]
        return {f"owner_{slot}": owner for slot, owner in enumerate(padded)}

    def materialized(self, rows: Rows, name: str | None = None) -> CTE:
        """Return a recursive CTE, which adds nothing to *rows*: any other is computed anew wherever it is used."""
        page = rows.subquery()
        once = select(*page.c).cte(name, recursive=True)
        return once.union_all(select(*once.c).where(false()))

    def newest_of_each(self, edges: Table, owners: Subquery, limit: int, slots: int) -> Rows:
        """Return a union with a part for each owner: MariaDB has no lateral join, and no limit within IN."""
        key = owners.c[0]
        parts = []
        for slot in range(slots):
            owner, edge = bindparam(f"owner_{slot}", type_=key.type), edges.alias(f"edge_{slot}")
            few = (
                newest_edges_of(edge, owner, limit)
                .add_columns(edge.c.follower_id.label("whose"))
                .subquery(f"of_{slot}")
            )
            parts.append(select(few.c.whose, few.c.other))
        every = union_all(*parts).subquery("every")
        number = func.count().over(partition_by=every.c.whose).label("number")
        return select(*owners.c, every.c.other, number).join_from(owners, every, every.c.whose == key)

    def insert_new(self, row: NewRow) -> Executable:
        """
        Return the insert; without conditions the foreign keys say whether its users are there.

        What it selects it reads, and locks, as it is now: also the place where a row
        is not, so that none can come.
        """
        fresh = insert(row.table)
        if row.conditions:
            fresh = fresh.from_select(list(row.values), row.selected().with_for_update(read=True))
        else:
            fresh = fresh.values({column: bindparam(name) for column, name in row.values.items()})
        return self._unless_there(fresh, row.table, list(row.values))

    def upsert(
        self,
        table: Table,
        rows: FreshRows,
        update: Callable[[Any], Mapping[str, ColumnElement[Any]]],
        where: ColumnElement[bool] | None = None,
    ) -> Executable:
        """Return the insert; a row that does not meet *where* is set to what it is."""
        fresh = filled(insert(table), rows)
        values = update(fresh.inserted)
        if where is not None:
            values = {name: case((where, new), else_=table.c[name]) for name, new in values.items()}
        return self._or_update(fresh, table, values)

    def current(self, rows: Rows) -> Rows:
        """Return a locking read: a plain one shows what was there when the transaction began."""
        return rows.with_for_update(read=True)

    def insert_from(self, table: Table, columns: Sequence[str], rows: SelectBase | None) -> Executable:
        """Return the insert; a row that is there is set to what it is."""
        fresh = insert(table) if rows is None else insert(table).from_select(columns, rows)
        return self._unless_there(fresh, table, columns)

    def inserted(self, result: CursorResult[Any]) -> bool:
        """Return whether the insert made a row, and met none."""
        return bool(result.rowcount) and result.lastrowid not in (_SAME, _OTHER)

    def collided(self, result: CursorResult[Any]) -> bool:
        """Return whether the row was met by another constraint than the primary key."""
        return result.lastrowid == _OTHER

    def names_no_user(self, error: IntegrityError) -> bool:
        """Return whether a foreign key refused the row; the transaction stays usable."""
        return bool(error.orig and error.orig.args and error.orig.args[0] == _NO_REFERENCED_ROW)

    def _unless_there(self, fresh: Insert, table: Table, columns: Sequence[str]) -> Executable:
        """Return *fresh*, which leaves a row with the same primary key as it is."""
        unchanged = next(table.c[column] for column in columns if not table.c[column].primary_key)
        return self._or_update(fresh, table, {unchanged.key: unchanged})

    def _or_update(self, fresh: Insert, table: Table, values: Mapping[str, ColumnElement[Any]]) -> Executable:
        """Return *fresh*, which sets *values*, in that order, in a row with the same primary key; and leaves word."""
        return fresh.on_duplicate_key_update(list(if_same(fresh, table, values).items()))

    def found_locked(self, connection: Connection, error: OperationalError) -> bool:
        """Return what the number says; and where it may be that of a transaction's end, what the database says."""
        number = next(iter(getattr(error.orig, "args", ())), None)
        if number == _LOCK_WAIT_TIMEOUT:  # `innodb_rollback_on_timeout` decides
            return bool(connection.exec_driver_sql("SELECT @@in_transaction").scalar())
        return number == _LOCK_NOWAIT

    def unlike(self, connection: Connection) -> Sequence[Unlike]:
        """Return ``innodb_snapshot_isolation`` where it is on. One statement."""
        rows = connection.exec_driver_sql("SHOW SESSION VARIABLES LIKE 'innodb_snapshot_isolation'")
        return [Unlike(name, found, "OFF") for name, found in rows if found != "OFF"]

    def collations(self, connection: Connection, table: Table) -> Mapping[str, str]:
        """Return those of the columns that have one."""
        given = {"name": table.name, "schema": table.schema}
        return {column: collation.lower() for column, collation in connection.execute(_COLLATIONS, given)}

    def after_error(self, connection: Connection, error: BaseException) -> Aftermath:
        """Return that a deadlock, and a full lock table, end a transaction; any other error its statement."""
        del connection
        number = next(iter(error.args), None)
        return Aftermath.ROLLED_BACK if number in _ENDS_TRANSACTION else Aftermath.OPEN


class _Refusing(MariaDB):
    """The same, with plain inserts: error 1062 for a row that is there."""

    def _or_update(self, fresh: Insert, table: Table, values: Mapping[str, ColumnElement[Any]]) -> Executable:
        """Return *fresh* as it is."""
        del table, values
        return fresh


_REFUSING = _Refusing()


def if_same(fresh: Insert, table: Table, values: Mapping[str, ColumnElement[Any]]) -> Mapping[str, ColumnElement[Any]]:
    """Return *values* for a row that has the primary key of the *fresh* one, else what is there; and leave word of it."""
    same = and_(*(column == fresh.inserted[column.key] for column in table.primary_key))
    word = func.last_insert_id(case((same, literal_column(str(_SAME))), else_=literal_column(str(_OTHER))))
    found = word == literal_column(str(_SAME))
    return {name: case((found, value), else_=table.c[name]) for name, value in values.items()}
