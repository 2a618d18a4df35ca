"""
A follow system for Python web apps: users follow users.

Two lines in the models, and the lesson's API holds under load::

    class User(FollowerMixin, Base): ...
    class Follow(FollowMixin, Base): ...

Everything else is on `Graph`. This package never loads a web framework.
"""

from retinue.engines import prepare_engine, transact
from retinue.errors import (
    BlockedError,
    InvalidCursor,
    InvalidUserError,
    LimitError,
    MappingError,
    ModelMissingError,
    NoSessionError,
    NotVisibleError,
    NotWritableError,
    RetinueError,
    SelfFollowError,
    UnknownUserError,
)
from retinue.events import (
    Blocked,
    EdgeEvent,
    Event,
    Followed,
    FollowerRemoved,
    FollowRestored,
    Muted,
    RequestAccepted,
    Requested,
    RequestRejected,
    TimelineWork,
    Unblocked,
    Unfollowed,
    Unmuted,
    listen,
)
from retinue.graph import Graph
from retinue.models import (
    BlockMixin,
    FollowCountMixin,
    FollowEventMixin,
    FollowMixin,
    FollowRequestMixin,
    MuteMixin,
    NotificationMixin,
    TimelineEntryMixin,
    UTCDateTime,
    declare_posts,
)
from retinue.settings import Settings
from retinue.user import FollowerMixin
from retinue.values import (
    ALL,
    BlockedPerson,
    Counts,
    Expired,
    HistoryEntry,
    HistoryKind,
    MutedPerson,
    Notice,
    NotificationKind,
    Outcome,
    Page,
    Person,
    Relationship,
)

__all__ = [
    "ALL",
    "BlockMixin",
    "Blocked",
    "BlockedError",
    "BlockedPerson",
    "Counts",
    "EdgeEvent",
    "Event",
    "Expired",
    "FollowCountMixin",
    "FollowEventMixin",
    "FollowMixin",
    "FollowRequestMixin",
    "FollowRestored",
    "Followed",
    "FollowerMixin",
    "FollowerRemoved",
    "Graph",
    "HistoryEntry",
    "HistoryKind",
    "InvalidCursor",
    "InvalidUserError",
    "LimitError",
    "MappingError",
    "ModelMissingError",
    "MuteMixin",
    "Muted",
    "MutedPerson",
    "NoSessionError",
    "NotVisibleError",
    "NotWritableError",
    "Notice",
    "NotificationKind",
    "NotificationMixin",
    "Outcome",
    "Page",
    "Person",
    "Relationship",
    "RequestAccepted",
    "RequestRejected",
    "Requested",
    "RetinueError",
    "SelfFollowError",
    "Settings",
    "TimelineEntryMixin",
    "TimelineWork",
    "UTCDateTime",
    "Unblocked",
    "Unfollowed",
    "UnknownUserError",
    "Unmuted",
    "declare_posts",
    "listen",
    "prepare_engine",
    "transact",
]
