"""Listeners hear what was committed, once, after it was, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, delete, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from retinue import EdgeEvent, Event, Followed, FollowerRemoved, Unfollowed, listen, prepare_engine
from retinue.testing import deliver
from tests.database.models_plain import Base, Follow, User, crowd

Told = list[tuple[str, Any, Any]]

pytestmark = pytest.mark.tables(Base.metadata)


@pytest.fixture
def told() -> Iterator[Told]:
    """Collect what listeners are told, as (event, follower, followed)."""
    heard: Told = []
    stop = listen(User, EdgeEvent, lambda e: heard.append((type(e).__name__, e.follower_id, e.followed_id)))
    yield heard
    stop()


def test_each_change_is_told_once_and_after_commit(engine: Engine, told: Told) -> None:
    """Verbs, and what the ORM writes, are told in their order; what changed nothing is not."""
    with crowd(engine, 3) as (session, [a, b, c]):
        a.follow(b)
        a.follow(b)
        b.unfollow(c)
        session.add(Follow(follower=c, following=a))
        session.flush()
        a.graph.remove_follower(a, c)
        assert told == []
        session.commit()
        assert told == [("Followed", 1, 2), ("Followed", 3, 1), ("FollowerRemoved", 3, 1)]
        told.clear()
        session.delete(session.get_one(Follow, (1, 2)))
        session.commit()
        assert told == [("Unfollowed", 1, 2)]
        session.commit()
        assert len(told) == 1


def test_a_rollback_takes_back_what_was_said(engine: Engine, told: Told) -> None:
    """Nothing is told after a rollback, nor by the next commit of the same session."""
    with crowd(engine, 3) as (session, [a, b, c]):
        a.follow(b)
        session.rollback()
        b.follow(c)
        session.commit()
        assert told == [("Followed", 2, 3)]


def test_savepoints_take_back_their_own_part(engine: Engine, told: Told) -> None:
    """A rolled back savepoint takes what was said since, with all that was released into it; no more."""
    with crowd(engine, 4) as (session, [a, b, c, d]):
        a.follow(b)
        outer = session.begin_nested()
        a.follow(c)
        with session.begin_nested():
            a.follow(d)
        outer.rollback()
        with session.begin_nested():
            b.follow(c)
        session.commit()
        assert told == [("Followed", 1, 2), ("Followed", 2, 3)]
        assert [e.following_id for e in session.scalars(select(Follow).order_by(Follow.follower_id))] == [2, 3]


def test_an_event_says_when(engine: Engine) -> None:
    """The event's time is the edge's: aware, and the same to the microsecond."""
    events: list[Followed] = []
    stop = listen(User, Followed, events.append)
    with crowd(engine, 2) as (session, [a, b]):
        a.follow(b)
        session.commit()
        row = session.scalars(select(Follow)).one()
        assert [event.at for event in events] == [row.timestamp]
        assert row.timestamp.utcoffset() is not None
    stop()


def test_one_kind_can_be_heard_alone_and_no_longer(engine: Engine) -> None:
    """A listener hears the kind it asked for, until it is stopped; stopping twice is harmless."""
    gone: list[Event] = []
    stop, stop_removed = listen(User, Unfollowed, gone.append), listen(User, FollowerRemoved, gone.append)
    with crowd(engine, 2) as (session, [a, b]):
        a.follow(b)
        a.unfollow(b)
        session.commit()
        stop()
        stop()
        stop_removed()
        a.follow(b)
        a.unfollow(b)
        session.commit()
    assert [type(event) for event in gone] == [Unfollowed]


def test_a_listener_that_raises_is_logged_and_stops_nobody(
    engine: Engine, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    """The commit stands, the other listeners are told, and the log has the traceback."""

    def fail(event: Followed) -> None:
        message = f"cannot bear {event.followed_id}"
        raise RuntimeError(message)

    stop = listen(User, Followed, fail)
    with crowd(engine, 2) as (session, [a, b]), caplog.at_level(logging.ERROR, "retinue.events"):
        a.follow(b)
        session.commit()
        assert a.is_following(b)
    stop()
    assert told == [("Followed", 1, 2)]
    assert "cannot bear 2" in caplog.text


def test_a_listener_may_open_a_session_of_its_own(engine: Engine) -> None:
    """Even with one connection in the pool: the committing one has been given back."""
    single = create_engine(engine.url, pool_size=1, max_overflow=0, pool_timeout=5)
    prepare_engine(single)
    seen: list[bool] = []

    def look(event: Followed) -> None:
        with Session(single) as session:
            seen.append(session.get(Follow, (event.follower_id, event.followed_id)) is not None)

    stop = listen(User, Followed, look)
    with crowd(single, 2) as (session, [a, b]):
        a.follow(b)
        session.commit()
    stop()
    single.dispose()
    assert seen == [True]


def test_a_listener_that_follows_is_told_about_as_well(engine: Engine, told: Told) -> None:
    """Following back from a listener, in its own session, is told in its turn, and ends."""
    with crowd(engine, 2) as (session, [a, b]):

        def follow_back(event: Followed) -> None:
            with Session(engine) as own:
                own.get_one(User, event.followed_id).follow(event.follower_id)
                own.commit()

        stop = listen(User, Followed, follow_back)
        a.follow(b)
        session.commit()
        stop()
    assert sorted(told) == [("Followed", 1, 2), ("Followed", 2, 1)]


def test_bulk_statements_are_counted_but_not_told(engine: Engine, told: Told) -> None:
    """As with SQLAlchemy's own mapper events: a statement over many rows announces none of them."""
    with crowd(engine, 2) as (session, [a, b]):
        a.follow(b)
        session.commit()
        told.clear()
        session.execute(delete(Follow))
        session.commit()
        assert told == []
        assert a.graph.counts([a])[1].following == 0


