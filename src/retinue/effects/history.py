"""History: a row for each change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import Delete, bindparam, delete

from retinue.effects.appending import Appending
from retinue.effects.changes import REMOVED, Changed, Kind
from retinue.models import FollowEventMixin, UTCDateTime, new_id, now
from retinue.schema import Schema
from retinue.values import Key
from retinue.work import Work
from retinue.work.building import once


class History(Appending):
    """What happened to edges. It stays when they go, and when their users go."""

    name: ClassVar[str] = "history"
    outlives_users: ClassVar[bool] = True

    def row(self, kind: Kind, changed: Changed) -> Mapping[str, Any]:
        """Return the row for a change."""
        return {
            "follower_id": changed.follower,
            "id": changed.number,
            "following_id": changed.followed,
            "kind": kind.history.value,
            "timestamp": changed.timestamp,
        }

    def after_leaving(self, work: Work, users: Sequence[Key]) -> None:
        """Close what is said of *users* by a mark: their keys may be given to others."""
        self.append(work, [self.row(REMOVED, Changed(user, user, now(), new_id())) for user in users])

    def expire(self, work: Work, at: datetime) -> Mapping[str, int]:
        """Delete what is past its retention. One delete, where it has one."""
        kept = work.schema.settings.history_retention
        return {} if kept is None else {"history": work.run(delete_old_history, {"kept_after": at - kept}).rowcount}


HISTORY: Final = History(FollowEventMixin)


@once
def delete_old_history(schema: Schema) -> Delete:
    """What happened by *kept_after*. Goes through all owners by nature."""
    rows = schema.table(FollowEventMixin)
    return delete(rows).where(rows.c.timestamp <= bindparam("kept_after", type_=UTCDateTime))
