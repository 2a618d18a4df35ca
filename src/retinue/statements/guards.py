"""Guard rows: one for each user; whoever holds it goes first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Executable, Table, and_, literal_column, or_, select, true
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines import EngineRules, Rows
from retinue.schema import Schema
from retinue.statements.building import once, user_key


@once
def take_guards(schema: Schema, rules: EngineRules) -> Executable:
    """
    Hold the guard rows of *users* until the transaction ends; made on first use. A user who is not there has none.

    First all *people* are locked against deletion, ascending, *users* among them: whoever
    deletes one wants the guard row after that, too; and MariaDB lets nobody lock a user any more for whom
    somebody else waits to change them. The limit keeps MariaDB from doing both at a time.
    """
    people = rules.one_of(schema.key, "people")
    taken: Executable = _taken(schema, rules, people, lambda user: rules.one_of(user, "users"))
    return taken.execution_options(preserve_rowcount=True)


@once
def ask_and_take_guards(schema: Schema, rules: EngineRules, ask: Callable[[Schema, EngineRules], Rows]) -> Rows:
    """
    What *ask* says; and hold the guard of *follower*, that of *followed* too if *both* is so, none if it is *enough*.

    As `take_guards()`, for engines whose changes go together.
    """
    said = ask(schema, rules).cte("said")
    both, enough = (select(said.c[name]).scalar_subquery() for name in ("both", "enough"))
    pair = follower, _ = user_key(schema, "follower"), user_key(schema, "followed")
    people = and_(schema.key.in_(pair), enough.is_not(true()))
    taken = _taken(schema, rules, people, lambda user: or_(user == follower, both))
    return select(said).add_cte(taken.cte("taken"))


def _taken(
    schema: Schema,
    rules: EngineRules,
    people: ColumnElement[bool],
    chosen: Callable[[ColumnElement[Any]], ColumnElement[bool]],
) -> Any:
    guards: Table = schema.guards  # type: ignore[assignment] # asked for only where there are guards
    there = select(schema.key.label("user_id")).where(people).order_by(schema.key)
    there = there.limit(literal_column(str(2**63 - 1))).with_for_update(read=True, key_share=True)
    held = there.subquery("people")
    rows = select(held.c.user_id, literal_column("1").label("version"))
    rows = rows.where(chosen(held.c.user_id)).order_by(held.c.user_id)
    return rules.upsert(guards, rows, lambda _new: {"version": guards.c.version + 1})


@once
def guard_version(schema: Schema) -> Rows:
    """How often the guard of *user* was taken, as this transaction sees it."""
    guards: Table = schema.guards  # type: ignore[assignment]
    return select(guards.c.version).where(guards.c.user_id == user_key(schema, "user"))
