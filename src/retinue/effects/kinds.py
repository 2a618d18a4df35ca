"""What can happen to an edge, and what each of it means to everything that is kept beside the edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from retinue.events import (
    EdgeEvent,
    Followed,
    FollowerRemoved,
    FollowRestored,
    RequestAccepted,
    Requested,
    RequestRejected,
    Unfollowed,
)
from retinue.values import HistoryKind, NotificationKind


@dataclass(frozen=True, slots=True)
class Notice:
    """What one of the two users is notified of."""

    kind: NotificationKind
    #: Whether the follower is notified; else the followed is.
    to_follower: bool = False
    #: Whether it is a question or an answer, which comes again whatever ``notify_again_after`` says.
    always: bool = False
    #: Whether it was the recipient's own doing: then it stands on their list, but is not news.
    read: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of change."""

    #: How many more edges there are.
    edges: int
    history: HistoryKind
    notices: tuple[Notice, ...] = ()


#: What each event means.
KINDS: Final[dict[type[EdgeEvent], Kind]] = {
    Followed: Kind(+1, HistoryKind.FOLLOWED, (Notice(NotificationKind.FOLLOW),)),
    Unfollowed: Kind(-1, HistoryKind.UNFOLLOWED),
    FollowerRemoved: Kind(-1, HistoryKind.FOLLOWER_REMOVED),
    Requested: Kind(0, HistoryKind.REQUESTED, (Notice(NotificationKind.FOLLOW_REQUEST, always=True),)),
    RequestAccepted: Kind(
        +1,
        HistoryKind.REQUEST_ACCEPTED,
        (
            Notice(NotificationKind.REQUEST_ACCEPTED, to_follower=True, always=True),
            # Takes the place of the request's own notification, which goes with the request.
            Notice(NotificationKind.FOLLOW, read=True),
        ),
    ),
    FollowRestored: Kind(+1, HistoryKind.RESTORED),
    RequestRejected: Kind(0, HistoryKind.REQUEST_REJECTED),
}

#: A user leaves: closes what is said of them.
REMOVED: Final = Kind(0, HistoryKind.REMOVED)

#: An edge that comes by an import: there is no event.
IMPORTED: Final = Kind(+1, HistoryKind.IMPORTED)
