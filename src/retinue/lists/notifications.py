"""What a user is notified of, newest first; and what they have read of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table, Update, bindparam, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from retinue import arguments
from retinue.cursors import Way
from retinue.engines import EngineRules, Rows
from retinue.keys import ROW_NUMBERS, row_number
from retinue.lists import pages
from retinue.lists.columns import Attributes, Columns, attributes_of
from retinue.lists.keyset import beside, hydrate_users, in_order
from retinue.lists.pages import Listing
from retinue.models import NotificationMixin, UTCDateTime, now
from retinue.schema import Schema
from retinue.values import Notice, NotificationKind, Page
from retinue.viewer import Audience, shown_to
from retinue.work import Work
from retinue.work.building import moment, once, page_limit, user_key
from retinue.work.whole import whole


def page(
    work: Work,
    user: Any,
    viewer: Any,
    limit: int,
    cursor: str | None,
    columns: Columns | None = None,
    *,
    unread: bool = False,
) -> Page[Notice[Any]]:
    """See `Graph.notifications()`."""
    work.schema.table(NotificationMixin)
    attributes = attributes_of(columns, work.schema.user)
    visit = pages.enter(work, user, viewer, None, unread, attributes=attributes)
    parameters = {"user": visit.owner, **moment(work.schema, now())}
    given = (work.engine, unread, attributes, visit.admission.audience)
    return pages.read(work, _LISTING, visit, parameters, limit, cursor, *given)


def unread_of(work: Work, user: Any) -> int:
    """See `Graph.unread_notifications()`."""
    work.schema.table(NotificationMixin)
    work.read()
    parameters = {"user": work.key(user), **moment(work.schema, now())}
    ((unread,),) = work.seen(count_unread, parameters, work.engine, Audience.OWNER)
    return int(unread)


@whole(alone=True)
def mark(work: Work, user: Any, ids: Iterable[int] | None) -> int:
    """See `Graph.mark_read()`."""
    work.schema.table(NotificationMixin)
    parameters: dict[str, Any] = {"user": work.write_of(user), **moment(work.schema, now())}
    if ids is None:
        return work.run(mark_read, parameters).rowcount
    parameters["ids"] = [row_number(number) for number in arguments.batch(ids)]
    return work.run(mark_some_read, parameters, work.engine).rowcount if parameters["ids"] else 0


def _notice(user: Any, number: int, kind: str, at: datetime, read_at: datetime | None) -> Notice[Any]:
    return Notice(number, NotificationKind(kind), user, at, read_at is not None)


# --- Statements ----------------------------------------------------------------------------------


def _notifications(schema: Schema) -> Table:
    return schema.table(NotificationMixin)


@once
def notifications(
    schema: Schema,
    engine: EngineRules,
    unread: bool,
    attributes: Attributes | None,
    audience: Audience,
    way: Way | None,
) -> Rows:
    """
    A page of (user, id, kind, time, when read): what *user* is told, newest first.

    Where *attributes* are enough, the key stands in the place of the user, and they come last.
    """
    rows = _notifications(schema)
    chosen = select(rows.c.actor_id, rows.c.id, rows.c.kind, rows.c.timestamp, rows.c.read_at).where(
        *_kept_for(schema, engine, audience)
    )
    if unread:
        chosen = chosen.where(rows.c.read_at.is_(None))
    chosen = chosen.where(*beside(engine, rows.c.id, rows.c.timestamp, way))
    page = chosen.order_by(*in_order(rows.c.id, rows.c.timestamp, way)).limit(page_limit()).subquery("page")
    return hydrate_users(schema, page, ("timestamp", "id"), way, attributes=attributes)


@once
def count_unread(schema: Schema, engine: EngineRules, audience: Audience) -> Rows:
    """How many notifications *user* has not read."""
    rows = _notifications(schema)
    return select(func.count()).select_from(rows).where(*_kept_for(schema, engine, audience), rows.c.read_at.is_(None))


@once
def mark_read(schema: Schema) -> Update:
    """*user* has read everything by the time *now*."""
    return _read_now(schema)


@once
def mark_some_read(schema: Schema, engine: EngineRules) -> Update:
    """*user* has read the notifications *ids* by the time *now*."""
    return _read_now(schema, engine.one_of(_notifications(schema).c.id, "ids"))


def _read_now(schema: Schema, *which: ColumnElement[bool]) -> Update:
    rows = _notifications(schema)
    unread = rows.c.recipient_id == user_key(schema, "user"), rows.c.read_at.is_(None)
    read = update(rows).where(*unread, *which, *_not_expired(schema))
    return read.values(read_at=bindparam("now", type_=UTCDateTime))


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


_LISTING: Final[Listing[Notice[Any]]] = Listing(
    "notifications",
    notifications,
    lambda rows: [_notice(*row) for row in rows],
    at=3,
    key=1,
    keys=lambda _: ROW_NUMBERS,
)
