"""Requests: to ask, to withdraw, to answer; one, or all that wait."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Delete,
    Executable,
    Table,
    Update,
    bindparam,
    case,
    delete,
    exists,
    null,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines import EngineRules, Rows
from retinue.models import BlockMixin, FollowRequestMixin, UTCDateTime
from retinue.schema import Schema
from retinue.ties import not_blocked, not_ended, pending
from retinue.verbs.edge_statements import EDGE
from retinue.work.building import CompoundRows, insert_row, most, once, people, user_key


def _requests(schema: Schema) -> Table:
    return schema.table(FollowRequestMixin)


def _pair(schema: Schema, rows: Table) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return rows.c.follower_id == user_key(schema, "follower"), rows.c.following_id == user_key(schema, "followed")


@once
def lock_asked(schema: Schema) -> Rows:
    """The row of *followed*, locked: whoever is asking to follow them is waited for, and waits."""
    return select(schema.key).where(schema.key == user_key(schema, "followed")).with_for_update(key_share=True)


@once
def insert_request(schema: Schema, engine: EngineRules) -> Executable:
    """*follower* asks *at* that time to follow *followed*: who approves that, and whom they do not follow yet."""
    users = people(schema, "follower", "followed")
    locked: Any = schema.flag("locked", users["followed"], engine)
    edge = schema.follows
    follower, followed = user_key(schema, "follower"), user_key(schema, "followed")
    return insert_row(
        schema,
        engine,
        _requests(schema),
        EDGE,
        users,
        locked.is_(true()),
        not_blocked(schema, engine, follower, followed),
        ~exists(select(edge.c.timestamp).where(edge.c.follower_id == follower, edge.c.following_id == followed)),
    )


@once
def renew_request(schema: Schema) -> Update:
    """A request that has expired, or was rejected before *rejected_before*, is made again *at* that time."""
    rows = _requests(schema)
    ended = [rows.c.rejected_at <= bindparam("rejected_before", type_=UTCDateTime)]
    if schema.settings.request_expiry is not None:
        expired = rows.c.timestamp <= bindparam("asked_after", type_=UTCDateTime)
        ended.append(rows.c.rejected_at.is_(None) & expired)
    return (
        update(rows)
        .where(*_pair(schema, rows), or_(*ended))
        .values(timestamp=bindparam("at", type_=UTCDateTime), rejected_at=null())
    )


@once
def select_request(schema: Schema) -> Rows:
    """When *follower* asked to follow *followed*; only a pending request, and the row is locked."""
    rows = _requests(schema)
    return select(rows.c.timestamp).where(*_pair(schema, rows), pending(schema, rows)).with_for_update()


@once
def delete_pending_request(schema: Schema) -> Delete:
    """*follower* asks *followed* no longer, if the request is pending."""
    rows = _requests(schema)
    return delete(rows).where(*_pair(schema, rows), pending(schema, rows))


@once
def delete_request(schema: Schema) -> Delete:
    """*follower* asks *followed* no longer; also what a rejection left goes."""
    rows = _requests(schema)
    return delete(rows).where(*_pair(schema, rows))


@once
def reject_request(schema: Schema) -> Update:
    """*followed* says no to *follower* at the time *now*; the row stays, so that it is known when."""
    rows = _requests(schema)
    return (
        update(rows)
        .where(*_pair(schema, rows), pending(schema, rows))
        .values(rejected_at=bindparam("now", type_=UTCDateTime))
    )


# --- All that wait for one user ------------------------------------------------------------------


@once
def select_pending(schema: Schema) -> Rows:
    """Who asks *followed*: at most *limit*, locked. No place on the list is passed over."""
    rows = schema.requests_by_target
    return (
        select(rows.c.follower_id)
        .where(rows.c.following_id == user_key(schema, "followed"), pending(schema, rows))
        .order_by(rows.c.follower_id)
        .limit(most())
        .with_for_update()
    )


@once
def insert_agreed_edges(schema: Schema, engine: EngineRules) -> Executable:
    """Those of *users* who asked *followed* follow them since *at*, unless they do already."""
    rows = _requests(schema)
    asked = select(rows.c.follower_id, rows.c.following_id, bindparam("at", type_=UTCDateTime)).where(
        rows.c.following_id == user_key(schema, "followed"),
        engine.one_of(rows.c.follower_id, "users"),
        not_blocked(schema, engine, rows.c.follower_id, rows.c.following_id),
    )
    return engine.insert_from(schema.follows, list(EDGE), asked)


@once
def followers_since(schema: Schema, engine: EngineRules) -> Rows:
    """(user, whether just since *at*) for those of *users* who follow *followed*."""
    edge = schema.edges_by_target.c
    since = case((edge.timestamp == bindparam("at", type_=UTCDateTime), 1), else_=0)
    return engine.current(
        select(edge.follower_id, since).where(
            edge.following_id == user_key(schema, "followed"), engine.one_of(edge.follower_id, "users")
        )
    )


@once
def blocked_among(schema: Schema, engine: EngineRules) -> CompoundRows:
    """Those of *users* whom a block keeps apart from *followed* now."""
    followed, out, back = user_key(schema, "followed"), schema.table(BlockMixin), schema.blocks_by_target
    made = select(out.c.blocked_id.label("user")).where(out.c.blocker_id == followed, not_ended(out))
    met = select(back.c.blocker_id.label("user")).where(back.c.blocked_id == followed, not_ended(back))
    kept_away = (
        made.where(engine.one_of(out.c.blocked_id, "users")),
        met.where(engine.one_of(back.c.blocker_id, "users")),
    )
    return union_all(*(select(engine.current(side).subquery()) for side in kept_away))


@once
def delete_requests(schema: Schema, engine: EngineRules) -> Delete:
    """Those of *users* who asked *followed* ask no longer."""
    rows = _requests(schema)
    return delete(rows).where(
        rows.c.following_id == user_key(schema, "followed"), engine.one_of(rows.c.follower_id, "users")
    )


@once
def reject_requests(schema: Schema, engine: EngineRules) -> Update:
    """*followed* says no to those of *users* who asked, at the time *now*."""
    rows = _requests(schema)
    return (
        update(rows)
        .where(rows.c.following_id == user_key(schema, "followed"), engine.one_of(rows.c.follower_id, "users"))
        .values(rejected_at=bindparam("now", type_=UTCDateTime))
    )
