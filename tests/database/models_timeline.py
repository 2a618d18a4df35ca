"""Users who post: with home timelines that are looked up, and with such as are kept ready."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from retinue import (
    BlockMixin,
    FollowerMixin,
    FollowMixin,
    FollowRequestMixin,
    MuteMixin,
    Settings,
    TimelineEntryMixin,
    UTCDateTime,
    declare_posts,
)


@dataclass(frozen=True)
class PostingModels:
    """The mapped classes of a graph whose users post."""

    metadata: MetaData
    user: type[Any]
    follow: type[Any]
    post: type[Any]
    request: type[Any]
    block: type[Any]
    mute: type[Any]
    #: None: pages are looked up.
    entry: type[Any] | None


def declare_posting(settings: Settings, *, kept: bool) -> PostingModels:
    """Declare users who post once more; with *kept*, their home timelines are kept ready."""

    class Base(DeclarativeBase):
        pass

    class User(FollowerMixin, Base):
        __tablename__ = "users"
        __retinue__ = settings
        id: Mapped[int] = mapped_column(primary_key=True)
        locked: Mapped[bool] = mapped_column(default=False)
        active: Mapped[bool] = mapped_column(default=True)

    class Follow(FollowMixin, Base):
        __tablename__ = "follows"

    class FollowRequest(FollowRequestMixin, Base):
        __tablename__ = "follow_requests"

    class Block(BlockMixin, Base):
        __tablename__ = "blocks"

    class Mute(MuteMixin, Base):
        __tablename__ = "mutes"

    post, entry = give_posts(User, kept=kept)
    return PostingModels(Base.metadata, User, Follow, post, FollowRequest, Block, Mute, entry)


def give_posts(user: type[Any], *, kept: bool = True) -> tuple[type[Any], type[Any] | None]:
    """Declare posts of *user*, and home timelines that are kept ready if *kept*."""
    base: Any = next(cls for cls in user.__mro__ if DeclarativeBase in cls.__bases__)

    class Post(base):  # type: ignore[misc]
        __tablename__ = "posts"
        id: Mapped[int] = mapped_column(primary_key=True)
        author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
        made_at: Mapped[datetime] = mapped_column(UTCDateTime)
        gone_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

        __table_args__ = (
            Index("ix_posts_author", "author_id", "made_at", "id"),
            Index("ix_posts_time", "made_at", "id"),
        )

    declare_posts(Post, author="author_id", time="made_at", until="gone_at")
    if not kept:
        return Post, None

    class TimelineEntry(TimelineEntryMixin, base):  # type: ignore[misc]
        __tablename__ = "timeline_entries"

    return Post, TimelineEntry
