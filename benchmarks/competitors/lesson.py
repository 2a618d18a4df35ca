"""
The lesson's code as it stands: a `Follow` model, dynamic relationships, check then insert.

The models and the four methods are the lesson's, with its indexes (the primary key and no other) and without counters,
so that its counts count. Lists are its relationships, ordered and paginated as Flask-SQLAlchemy does, total included; a
page that begins anywhere is the same two statements, as `paginate()` knows whole pages alone. It has no posts, so no home
timeline.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from flask_login import UserMixin
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import URL
from sqlalchemy.orm import aliased, make_transient_to_detached

from benchmarks.competitor import PAGE, Peer, Shown
from benchmarks.data import Data
from benchmarks.databases import connect
from benchmarks.filling import filling, moments

#: How a first page is asked for.
_FIRST: dict[str, Any] = {"page": 1, "per_page": PAGE, "error_out": False}

db: Any = SQLAlchemy(session_options={"expire_on_commit": False})


def utcnow() -> datetime:
    """Return the naive time in UTC; the lesson's `datetime.utcnow` is deprecated."""
    return datetime.now(UTC).replace(tzinfo=None)


class Follow(db.Model):  # type: ignore[misc]
    """That one user follows another."""

    __tablename__ = "follows"
    follower_id = db.Column(db.Integer, db.ForeignKey("users.id"), primary_key=True)
    following_id = db.Column(db.Integer, db.ForeignKey("users.id"), primary_key=True)
    timestamp = db.Column(db.DateTime, default=utcnow)


class User(UserMixin, db.Model):  # type: ignore[misc]
    """A user, with the lesson's methods."""

    __tablename__ = "users"
    id = db.Column(db.Integer, primary_key=True)
    username = db.Column(db.String(64), unique=True, nullable=False)
    following = db.relationship(
        "Follow",
        foreign_keys=[Follow.follower_id],
        backref=db.backref("follower", lazy="joined"),
        lazy="dynamic",
        cascade="all, delete-orphan",
    )
    followers = db.relationship(
        "Follow",
        foreign_keys=[Follow.following_id],
        backref=db.backref("following", lazy="joined"),
        lazy="dynamic",
        cascade="all, delete-orphan",
    )

    def follow(self, user: User) -> None:
        """Follow *user*, if not yet."""
        if not self.is_following(user):
            db.session.add(Follow(follower=self, following=user))

    def unfollow(self, user: User) -> None:
        """Follow *user* no longer."""
        row = self.following.filter_by(following_id=user.id).first()
        if row:
            db.session.delete(row)

    def is_following(self, user: User) -> bool:
        """Whether this user follows *user*."""
        if user.id is None:
            return False
        return self.following.filter_by(following_id=user.id).first() is not None

    def is_a_follower(self, user: User) -> bool:
        """Whether *user* follows this user."""
        if user.id is None:
            return False
        return self.followers.filter_by(follower_id=user.id).first() is not None


class Lesson(Peer):
    """
    The lesson's code in an application on Flask-SQLAlchemy, in one long application context.

    Every application's request has its users already when it comes to follow: from the login
    and from the address. So that nobody pays for reading them, they come without a statement,
    and a commit does not expire them. What the session holds else lives as in any application.
    """

    name = "lesson"

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        connect(url).close()  # gives a file of SQLite a write-ahead log: how it commits is no part of the contest
        app = Flask(__name__)
        app.config["SQLALCHEMY_DATABASE_URI"] = url
        db.init_app(app)
        self.users: dict[int, Any] = {}
        self.context = app.app_context()
        self.context.push()

    def create(self) -> None:
        db.create_all()

    def load(self, data: Data) -> None:
        times = moments(data.times)
        with filling(self.url) as filler:
            filler.users("users", data.users)
            filler.fill("follows", follower_id=data.followers, following_id=data.followed, timestamp=times)
        db.engine.dispose()  # new connections know what the tables hold

    def close(self) -> None:
        db.session.remove()
        db.engine.dispose()
        self.context.pop()

    def user(self, key: int) -> Any:
        """Return a user as a request has them: loaded."""
        user: Any = self.users.get(key)
        if user is None:
            user = User()
            user.id, user.username = key, f"user{key}"
            make_transient_to_detached(user)
            db.session.add(user)
            self.users[key] = user
        return user

    def is_following(self, follower: int, followed: int) -> bool:
        return bool(self.user(follower).is_following(self.user(followed)))

    def is_followed_by(self, user: int, follower: int) -> bool:
        return bool(self.user(user).is_a_follower(self.user(follower)))

    def first_page(self, user: int) -> list[Shown]:
        page = self._followers(user).paginate(**_FIRST)
        return [(row.follower.id, row.follower.username) for row in page.items]

    def page_from(self, user: int, place: int) -> list[Shown]:
        followers = self._followers(user)
        rows = followers.limit(PAGE).offset(place).all()
        followers.order_by(None).count()
        return [(row.follower.id, row.follower.username) for row in rows]

    def _followers(self, user: int) -> Any:
        return self.user(user).followers.order_by(Follow.timestamp.desc(), Follow.follower_id.desc())

    def counts(self, users: Sequence[int]) -> dict[int, tuple[int, int]]:
        return {key: (self.user(key).followers.count(), self.user(key).following.count()) for key in users}

    def followers_you_know(self, viewer: int, user: int) -> tuple[int, list[Shown]]:
        """The viewer's relationship, joined with the edge that leads on to the user."""
        onward = aliased(Follow)
        leads_on = (onward.follower_id == Follow.following_id) & (onward.following_id == user)
        rows = self.user(viewer).following.join(onward, leads_on)
        page = rows.order_by(Follow.timestamp.desc(), Follow.following_id.desc()).paginate(**_FIRST)
        return page.total, [(row.following.id, row.following.username) for row in page.items]

    def follow(self, follower: int, followed: int) -> bool:
        self.user(follower).follow(self.user(followed))
        new = bool(db.session.new)
        db.session.commit()
        return new

    def unfollow(self, follower: int, followed: int) -> bool:
        self.user(follower).unfollow(self.user(followed))
        ended = bool(db.session.deleted)
        db.session.commit()
        return ended
