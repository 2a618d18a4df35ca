"""Moving an application's older follows into Retinue's table, within a migration."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import (
    TIMESTAMP,
    Column,
    Connection,
    DateTime,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

from retinue import FollowCountMixin, FollowerMixin, FollowMixin, Graph
from retinue.migrations import copy_follows, copy_follows_back
from retinue.models import now

NOON = datetime(2020, 2, 29, 12, 30, tzinfo=UTC)


class Base(DeclarativeBase):
    pass


class User(FollowerMixin, Base):
    __tablename__ = "people"
    key = mapped_column("person_id", Integer, primary_key=True)
    name = mapped_column(String(20))


class Follow(FollowMixin, Base):
    __tablename__ = "follows"


class FollowCount(FollowCountMixin, Base):
    __tablename__ = "follow_counts"


def begin(connection: Connection, *columns: Column[Any]) -> Table:
    """Make six people, and an older table ``followers`` with *columns*, which has no key and no rows."""
    Base.metadata.create_all(connection)
    connection.execute(insert(User), [{"key": key, "name": f"p{key}"} for key in range(1, 7)])
    old = Table("followers", MetaData(), *columns)
    old.create(connection)
    return old


def edges(connection: Connection) -> list[tuple[int, int, datetime]]:
    follow = Follow.__table__.c
    rows = select(follow.follower_id, follow.following_id, follow.timestamp).order_by(*follow)
    return [(who, whom, since) for who, whom, since in connection.execute(rows)]


def test_an_association_table(engine: Engine) -> None:
    """Pairs come over once each, as old as the copy; what the new table may not hold stays behind."""
    with engine.begin() as connection:
        old = begin(connection, Column("follower_id", Integer), Column("followed_id", Integer))
        pairs = [(1, 2), (2, 1), (1, 2), (3, 3), (4, 99), (99, 4), (5, 1), (None, 1), (1, None)]
        connection.execute(insert(old), [{"follower_id": who, "followed_id": whom} for who, whom in pairs])
        before = now()

        copied = copy_follows(connection, "followers", "follows")

        found = edges(connection)
    assert copied == 3
    assert [edge[:2] for edge in found] == [(1, 2), (2, 1), (5, 1)]
    assert all(before <= since <= now() for _, _, since in found)


@pytest.mark.parametrize("zone", [False, True], ids=["bare", "with a zone"])
def test_a_model_of_its_own(engine: Engine, zone: bool) -> None:
    """Each edge is as old as its first row; one without a time is as old as the oldest, so it leads no list."""
    east = timezone(timedelta(hours=5))
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET TIME ZONE 'Asia/Tokyo'"))
        old = begin(
            connection,
            Column("who", ForeignKey(User.key)),
            Column("whom", ForeignKey(User.key)),
            Column("at", DateTime(timezone=zone)),
        )
        aware = zone and connection.dialect.name == "postgresql"
        times = [NOON, NOON - timedelta(seconds=9), None]
        told = [time and (time.astimezone(east) if aware else time.replace(tzinfo=None)) for time in times]
        connection.execute(insert(old), [{"who": 1, "whom": 2, "at": time} for time in told])
        connection.execute(insert(old), {"who": 2, "whom": 1, "at": None})

        copied = copy_follows(connection, "followers", "follows", follower="who", followed="whom", timestamp="at")

        (first, second) = edges(connection)
        again = copy_follows(connection, "followers", "follows", follower="who", followed="whom", timestamp="at")
        assert again == 0
    assert copied == 2
    assert first == (1, 2, NOON - timedelta(seconds=9))
    assert second == (2, 1, NOON - timedelta(seconds=9))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "told",
    [
        "2020-02-29 12:30:00",
        "2020-02-29 12:30:00.000000",
        "2020-02-29T12:30:00Z",
        "2020-02-29 13:30:00+01:00",
        "2020-02-29 12:30",
    ],
)
def test_a_time_that_sqlite_itself_or_others_wrote(engine: Engine, told: str) -> None:
    """In SQLite a time is text: it comes over in the form in which times are compared."""
    with engine.begin() as connection:
        old = begin(connection, Column("who", Integer), Column("whom", Integer), Column("at", String))
        connection.execute(insert(old), {"who": 1, "whom": 2, "at": told})

        copy_follows(connection, "followers", "follows", follower="who", followed="whom", timestamp="at")

        assert edges(connection) == [(1, 2, NOON)]
        assert connection.execute(text("SELECT timestamp FROM follows")).scalar_one() == "2020-02-29 12:30:00.000000"


def test_lists_and_counts_go_on_from_there(engine: Engine) -> None:
    """What was copied is listed page by page, counted when it is asked for, and changed like any other edge."""
    with engine.begin() as connection:
        old = begin(connection, Column("follower_id", Integer), Column("followed_id", Integer))
        connection.execute(insert(old), [{"follower_id": who, "followed_id": 1} for who in range(2, 7)])
        copy_follows(connection, "followers", "follows")

    with Session(engine) as session:
        graph = Graph(session, User)
        page = graph.followers(1, limit=2)
        seen = [*page]
        while page.next:
            page = graph.followers(1, limit=2, cursor=page.next)
            seen += page
        assert {person.user.key for person in seen} == {2, 3, 4, 5, 6}
        assert len(seen) == 5
        assert graph.unfollow(2, 1)
        assert graph.counts([1])[1].followers == 4


#: The zone of a connection, where the engine has such: not that of the people who wrote naive times.
FAR_AWAY = {"postgresql": "SET TIME ZONE 'Asia/Tokyo'", "mariadb": "SET time_zone = '+09:00'"}


@pytest.mark.parametrize("kind", [DateTime(), DateTime(timezone=True), TIMESTAMP()], ids=["bare", "zoned", "timestamp"])
def test_there_and_back(engine: Engine, kind: DateTime) -> None:
    """Every time is the same afterwards, whatever the zone of the connection; and what is there is left alone."""
    with engine.begin() as connection:
        if connection.dialect.name in FAR_AWAY:
            connection.execute(text(FAR_AWAY[connection.dialect.name]))
        old = begin(connection, Column("who", Integer), Column("whom", Integer), Column("at", kind))
        told = [NOON, NOON.replace(month=7, day=1)]
        if not (kind.timezone and connection.dialect.name == "postgresql"):
            told = [time.replace(tzinfo=None) for time in told]
        rows = [{"who": 1, "whom": 2, "at": told[0]}, {"who": 2, "whom": 3, "at": told[1]}]
        connection.execute(insert(old), rows)
        before = connection.execute(select(old).order_by(old.c.who)).all()
        names: dict[str, Any] = {"follower": "who", "followed": "whom", "timestamp": "at"}

        copy_follows(connection, "followers", "follows", **names)
        there = edges(connection)
        connection.execute(delete(old).where(old.c.who == 1))
        assert copy_follows_back(connection, "follows", "followers", **names) == 1

        assert connection.execute(select(old).order_by(old.c.who)).all() == before
    # A moment, as MariaDB's TIMESTAMP is one, was written in the zone of the connection.
    moved = timedelta(hours=9) if isinstance(kind, TIMESTAMP) and engine.dialect.name == "mariadb" else timedelta()
    assert [since for _, _, since in there] == [NOON - moved, NOON.replace(month=7, day=1) - moved]


def test_what_is_not_there_is_told_before_anything_is_changed(engine: Engine) -> None:
    """By a sentence that has the names that there are; the transaction goes on."""
    with engine.begin() as connection:
        begin(connection, Column("follower_id", Integer), Column("followed", Integer), Column("since", Integer))
        for source, target, followed, sentence in [
            ("fans", "follows", "followed", "there is no table 'fans'"),
            ("followers", "follow", "followed", "there is no table 'follow'"),
            ("followers", "follow_counts", "followed", "'follow_counts' has no column 'follower_id'"),
            ("followers", "follows", "x", "'followers' has no column 'x'; it has follower_id, followed, since"),
        ]:
            with pytest.raises(ValueError, match=sentence):
                copy_follows(connection, source, target, followed=followed)
        for move in (copy_follows, copy_follows_back):
            tables = ("followers", "follows") if move is copy_follows else ("follows", "followers")
            with pytest.raises(ValueError, match="'since' of 'followers' holds no times, but "):
                move(connection, *tables, followed="followed", timestamp="since")
            with pytest.raises(ValueError, match="'people' has no column 'id'; it has person_id, name"):
                move(connection, *tables, followed="followed", through=("people", "id", "person_id"))
        assert copy_follows(connection, "followers", "follows", followed="followed") == 0
