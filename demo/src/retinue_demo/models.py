"""The models, declared as any application would."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask_login import UserMixin
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey, Index, String, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

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
    UTCDateTime,
    declare_posts,
    declare_search,
)

#: Characters of a post.
POST_MOST = 500


class Base(DeclarativeBase):
    """The tables of the demo."""


db = SQLAlchemy(model_class=Base)

# `db.Model` is made at run time, so type checkers cannot know it: hence the ignores.


class User(FollowerMixin, UserMixin, db.Model):  # type: ignore[name-defined,misc]
    """Somebody in the community."""

    __tablename__ = "users"
    __retinue__ = Settings(
        active="active",
        name="name",
        max_following=7_500,
        max_follows_per_day=400,
        max_pending_requests=50,
        request_cooldown=timedelta(days=1),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: What their address ends in: small letters, digits and underscores.
    username: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    bio: Mapped[str] = mapped_column(String(160))
    #: What they care about; people of one circle follow each other more than others.
    circle: Mapped[str] = mapped_column(String(32))
    joined_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: Their password as argon2 has hashed it; None: nobody can log in as them.
    password_hash: Mapped[str | None] = mapped_column(String(200))
    #: They approve who follows them.
    locked: Mapped[bool] = mapped_column(default=False)
    #: Nobody but them sees who follows them, and whom they follow.
    hide_followers: Mapped[bool] = mapped_column(default=False)
    hide_following: Mapped[bool] = mapped_column(default=False)
    #: False while they take a break: then nobody sees them.
    active: Mapped[bool] = mapped_column(default=True)


class SearchText(db.Model):  # type: ignore[name-defined,misc]
    """One of the texts under which a user is found: their name or username from one of its words on."""

    __tablename__ = "search_texts"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    text: Mapped[str] = mapped_column(
        # By its characters alone, of which none is missing: what is folded is not to be folded once more.
        String(255).with_variant(String(255, collation="utf8mb4_bin"), "mysql", "mariadb"),
        primary_key=True,
    )


declare_search(SearchText, user="user_id", text="text")

# By which lists are sorted by name, and searched: see docs/lists.md. Each engine has its own.
for _table, _name, _key in (("users_name", User.name, User.id), ("search_texts", SearchText.text, SearchText.user_id)):
    Index(f"ix_{_table}_sqlite", _name.collate("NOCASE"), _key).ddl_if(dialect="sqlite")
    Index(f"ix_{_table}_postgresql", func.lower(_name).collate("C"), _key).ddl_if(dialect="postgresql")
    for _family in ("mysql", "mariadb"):
        Index(f"ix_{_table}_{_family}", _name).ddl_if(dialect=_family)


class Login(db.Model):  # type: ignore[name-defined,misc]
    """A browser in which somebody is logged in: whoever ends it here ends every copy of its cookie."""

    __tablename__ = "logins"

    #: The digest of a secret that the browser's session holds.
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class Attempt(db.Model):  # type: ignore[name-defined,misc]
    """Something that may be tried so often: see `rates`."""

    __tablename__ = "attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: The digest of what is tried, and by whom.
    what: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)

    __table_args__ = (Index("ix_attempts_what", "what", "at"),)


class Follow(FollowMixin, db.Model):  # type: ignore[name-defined,misc]
    """One user follows another."""

    __tablename__ = "follows"


class FollowCount(FollowCountMixin, db.Model):  # type: ignore[name-defined,misc]
    """How many follow a user, and how many they follow."""

    __tablename__ = "follow_counts"


class FollowRequest(FollowRequestMixin, db.Model):  # type: ignore[name-defined,misc]
    """One user asks to follow another."""

    __tablename__ = "follow_requests"


class Block(BlockMixin, db.Model):  # type: ignore[name-defined,misc]
    """One user keeps another away."""

    __tablename__ = "blocks"


class Mute(MuteMixin, db.Model):  # type: ignore[name-defined,misc]
    """One user does not want to hear of another."""

    __tablename__ = "mutes"


class DismissedSuggestion(DismissedSuggestionMixin, db.Model):  # type: ignore[name-defined,misc]
    """Somebody whom a user does not want to be suggested again."""

    __tablename__ = "dismissed_suggestions"


class FollowEvent(FollowEventMixin, db.Model):  # type: ignore[name-defined,misc]
    """One thing that happened between two users."""

    __tablename__ = "follow_events"


class Notification(NotificationMixin, db.Model):  # type: ignore[name-defined,misc]
    """What a user is told."""

    __tablename__ = "notifications"


class Post(db.Model):  # type: ignore[name-defined,misc]
    """Something that a user has written for others to read."""

    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=lambda: datetime.now(UTC))
    body: Mapped[str] = mapped_column(String(POST_MOST))
    author: Mapped[User] = relationship()

    __table_args__ = (
        Index("ix_posts_author", "author_id", "created_at", "id"),
        Index("ix_posts_time", "created_at", "id"),
    )


declare_posts(Post, author="author_id", time="created_at")
