"""Columns that an application adds to the library's models: their defaults are kept, whoever makes the row."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from sqlalchemy import Engine, String, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from retinue import FollowCountMixin, FollowerMixin, FollowEventMixin, FollowMixin
from retinue.testing import count_statements

numbers = itertools.count(1)


def declare(*, by_python: bool) -> tuple[type[Any], type[Any], type[Any], type[Any]]:
    """Declare models with columns of their own, whose values Python makes, or the database."""
    default: Any = (lambda: f"made {next(numbers)}") if by_python else func.lower("MADE")

    class Base(DeclarativeBase):
        pass

    class User(FollowerMixin, Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Follow(FollowMixin, Base):
        __tablename__ = "follows"
        source: Mapped[str] = mapped_column(String(40), default=default)

    class FollowCount(FollowCountMixin, Base):
        __tablename__ = "follow_counts"
        changed: Mapped[str | None] = mapped_column(String(40), onupdate=default)

    class FollowEvent(FollowEventMixin, Base):
        __tablename__ = "follow_events"
        source: Mapped[str] = mapped_column(String(40), default=default)

    return User, Follow, FollowCount, FollowEvent


@pytest.mark.parametrize("by_python", [True, False], ids=["python", "database"])
def test_columns_of_ones_own_get_their_values(engine: Engine, by_python: bool) -> None:
    """For each row its own, where Python makes them; also when the statement is used again."""
    user, follow, count, event = declare(by_python=by_python)
    user.metadata.create_all(engine)
    with Session(engine) as session:
        people = [user(id=key) for key in range(1, 5)]
        session.add_all(people)
        session.flush()
        for _ in range(2):
            for followed in people[1:]:
                assert people[0].follow(followed)
            for followed in people[1:]:
                assert people[0].unfollow(followed)
        for followed in people[1:]:
            people[0].follow(followed)
        session.commit()

        sources = list(session.scalars(select(follow.source)))
        written = list(session.scalars(select(event.source)))
        (changed,) = session.scalars(select(count.changed).where(count.user_id == 1))
        assert [len(sources), len(written)] == [3, 15]
        if engine.dialect.name != "mariadb":  # whose upsert is no update to SQLAlchemy
            assert changed.startswith("made")
        if by_python:
            assert len({*sources, *written}) == 18
        else:
            assert {*sources, *written} == {"made"}
        with count_statements(engine) as ran:
            people[1].follow(people[2])
            people[1].unfollow(people[2])
        assert (len(ran) < 6) == (engine.dialect.name == "postgresql" and not by_python)
