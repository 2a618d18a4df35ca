"""
What time has ended, to be deleted: it counts for nothing already.

Goes through all owners by nature.
"""

from __future__ import annotations

from sqlalchemy import Delete, and_, bindparam, delete, or_

from retinue.models import (
    BlockMixin,
    FollowEventMixin,
    FollowRequestMixin,
    MuteMixin,
    NotificationMixin,
    UTCDateTime,
)
from retinue.schema import Schema
from retinue.values import NotificationKind
from retinue.work.building import once


@once
def delete_ended_requests(schema: Schema) -> Delete:
    """Requests made by *asked_after* that nobody answered, and what rejections by *rejected_before* left."""
    rows = schema.table(FollowRequestMixin)
    ended = rows.c.rejected_at <= bindparam("rejected_before", type_=UTCDateTime)
    if schema.settings.request_expiry is None:
        return delete(rows).where(ended)
    expired = rows.c.timestamp <= bindparam("asked_after", type_=UTCDateTime)
    return delete(rows).where(or_(ended, and_(rows.c.rejected_at.is_(None), expired)))


@once
def delete_ended_request_notifications(schema: Schema) -> Delete:
    """What users were told of requests made by *asked_after*."""
    rows = schema.table(NotificationMixin)
    expired = rows.c.timestamp <= bindparam("asked_after", type_=UTCDateTime)
    return delete(rows).where(rows.c.kind == NotificationKind.FOLLOW_REQUEST.value, expired)


@once
def delete_ended_blocks(schema: Schema) -> Delete:
    """Blocks that have ended by *now*, and that began by *restored_after*: nothing can come back any more."""
    rows = schema.table(BlockMixin)
    return delete(rows).where(
        rows.c.until <= bindparam("now", type_=UTCDateTime),
        rows.c.timestamp <= bindparam("restored_after", type_=UTCDateTime),
    )


@once
def delete_ended_mutes(schema: Schema) -> Delete:
    """Mutes that have ended by *now*."""
    rows = schema.table(MuteMixin)
    return delete(rows).where(rows.c.until <= bindparam("now", type_=UTCDateTime))


@once
def delete_old_history(schema: Schema) -> Delete:
    """What happened by *kept_after*."""
    rows = schema.table(FollowEventMixin)
    return delete(rows).where(rows.c.timestamp <= bindparam("kept_after", type_=UTCDateTime))
