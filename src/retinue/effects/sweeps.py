"""What time ends of the history and of notifications, to be deleted: goes through all owners by nature."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Delete, bindparam, delete

from retinue.models import FollowEventMixin, NotificationMixin, UTCDateTime
from retinue.schema import Schema
from retinue.ties import REQUEST
from retinue.values import NotificationKind
from retinue.work import Work
from retinue.work.building import moment, once


def history(work: Work, at: datetime) -> Mapping[str, int]:
    """Delete the history past its retention. One delete, where it has one."""
    kept = work.schema.settings.history_retention
    if kept is None:
        return {}
    return {"history": work.run(delete_old_history, {"kept_after": at - kept}).rowcount}


def notifications(work: Work, at: datetime) -> Mapping[str, int]:
    """Delete the notifications of requests that have expired. One delete, where requests expire."""
    if work.schema.settings.request_expiry is not None and REQUEST.is_declared(work.schema):
        work.run(delete_ended_request_notifications, moment(work.schema, at))
    return {}


@once
def delete_old_history(schema: Schema) -> Delete:
    """What happened by *kept_after*."""
    rows = schema.table(FollowEventMixin)
    return delete(rows).where(rows.c.timestamp <= bindparam("kept_after", type_=UTCDateTime))


@once
def delete_ended_request_notifications(schema: Schema) -> Delete:
    """The notifications of requests made by *asked_after*."""
    rows = schema.table(NotificationMixin)
    expired = rows.c.timestamp <= bindparam("asked_after", type_=UTCDateTime)
    return delete(rows).where(rows.c.kind == NotificationKind.FOLLOW_REQUEST.value, expired)
