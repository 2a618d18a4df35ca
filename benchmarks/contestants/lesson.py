"""
The lesson's code as it stands: a `Follow` model, dynamic relationships, check then insert.

The models and the four methods are the lesson's, with its indexes (the primary key and no other) and without counters,
so that its counts count. Lists are its relationships, ordered and paginated as Flask-SQLAlchemy does, total included; a
page that begins anywhere is the same two statements, as `paginate()` knows whole pages alone. It has nothing for many
users at once: they are asked for one by one, as a template does. It has no posts, so no home timeline.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from flask_login import UserMixin
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import aliased

from benchmarks.contestant import PAGE, Shown
from benchmarks.contestants.flask_setup import FlaskContestant, in_application
from benchmarks.contestants.peers_loading import filling, moments
from benchmarks.data import Data

db = SQLAlchemy(session_options={"expire_on_commit": False})


def utcnow() -> datetime:
    """Return the naive time in UTC; the lesson's `datetime.utcnow` is deprecated."""
    return datetime.now(UTC).replace(tzinfo=None)


class Follow(db.Model):  # type: ignore[name-defined,misc]
    """That one user follows another."""

    __tablename__ = "follows"
    follower_id = db.Column(db.Integer, db.ForeignKey("users.id"), primary_key=True)
    following_id = db.Column(db.Integer, db.ForeignKey("users.id"), primary_key=True)
    timestamp = db.Column(db.DateTime, default=utcnow)


class User(UserMixin, db.Model):  # type: ignore[name-defined,misc]
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


class Lesson(FlaskContestant):
    """The lesson's code."""

    name = "lesson"
    db = db
    user_class = User

    def load(self, data: Data) -> None:
        """Take over the graph."""
        with filling(self.url) as filler:
            keys = np.arange(1, data.users + 1)
            filler.fill("users", id=keys, username=filler.text(keys, "user"))
            filler.fill(
                "follows",
                follower_id=data.followers,
                following_id=data.followed,
                timestamp=moments(data.times),
            )
            filler.restart_keys("users")

    @in_application
    def is_following(self, follower: int, followed: int) -> bool:
        """By the lesson's method."""
        return bool(self.user(follower).is_following(self.user(followed)))

    @in_application
    def relationships(self, viewer: int, users: Sequence[int]) -> set[tuple[str, int]]:
        """By the lesson's two methods, for each user."""
        me = self.user(viewer)
        following = {("following", key) for key in users if me.is_following(self.user(key))}
        return following | {("followed_by", key) for key in users if me.is_a_follower(self.user(key))}

    @in_application
    def first_page(self, user: int) -> list[Shown]:
        """The relationship, ordered and paginated."""
        page = self._followers(user).paginate(page=1, per_page=PAGE, error_out=False)
        return [(row.follower.id, row.follower.username) for row in page.items]

    def place_at(self, user: int, depth: int) -> int:  # noqa: ARG002
        """The offset."""
        return depth

    @in_application
    def page_from(self, user: int, place: int) -> list[Shown]:
        """As the first page, with OFFSET."""
        followers = self._followers(user)
        rows = followers.limit(PAGE).offset(place).all()
        followers.order_by(None).count()
        return [(row.follower.id, row.follower.username) for row in rows]

    def _followers(self, user: int) -> Any:
        return self.user(user).followers.order_by(Follow.timestamp.desc(), Follow.follower_id.desc())

    @in_application
    def counts(self, users: Sequence[int]) -> dict[int, tuple[int, int]]:
        """Two COUNTs for each user."""
        return {key: (self.user(key).followers.count(), self.user(key).following.count()) for key in users}

    @in_application
    def mutuals(self, user: int) -> list[Shown]:
        """The relationship, joined with the edge that goes back."""
        back = aliased(Follow)
        rows = self.user(user).following.join(
            back, (back.follower_id == Follow.following_id) & (back.following_id == Follow.follower_id)
        )
        return self._followed(rows)[1]

    @in_application
    def followers_you_know(self, viewer: int, user: int) -> tuple[int, list[Shown]]:
        """The viewer's relationship, joined with the edge that leads on to the user."""
        onward = aliased(Follow)
        rows = self.user(viewer).following.join(
            onward, (onward.follower_id == Follow.following_id) & (onward.following_id == user)
        )
        return self._followed(rows)

    def _followed(self, rows: Any) -> tuple[int, list[Shown]]:
        newest = rows.order_by(Follow.timestamp.desc(), Follow.following_id.desc())
        page = newest.paginate(page=1, per_page=PAGE, error_out=False)
        return page.total, [(row.following.id, row.following.username) for row in page.items]

    @in_application
    def follow(self, follower: int, followed: int) -> bool:
        """By the lesson's method, and a commit."""
        self.user(follower).follow(self.user(followed))
        new = bool(db.session.new)
        db.session.commit()
        return new

    @in_application
    def unfollow(self, follower: int, followed: int) -> bool:
        """By the lesson's method, and a commit."""
        self.user(follower).unfollow(self.user(followed))
        old = bool(db.session.deleted)
        db.session.commit()
        return old

    @in_application
    def delete_user(self, user: int) -> None:
        """The cascade that the lesson asks for: by the session, row by row."""
        db.session.delete(self.user(user))
        db.session.commit()
        del self.users[user]
