"""Retinue's app: the lesson's two models made Retinue's, its counts, and the extension with its own pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
from flask import Flask
from flask_login import LoginManager, UserMixin, login_user
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import URL, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from benchmarks.contestants.peers_loading import filling
from benchmarks.data import Data
from retinue import FollowCountMixin, FollowerMixin, FollowMixin
from retinue.flask import Retinue
from retinue.transfer import import_follows

_START = datetime(1970, 1, 1, tzinfo=UTC)


class Base(DeclarativeBase):
    """What the models stand on."""


db = SQLAlchemy(model_class=Base)


class User(FollowerMixin, UserMixin, db.Model):  # type: ignore[name-defined,misc]
    """A user."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)


class Follow(FollowMixin, db.Model):  # type: ignore[name-defined,misc]
    """That one user follows another."""

    __tablename__ = "follows"


class FollowCount(FollowCountMixin, db.Model):  # type: ignore[name-defined,misc]
    """How many follow a user, and how many they follow."""

    __tablename__ = "follow_counts"


def create_app(url: URL) -> Flask:
    """Return the app on the database at *url*."""
    app = Flask(__name__)
    app.config.update(SECRET_KEY="of a benchmark", SQLALCHEMY_DATABASE_URI=url)
    db.init_app(app)
    login = LoginManager(app)
    Retinue(app, user_model=User)

    @login.user_loader  # type: ignore[untyped-decorator]
    def load_user(key: str) -> User | None:
        return db.session.get(User, int(key))

    @app.post("/log-in/<int:key>")
    def log_in(key: int) -> str:
        login_user(db.get_or_404(User, key))
        return ""

    return app


def fill(url: URL, data: Data) -> None:
    """Make the tables, and take over the graph."""
    app = create_app(url)
    with app.app_context():
        db.create_all()
        with filling(url) as filler:
            keys = np.arange(1, data.users + 1)
            filler.fill("users", id=keys, username=filler.text(keys, "user"))
            filler.restart_keys("users")
        import_follows(db.engine, User, _rows(data))
        with filling(url):  # which tells the database how its tables are now
            pass
        db.engine.dispose()


def _rows(data: Data) -> Iterator[tuple[int, int, datetime]]:
    columns = (column.tolist() for column in (data.followers, data.followed, data.times))
    for follower, followed, at in zip(*columns, strict=True):
        yield follower, followed, _START + timedelta(microseconds=at)
