"""
How a statement is built: once for a schema, with bound parameters, and with its name.

The name is the execution option ``retinue``. All have equality or ``IN`` on the
owner of the rows they touch, or on the other end by a selectable that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeAlias, TypeVar

from sqlalchemy import Executable, Integer, Table, and_, bindparam, literal, or_, select, true
from sqlalchemy.sql.elements import BindParameter, ColumnElement
from sqlalchemy.sql.selectable import CompoundSelect, FromClause
from sqlalchemy.sql.visitors import iterate

from retinue.engines import EngineRules, Rows
from retinue.models import BlockMixin, UTCDateTime
from retinue.schema import Schema

#: The execution option that names a statement of the library.
OPTION: Final = "retinue"

#: The execution option of a statement in which parameters are called as columns: the parameter for each of these.
ROW: Final = "retinue.row"

# As `Rows`, of several selects.
if TYPE_CHECKING:
    CompoundRows: TypeAlias = CompoundSelect[*tuple[Any, ...]]
else:
    CompoundRows = CompoundSelect

P = ParamSpec("P")
S = TypeVar("S", bound=Executable)


def once(build: Callable[Concatenate[Schema, P], S]) -> Callable[Concatenate[Schema, P], S]:
    """Keep what *build* returns, for each schema and arguments; and name it after *build*, unless it has a name."""

    @wraps(build)
    def get(schema: Schema, /, *args: P.args, **kwargs: P.kwargs) -> S:
        key = (build, *args, *kwargs.items())
        statement: S | None = schema.built.get(key)
        if statement is None:
            statement = build(schema, *args, **kwargs)
            if OPTION not in statement.get_execution_options():
                statement = statement.execution_options(**{OPTION: build.__name__})
            schema.built[key] = statement
        return statement

    return get


def user_key(schema: Schema, name: str) -> BindParameter[Any]:
    """Return the parameter *name*, which is the key of a user."""
    return bindparam(name, type_=schema.key.type)


def insert_row(
    schema: Schema,
    rules: EngineRules,
    table: Table,
    values: Mapping[str, str],
    users: Mapping[str, FromClause],
    *conditions: ColumnElement[bool],
) -> Executable:
    """Return `EngineRules.insert_new()`, in which a default of the application's own finds the row that it is for."""
    names = row_names(schema, table, values, *conditions, beside=users)
    if names is None:
        return rules.insert_new(table, values, schema.key, users, *conditions)
    called = {column: column for column in names}
    return rules.insert_new(table, called, schema.key, users, *conditions).execution_options(**{ROW: names})


def upsert_row(
    schema: Schema,
    rules: EngineRules,
    table: Table,
    values: Mapping[str, BindParameter[Any]],
    conditions: Sequence[ColumnElement[bool]],
    update: Callable[[Any], Mapping[str, ColumnElement[Any]]],
    where: ColumnElement[bool] | None = None,
) -> Any:
    """Return `EngineRules.upsert()` of one row of *values*, if *conditions* hold; as `insert_row()`."""
    asked = conditions if where is None else (*conditions, where)
    names = row_names(schema, table, {column: value.key for column, value in values.items()}, *asked)
    if names is not None:
        values = {column: bindparam(column, type_=values.get(column, table.c[column]).type) for column in names}
    row = select(*(value.label(column) for column, value in values.items())).where(*conditions)
    upsert: Any = rules.upsert(table, row, update, where=where)
    return upsert if names is None else upsert.execution_options(**{ROW: names})


@once
def insert_rows(schema: Schema, rules: EngineRules, table: Table) -> Executable:
    """Rows that come as parameters, each with its defaults; one whose primary key is there is left as it is."""
    return rules.insert_rows(table, schema.own_of(table).given)


def row_names(
    schema: Schema,
    table: Table,
    values: Mapping[str, str],
    *conditions: ColumnElement[bool],
    beside: Container[str] = (),
) -> Mapping[str, str | None] | None:
    """
    Return the parameter for each column of a row that is inserted by itself, or None where nobody looks for them.

    A default of the application's that Python makes may ask for the row by the keys of its columns: then
    the parameters have these names as well. None for a column: it is NULL; but for one that is called as a parameter
    of *conditions*, or one *beside*, which has that name already.
    """
    own = schema.own_of(table)
    if not own.by_python:
        return None
    found = (part for condition in conditions for part in iterate(condition))
    taken = {part.key for part in found if isinstance(part, BindParameter)}
    return {**values, **{column: None for column in own.blank if column not in taken and column not in beside}}


def most() -> ColumnElement[int]:
    """
    Return the parameter *limit*, which becomes a number in the statement's text.

    PostgreSQL takes an unknown limit for a tenth of all rows, and after some runs
    plans for that: 90 milliseconds for a page that takes one.
    """
    return bindparam("limit", type_=Integer, literal_execute=True)


def people(schema: Schema, *names: str) -> Mapping[str, FromClause]:
    """Return the table of users once for each of *names*, to be the user whose key the parameter holds."""
    return {name: schema.key.table.alias(f"user_{name}") for name in names}


# --- What time ends ------------------------------------------------------------------------------


def moment(schema: Schema, at: datetime) -> dict[str, Any]:
    """Return the parameters of statements for which some rows have ended *at* that time."""
    times: dict[str, Any] = {"now": at}
    if schema.settings.request_expiry is not None:
        times["asked_after"] = at - schema.settings.request_expiry
    return times


def not_ended(rows: FromClause, at: datetime | None = None) -> ColumnElement[bool]:
    """Return whether a block or mute of *rows* has not ended by the parameter *now*, or by the time *at*."""
    time = bindparam("now", type_=UTCDateTime) if at is None else literal(at, UTCDateTime)
    return or_(rows.c.until.is_(None), rows.c.until > time)


def pending(schema: Schema, rows: FromClause) -> ColumnElement[bool]:
    """Return whether a request of *rows* waits for an answer: neither rejected nor expired."""
    waits = rows.c.rejected_at.is_(None)
    if schema.settings.request_expiry is None:
        return waits
    return and_(waits, rows.c.timestamp > bindparam("asked_after", type_=UTCDateTime))


def not_blocked(
    schema: Schema, rules: EngineRules, one: ColumnElement[Any], other: ColumnElement[Any], *, now: bool = False
) -> ColumnElement[bool]:
    """
    Return whether neither of two users blocks the other; true where nothing is ever blocked.

    With *now*, as it is committed now, whatever the transaction's snapshot.
    """
    if schema.blocks is None:
        return true()
    as_of = rules.current if now else _as_it_is
    made, met = (as_of(rows) for rows in blocks_between(schema, one, other))
    return and_(rules.no_row(made), rules.no_row(met))


def blocks_between(
    schema: Schema, one: ColumnElement[Any], other: ColumnElement[Any], at: datetime | None = None
) -> tuple[Rows, Rows]:
    """
    Return the block of *other* by *one*, and that of *one* by *other*: a select of one row at most each.

    Those that have not ended: as for `not_ended()`.
    """
    out, back = schema.table(BlockMixin).alias("blocks"), schema.blocks_by_target
    made = select(out.c.blocker_id).where(out.c.blocker_id == one, out.c.blocked_id == other, not_ended(out, at))
    met = select(back.c.blocker_id).where(back.c.blocked_id == one, back.c.blocker_id == other, not_ended(back, at))
    return made.correlate_except(out), met.correlate_except(back)


def _as_it_is(rows: Rows) -> Rows:
    return rows
