"""
How a statement is built: once for a schema, with bound parameters, and with its name.

The name is the execution option ``retinue``. All have equality or ``IN`` on the
owner of the rows they touch, or on the other end by a selectable that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeAlias, TypeVar

from sqlalchemy import Executable, Integer, and_, bindparam, literal, or_, select, true
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import CompoundSelect, FromClause

from retinue.engines import EngineRules, Rows
from retinue.models import BlockMixin, UTCDateTime
from retinue.schema import Schema

#: The execution option that names a statement of the library.
OPTION: Final = "retinue"

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


def user_key(schema: Schema, name: str) -> ColumnElement[Any]:
    """Return the parameter *name*, which is the key of a user."""
    return bindparam(name, type_=schema.key.type)


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
