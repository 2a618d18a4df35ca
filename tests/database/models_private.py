"""Users who may be private, and everything that a graph of them can have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from retinue import (
    BlockMixin,
    DismissedSuggestionMixin,
    FollowCountMixin,
    FollowerMixin,
    FollowEventMixin,
    FollowMixin,
    FollowRequestMixin,
    MuteMixin,
    NotificationMixin,
    Settings,
)
from tests.database.graph_models import Models


@dataclass(frozen=True)
class PrivateModels(Models):
    """The mapped classes of a graph that has everything."""

    request: type[Any]
    block: type[Any]
    mute: type[Any]
    event: type[Any]
    notification: type[Any]
    dismissal: type[Any]


def declare(settings: Settings) -> PrivateModels:
    """Declare every model once more, for a user class with these *settings*."""

    class Base(DeclarativeBase):
        pass

    class User(FollowerMixin, Base):
        __tablename__ = "users"
        __retinue__ = settings
        id: Mapped[int] = mapped_column(primary_key=True)
        locked: Mapped[bool] = mapped_column(default=False)
        active: Mapped[bool] = mapped_column(default=True)
        hide_followers: Mapped[bool] = mapped_column(default=False)
        hide_following: Mapped[bool] = mapped_column(default=False)
        discoverable: Mapped[bool] = mapped_column(default=True)

    class Follow(FollowMixin, Base):
        __tablename__ = "follows"

    class FollowCount(FollowCountMixin, Base):
        __tablename__ = "follow_counts"

    class FollowRequest(FollowRequestMixin, Base):
        __tablename__ = "follow_requests"

    class Block(BlockMixin, Base):
        __tablename__ = "blocks"

    class Mute(MuteMixin, Base):
        __tablename__ = "mutes"

    class FollowEvent(FollowEventMixin, Base):
        __tablename__ = "follow_events"

    class Notification(NotificationMixin, Base):
        __tablename__ = "notifications"

    class DismissedSuggestion(DismissedSuggestionMixin, Base):
        __tablename__ = "dismissed_suggestions"

    return PrivateModels(
        Base.metadata,
        User,
        Follow,
        FollowCount,
        FollowRequest,
        Block,
        Mute,
        FollowEvent,
        Notification,
        DismissedSuggestion,
    )