class TestJoined:
    """A session on a connection whose transaction is somebody else's."""

    def test_it_tells_when_the_outer_transaction_commits(self, engine: Engine, told: Told) -> None:
        """The session's own commit is none; the connection's is."""
        with crowd(engine, 2):
            pass
        with engine.connect() as connection, connection.begin() as outer:
            with Session(connection) as session:
                session.get_one(User, 1).follow(2)
                session.commit()
            assert told == []
            outer.commit()
            assert told == [("Followed", 1, 2)]
        with Session(engine) as session:
            assert session.get_one(User, 1).is_following(2)

    def test_it_tells_nothing_if_the_outer_transaction_is_rolled_back(self, engine: Engine, told: Told) -> None:
        """Also not when the same connection commits something else later."""
        with crowd(engine, 2), engine.connect() as connection:
            outer = connection.begin()
            with Session(connection) as session:
                session.get_one(User, 1).follow(2)
                session.commit()
            outer.rollback()
            with connection.begin():
                connection.execute(select(1))
            assert told == []

    def test_savepoints_of_the_connection_take_back_their_part(self, engine: Engine, told: Told) -> None:
        """Whether they were made before the session joined or after it."""
        with crowd(engine, 4), engine.connect() as connection, connection.begin():
            with Session(connection) as session:
                session.get_one(User, 1).follow(2)
                session.commit()
            before = connection.begin_nested()
            with Session(connection) as session:
                session.get_one(User, 1).follow(3)
                session.commit()
            after = connection.begin_nested()
            with Session(connection) as session:
                session.get_one(User, 1).follow(4)
                session.commit()
            after.commit()
            before.rollback()
        assert told == [("Followed", 1, 2)]

    def test_a_test_can_have_it_delivered(self, engine: Engine, told: Told) -> None:
        """`testing.deliver()` tells what waits, once, where the outer transaction will never commit."""
        with crowd(engine, 2), engine.connect() as connection:
            outer = connection.begin()
            with Session(connection, join_transaction_mode="create_savepoint") as session:
                session.get_one(User, 1).follow(2)
                session.commit()
            deliver(connection)
            assert told == [("Followed", 1, 2)]
            deliver(connection)
            outer.rollback()
            assert len(told) == 1

    @pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
    def test_an_outer_commit_that_fails_tells_nothing(self, engine: Engine, told: Told) -> None:
        """A constraint that is checked at COMMIT refuses it, as SQLAlchemy's own error, and nobody hears a thing."""
        with crowd(engine, 2):
            pass
        with engine.begin() as connection:
            connection.execute(
                text(
                    "CREATE TABLE late (id INTEGER PRIMARY KEY, parent INTEGER,"
                    " FOREIGN KEY (parent) REFERENCES late (id) DEFERRABLE INITIALLY DEFERRED)"
                )
            )
        with engine.connect() as connection:
            outer = connection.begin()
            with Session(connection) as session:
                session.get_one(User, 1).follow(2)
                session.commit()
            connection.execute(text("INSERT INTO late VALUES (1, 99)"))
            with pytest.raises(IntegrityError):
                outer.commit()
        assert told == []
        with Session(engine) as session:
            assert not session.get_one(User, 1).is_following(2)
