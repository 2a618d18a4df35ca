"""Pages of what is written down: the history of edges, and what a user is to be told."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Delete,
    Table,
    Update,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from retinue.cursors import Way
from retinue.engines import EngineRules, Rows
from retinue.lists.keyset import beside, hydrate_users, in_order
from retinue.models import FollowEventMixin, NotificationMixin, UTCDateTime
from retinue.schema import Schema
from retinue.values import HistoryKind, NotificationKind
from retinue.viewer import Audience, shown_to
from retinue.work.building import most, once, user_key


def _history(schema: Schema) -> Table:
    return schema.table(FollowEventMixin)


@once
def removals(schema: Schema, engine: EngineRules) -> Rows:
    """(user, id) of the removal marks of *users*, newest first: a user's key may be used again."""
    rows = _history(schema)
    return (
        select(rows.c.follower_id, rows.c.id)
        .where(
            engine.one_of(rows.c.follower_id, "users"),
            rows.c.following_id == rows.c.follower_id,
            rows.c.kind == HistoryKind.REMOVED.value,
        )
        .order_by(rows.c.id.desc())
    )


@once
def history(schema: Schema, way: Way | None) -> Rows:
    """A page of (kind, time, id): what happened between *follower* and *followed* after the mark *after*."""
    rows = _history(schema)
    chosen = select(rows.c.kind, rows.c.timestamp, rows.c.id).where(
        rows.c.follower_id == user_key(schema, "follower"),
        rows.c.following_id == user_key(schema, "followed"),
        rows.c.id > bindparam("after", type_=BigInteger),
        rows.c.timestamp > bindparam("kept_after", type_=UTCDateTime),
    )
    chosen = chosen.where(*beside(rows.c.id, rows.c.timestamp, way))
    return chosen.order_by(*in_order(rows.c.id, rows.c.timestamp, way)).limit(most())


@once
def delete_history(schema: Schema) -> Delete:
    """Nothing is known any more of what *user* did to others, and others to *user*."""
    rows, user = _history(schema), user_key(schema, "user")
    return delete(rows).where(or_(rows.c.follower_id == user, rows.c.following_id == user))


def _notifications(schema: Schema) -> Table:
    return schema.table(NotificationMixin)


@once
def notifications(schema: Schema, engine: EngineRules, audience: Audience, way: Way | None, *, unread: bool) -> Rows:
    """A page of (user, id, kind, time, when read): what *user* is told, newest first."""
    rows = _notifications(schema)
    chosen = select(rows.c.actor_id, rows.c.id, rows.c.kind, rows.c.timestamp, rows.c.read_at).where(
        *_kept_for(schema, engine, audience)
    )
    if unread:
        chosen = chosen.where(rows.c.read_at.is_(None))
    chosen = chosen.where(*beside(rows.c.id, rows.c.timestamp, way))
    page = chosen.order_by(*in_order(rows.c.id, rows.c.timestamp, way)).limit(most()).subquery("page")
    return hydrate_users(schema, page, ("timestamp", "id"), way)


@once
def count_unread(schema: Schema, engine: EngineRules, audience: Audience) -> Rows:
    """How many notifications *user* has not read."""
    rows = _notifications(schema)
    return select(func.count()).select_from(rows).where(*_kept_for(schema, engine, audience), rows.c.read_at.is_(None))


@once
def mark_read(schema: Schema) -> Update:
    """*user* has read everything by the time *now*."""
    rows = _notifications(schema)
    return (
        update(rows)
        .where(rows.c.recipient_id == user_key(schema, "user"), rows.c.read_at.is_(None), *_not_expired(schema))
        .values(read_at=bindparam("now", type_=UTCDateTime))
    )


@once
def mark_some_read(schema: Schema, engine: EngineRules) -> Update:
    """*user* has read the notifications *ids* by the time *now*."""
    rows = _notifications(schema)
    return (
        update(rows)
        .where(
            rows.c.recipient_id == user_key(schema, "user"),
            rows.c.read_at.is_(None),
            engine.one_of(rows.c.id, "ids"),
            *_not_expired(schema),
        )
        .values(read_at=bindparam("now", type_=UTCDateTime))
    )


def _kept_for(schema: Schema, engine: EngineRules, audience: Audience) -> list[ColumnElement[bool]]:
    rows = _notifications(schema)
    mine = rows.c.recipient_id == user_key(schema, "user")
    return [mine, *_not_expired(schema), *shown_to(audience, schema, engine, rows.c.actor_id)]


def _not_expired(schema: Schema) -> list[ColumnElement[bool]]:
    """Return the condition that a notification does not tell of a request that has expired; both have the same time."""
    if schema.settings.request_expiry is None:
        return []
    rows = _notifications(schema)
    other = rows.c.kind != NotificationKind.FOLLOW_REQUEST.value
    return [or_(other, rows.c.timestamp > bindparam("asked_after", type_=UTCDateTime))]
