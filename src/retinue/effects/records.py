"""What is written down: the history of edges, and what a user is to be told."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Delete,
    Executable,
    Insert,
    String,
    Table,
    bindparam,
    delete,
    exists,
    insert,
    null,
    select,
    true,
)
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines import EngineRules
from retinue.models import FollowEventMixin, NotificationMixin, UTCDateTime
from retinue.schema import Schema
from retinue.ties import not_ended
from retinue.values import NotificationKind
from retinue.work.building import once, upsert_row, user_key

# --- History -------------------------------------------------------------------------------------


def _history(schema: Schema) -> Table:
    return schema.table(FollowEventMixin)


@once
def insert_history(schema: Schema) -> Insert:
    """Something happened to an edge."""
    return insert(_history(schema))


# --- Notifications -------------------------------------------------------------------------------


def _notifications(schema: Schema) -> Table:
    return schema.table(NotificationMixin)


@once
def notify(schema: Schema, engine: EngineRules) -> Executable:
    """
    *recipient* is told of what *actor* did; unless they mute the actor, or were told after *again_after*.

    There is one row for each kind: told again, it comes back to the top, unread.
    """
    statement: Executable = upsert_notification(schema, engine)
    return statement


@once
def notify_read(schema: Schema, engine: EngineRules) -> Executable:
    """As `notify()`, of what *recipient* did themselves: it is read."""
    statement: Executable = upsert_notification(schema, engine, read=True)
    return statement


def upsert_notification(
    schema: Schema, engine: EngineRules, *conditions: ColumnElement[bool], read: bool = False
) -> Any:
    """Return `notify()`, if *conditions* hold."""
    rows, users = _notifications(schema), schema.key.table
    recipient, actor = user_key(schema, "recipient"), user_key(schema, "actor")
    row = {
        "recipient_id": recipient,
        "actor_id": actor,
        "kind": bindparam("notice", type_=String),
        "id": bindparam("notice_id", type_=BigInteger),
        "timestamp": bindparam("at", type_=UTCDateTime),
    }
    if read:
        row["read_at"] = bindparam("at", type_=UTCDateTime)
    wanted = [users.c[schema.key.key] == recipient, *conditions]
    if schema.mutes is not None:
        mute = schema.mutes
        muted = select(mute.c.until).where(
            mute.c.muter_id == recipient, mute.c.muted_id == actor, mute.c.notifications.is_(true()), not_ended(mute)
        )
        wanted.append(~exists(muted))
    return upsert_row(
        schema,
        engine,
        rows,
        row,
        wanted,
        # The time last: MariaDB sets one column after the other, and `where` asks for it.
        lambda new: {"id": new.id, "read_at": new.read_at if read else null(), "timestamp": new.timestamp},
        where=rows.c.timestamp <= bindparam("again_after", type_=UTCDateTime),
    )


@once
def delete_notifications_between(schema: Schema) -> Delete:
    """*recipient* is told nothing that *actor* did."""
    rows = _notifications(schema)
    return delete(rows).where(
        rows.c.recipient_id == user_key(schema, "recipient"), rows.c.actor_id == user_key(schema, "actor")
    )


@once
def delete_request_notifications(schema: Schema, engine: EngineRules) -> Delete:
    """*recipient* is told no more that any of *actors* asks to follow them."""
    rows = _notifications(schema)
    return delete(rows).where(
        rows.c.recipient_id == user_key(schema, "recipient"),
        engine.one_of(rows.c.actor_id, "actors"),
        rows.c.kind == NotificationKind.FOLLOW_REQUEST.value,
    )
