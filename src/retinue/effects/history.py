"""History: a row for each change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from retinue.effects.appending import Appending
from retinue.effects.changed import Changed
from retinue.effects.kinds import REMOVED, Kind
from retinue.models import FollowEventMixin, new_id, now
from retinue.models.ownership import GraphModel
from retinue.values import Key
from retinue.work import Work


class History(Appending):
    """What happened to edges. It stays when they go, and when their users go."""

    name: ClassVar[str] = "history"
    mixin: ClassVar[type[GraphModel]] = FollowEventMixin
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


HISTORY: Final = History()
