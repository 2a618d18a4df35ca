"""Follows and requests that a statement inserts or deletes: by what the database says that it changed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any, cast

from sqlalchemy import Column, Table
from sqlalchemy.engine import Connection, Result
from sqlalchemy.orm import ORMExecuteState

from retinue import effects
from retinue.errors import NotWritableError
from retinue.events import Followed, Unfollowed
from retinue.models import FollowRequestMixin, NotificationMixin, now
from retinue.models.ownership import user_class_of
from retinue.orm import deleting, parts
from retinue.orm.cascades import chunks
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
from retinue.schema import Schema, schema_of
from retinue.ties import BLOCK
from retinue.work import Build, Pair, Work
from retinue.work.whole import consequences


def insert_follows(state: ORMExecuteState, target: Target) -> Result[Any]:
    """Run a bulk insert of follows, and count them."""
    schema, connection = _schema_of(target), connection_of(state)
    _refuse_uncountable(connection, state)
    # Many rows are sent in several parts, of which the last may fail; and where a block forbids one, all go with it.
    parts = isinstance(state.parameters, list) and len(state.parameters) > 1
    work = Work.on(state.session, schema, connection)
    together = all_or_nothing(state, connection) if parts or BLOCK.is_declared(schema) else nullcontext()
    with together, consequences(work, "insert()"):
        ran = run(state, target, _key_of(schema.follows), returning=True)
        work.changed = True
        pairs = cast("list[Pair]", ran.keys)
        with in_schemas_of(connection, ran.options):
            refuse_blocked(work, pairs)
            closed = drop_requests(work, pairs)
            _record(Followed, work, ran.keys)
            effects.close_requests(work, closed)
    return ran.answer


def delete_follows(state: ORMExecuteState, target: Target) -> Result[Any]:
    """Run a bulk delete of follows, and count them."""
    schema = _schema_of(target)
    return _delete(state, target, schema.follows, deleting.edges_left, partial(_record, Unfollowed))


def delete_requests(state: ORMExecuteState, target: Target) -> Result[Any]:
    """Run a bulk delete of requests, and delete what was told of them."""
    schema = _schema_of(target)
    table = schema.table(FollowRequestMixin)
    return _delete(state, target, table, deleting.requests_left, _close)


def has_notifications(model: type[Any]) -> bool:
    """Return whether users are told of what is in the table of *model*."""
    return NotificationMixin in schema_of(user_class_of(model)).models


def _delete(
    state: ORMExecuteState,
    target: Target,
    table: Table,
    left: Build,
    follow_up: Callable[[Work, Keys], None],
) -> Result[Any]:
    """Run a bulk delete of pairs in *table*, and let *follow_up* do what follows; *left* counts those still there."""
    connection, key = connection_of(state), _key_of(table)
    work = Work.on(state.session, _schema_of(target), connection)
    if says_what_it_deletes(state, target, connection):
        with consequences(work, "delete()"):
            ran = run(state, target, key)
            work.changed = True
            with in_schemas_of(connection, ran.options):
                follow_up(work, ran.keys)
        return ran.answer
    with all_or_nothing(state, connection):
        ran = run_asked(state, target, key)
        with in_schemas_of(connection, ran.options):
            if _left(work, left, ran.keys):
                raise unknown_rows()
            follow_up(work, ran.keys)
    return ran.answer


def _left(work: Work, count: Build, keys: Keys) -> bool:
    """Return whether any of *keys* is still there."""
    return any(
        work.run(count, {"pairs": pairs, "followers": [follower for follower, _ in pairs]}, work.engine).scalar()
        for pairs in chunks(keys)
    )


def _close(work: Work, keys: Keys) -> None:
    effects.close_requests(work, cast("list[Pair]", keys))


def _record(kind: type[Followed | Unfollowed], work: Work, keys: Keys) -> None:
    at = now()
    effects.record(work, *(kind(follower, followed, at) for follower, followed in keys), silent=True)


def _schema_of(target: Target) -> Schema:
    model = target.model if target.mapper is None else target.mapper.class_
    return schema_of(user_class_of(model))


def _key_of(table: Table) -> list[Column[Any]]:
    return [table.c.follower_id, table.c.following_id]


def _refuse_uncountable(connection: Connection, state: ORMExecuteState) -> None:
    dialect = connection.dialect
    if not dialect.insert_executemany_returning:
        what = f"{dialect.name} does not say which rows a bulk statement inserted"
        raise NotWritableError(what, "session.add_all()")
    clause = parts.conflict_clause(state.statement)
    if clause is not None and not clause.endswith("DoNothing"):
        what = "an upsert does not say which rows are new, so they cannot be counted"
        raise NotWritableError(what, "on_conflict_do_nothing()")
