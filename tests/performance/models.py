"""Two graphs on the same tables: the least that one can declare (with counts and posts), and everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Index, MetaData, String, func
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
    TimelineEntryMixin,
    declare_search,
)
from tests.models import posts_with_authors


@dataclass(frozen=True)
class Models:
    """The classes of one graph that calls name."""

    metadata: MetaData
    user: type[Any]
    post: type[Any]
    #: Every class, as one that nobody holds is forgotten.
    every: tuple[type[Any], ...]


def _declare_counted() -> Models:
    class Base(DeclarativeBase):
        pass

    class User(FollowerMixin, Base):
        __tablename__ = "users"
        __retinue__ = Settings(name="username")
        id: Mapped[int] = mapped_column(primary_key=True)
        username: Mapped[str] = mapped_column(String(64))
        about: Mapped[str] = mapped_column(String(500))

    follow, count, text, post = _declare_edges_texts_and_posts(Base, User)
    return Models(Base.metadata, User, post, (follow, count, text))


def _declare_everything() -> Models:
    class Base(DeclarativeBase):
        pass

    class User(FollowerMixin, Base):
        __tablename__ = "users"
        __retinue__ = Settings(active="active", name="username")
        id: Mapped[int] = mapped_column(primary_key=True)
        username: Mapped[str] = mapped_column(String(64))
        about: Mapped[str] = mapped_column(String(500))
        locked: Mapped[bool] = mapped_column(default=False)
        active: Mapped[bool] = mapped_column(default=True)
        hide_followers: Mapped[bool] = mapped_column(default=False)
        hide_following: Mapped[bool] = mapped_column(default=False)
        discoverable: Mapped[bool] = mapped_column(default=True)

    follow, count, text, post = _declare_edges_texts_and_posts(Base, User)

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

    class TimelineEntry(TimelineEntryMixin, Base):
        __tablename__ = "timeline_entries"

    privacy = (FollowRequest, Block, Mute)
    records = (FollowEvent, Notification, DismissedSuggestion, TimelineEntry)
    return Models(Base.metadata, User, post, (follow, count, text, *privacy, *records))


def _declare_edges_texts_and_posts(base: Any, user: type[Any]) -> tuple[type[Any], ...]:
    class Follow(FollowMixin, base):  # type: ignore[misc]
        __tablename__ = "follows"

    class FollowCount(FollowCountMixin, base):  # type: ignore[misc]
        __tablename__ = "follow_counts"

    class SearchText(base):  # type: ignore[misc]
        __tablename__ = "search_texts"
        user_id: Mapped[int] = mapped_column(primary_key=True)
        text: Mapped[str] = mapped_column(String(255), primary_key=True)

    for name, text, key in (("users", user.username, user.id), ("texts", SearchText.text, SearchText.user_id)):
        Index(f"ix_{name}_sqlite", text.collate("NOCASE"), key).ddl_if(dialect="sqlite")
        Index(f"ix_{name}_postgresql", func.lower(text).collate("C"), key).ddl_if(dialect="postgresql")
        Index(f"ix_{name}_mariadb", text, key).ddl_if(dialect="mariadb")
    declare_search(SearchText, user="user_id", text="text")
    return Follow, FollowCount, SearchText, posts_with_authors(base, user)


COUNTED = _declare_counted()
EVERYTHING = _declare_everything()
