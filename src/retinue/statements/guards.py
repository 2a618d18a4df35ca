"""Guard rows: one for each user; whoever holds it goes first."""

from __future__ import annotations

from sqlalchemy import Executable, Table, literal_column, select

from retinue.engines import EngineRules, Rows
from retinue.schema import Schema
from retinue.statements.building import once, user_key


@once
def take_guard(schema: Schema, rules: EngineRules) -> Executable:
    """Hold the guard row of *user* until the transaction ends; made on first use. A user who is not there has none."""
    guards: Table = schema.guards  # type: ignore[assignment] # asked for only where there are guards
    user = select(schema.key.label("user_id"), literal_column("1").label("version")).where(
        schema.key == user_key(schema, "user")
    )
    # The user is locked first, against deletion: whoever deletes them wants the guard row after that, too.
    user = user.with_for_update(read=True, key_share=True)
    return rules.upsert(guards, user, lambda _new: {"version": guards.c.version + 1})


@once
def guard_version(schema: Schema) -> Rows:
    """How often the guard of *user* was taken, as this transaction sees it."""
    guards: Table = schema.guards  # type: ignore[assignment]
    return select(guards.c.version).where(guards.c.user_id == user_key(schema, "user"))
