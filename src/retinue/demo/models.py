"""The models, declared as any application would."""

from __future__ import annotations

from datetime import datetime

from flask_login import UserMixin
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from retinue import FollowCountMixin, FollowerMixin, FollowMixin, UTCDateTime


class Base(DeclarativeBase):
    """The tables of the demo."""


db = SQLAlchemy(model_class=Base)

# `db.Model` is made at run time, so type checkers cannot know it: hence the ignores.


class User(FollowerMixin, UserMixin, db.Model):  # type: ignore[name-defined,misc]
    """Somebody in the community."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: What their address ends in: small letters, digits and underscores.
    username: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    bio: Mapped[str] = mapped_column(String(160))
    #: What they care about; people of one circle follow each other more than others.
    circle: Mapped[str] = mapped_column(String(32))
    joined_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Follow(FollowMixin, db.Model):  # type: ignore[name-defined,misc]
    """One user follows another."""

    __tablename__ = "follows"


class FollowCount(FollowCountMixin, db.Model):  # type: ignore[name-defined,misc]
    """How many follow a user, and how many they follow."""

    __tablename__ = "follow_counts"
