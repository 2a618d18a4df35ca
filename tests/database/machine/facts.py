"""What a `World` is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from retinue import (
    Event,
    Followed,
    FollowerRemoved,
    FollowRestored,
    HistoryKind,
    NotificationKind,
    RequestAccepted,
    Requested,
    RequestRejected,
    Unfollowed,
)
from tests.database.plain_view import Pair


@dataclass(frozen=True)
class Asked:
    """A request, pending until it is rejected or has expired."""

    at: datetime
    rejected: datetime | None = None


@dataclass(frozen=True)
class Barred:
    """A block; and the edges and requests that it cut, by their pairs, since when they had been."""

    at: datetime
    until: datetime | None
    edges: tuple[tuple[Pair, datetime], ...] = ()
    requests: tuple[tuple[Pair, datetime], ...] = ()


@dataclass(frozen=True)
class Silenced:
    """A mute."""

    at: datetime
    until: datetime | None
    notifications: bool


@dataclass(frozen=True)
class Told:
    """A notification."""

    at: datetime
    #: Notifications of one time are in the order of these.
    number: int
    read: datetime | None = None


#: What each event is in the history, and what it tells the other side.
MEANINGS: dict[type[Event], tuple[HistoryKind, NotificationKind | None]] = {
    Followed: (HistoryKind.FOLLOWED, NotificationKind.FOLLOW),
    Unfollowed: (HistoryKind.UNFOLLOWED, None),
    FollowRestored: (HistoryKind.RESTORED, None),
    FollowerRemoved: (HistoryKind.FOLLOWER_REMOVED, None),
    Requested: (HistoryKind.REQUESTED, NotificationKind.FOLLOW_REQUEST),
    RequestAccepted: (HistoryKind.REQUEST_ACCEPTED, NotificationKind.REQUEST_ACCEPTED),
    RequestRejected: (HistoryKind.REQUEST_REJECTED, None),
}
