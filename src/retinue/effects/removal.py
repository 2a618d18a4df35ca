"""
Users that leave the graph: everything of theirs on both sides goes, and so does their part in what others have.

Done before the users themselves are deleted, in a fixed number of statements and
without loading a row. It does not rely on the database's cascade, which SQLite
does not run unless told to, and which no engine extends to a counter.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Delete, Table, delete, select

from retinue.effects import effects_of
from retinue.engines import EngineRules, Rows
from retinue.schema import Schema
from retinue.ties import TIES
from retinue.values import Key
from retinue.work import Work
from retinue.work.building import once


def detach(work: Work, users: Sequence[Key]) -> None:
    """
    Remove everything of *users* that is about other users, and correct the others' counts.

    The users stay locked until the transaction ends: who wants to follow one of
    them waits, and then finds nobody. What the history says of them is closed by
    a mark, as their keys may be given to others. Commits nothing and announces
    nothing. Cost: three statements; five more where counts are kept; two for each
    other model, but one for history and for guards.
    """
    work.schema.refuse_unusable()
    parameters, effects = {"users": list(users)}, effects_of(work.schema)
    # The lock comes first: after it no edge of theirs can appear.
    work.run(lock_users, parameters, work.engine).all()
    for effect in effects:
        effect.leave(work, users)
    for table in tables_of(work.schema):
        work.run(delete_rows_of, parameters, work.engine, table)
        if "reverse_key" in table.info:
            work.run(delete_rows_about, parameters, work.engine, table)
    for effect in effects:
        effect.after_leaving(work, users)


def tables_of(schema: Schema) -> list[Table]:
    """Return the tables whose rows go with their users; edges before what follows from them, as in any change."""
    guards = [] if schema.guards is None else [schema.guards]
    ties = [tie.table(schema) for tie in TIES if tie.is_declared(schema)]
    effects = [effect for effect in effects_of(schema) if not effect.outlives_users]
    return [*guards, *ties, *(table for effect in effects for table in effect.tables(schema))]


@once
def lock_users(schema: Schema, engine: EngineRules) -> Rows:
    """Those of *users* who exist, locked: nobody can follow them, or be followed by them, any more."""
    return select(schema.key).where(engine.one_of(schema.key, "users")).order_by(schema.key).with_for_update()


@once
def delete_rows_of(schema: Schema, engine: EngineRules, table: Table) -> Delete:
    """Of *users* nothing is left in *table*."""
    del schema
    return delete(table).where(engine.one_of(table.c[table.info["shard_key"]], "users"))


@once
def delete_rows_about(schema: Schema, engine: EngineRules, table: Table) -> Delete:
    """No row of others in *table* is about one of *users* any more."""
    del schema
    return delete(table).where(engine.one_of(table.c[table.info["reverse_key"]], "users"))
