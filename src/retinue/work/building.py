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

from sqlalchemy import Executable, Integer, Table, bindparam, select
from sqlalchemy.sql.elements import BindParameter, ColumnElement
from sqlalchemy.sql.selectable import CompoundSelect, FromClause
from sqlalchemy.sql.visitors import iterate

from retinue.engines import EngineRules, NewRow, Rows
from retinue.schema import Schema

#: The execution option that names a statement of the library.
OPTION: Final = "retinue"

#: The execution option of a statement that writes, but only to hold a place among others: nothing has changed by it.
HOLDS: Final = "retinue.holds"

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


def whichever_user(schema: Schema, engine: EngineRules, name: str) -> ColumnElement[Any]:
    """Return `user_key()` as `EngineRules.whichever()` has it: for what is read of users of every size."""
    return engine.whichever(user_key(schema, name))


def insert_row(
    schema: Schema,
    engine: EngineRules,
    table: Table,
    values: Mapping[str, str],
    users: Mapping[str, FromClause],
    *conditions: ColumnElement[bool],
) -> Executable:
    """Return `EngineRules.insert_new()`, in which a default of the application's own finds the row that it is for."""
    ends = {column: name for column, name in values.items() if name in users}
    row = NewRow(table, values, schema.key, users, conditions, ends)
    names = row_names(schema, table, values, *conditions, beside=users)
    if names is None:
        return engine.insert_new(row)
    called = row._replace(values={column: column for column in names})
    return engine.insert_new(called).execution_options(**{ROW: names})


def upsert_row(
    schema: Schema,
    engine: EngineRules,
    table: Table,
    values: Mapping[str, Any],
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
    upsert: Any = engine.upsert(table, row, update, where=where)
    return upsert if names is None else upsert.execution_options(**{ROW: names})


@once
def insert_rows(schema: Schema, engine: EngineRules, table: Table) -> Executable:
    """Rows that come as parameters, each with its defaults; one whose primary key is there is left as it is."""
    return engine.insert_from(table, schema.own_of(table).given, None)


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


def page_limit(engine: EngineRules | None = None, name: str = "limit") -> ColumnElement[int]:
    """
    Return the parameter *name*, which becomes a number in the statement's text, unless *engine* does as well without.

    PostgreSQL takes an unknown limit for a tenth of all rows, and after some runs
    plans for that: 90 milliseconds for a page that takes one.
    """
    return bindparam(name, type_=Integer, literal_execute=engine is None or engine.plans_for_limit)


def people(schema: Schema, *names: str) -> Mapping[str, FromClause]:
    """Return the table of users once for each of *names*, to be the user whose key the parameter holds."""
    return {name: schema.key.table.alias(f"user_{name}") for name in names}


@once
def known_users(schema: Schema, engine: EngineRules) -> Rows:
    """The keys of *users* that a user has."""
    return select(schema.key).where(engine.looked_up(schema.key, "users"))


@once
def known_users_now(schema: Schema, engine: EngineRules) -> Rows:
    """As `known_users()`, but by what is committed now, not by an older snapshot of the transaction."""
    return engine.current(select(schema.key).where(engine.looked_up(schema.key, "users")))


@once
def users_after(schema: Schema, started: bool) -> Rows:
    """The keys of some users, ascending; if *started*, of those after the key *after*."""
    chosen = select(schema.key).order_by(schema.key).limit(page_limit())
    return chosen.where(schema.key > user_key(schema, "after")) if started else chosen


# --- What time ends ------------------------------------------------------------------------------


def moment(schema: Schema, at: datetime) -> dict[str, Any]:
    """Return the parameters of statements for which some rows have ended *at* that time."""
    times: dict[str, Any] = {"now": at}
    if schema.settings.request_expiry is not None:
        times["asked_after"] = at - schema.settings.request_expiry
    return times
