"""A small application of its own on which commands are run: also by its path, ``flask --app tests/flask/town_app.py``."""

from __future__ import annotations

import os
from datetime import timedelta

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from retinue import (
    BlockMixin,
    FollowCountMixin,
    FollowerMixin,
    FollowEventMixin,
    FollowMixin,
    FollowRequestMixin,
    MuteMixin,
    Settings,
)
from retinue.flask import Retinue


class Base(DeclarativeBase):
    """The tables of the town."""


db = SQLAlchemy(model_class=Base)


class User(FollowerMixin, db.Model):  # type: ignore[name-defined,misc]
    """Somebody in town."""

    __tablename__ = "users"
    __retinue__ = Settings(active="active", name="name", request_expiry=timedelta(days=30), counter_slots=2)
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    active: Mapped[bool] = mapped_column(default=True)
    locked: Mapped[bool] = mapped_column(default=False)


class Follow(FollowMixin, db.Model):  # type: ignore[name-defined,misc]
    """An edge."""

    __tablename__ = "follows"


class FollowCount(FollowCountMixin, db.Model):  # type: ignore[name-defined,misc]
    """The counts."""

    __tablename__ = "follow_counts"


class FollowRequest(FollowRequestMixin, db.Model):  # type: ignore[name-defined,misc]
    """A request."""

    __tablename__ = "follow_requests"


class Block(BlockMixin, db.Model):  # type: ignore[name-defined,misc]
    """A block."""

    __tablename__ = "blocks"


class Mute(MuteMixin, db.Model):  # type: ignore[name-defined,misc]
    """A mute."""

    __tablename__ = "mutes"


class FollowEvent(FollowEventMixin, db.Model):  # type: ignore[name-defined,misc]
    """The history."""

    __tablename__ = "follow_events"


def create_app(database: object = None) -> Flask:
    """Return the town on *database*, or on that of the environment's DATABASE."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY="for tests alone",
        SQLALCHEMY_DATABASE_URI=database or os.environ["DATABASE"],
        RETINUE_USER_SLUG="username",
    )
    db.init_app(app)
    Retinue(app, user_model=User, current_user=lambda: None)
    return app
