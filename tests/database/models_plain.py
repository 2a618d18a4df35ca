"""Users and their follows in the plainest form, and a session that holds some of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from retinue import FollowCountMixin, FollowerMixin, FollowMixin
from retinue.testing import make_users


class Base(DeclarativeBase):
    """The declarative base."""


class User(FollowerMixin, Base):
    """A user with a name, which counts as expired or not like any other column."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    username: Mapped[str] = mapped_column(String(64))


class Follow(FollowMixin, Base):
    """An edge."""

    __tablename__ = "follows"


class FollowCount(FollowCountMixin, Base):
    """The counts."""

    __tablename__ = "follow_counts"


class UncountedBase(DeclarativeBase):
    """The base of models without counts."""


class UncountedUser(FollowerMixin, UncountedBase):
    """A user whose followers are counted when somebody asks."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    username: Mapped[str] = mapped_column(String(64))


class UncountedFollow(FollowMixin, UncountedBase):
    """An edge."""

    __tablename__ = "follows"


@contextmanager
def crowd(engine: Engine, count: int) -> Iterator[tuple[Session, list[User]]]:
    """Make the tables; give a session, and in it *count* users that are committed and loaded."""
    Base.metadata.create_all(engine)
    with Session(engine, expire_on_commit=False) as session:
        users = make_users(session, User, count)
        session.commit()
        yield session, users
