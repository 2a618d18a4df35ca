"""The count rows, and what the edges say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Executable, Table, Update, and_, bindparam, func, literal_column, select, update
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause, ScalarSelect

from retinue.engines import EngineRules, Rows
from retinue.schema import Schema
from retinue.statements.building import OPTION, once, people, user_key
from retinue.values import Key


def _counted(edges: FromClause, *conditions: ColumnElement[bool]) -> ScalarSelect[Any]:
    return select(func.count()).select_from(edges).where(*conditions).scalar_subquery()


def counted_edges(schema: Schema, user: ColumnElement[Any]) -> tuple[ScalarSelect[Any], ScalarSelect[Any]]:
    """Return how many edges lead to *user*, and how many from them."""
    there, out = schema.edges_by_target.alias("there"), schema.follows.alias("out")
    return _counted(there, there.c.following_id == user), _counted(out, out.c.follower_id == user)


@once
def counts(schema: Schema, rules: EngineRules) -> Rows:
    """
    (user, followers, following) of each slot of those of *users* who exist.

    The edges are counted of one without a slot; and of nobody else, as COALESCE stops at what it finds.
    """
    rows = count_rows(schema)
    followers, following = counted_edges(schema, schema.key)
    return (
        select(schema.key, func.coalesce(rows.c.followers, followers), func.coalesce(rows.c.following, following))
        .select_from(schema.key.table.outerjoin(rows, rows.c.user_id == schema.key))
        .where(rules.one_of(schema.key, "users"))
    )


@once
def counts_of_edges(schema: Schema, rules: EngineRules) -> Rows:
    """(user, followers, following) of those of *users* who exist, counted."""
    return select(schema.key, *counted_edges(schema, schema.key)).where(rules.one_of(schema.key, "users"))


@once
def count_edges(schema: Schema) -> Rows:
    """(followers, following) of *user*, counted."""
    return select(*counted_edges(schema, user_key(schema, "user")))


@once
def add_to_count(schema: Schema, rules: EngineRules) -> Executable:
    """Add *more_followers* and *more_following* to the row of *user* and *slot_*."""
    return rules.add_to_count(count_rows(schema))


@once
def insert_count(schema: Schema, rules: EngineRules) -> Executable:
    """Give *user* a row in *slot_*, unless there is one or the user has gone."""
    values = {"user_id": "user", "slot": "slot_", "followers": "set_followers", "following": "set_following"}
    return rules.insert_new(count_rows(schema), values, schema.key, people(schema, "user"))


@once
def add_slot(schema: Schema, rules: EngineRules) -> Executable:
    """Add *more_followers* and *more_following* to *slot_* of *user*, or make it with these; if there is a slot 0."""
    rows = count_rows(schema)
    first = rows.alias("first")
    more = {name: bindparam(f"more_{name}", type_=rows.c[name].type) for name in ("followers", "following")}
    slot = bindparam("slot_", type_=rows.c.slot.type)
    fresh = select(first.c.user_id, slot.label("slot"), *(value.label(name) for name, value in more.items()))
    fresh = fresh.where(first.c.user_id == user_key(schema, "user"), first.c.slot == 0)
    added = rules.upsert(rows, fresh, lambda new: {name: rows.c[name] + new[name] for name in more})
    return added.execution_options(preserve_rowcount=True)


@once
def insert_counted(schema: Schema, rules: EngineRules) -> Executable:
    """Give *user* slot 0, with what the edges say, unless there is one or the user has gone."""
    (users,) = people(schema, "user").values()
    key = users.c[schema.key.name]
    row = select(key, literal_column("0"), *counted_edges(schema, key)).where(key == user_key(schema, "user"))
    row = row.with_for_update(read=True, key_share=True, of=users)
    made = rules.insert_from(count_rows(schema), ["user_id", "slot", "followers", "following"], row)
    return made.execution_options(preserve_rowcount=True)


@once
def set_count(schema: Schema) -> Update:
    """Set the row of *user* and *slot_*."""
    rows = count_rows(schema)
    return (
        update(rows)
        .where(rows.c.user_id == user_key(schema, "user"), rows.c.slot == bindparam("slot_"))
        .values(followers=bindparam("set_followers"), following=bindparam("set_following"))
    )


def count_rows(schema: Schema) -> Table:
    """Return the table of count rows: asked for only where counts are kept."""
    return cast("Table", schema.counts)


# --- Many at a time ------------------------------------------------------------------------------


@once
def uncounted(schema: Schema, rules: EngineRules) -> Rows:
    """(user, followers, following) of those of *users* who have no count row: what their edges say."""
    there = count_rows(schema).alias("counted")
    return (
        select(schema.key, *counted_edges(schema, schema.key))
        .join_from(schema.key.table, there, and_(there.c.user_id == schema.key, there.c.slot == 0), isouter=True)
        .where(there.c.user_id.is_(None), rules.one_of(schema.key, "users"))
    )


def add_or_start(schema: Schema, rules: EngineRules, rows: Sequence[tuple[Key, int, int]]) -> Executable:
    """Add *more_followers* and *more_following* to slot 0 of the users of *rows*; make what *rows* say where there is none."""
    values = [{"user_id": user, "slot": 0, "followers": to, "following": out} for user, to, out in rows]
    statement = rules.add_or_insert(count_rows(schema), values)
    return statement.execution_options(**{OPTION: "add_or_start"})
