"""The statements on count rows: to read, to add, to make them; and what the edges say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    CTE,
    Boolean,
    Executable,
    Integer,
    Table,
    Update,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import ScalarSelect
from sqlalchemy.types import TypeEngine

from retinue.effects.changes import Possible
from retinue.engines import EngineRules, Rows
from retinue.models import FollowCountMixin
from retinue.schema import Schema
from retinue.ties import FOLLOW
from retinue.work.building import OPTION, ROW, insert_row, once, people, row_names, user_key

#: Their columns.
COLUMNS: Final[tuple[str, ...]] = ("user_id", "slot", "followers", "following")

#: Those with numbers.
NUMBERS: Final[tuple[str, ...]] = COLUMNS[2:]


def in_snapshot(rows: Rows) -> Rows:
    """Return *rows* as the transaction sees them."""
    return rows


def counted_edges(
    schema: Schema, user: ColumnElement[Any], read: Callable[[Rows], Rows] = in_snapshot
) -> tuple[ScalarSelect[Any], ScalarSelect[Any]]:
    """
    Return how many edges lead to *user*, and how many from them.

    *read* says how they are read: `EngineRules.current()` for what is committed now, whatever the transaction's snapshot.
    """
    incoming, out = schema.edges_by_target.alias("there"), schema.follows.alias("out")
    to = select(func.count()).select_from(incoming).where(incoming.c.following_id == user)
    by = select(func.count()).select_from(out).where(out.c.follower_id == user)
    return read(to).scalar_subquery(), read(by).scalar_subquery()


@once
def count_edges(schema: Schema) -> Rows:
    """(followers, following) of *user*, counted."""
    return select(*counted_edges(schema, user_key(schema, "user")))


@once
def count_edges_unlocked(schema: Schema) -> Rows:
    """As `count_edges()`, by what is committed now; an error where somebody has locked one of them."""
    user = user_key(schema, "user")
    return select(*counted_edges(schema, user, lambda rows: rows.with_for_update(read=True, nowait=True)))


def count_rows(schema: Schema) -> Table:
    """Return the table of count rows."""
    return schema.table(FollowCountMixin)


def count_row(user: ColumnElement[Any], followers: ColumnElement[Any], following: ColumnElement[Any]) -> Rows:
    """Return slot 0 of *user* as a row."""
    values: tuple[ColumnElement[Any], ...] = (user, literal_column("0"), followers, following)
    return select(*(value.label(column) for column, value in zip(COLUMNS, values, strict=True)))


@once
def counts(schema: Schema, engine: EngineRules) -> Rows:
    """
    (user, followers, following) of each slot of those of *users* who exist.

    The edges are counted of one without a slot; and of nobody else, as COALESCE stops at what it finds.
    """
    rows = count_rows(schema)
    followers, following = counted_edges(schema, schema.key)
    return (
        select(schema.key, func.coalesce(rows.c.followers, followers), func.coalesce(rows.c.following, following))
        .select_from(schema.key.table.outerjoin(rows, rows.c.user_id == schema.key))
        .where(engine.looked_up(schema.key, "users"))
    )


def stored(schema: Schema, user: ColumnElement[Any]) -> tuple[Rows, Rows]:
    """Return two selects, each of one number or NULL: how many follow *user*, and how many *user* follows."""
    row = count_rows(schema).c
    to, out = (select(func.sum(number)).where(row.user_id == user) for number in (row.followers, row.following))
    return to, out


@once
def counts_of_edges(schema: Schema, engine: EngineRules) -> Rows:
    """(user, followers, following) of those of *users* who exist, counted."""
    return select(schema.key, *counted_edges(schema, schema.key)).where(engine.looked_up(schema.key, "users"))


# --- One user ------------------------------------------------------------------------------------


class Alone(FunctionElement[bool]):
    """
    Whether a user has no other slot than the count row that a statement changes.

    Never so on MySQL, which lets no statement read the table that it changes.
    """

    inherit_cache: bool | None = True
    type: TypeEngine[bool] = Boolean()

    def __init__(self, rows: Table) -> None:
        self.rows: Table = rows
        other = rows.alias("other_slot").c
        slots = select(other.slot).where(other.user_id == rows.c.user_id, other.slot != rows.c.slot)
        super().__init__(~exists(slots))


@compiles(Alone)
def _alone(alone: Alone, compiler: SQLCompiler, **options: Any) -> str:
    if compiler.dialect.name == "mysql" and not getattr(compiler.dialect, "is_mariadb", False):
        return compiler.process(false(), **options)
    # What an upsert does to a row that is there, SQLAlchemy does not take for a part of it: it would join the table again.
    of_row: Any = {"correlate_froms": {alone.rows}, "asfrom_froms": {alone.rows}, "selectable": alone.rows}
    options.pop("use_schema", None)  # MariaDB's compiler leaves that out of an upsert's columns; a table needs it
    compiler.stack.append(of_row)
    try:
        return compiler.process(alone.clauses, **options)
    finally:
        compiler.stack.pop()


def plus(schema: Schema, name: str, more: ColumnElement[int], *, less: bool) -> ColumnElement[int]:
    """
    Return *more* added to the number *name* of a count row.

    *less*: whether *more* may be below zero. An edge that raw SQL has made is not counted, and takes nothing with it:
    what is left is no less than zero. Of several slots one may be below zero, as their sum counts; where counts are
    spread, nobody asks for the other slots, which others are changing: on MariaDB that locks them.
    """
    rows = count_rows(schema)
    sum_: ColumnElement[int] = rows.c[name] + more
    if not less or schema.settings.counter_slots > 1:
        return sum_
    zero: ColumnElement[int] = literal_column(
        "0"
    )  # in the text: PyMySQL takes no parameters behind the values of many rows
    return case((and_(sum_ < zero, Alone(rows)), zero), else_=sum_)


@once
def add_to_count(schema: Schema, engine: EngineRules, less: bool) -> Executable:
    """
    Add *more_followers* and *more_following* to the row of *user* and *slot_*; an upsert where the engine needs that.

    *less*: whether that is below zero.

    Where it locks the place of a row that an update does not find, two sessions that then insert there deadlock.
    """
    rows = count_rows(schema)
    if not engine.locks_missing_rows:
        mine = rows.c.user_id == user_key(schema, "user"), rows.c.slot == bindparam("slot_")
        return update(rows).where(*mine).values(_added(schema, less=less))
    values = {"user_id": "user", "slot": "slot_", "followers": "more_followers", "following": "more_following"}
    names = row_names(schema, rows, values)
    called = values if names is None else {column: column for column in names}
    upsert = upsert_counts(schema, engine, {column: bindparam(name) for column, name in called.items()}, less=less)
    return upsert if names is None else upsert.execution_options(**{ROW: names})


@once
def add_to_both(schema: Schema, edges: int) -> Update:
    """Add so many *edges* (1 or -1) of *follower* and *followed* to the rows of both, in slot 0."""
    rows, ends = count_rows(schema), [user_key(schema, end) for end in FOLLOW.ends]
    amount = literal_column(str(edges), Integer)
    more = {
        name: case((rows.c.user_id == end, plus(schema, name, amount, less=edges < 0)), else_=rows.c[name])
        for name, end in zip(NUMBERS[::-1], ends, strict=True)
    }
    return update(rows).where(rows.c.user_id.in_(ends), rows.c.slot == literal_column("0")).values(more)


def add_if(schema: Schema, name: str, end: str, edges: Sequence[Possible], *, after: CTE | None = None) -> CTE:
    """
    Return the update of the row of *end*, which is *follower* or *followed*, if one of *edges* is made.

    There may be their edge and its opposite, at which each is the other end: then it is in slot 0 that somebody loses a
    follower, else in *followers_slot*. *after*: the update before it, without which it is not made.
    """
    rows, settings, one = count_rows(schema), schema.settings, len(edges) == 1
    more = dict[str, ColumnElement[int]]()
    for edge, number in zip(edges, NUMBERS if end == FOLLOW.ends[1] else NUMBERS[::-1], strict=False):
        amount: ColumnElement[int] = literal_column(str(edge.kind.edges), Integer)
        more[number] = plus(schema, number, amount if one else amount * edge.number(), less=edge.kind.edges < 0)
    spread = settings.counter_slots > 1 and one and end == FOLLOW.ends[1]
    slot = bindparam("followers_slot", type_=rows.c.slot.type) if spread else literal_column("0")
    holds = or_(*(edge.is_made() for edge in edges)) if after is None else exists(select(after.c.slot))
    mine = rows.c.user_id == user_key(schema, end), rows.c.slot == slot
    return update(rows).where(*mine, holds).values(more).returning(rows.c.slot).cte(f"{name}_count")


def number(part: CTE) -> ColumnElement[int]:
    """Return how many rows *part* has, called as it is."""
    return select(func.count()).select_from(part).scalar_subquery().label(part.name)


@once
def insert_count(schema: Schema, engine: EngineRules) -> Executable:
    """Give *user* a row in *slot_*, unless there is one or the user has gone."""
    values = {"user_id": "user", "slot": "slot_", "followers": "set_followers", "following": "set_following"}
    return insert_row(schema, engine, count_rows(schema), values, people(schema, "user"))


@once
def add_slot(schema: Schema, engine: EngineRules) -> Executable:
    """Add *more_followers* and *more_following* to *slot_* of *user*, or make it with these; if there is a slot 0."""
    rows = count_rows(schema)
    more = [bindparam(f"more_{name}", type_=rows.c[name].type).label(name) for name in NUMBERS]
    slot = bindparam("slot_", type_=rows.c.slot.type).label("slot")
    return upsert_counts(schema, engine, first_slot(schema).add_columns(slot, *more), less=True)


@once
def first_slot(schema: Schema) -> Rows:
    """*user*, if they have a slot 0."""
    first = count_rows(schema).alias("first")
    return select(first.c.user_id).where(first.c.user_id == user_key(schema, "user"), first.c.slot == 0)


@once
def add_to_slots(schema: Schema, engine: EngineRules) -> Executable:
    """Count rows that come as parameters, or their numbers added to those that are there."""
    return upsert_counts(schema, engine, None, less=True)


def upsert_counts(
    schema: Schema, engine: EngineRules, fresh: Rows | Mapping[str, Any] | None, *, less: bool
) -> Executable:
    """Return an insert of *fresh*; to a row that is there its numbers are added: *less*, if they may be below zero."""
    rows = count_rows(schema)
    added = engine.upsert(rows, fresh, lambda new: {name: plus(schema, name, new[name], less=less) for name in NUMBERS})
    return added.execution_options(preserve_rowcount=True)


@once
def insert_counted(schema: Schema, engine: EngineRules) -> Executable:
    """Give *user* slot 0, with what the edges say, unless there is one or the user has gone."""
    inserted = engine.insert_from(count_rows(schema), list(COLUMNS), counted_row(schema))
    return inserted.execution_options(preserve_rowcount=True)


@once
def counted_row(schema: Schema) -> Rows:
    """The count row that `insert_counted()` inserts."""
    (users,) = people(schema, "user").values()
    key = users.c[schema.key.key]
    row = count_row(key, *counted_edges(schema, key)).where(key == user_key(schema, "user"))
    return row.with_for_update(read=True, key_share=True, of=users)


@once
def set_count(schema: Schema) -> Update:
    """Set the row of *user* and *slot_*."""
    rows = count_rows(schema)
    return (
        update(rows)
        .where(rows.c.user_id == user_key(schema, "user"), rows.c.slot == bindparam("slot_"))
        .values(followers=bindparam("set_followers"), following=bindparam("set_following"))
    )


# --- Many at a time ------------------------------------------------------------------------------


@once
def uncounted(schema: Schema, engine: EngineRules) -> Rows:
    """(user, followers, following) of those of *users* who have no count row: what their edges say."""
    first = count_rows(schema).alias("counted")
    return (
        select(schema.key, *counted_edges(schema, schema.key))
        .join_from(schema.key.table, first, and_(first.c.user_id == schema.key, first.c.slot == 0), isouter=True)
        .where(first.c.user_id.is_(None), engine.one_of(schema.key, "users"))
    )


def add_or_insert(schema: Schema, engine: EngineRules, fresh: Sequence[Mapping[str, Any]]) -> Executable:
    """Add *more_followers* and *more_following* to those rows of *fresh* that are there; the others are inserted as they are."""
    rows = count_rows(schema)
    return engine.upsert(rows, fresh, lambda _new: _added(schema, less=True)).execution_options(
        **{OPTION: "add_or_start"}
    )


def add_or_insert_each(schema: Schema, engine: EngineRules, more: tuple[int, int]) -> Executable:
    """As `add_or_insert()`, of rows that come as parameters: no driver knows others then, so *more* is in the text."""
    rows, numbers = count_rows(schema), dict(zip(NUMBERS, more, strict=True))
    added = {name: plus(schema, name, literal_column(str(one), Integer), less=one < 0) for name, one in numbers.items()}
    return engine.upsert(rows, None, lambda _new: added).execution_options(**{OPTION: "add_or_make"})


def _added(schema: Schema, *, less: bool) -> dict[str, ColumnElement[Any]]:
    rows = count_rows(schema)
    return {name: plus(schema, name, bindparam(f"more_{name}", type_=rows.c[name].type), less=less) for name in NUMBERS}
