"""The models of the loads: an application's smallest, with exact counts."""

from __future__ import annotations

from sqlalchemy import Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from retinue import FollowCountMixin, FollowerMixin, FollowMixin, Settings


class Base(DeclarativeBase):
    """The declarative base."""


class User(FollowerMixin, Base):
    """A user with a name."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    username: Mapped[str] = mapped_column(String(64))


class Follow(FollowMixin, Base):
    """An edge."""

    __tablename__ = "follows"


class FollowCount(FollowCountMixin, Base):
    """The counts."""

    __tablename__ = "follow_counts"


class StormBase(DeclarativeBase):
    """The base of models with the same tables, whose counts are spread."""


class StormUser(FollowerMixin, StormBase):
    """A user with a name; many may follow at once."""

    __tablename__ = "users"
    __retinue__ = Settings(counter_slots=16)
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    username: Mapped[str] = mapped_column(String(64))


class StormFollow(FollowMixin, StormBase):
    """An edge."""

    __tablename__ = "follows"


class StormFollowCount(FollowCountMixin, StormBase):
    """The counts, in 16 rows for each user."""

    __tablename__ = "follow_counts"
