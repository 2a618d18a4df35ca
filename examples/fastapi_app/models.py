"""The tables: users and what they post are this application's, the rest is one line each."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from retinue import (
    BlockMixin,
    FollowCountMixin,
    FollowerMixin,
    FollowMixin,
    FollowRequestMixin,
    MuteMixin,
    NotificationMixin,
    Settings,
    UTCDateTime,
    declare_posts,
)


class Base(DeclarativeBase):
    """The base of all tables."""


class User(FollowerMixin, Base):
    """Somebody with an account."""

    __tablename__ = "users"
    __retinue__ = Settings(name="username", max_following=7_500, max_pending_requests=1_000)

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(30), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    bio: Mapped[str] = mapped_column(String(500), default="")
    # Attributes that Retinue knows by their names: who follows asks first; nobody else sees the list.
    locked: Mapped[bool] = mapped_column(default=False)
    hide_followers: Mapped[bool] = mapped_column(default=False)
    hide_following: Mapped[bool] = mapped_column(default=False)


class Follow(FollowMixin, Base):
    """Who follows whom."""

    __tablename__ = "follows"


class FollowCount(FollowCountMixin, Base):
    """How many follow a user, and how many a user follows."""

    __tablename__ = "follow_counts"


class FollowRequest(FollowRequestMixin, Base):
    """Who asks to follow whom."""

    __tablename__ = "follow_requests"


class Block(BlockMixin, Base):
    """Who blocks whom."""

    __tablename__ = "blocks"


class Mute(MuteMixin, Base):
    """Who mutes whom."""

    __tablename__ = "mutes"


class Notification(NotificationMixin, Base):
    """What users are told."""

    __tablename__ = "notifications"


class Post(Base):
    """What somebody wrote."""

    __tablename__ = "posts"
    __table_args__ = (
        Index("ix_posts_author", "author_id", "created_at", "id"),
        Index("ix_posts_time", "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=lambda: datetime.now(UTC))
    text: Mapped[str] = mapped_column(String(500))
    author: Mapped[User] = relationship(User)


declare_posts(Post, author="author_id", time="created_at")
