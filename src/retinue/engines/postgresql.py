"""PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Date,
    Dialect,
    Integer,
    Subquery,
    Table,
    TypeDecorator,
    any_,
    bindparam,
    cast,
    exists,
    false,
    func,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause
from sqlalchemy.types import TypeEngine

from retinue.engines.contract import Aftermath, Rows, newest_edges_of
from retinue.engines.on_conflict import OnConflict

#: The columns of a table, and how their texts are compared.
_COLLATIONS: Final = text(
    "SELECT a.attname AS \"column\", CASE WHEN t.typname = 'citext' THEN 'citext' WHEN t.typname = 'bpchar' THEN 'rtrim'"
    " WHEN NOT c.collisdeterministic THEN 'nondeterministic' ELSE '' END AS collation"
    " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation c ON c.oid = a.attcollation"
    " WHERE a.attrelid = to_regclass(:name) AND a.attnum > 0 AND NOT a.attisdropped"
).execution_options(retinue="collations")


_ONE: Final[ColumnElement[int]] = literal_column("1")
_MICROS: Final[ColumnElement[int]] = literal_column("1000000")

#: So for every row.
_IN_NO_INDEX: Final[ColumnElement[bool]] = literal_column("tableoid") != literal_column("0")


def _array_of(column: ColumnElement[Any]) -> TypeEngine[Any]:
    return _Numbers(column.type) if isinstance(column.type, Integer) else ARRAY(column.type)


class _Numbers(TypeDecorator[Any]):
    """A list of whole numbers as PostgreSQL reads it: psycopg would look each of them up, and whether it needs quotes."""

    impl = ARRAY
    cache_ok = True

    def __init__(self, item_type: Integer) -> None:
        super().__init__(item_type)
        self.item_type = item_type

    def bind_processor(self, dialect: Dialect) -> Any:
        """Return what writes the list; for a driver that does so better, what it does."""
        return _written if dialect.driver == "psycopg" else super().bind_processor(dialect)


def _written(numbers: Iterable[int] | None) -> str | None:
    return None if numbers is None else f"{{{','.join(map(str, numbers))}}}"


class PostgreSQL(OnConflict):
    """PostgreSQL, and what speaks like it."""

    integer_range: ClassVar[tuple[int, int]] = (-(2**31), 2**31 - 1)
    insert: ClassVar[staticmethod[[Table], Any]] = staticmethod(insert)

    modifying_ctes: ClassVar[bool] = True
    plans_for_limit: ClassVar[bool] = True
    holds_nul: ClassVar[bool] = False
    savepoint_keeps_locks: ClassVar[bool] = False

    def by_name(self, name: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return the name in small letters, sorted by code points: the one order that has all of a prefix in one place."""
        return func.lower(name).collate("C")

    def utc_day(self, time: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return the day: the session's own time zone does not count."""
        return cast(func.timezone(literal_column("'UTC'"), time), Date)

    def micros(self) -> ColumnElement[int]:
        """Return the clock's own time: that of the statement stands still while it waits."""
        return cast(func.extract("epoch", func.clock_timestamp()) * _MICROS, BigInteger)

    def no_row(self, rows: Rows, *, one_by_one: bool = False) -> ColumnElement[bool]:
        """
        Return NOT EXISTS: of other words PostgreSQL thinks that it is hardly ever so, and plans for no rows.

        It is an anti-join, which may read the whole table of *rows*, also for one page: the planner spreads
        the cost of that over all rows that there could be. Asked *one_by_one*, it is a look-up for each row,
        in words of which the planner thinks that they are so for every other one.
        """
        if one_by_one:
            return ~func.coalesce(rows.with_only_columns(true()).scalar_subquery(), false())
        return ~exists(rows)

    def newest_of_each(self, edges: Table, owners: Subquery, limit: int, slots: int) -> Rows:
        """Return a lateral join: for each owner, the first rows of an index."""
        del slots
        newest = newest_edges_of(edges.alias("newest"), owners.c[0], limit).correlate(owners).subquery("newest_few")
        rows = select(newest.c.other, func.count().over().label("number")).lateral("theirs")
        return select(*owners.c, rows.c.other, rows.c.number).select_from(owners.join(rows, true()))

    def one_of(self, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        """Return ``column = ANY(array)``: one parameter and one text, however long the list."""
        return column == any_(bindparam(name, type_=_array_of(column)))

    def looked_up(self, key: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        """
        Return ``key = ANY((SELECT array))``, in a cast that makes it no list of rows.

        Of an array the server sees how long it is, finds one for one key a little cheaper than one for any number, and
        makes it anew for each call.
        """
        array = _array_of(key)
        return key == any_(cast(self.whichever(bindparam(name, type_=array)), array))

    def by_key(self, rows: Rows) -> Rows:
        """Ask for what no index holds as well: so none spares the look into the table, and the shortest way is best."""
        return rows.where(_IN_NO_INDEX)

    def of_each(self, rows: Rows, key: ColumnElement[Any], name: str) -> Rows:
        """Return a lateral join: with the limit, each is looked up by itself."""
        array = self.whichever(bindparam(name, type_=_array_of(key)))
        asked = func.unnest(array, type_=key.type).table_valued("key", name="asked").render_derived()
        found = self.by_key(rows.where(key == asked.c.key)).limit(_ONE).correlate(asked).lateral("found")
        return select(*found.c).select_from(asked.join(found, true()))

    def perhaps_many(self, rows: FromClause) -> FromClause:
        """Return each of them once, joined to a function of which the server expects a thousand rows."""
        once = func.generate_series(_ONE, select(_ONE).scalar_subquery()).table_valued("number", name="once")
        return rows.join(once, true())

    def whichever(self, parameter: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return a SELECT of it, which is run once, and before all else: so the plan for any value is that for this one."""
        return select(parameter).scalar_subquery()

    def savepoint_name(self, written: str) -> str:
        """Return the name: a quoted one to the letter."""
        return written[1:-1].replace('""', '"') if written.startswith('"') else written.lower()

    def collations(self, connection: Connection, table: Table) -> Mapping[str, str]:
        """Return what is said of the columns and their types."""
        name = connection.dialect.identifier_preparer.format_table(table)
        return {row.column: row.collation for row in connection.execute(_COLLATIONS, {"name": name})}

    def after_error(self, connection: Connection, error: BaseException) -> Aftermath:
        """Return that an error of the server's aborts the transaction; one of the driver's own has no code."""
        del connection
        code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
        return Aftermath.ABORTED if code else Aftermath.OPEN
