"""
Notifications: one row for each kind of thing that one user does to another.

Done again later, it comes back to the top of the recipient's list, unread.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import Delete, Executable, String, Table, bindparam, delete, exists, literal_column, null, select
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import CTE

from retinue.effects.changes import Changed, Notice, Possible, given, parameters_of
from retinue.effects.effect import Change, InStatement, Parts
from retinue.engines import EngineRules
from retinue.events import Event
from retinue.models import NotificationMixin, UTCDateTime
from retinue.schema import Schema
from retinue.ties import REQUEST
from retinue.values import Key, NotificationKind
from retinue.viewer import Context, Row, shown
from retinue.work import Pair, Work
from retinue.work.building import OPTION, moment, once, upsert_row, user_key

#: Requests whose notifications one statement deletes.
_CHUNK: Final = 1_000


class Notifications(InStatement):
    """What users are notified of, unless they mute who did it."""

    notifies: ClassVar[bool] = True

    def write(self, work: Work, changes: Sequence[Change], *, bulk: bool) -> Sequence[Event]:
        """Notify of each. One insert for each kind of notice."""
        del bulk
        notices = dict.fromkeys(notice for _, kind in changes for notice in kind.notices)
        for notice in notices:
            rows = [
                {
                    **parameters_of(work.schema, event),
                    **self.parameters(work.schema, [(event, kind)]),
                    f"notice_{notice.kind}": notice.kind.value,
                }
                for event, kind in changes
                if notice in kind.notices
            ]
            if len(rows) == 1:
                work.insert_row(notify, rows[0], notice)
            else:
                work.insert_each(work.schema.table(self.mixin), notify, rows, notice)
        return ()

    def parts(self, schema: Schema, engine: EngineRules, possible: Sequence[Possible], after: Sequence[CTE]) -> Parts:
        """Return an upsert for each notice."""
        del after
        notices = [(notice, one.changed) for one in possible for notice in one.kind.notices]
        return Parts([_upsert(schema, engine, *one).cte(f"notice_{one[0].kind}") for one in notices])

    def closed(self, schema: Schema, gone: CTE) -> Sequence[CTE]:
        """Return the delete of the notification of the request."""
        rows, (actor, recipient) = _rows(schema), (user_key(schema, name) for name in REQUEST.ends)
        ended = rows.c.recipient_id == recipient, rows.c.actor_id == actor, exists(select(gone))
        told = rows.c.kind == literal_column(f"'{NotificationKind.FOLLOW_REQUEST.value}'")
        return (delete(rows).where(*ended, told).cte("told_of_request"),)

    def kept_apart(self, schema: Schema, blocked: ColumnElement[bool]) -> Sequence[CTE]:
        """Return two deletes."""
        rows, ends = _rows(schema), REQUEST.ends
        between = [
            delete(rows).where(
                rows.c.recipient_id == user_key(schema, recipient), rows.c.actor_id == user_key(schema, actor), blocked
            )
            for recipient, actor in (ends, ends[::-1])
        ]
        return [deleted.cte(f"told_{end}") for deleted, end in zip(between, ends, strict=True)]

    def parameters(self, schema: Schema, changes: Sequence[Change]) -> Mapping[str, Any]:
        """Return since when a notification is too fresh to come again."""
        return {"again_after": changes[0][0].at - schema.settings.notify_again_after}

    def close_requests(self, work: Work, pairs: Sequence[Pair]) -> None:
        """Delete the notifications of the requests of *pairs*. One delete for each user who was asked."""
        asking: defaultdict[Key, list[Key]] = defaultdict(list)
        for follower, followed in pairs:
            asking[followed].append(follower)
        for followed, followers in sorted(asking.items()):
            for start in range(0, len(followers), _CHUNK):
                parameters = {"recipient": followed, "actors": followers[start : start + _CHUNK]}
                work.run(delete_request_notifications, parameters, work.engine)

    def block(self, work: Work, pair: Pair) -> None:
        """Delete what the two are notified of each other. Two deletes."""
        for recipient, actor in (pair, pair[::-1]):
            work.run(delete_notifications_between, {"recipient": recipient, "actor": actor})

    def expire(self, work: Work, at: datetime) -> Mapping[str, int]:
        """Delete those of requests that have expired, uncounted. One delete, where requests expire."""
        if work.schema.settings.request_expiry is not None and REQUEST.is_declared(work.schema):
            work.run(delete_ended_request_notifications, moment(work.schema, at))
        return {}


NOTIFICATIONS: Final = Notifications(NotificationMixin)


# --- Statements ----------------------------------------------------------------------------------


@once
def notify(schema: Schema, engine: EngineRules, notice: Notice) -> Executable:
    """One of *follower* and *followed* is notified of a change *at* that time, with the number *change_id*: see `_upsert()`."""
    statement: Executable = _upsert(schema, engine, notice, given(schema))
    return statement.execution_options(**{OPTION: "notify_read" if notice.read else "notify"})


def _upsert(schema: Schema, engine: EngineRules, notice: Notice, changed: Changed) -> Any:
    """
    Return the notifications of what *changed* has; not of users whom their recipients do not want to hear of, nor again too soon.

    There is one row for each kind: it comes back to the top, unread; or read, where the recipient did it.
    """
    rows, users, ends = _rows(schema), schema.key.table, (changed.follower, changed.followed)
    recipient, actor = ends if notice.to_follower else ends[::-1]
    row = {
        "recipient_id": recipient,
        "actor_id": actor,
        "kind": bindparam(f"notice_{notice.kind}", notice.kind.value, String),
        "id": changed.number,
        "timestamp": changed.timestamp,
    }
    if notice.read:
        row["read_at"] = changed.timestamp
    row_of_actor = Row(schema, engine, actor, recipient)
    wanted = [users.c[schema.key.key] == recipient, *shown(row_of_actor, Context.NOTIFICATION)]
    soon = None if notice.always else rows.c.timestamp <= bindparam("again_after", type_=UTCDateTime)
    # The time last: MariaDB sets one column after the other, and `soon` asks for it.
    return upsert_row(
        schema,
        engine,
        rows,
        row,
        wanted,
        lambda new: {"id": new.id, "read_at": new.read_at if notice.read else null(), "timestamp": new.timestamp},
        where=soon,
    )


@once
def delete_notifications_between(schema: Schema) -> Delete:
    """*recipient* is notified of nothing that *actor* did."""
    rows = _rows(schema)
    return delete(rows).where(
        rows.c.recipient_id == user_key(schema, "recipient"), rows.c.actor_id == user_key(schema, "actor")
    )


@once
def delete_request_notifications(schema: Schema, engine: EngineRules) -> Delete:
    """*recipient* is notified no more that any of *actors* asks to follow them."""
    rows = _rows(schema)
    return delete(rows).where(
        rows.c.recipient_id == user_key(schema, "recipient"),
        engine.one_of(rows.c.actor_id, "actors"),
        rows.c.kind == NotificationKind.FOLLOW_REQUEST.value,
    )


@once
def delete_ended_request_notifications(schema: Schema) -> Delete:
    """Those of requests made by *asked_after*. Goes through all owners by nature."""
    rows = _rows(schema)
    expired = rows.c.timestamp <= bindparam("asked_after", type_=UTCDateTime)
    return delete(rows).where(rows.c.kind == NotificationKind.FOLLOW_REQUEST.value, expired)


def _rows(schema: Schema) -> Table:
    return schema.table(NotificationMixin)
