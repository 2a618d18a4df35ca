"""
A follow system for Python web apps: users follow users.

Two lines in the models, and the lesson's API holds under load::

    class User(FollowerMixin, Base): ...
    class Follow(FollowMixin, Base): ...

Everything else is on `Graph`. This package never loads a web framework.
"""

from retinue.aio import AsyncGraph
from retinue.effects.outbox import listen
from retinue.engines import prepare_engine
from retinue.errors import (
    AsyncSessionError,
    BlockedError,
    HalfDoneError,
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
)
from retinue.graph import Graph
from retinue.models import (
    BlockMixin,
    DismissedSuggestionMixin,
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
from retinue.retry import transact
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
    Only,
    Outcome,
    Page,
    Person,
    Relationship,
    Sort,
    Suggestion,
    SuggestionReason,
)

__all__ = [
    "ALL",
    "AsyncGraph",
    "AsyncSessionError",
    "BlockMixin",
    "Blocked",
    "BlockedError",
    "BlockedPerson",
    "Counts",
    "DismissedSuggestionMixin",
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
    "HalfDoneError",
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
    "Only",
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
    "Sort",
    "Suggestion",
    "SuggestionReason",
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
