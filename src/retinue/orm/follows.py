"""Follows that a statement inserts or deletes: counted by what the database says that it changed."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, cast

from sqlalchemy import Column
from sqlalchemy.engine import Connection, Result
from sqlalchemy.orm import ORMExecuteState

from retinue import changes
from retinue.caller import Pair
from retinue.engines import rules_of
from retinue.errors import NotWritableError
from retinue.events import Followed, Unfollowed
from retinue.models import now
from retinue.orm import parts
from retinue.orm.rows import drop_requests, refuse_blocked
from retinue.orm.running import (
    Keys,
    all_or_nothing,
    connection_of,
    in_schemas_of,
    run,
    run_asked,
    says_what_it_deletes,
    unknown_rows,
)
from retinue.orm.tables import Target
from retinue.ownership import user_class_of
from retinue.schema import Schema, schema_of
from retinue.statements import departures

#: Rows that one statement asks for.
_CHUNK = 1_000


def insert_follows(state: ORMExecuteState, target: Target) -> Result[Any]:
    """Run a bulk insert of follows, and count them."""
    schema, connection = _schema_of(target), connection_of(state)
    _refuse_uncountable(connection, state)
    # Many rows are sent in several parts, of which the last may fail; and where a block forbids one, all go with it.
    parts = isinstance(state.parameters, list) and len(state.parameters) > 1
    with all_or_nothing(state, connection) if parts or schema.blocks is not None else nullcontext():
        ran = run(state, target, _key_of(schema), returning=True)
        pairs = cast("list[Pair]", ran.keys)
        with in_schemas_of(connection, ran.options):
            refuse_blocked(connection, schema, pairs)
            drop_requests(connection, schema, pairs)
            _record(state, connection, schema, Followed, ran.keys)
    return ran.answer


def delete_follows(state: ORMExecuteState, target: Target) -> Result[Any]:
    """Run a bulk delete of follows, and count them."""
    schema, connection = _schema_of(target), connection_of(state)
    key = _key_of(schema)
    if says_what_it_deletes(state, target, connection):
        ran = run(state, target, key)
        with in_schemas_of(connection, ran.options):
            _record(state, connection, schema, Unfollowed, ran.keys)
        return ran.answer
    with all_or_nothing(state, connection):
        ran = run_asked(state, target, key)
        with in_schemas_of(connection, ran.options):
            if _left(connection, schema, ran.keys):
                raise unknown_rows()
            _record(state, connection, schema, Unfollowed, ran.keys)
    return ran.answer


def _left(connection: Connection, schema: Schema, keys: Keys) -> bool:
    """Return whether any of *keys* is still there."""
    statement = departures.edges_left(schema, rules_of(connection))
    some = (keys[start : start + _CHUNK] for start in range(0, len(keys), _CHUNK))
    return any(
        connection.execute(statement, {"pairs": pairs, "followers": [follower for follower, _ in pairs]}).scalar()
        for pairs in some
    )


def _record(
    state: ORMExecuteState, connection: Connection, schema: Schema, kind: type[Followed | Unfollowed], keys: Keys
) -> None:
    at = now()
    happened = [kind(follower, followed, at) for follower, followed in keys]
    changes.record(state.session, connection, schema, *happened, told=False)


def _schema_of(target: Target) -> Schema:
    model = target.model if target.mapper is None else target.mapper.class_
    return schema_of(user_class_of(cast("type[Any]", model)))


def _key_of(schema: Schema) -> list[Column[Any]]:
    return [schema.follows.c.follower_id, schema.follows.c.following_id]


def _refuse_uncountable(connection: Connection, state: ORMExecuteState) -> None:
    dialect = connection.dialect
    if not dialect.insert_executemany_returning:
        what = f"{dialect.name} does not say which rows a bulk statement inserted"
        raise NotWritableError(what, "session.add_all()")
    clause = parts.conflict_clause(state.statement)
    if clause is not None and not clause.endswith("DoNothing"):
        what = "an upsert does not say which rows are new, so they cannot be counted"
        raise NotWritableError(what, "on_conflict_do_nothing()")
