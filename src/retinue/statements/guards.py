"""Guard rows: one for each user; whoever holds it goes first."""

from __future__ import annotations

from sqlalchemy import Executable, Table, literal_column, select

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
    guards: Table = schema.guards  # type: ignore[assignment] # asked for only where there are guards
    there = select(schema.key.label("user_id")).where(rules.one_of(schema.key, "people")).order_by(schema.key)
    there = there.limit(literal_column(str(2**63 - 1))).with_for_update(read=True, key_share=True)
    held = there.subquery("people")
    rows = select(held.c.user_id, literal_column("1").label("version"))
    rows = rows.where(rules.one_of(held.c.user_id, "users")).order_by(held.c.user_id)
    upsert = rules.upsert(guards, rows, lambda _new: {"version": guards.c.version + 1})
    return upsert.execution_options(preserve_rowcount=True)


@once
def guard_version(schema: Schema) -> Rows:
    """How often the guard of *user* was taken, as this transaction sees it."""
    guards: Table = schema.guards  # type: ignore[assignment]
    return select(guards.c.version).where(guards.c.user_id == user_key(schema, "user"))
