"""
The association table: two write-only relationships of users, and pages by OFFSET, as well-known Flask tutorials have it.

Written anew. Three things are better than in most tutorials, as an application would soon have
them: the table knows since when (no list has an order otherwise, and the benchmark's lists have one); an index
leads from the followed to their followers; and the home timeline asks for authors with IN, where the tutorials' outer
join with GROUP BY takes seconds on SQLite. Deleting is left to the database's
foreign keys, which write-only relationships ask for. A page that begins anywhere is the two
statements of `paginate()`, which knows whole pages alone. It keeps no counters; it has nothing for many users at
once: they are asked for one by one, as a template does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Column, ForeignKey, Index, Select, String, Table, event, func, or_, select
from sqlalchemy.orm import DeclarativeBase, Mapped, WriteOnlyMapped, mapped_column, relationship

from benchmarks.contestant import PAGE, Shown
from benchmarks.contestants.flask_setup import FlaskContestant, in_application
from benchmarks.contestants.peers_loading import filling, moments
from benchmarks.data import Data


class Base(DeclarativeBase):
    """The declarative base."""


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


def utcnow() -> datetime:
    """Return the naive time in UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


edges = Table(
    "followers",
    db.metadata,
    Column("follower_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("followed_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("since", db.DateTime, default=utcnow, nullable=False),
    Index("ix_followers_followed", "followed_id", "since"),
)


class User(db.Model):  # type: ignore[name-defined,misc]
    """A user who follows and is followed."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    posts: WriteOnlyMapped[Post] = relationship(back_populates="author", passive_deletes=True)
    following: WriteOnlyMapped[User] = relationship(
        secondary=edges,
        primaryjoin=lambda: edges.c.follower_id == User.id,
        secondaryjoin=lambda: edges.c.followed_id == User.id,
        back_populates="followers",
        passive_deletes=True,
    )
    followers: WriteOnlyMapped[User] = relationship(
        secondary=edges,
        primaryjoin=lambda: edges.c.followed_id == User.id,
        secondaryjoin=lambda: edges.c.follower_id == User.id,
        back_populates="following",
        passive_deletes=True,
    )

    def is_following(self, other: User) -> bool:
        """Whether this user follows *other*."""
        found = self.following.select().where(User.id == other.id)
        return db.session.scalar(found) is not None

    def follow(self, other: User) -> None:
        """Follow *other*, if not yet."""
        if not self.is_following(other):
            self.following.add(other)

    def unfollow(self, other: User) -> None:
        """Follow *other* no longer."""
        if self.is_following(other):
            self.following.remove(other)

    def followers_count(self) -> int:
        """How many follow this user."""
        return _count(self.followers.select())

    def following_count(self) -> int:
        """How many this user follows."""
        return _count(self.following.select())

    def timeline(self) -> Select[tuple[Post]]:
        """The posts of this user and of whom they follow, newest first."""
        followed = self.following.select().with_only_columns(User.id)
        mine = or_(Post.user_id == self.id, Post.user_id.in_(followed))
        return select(Post).where(mine).order_by(Post.timestamp.desc())


class Post(db.Model):  # type: ignore[name-defined,misc]
    """A post."""

    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(String(140))
    timestamp: Mapped[datetime] = mapped_column(index=True, default=utcnow)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    author: Mapped[User] = relationship(back_populates="posts")


def _count(users: Select[Any]) -> int:
    return db.session.scalar(select(func.count()).select_from(users.subquery())) or 0


def _newest(users: Select[Any]) -> Select[Any]:
    return users.order_by(edges.c.since.desc(), User.id.desc())


class Association(FlaskContestant):
    """The association table."""

    name = "association table"
    db = db
    user_class = User

    def prepare(self) -> None:
        """Make the tables; on SQLite with the foreign keys that the relationships count on."""
        if self.url.get_backend_name() == "sqlite":
            event.listen(db.engine, "connect", lambda driver, _: driver.execute("PRAGMA foreign_keys = ON"))
        super().prepare()

    def load(self, data: Data) -> None:
        """Take over the graph."""
        with filling(self.url) as filler:
            keys = np.arange(1, data.users + 1)
            filler.fill("users", id=keys, username=filler.text(keys, "user"))
            filler.fill("followers", follower_id=data.followers, followed_id=data.followed, since=moments(data.times))
            filler.restart_keys("users")

    def load_posts(self, authors: Sequence[int], times: Sequence[int]) -> None:
        """Take over the posts."""
        with filling(self.url) as filler:
            keys = np.arange(1, len(authors) + 1)
            filler.fill(
                "posts",
                id=keys,
                body=filler.text(keys, "post "),
                timestamp=moments(np.array(times)),
                user_id=np.array(authors),
            )

    @in_application
    def is_following(self, follower: int, followed: int) -> bool:
        """By the user's method."""
        return self.user(follower).is_following(self.user(followed))

    @in_application
    def relationships(self, viewer: int, users: Sequence[int]) -> set[tuple[str, int]]:
        """By the user's method, for each user and both ways."""
        me = self.user(viewer)
        following = {("following", key) for key in users if me.is_following(self.user(key))}
        return following | {("followed_by", key) for key in users if self.user(key).is_following(me)}

    @in_application
    def first_page(self, user: int) -> list[Shown]:
        """The relationship, ordered and paginated."""
        return self._page(self.user(user).followers.select())[1]

    def place_at(self, user: int, depth: int) -> int:  # noqa: ARG002
        """The offset."""
        return depth

    @in_application
    def page_from(self, user: int, place: int) -> list[Shown]:
        """As the first page, with OFFSET."""
        followers = self.user(user).followers.select()
        users = db.session.scalars(_newest(followers).limit(PAGE).offset(place)).all()
        _count(followers)
        return [(user.id, user.username) for user in users]

    def _page(self, users: Select[Any]) -> tuple[int, list[Shown]]:
        page = db.paginate(_newest(users), page=1, per_page=PAGE, error_out=False)
        return page.total or 0, [(user.id, user.username) for user in page.items]

    @in_application
    def counts(self, users: Sequence[int]) -> dict[int, tuple[int, int]]:
        """Two COUNTs for each user."""
        return {key: (self.user(key).followers_count(), self.user(key).following_count()) for key in users}

    @in_application
    def mutuals(self, user: int) -> list[Shown]:
        """Whom the user follows, as far as they are followers."""
        return self._page(self._followed_among_followers_of(user, user))[1]

    @in_application
    def followers_you_know(self, viewer: int, user: int) -> tuple[int, list[Shown]]:
        """Whom the viewer follows, as far as they are the user's followers."""
        return self._page(self._followed_among_followers_of(viewer, user))

    def _followed_among_followers_of(self, viewer: int, user: int) -> Select[Any]:
        theirs = edges.alias()
        followers = select(theirs.c.follower_id).where(theirs.c.followed_id == user)
        return self.user(viewer).following.select().where(User.id.in_(followers))

    @in_application
    def home_timeline(self, user: int) -> list[int]:
        """The user's method, paginated."""
        page = db.paginate(self.user(user).timeline(), page=1, per_page=PAGE, error_out=False)
        return [post.id for post in page.items]

    @in_application
    def follow(self, follower: int, followed: int) -> bool:
        """By the user's method, and a commit."""
        self.user(follower).follow(self.user(followed))
        return self._commit()

    @in_application
    def unfollow(self, follower: int, followed: int) -> bool:
        """By the user's method, and a commit."""
        self.user(follower).unfollow(self.user(followed))
        return self._commit()

    def _commit(self) -> bool:
        changed = bool(db.session.dirty)
        db.session.commit()
        return changed

    @in_application
    def post(self, author: int, key: int) -> None:
        """A new row."""
        db.session.add(Post(id=key, body=f"post {key}", author=self.user(author)))
        db.session.commit()

    @in_application
    def delete_user(self, user: int) -> None:
        """One DELETE; the foreign keys do the rest."""
        db.session.delete(self.user(user))
        db.session.commit()
        del self.users[user]
