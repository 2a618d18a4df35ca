"""Columns that the ORM fills by itself, and columns of any name: the library's rows have them like the application's."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Boolean, Engine, Integer, String, delete, select, update
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column
from sqlalchemy.orm.exc import StaleDataError

from retinue import (
    FollowCountMixin,
    FollowerMixin,
    FollowEventMixin,
    FollowMixin,
    FollowRequestMixin,
    Graph,
    MappingError,
    UTCDateTime,
)

MODELS: dict[str, type[Any]] = {
    "Follow": FollowMixin,
    "FollowCount": FollowCountMixin,
    "FollowRequest": FollowRequestMixin,
    "FollowEvent": FollowEventMixin,
}


def declare(body: Callable[[], dict[str, Any]], *names: str, **users: Any) -> dict[str, type[Any]]:
    """Declare a graph; the models of *names*, or all, have what *body* returns, and the users the columns *users*."""

    class Base(DeclarativeBase):
        pass

    columns = {
        "id": mapped_column(Integer, primary_key=True),
        "locked": mapped_column(Boolean, nullable=False, default=False),
    }
    user: type[Any] = type("User", (FollowerMixin, Base), {"__tablename__": "users", **columns, **users})
    declared: dict[str, type[Any]] = {"User": user}
    for name, mixin in MODELS.items():
        own = body() if not names or name in names else {}
        declared[name] = type(name, (mixin, Base), {"__tablename__": name.lower(), **own})
    return declared


def versioned() -> dict[str, Any]:
    version = mapped_column(Integer, nullable=False)
    return {"version": version, "note": mapped_column(String(10)), "__mapper_args__": {"version_id_col": version}}


def drawn() -> dict[str, Any]:
    """A version that is no number."""
    version = mapped_column(String(32), nullable=False)
    arguments = {"version_id_col": version, "version_id_generator": lambda _: uuid.uuid4().hex}
    return {"version": version, "__mapper_args__": arguments}


def of_a_kind() -> dict[str, Any]:
    sort = mapped_column(String(10), nullable=False)
    return {"sort": sort, "__mapper_args__": {"polymorphic_on": sort, "polymorphic_identity": "plain"}}


def oddly_named() -> dict[str, Any]:
    return {
        "share": mapped_column("share of time (%)", String(10), nullable=False, default="half"),
        "order": mapped_column("order.by", Integer, nullable=False, default=lambda: 3),
    }


def live(engine: Engine, models: dict[str, type[Any]]) -> None:
    """Let people ask, be accepted one by one and all at once, be followed, and left; the counts are right."""
    user, follow, count = models["User"], models["Follow"], models["FollowCount"]
    user.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([user(id=key, locked=key == 1) for key in range(1, 7)])
        session.flush()
        graph: Graph[Any] = Graph(session, user)
        for follower in range(2, 6):
            assert graph.follow(follower, 1)
        assert graph.accept(1, 2)
        assert graph.accept_all(1) == 3
        assert graph.follow(2, 3)
        session.add(follow(follower_id=3, following_id=2))
        session.flush()
        session.delete(session.get_one(follow, (5, 1)))
        session.commit()
        assert graph.unfollow(2, 3)
        assert session.execute(delete(follow).where(follow.follower_id == 4)).rowcount == 1  # type: ignore[attr-defined]
        session.commit()
        assert {(row.follower_id, row.following_id) for row in session.scalars(select(follow))} == {
            (2, 1),
            (3, 1),
            (3, 2),
        }
        rows = session.execute(select(count.user_id, count.followers, count.following)).all()
        assert {tuple(row) for row in rows if row[1] or row[2]} == {(1, 2, 0), (2, 1, 1), (3, 0, 2)}


@pytest.mark.parametrize("body", [versioned, drawn, of_a_kind, oddly_named])
def test_rows_of_verbs_have_what_the_orm_fills(engine: Engine, body: Callable[[], dict[str, Any]]) -> None:
    live(engine, declare(body))


def test_a_verb_makes_a_first_version_and_the_orm_the_next(engine: Engine) -> None:
    models = declare(versioned, "Follow")
    live(engine, models)
    with Session(engine) as session:
        row = session.get_one(models["Follow"], (2, 1))
        assert row.version == 1
        row.note = "new"
        session.commit()
        assert row.version == 2


def test_a_row_of_another_version_is_not_deleted(engine: Engine) -> None:
    """As with SQLAlchemy alone: somebody has changed it since it was loaded."""
    models = declare(versioned, "Follow")
    follow = models["Follow"]
    live(engine, models)
    with Session(engine) as session:
        row = session.get_one(follow, (2, 1))
        table: Any = follow.__table__
        session.execute(update(table).values(version=9))
        session.delete(row)
        with pytest.raises(StaleDataError):
            session.flush()
        session.rollback()
        assert Graph(session, models["User"]).is_following(2, 1)
        assert Graph(session, models["User"]).counts([1])[1].followers == 2


def test_a_subclass_of_follow_is_loaded_as_what_it_is(engine: Engine) -> None:
    models = declare(of_a_kind, "Follow")
    follow = models["Follow"]
    close: Any = type("CloseFollow", (follow,), {"__mapper_args__": {"polymorphic_identity": "close"}})
    live(engine, models)
    with Session(engine) as session:
        session.add(close(follower_id=6, following_id=1))
        session.commit()
        assert type(session.get_one(follow, (6, 1))) is close
        assert type(session.get_one(follow, (2, 1))) is follow
        assert session.execute(delete(close)).rowcount == 1  # type: ignore[attr-defined]
        assert Graph(session, models["User"]).counts([1])[1].followers == 2


def test_a_column_in_the_place_of_the_mixins_keeps_its_key(engine: Engine) -> None:
    def body(**more: Any) -> dict[str, Any]:
        return {
            "timestamp": mapped_column("since", UTCDateTime, nullable=False, default=lambda: datetime.now(UTC), **more)
        }

    with pytest.raises(MappingError, match=r"mapped_column\('since', ..., key='timestamp'\)"):
        declare(body, "Follow")
    live(engine, declare(lambda: body(key="timestamp"), "Follow"))


def test_users_whose_columns_have_other_names_in_the_database(engine: Engine) -> None:
    models = declare(
        dict,
        id=mapped_column("member no.", Integer, key="id", primary_key=True),
        locked=mapped_column("private?", Boolean, key="locked", nullable=False, default=False),
    )
    live(engine, models)
    with Session(engine) as session:
        graph: Graph[Any] = Graph(session, models["User"])
        assert [person.user.id for person in graph.followers(1, viewer=2).items] == [3, 2]
        assert [found.user.id for found in graph.suggestions(3)] == []
        assert graph.relationships(2, [1, 3])[1].following
        visible = select(models["User"].id).where(graph.visible_to(2))
        assert sorted(session.scalars(visible)) == [1, 2, 3, 4, 5, 6]
