"""
One factory for the models of a graph: which kinds of rows it has, and what its users say of themselves.

What a test is about it declares by itself, as an application would; whatever else it needs comes from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Boolean, ForeignKey, Index, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from retinue import (
    BlockMixin,
    DismissedSuggestionMixin,
    FollowCountMixin,
    FollowerMixin,
    FollowEventMixin,
    FollowMixin,
    FollowRequestMixin,
    Graph,
    MuteMixin,
    NotificationMixin,
    Settings,
    TimelineEntryMixin,
    UTCDateTime,
    declare_posts,
)

#: The kinds of rows, with the mixin and the table of each.
MIXINS: Final[dict[str, tuple[type[Any], str]]] = {
    "Follow": (FollowMixin, "follows"),
    "FollowCount": (FollowCountMixin, "follow_counts"),
    "FollowRequest": (FollowRequestMixin, "follow_requests"),
    "Block": (BlockMixin, "blocks"),
    "Mute": (MuteMixin, "mutes"),
    "FollowEvent": (FollowEventMixin, "follow_events"),
    "Notification": (NotificationMixin, "notifications"),
    "DismissedSuggestion": (DismissedSuggestionMixin, "dismissed_suggestions"),
    "TimelineEntry": (TimelineEntryMixin, "timeline_entries"),
}

#: Every kind but kept timelines, which need posts.
PRIVATE: Final = tuple(kind for kind in MIXINS if kind != "TimelineEntry")

#: What users can say of themselves, and what one says who says nothing.
FLAGS: Final = {
    "locked": False,
    "active": True,
    "hide_followers": False,
    "hide_following": False,
    "discoverable": True,
}

#: Returns what is added to the body of a model, by its name.
Extra = Callable[[str], Mapping[str, Any]]


@dataclass(frozen=True)
class Models:
    """The mapped classes of one graph."""

    metadata: MetaData
    user: type[Any]
    #: By their names, as in `MIXINS`.
    of: Mapping[str, type[Any]]
    #: None where nobody posts.
    post: Any = None

    def graph(self, session: Session) -> Graph[Any]:
        return Graph(session, self.user)

    def _of(self, kind: str) -> Any:
        return self.of.get(kind)

    @property
    def follow(self) -> Any:
        return self._of("Follow")

    @property
    def count(self) -> Any:
        return self._of("FollowCount")

    @property
    def request(self) -> Any:
        return self._of("FollowRequest")

    @property
    def block(self) -> Any:
        return self._of("Block")

    @property
    def mute(self) -> Any:
        return self._of("Mute")

    @property
    def event(self) -> Any:
        return self._of("FollowEvent")

    @property
    def notification(self) -> Any:
        return self._of("Notification")

    @property
    def dismissal(self) -> Any:
        return self._of("DismissedSuggestion")

    @property
    def entry(self) -> Any:
        return self._of("TimelineEntry")


def declare(
    *kinds: str,
    settings: Settings | None = None,
    key: Any = None,
    flags: tuple[str, ...] = (),
    columns: Mapping[str, Any] | None = None,
    own: Extra = lambda _kind: {},
    posts: Callable[[Any, type[Any]], type[Any]] | None = None,
    prefix: str = "",
) -> Models:
    """
    Declare models once more, on a base of their own.

    Args:
        kinds: Which kinds of rows, by their names in `MIXINS`.
        settings: Those of the user class.
        key: The type of the users' key, which they then bring; None: a number that the database gives.
        flags: Those of `FLAGS` for which the users have a column.
        columns: More columns of the users.
        own: What is added to each of the other models.
        posts: Declares posts, of a base and a user class.
        prefix: What the names of all tables begin with.
    """

    class Base(DeclarativeBase):
        pass

    number = mapped_column(Integer, primary_key=True)
    body: dict[str, Any] = {
        "__tablename__": f"{prefix}users",
        "__retinue__": settings or Settings(),
        "id": number if key is None else mapped_column(key, primary_key=True, autoincrement=False),
    }
    body |= {name: mapped_column(Boolean, nullable=False, default=FLAGS[name]) for name in flags}
    user = _declare("User", (FollowerMixin, Base), body | dict(columns or {}))
    post = posts(Base, user) if posts else None
    of = {
        kind: _declare(kind, (MIXINS[kind][0], Base), {"__tablename__": f"{prefix}{MIXINS[kind][1]}", **own(kind)})
        for kind in kinds
    }
    return Models(Base.metadata, user, of, post)


def posts_that_end(base: Any, user: type[Any]) -> type[Any]:
    """Declare posts of *user* that can end, with the indexes that timelines ask for."""

    class Post(base):  # type: ignore[misc]
        __tablename__ = "posts"
        id: Mapped[int] = mapped_column(primary_key=True)
        author_id: Mapped[int | None] = mapped_column(ForeignKey(user.id, ondelete="CASCADE"))
        made_at: Mapped[datetime] = mapped_column(UTCDateTime)
        gone_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
        __table_args__ = (
            Index("ix_posts_author", "author_id", "made_at", "id"),
            Index("ix_posts_time", "made_at", "id"),
        )

    return declare_posts(Post, author="author_id", time="made_at", until="gone_at")


def posts_with_authors(base: Any, user: type[Any]) -> type[Any]:
    """Declare posts of *user* that each name their author, with the indexes that timelines ask for."""

    class Post(base):  # type: ignore[misc]
        __tablename__ = "posts"
        id: Mapped[int] = mapped_column(primary_key=True)
        author_id: Mapped[int] = mapped_column(ForeignKey(user.id, ondelete="CASCADE"))
        made_at: Mapped[datetime] = mapped_column(UTCDateTime)
        author: Mapped[Any] = relationship(user)
        __table_args__ = (
            Index("ix_posts_author", "author_id", "made_at", "id"),
            Index("ix_posts_time", "made_at", "id"),
        )

    return declare_posts(Post, author="author_id", time="made_at")


def _declare(name: str, bases: tuple[type[Any], ...], body: dict[str, Any]) -> type[Any]:
    return type(name, bases, {"__module__": __name__, **body})
