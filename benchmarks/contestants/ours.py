"""Retinue, by its public names: as an application has it, and with every model that there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import URL, ForeignKey, Index, String, create_engine, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from benchmarks.contestant import Contestant, Shown
from benchmarks.contestants.loading import insert_many
from benchmarks.data import Data
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
    UTCDateTime,
    declare_posts,
    prepare_engine,
)
from retinue.transfer import import_follows

_START = datetime(1970, 1, 1, tzinfo=UTC)


class Base(DeclarativeBase):
    """The declarative base of the one ..."""


class BaseOfAll(DeclarativeBase):
    """... and of the other."""


def _declare(base: Any) -> tuple[type[Any], ...]:
    """Declare on *base* what an application has: its user, its post, and the rest."""

    class User(FollowerMixin, base):  # type: ignore[misc]
        """A user with a name."""

        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        username: Mapped[str] = mapped_column(String(64))

    class Follow(FollowMixin, base):  # type: ignore[misc]
        """An edge."""

        __tablename__ = "follows"

    class FollowCount(FollowCountMixin, base):  # type: ignore[misc]
        """The counts."""

        __tablename__ = "follow_counts"

    class Post(base):  # type: ignore[misc]
        """What users post."""

        __tablename__ = "posts"
        id: Mapped[int] = mapped_column(primary_key=True)
        author_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
        created_at: Mapped[datetime] = mapped_column(UTCDateTime)
        body: Mapped[str] = mapped_column(String(500))
        author: Mapped[User] = relationship(User)
        __table_args__ = (
            Index("ix_posts_author", "author_id", "created_at", "id"),
            Index("ix_posts_time", "created_at", "id"),
        )

    declare_posts(Post, author=Post.author_id, time=Post.created_at)
    return User, Post, Follow, FollowCount


def _declare_all(base: Any) -> tuple[type[Any], ...]:
    """Declare on *base* every other model too."""
    made = _declare(base)
    others = (FollowRequestMixin, BlockMixin, MuteMixin, FollowEventMixin, NotificationMixin, DismissedSuggestionMixin)
    names = [mixin.__name__.removesuffix("Mixin") for mixin in others]
    declared = [
        type(name, (mixin, base), {"__tablename__": name.lower(), "__module__": __name__})
        for name, mixin in zip(names, others, strict=True)
    ]
    return *made, *declared


class Retinue(Contestant):
    """`User`, `Follow` and `FollowCount`; and posts."""

    name = "Retinue"
    models: tuple[type[Any], ...] = _declare(Base)

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        self.user, self.post_model, *_ = self.models
        self.engine = prepare_engine(create_engine(url))
        self.user.metadata.create_all(self.engine)
        self.session = Session(self.engine)
        self.graph = Graph(self.session, self.user)

    def load(self, data: Data) -> None:
        """The users by the driver, and the edges by the import."""
        mark = "?" if self.engine.dialect.name == "sqlite" else "%s"
        people = ((number, data.name_of(number)) for number in range(1, data.users + 1))
        with self.engine.begin() as connection:
            cursor = connection.connection.cursor()
            insert_many(cursor, f"INSERT INTO users (id, username) VALUES ({mark}, {mark})", people)
        report = import_follows(self.engine, self.user, _rows(data))
        if report.added != len(data.times):
            raise AssertionError(report)
        self._analyze()

    def load_posts(self, authors: Sequence[int], times: Sequence[int]) -> None:
        """As rows, in one transaction."""
        rows = [
            {"id": key, "author_id": int(author), "created_at": _moment(int(at)), "body": f"post {key}"}
            for key, (author, at) in enumerate(zip(authors, times, strict=True), 1)
        ]
        with self.engine.begin() as connection:
            connection.execute(insert(self.post_model), rows)
        self._analyze()

    def close(self) -> None:
        """Give back the session's connection, and close the pool."""
        self.session.close()
        self.engine.dispose()

    def _analyze(self) -> None:
        kind = self.engine.dialect.name
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if kind == "mariadb":
                tables = ", ".join(table.name for table in self.user.metadata.sorted_tables)
                connection.exec_driver_sql(f"ANALYZE TABLE {tables}")
            else:
                connection.exec_driver_sql("VACUUM ANALYZE" if kind == "postgresql" else "ANALYZE")

    # --- Reads -----------------------------------------------------------------------------------

    def is_following(self, follower: int, followed: int) -> bool:
        """Ask the graph."""
        return self.graph.is_following(follower, followed)

    def relationships(self, viewer: int, users: Sequence[int]) -> set[tuple[str, int]]:
        """Ask the graph."""
        stood: Mapping[Any, Any] = self.graph.relationships(viewer, users)
        following = {("following", key) for key, how in stood.items() if how.following}
        return following | {("followed_by", key) for key, how in stood.items() if how.followed_by}

    def first_page(self, user: int) -> list[Shown]:
        """Ask the graph."""
        return _shown(self.graph.followers(user))

    def place_at(self, user: int, depth: int) -> Any:
        """Follow the pages' cursors down."""
        cursor, limit = None, 100
        for start in range(0, depth, limit):
            cursor = self.graph.followers(user, limit=min(limit, depth - start), cursor=cursor).next
        return cursor

    def page_from(self, user: int, place: Any) -> list[Shown]:
        """Ask the graph, with a cursor."""
        return _shown(self.graph.followers(user, cursor=place))

    def counts(self, users: Sequence[int]) -> dict[int, tuple[int, int]]:
        """Ask the graph."""
        found: Mapping[Any, Any] = self.graph.counts(users)
        return {key: (number.followers, number.following) for key, number in found.items()}

    def mutuals(self, user: int) -> list[Shown]:
        """Ask the graph."""
        return _shown(self.graph.mutuals(user))

    def followers_you_know(self, viewer: int, user: int) -> tuple[int, list[Shown]]:
        """Ask the graph."""
        page = self.graph.followers_you_know(viewer, user)
        return page.total or 0, _shown(page)

    def suggestions(self, user: int) -> list[int]:
        """Ask the graph."""
        return [suggestion.user.id for suggestion in self.graph.suggestions(user)]

    def home_timeline(self, user: int) -> list[int]:
        """Ask the graph."""
        return [post.id for post in self.graph.home_timeline(user)]

    # --- Writes ----------------------------------------------------------------------------------

    def follow(self, follower: int, followed: int) -> bool:
        """Follow, and commit."""
        new = bool(self.graph.follow(follower, followed))
        self.session.commit()
        return new

    def unfollow(self, follower: int, followed: int) -> bool:
        """Unfollow, and commit."""
        gone = self.graph.unfollow(follower, followed)
        self.session.commit()
        return gone

    def post(self, author: int, key: int) -> None:
        """Add a row, and commit."""
        self.session.add(self.post_model(id=key, author_id=author, created_at=datetime.now(UTC), body=f"post {key}"))
        self.session.commit()

    def delete_user(self, user: int) -> None:
        """Delete the user's row, which takes along the rest, and commit."""
        self.session.delete(self.session.get_one(self.user, user))
        self.session.commit()


class RetinueEveryModel(Retinue):
    """With requests, blocks, mutes, history, notifications and dismissed suggestions."""

    name = "Retinue, every model"
    models = _declare_all(BaseOfAll)


def _shown(page: Any) -> list[Shown]:
    return [(person.user.id, person.user.username) for person in page]


def _rows(data: Data) -> Iterator[tuple[int, int, datetime]]:
    """Yield the edges, some at a time: as Python's objects all of them would fill the memory."""
    for start in range(0, len(data.times), 100_000):
        part = slice(start, start + 100_000)
        columns = (column[part].tolist() for column in (data.followers, data.followed, data.times))
        yield from ((follower, followed, _moment(at)) for follower, followed, at in zip(*columns, strict=True))


def _moment(microseconds: int) -> datetime:
    return _START + timedelta(microseconds=microseconds)
