"""
A follow system for Python web apps: users follow users.

Two lines in the models, and the lesson's API holds under load::

    class User(FollowerMixin, Base): ...
    class Follow(FollowMixin, Base): ...

Everything else is on `Graph`. This package never loads a web framework.
"""

from retinue.engines import prepare_engine, transact
from retinue.errors import (
    InvalidCursor,
    InvalidUserError,
    MappingError,
    ModelMissingError,
    NoSessionError,
    NotWritableError,
    RetinueError,
    SelfFollowError,
    UnknownUserError,
)
from retinue.events import Event, Followed, FollowerRemoved, Unfollowed, listen
from retinue.graph import Graph
from retinue.models import FollowCountMixin, FollowMixin, UTCDateTime
from retinue.settings import Settings
from retinue.user import FollowerMixin
from retinue.values import ALL, Counts, Outcome, Page, Person, Relationship

__all__ = [
    "ALL",
    "Counts",
    "Event",
    "FollowCountMixin",
    "FollowMixin",
    "Followed",
    "FollowerMixin",
    "FollowerRemoved",
    "Graph",
    "InvalidCursor",
    "InvalidUserError",
    "MappingError",
    "ModelMissingError",
    "NoSessionError",
    "NotWritableError",
    "Outcome",
    "Page",
    "Person",
    "Relationship",
    "RetinueError",
    "SelfFollowError",
    "Settings",
    "UTCDateTime",
    "Unfollowed",
    "UnknownUserError",
    "listen",
    "prepare_engine",
    "transact",
]
