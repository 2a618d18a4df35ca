"""A loaded `Follow` never contradicts the database after a verb in the same session."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, delete, inspect, select
from sqlalchemy.orm import Session

from retinue import Graph, NoSessionError, NotWritableError, Outcome
from tests.database.models_plain import Base, Follow, User, crowd

pytestmark = pytest.mark.tables(Base.metadata)


def agree(session: Session) -> None:
    """Fail unless every loaded row is in the database as it is in the session, and the other way round."""
    edges: Any = Follow.__table__
    there = {(row.follower_id, row.following_id): row.timestamp for row in session.execute(select(edges))}
    for row in list(session.identity_map.values()):
        if isinstance(row, Follow):
            key = inspect(row).identity
            if key not in there:
                assert session.get(Follow, key) is None  # expired: whoever looks at it learns that it has gone
                continue
            assert (row.follower_id, row.following_id) == key
            assert row.timestamp == there[key]
            assert (row.follower.id, row.following.id) == key
    for key in there:
        assert session.get(Follow, key) is not None
    assert {row.follower_id for row in session.scalars(select(Follow))} == {key[0] for key in there}


@pytest.mark.parametrize("verb", ["unfollow", "remove_follower"])
def test_a_row_goes_with_its_edge_and_comes_back_with_a_rollback(engine: Engine, verb: str) -> None:
    """After a verb it is deleted, also for `session.get()`; after a rollback it is what it was."""
    with crowd(engine, 2) as (session, (a, b)):
        graph = Graph(session, User)
        remove: dict[str, Callable[[], bool]] = {
            "unfollow": lambda: graph.unfollow(a, b),
            "remove_follower": lambda: graph.remove_follower(b, a),
        }
        a.follow(b)
        session.commit()
        row = session.get_one(Follow, (a.id, b.id))

        assert remove[verb]()

        assert not inspect(row).persistent
        assert session.get(Follow, (a.id, b.id)) is None
        agree(session)
        session.rollback()
        assert session.get(Follow, (a.id, b.id)) is row
        agree(session)

        with session.begin_nested() as savepoint:
            assert remove[verb]()
            agree(session)
            savepoint.rollback()
        agree(session)
        assert inspect(row).persistent

        assert remove[verb]()
        session.commit()
        assert not inspect(row).persistent
        assert (row.follower_id, row.following_id) == (a.id, b.id)
        agree(session)


def test_a_row_that_is_made_again_is_a_new_one(engine: Engine) -> None:
    """Unfollow and follow in one transaction, with the old row in hand: the new one has its own time."""
    with crowd(engine, 2) as (session, (a, b)):
        a.follow(b)
        session.commit()
        old = session.get_one(Follow, (a.id, b.id))
        since = old.timestamp

        assert a.unfollow(b)
        assert a.follow(b) is Outcome.FOLLOWED

        new = session.get_one(Follow, (a.id, b.id))
        assert new is not old
        assert new.timestamp > since
        agree(session)
        session.commit()
        agree(session)


def test_a_row_that_waits_to_be_written_is_written_first(engine: Engine) -> None:
    """Verbs see what the session holds back: rows to be added and to be deleted."""
    with crowd(engine, 3) as (session, (a, b, c)):
        session.add(Follow(follower=a, following=b))
        assert a.follow(b) is Outcome.UNCHANGED
        agree(session)
        session.add(Follow(follower=a, following=c))
        assert a.unfollow(c)
        agree(session)
        session.delete(session.get_one(Follow, (a.id, b.id)))
        assert a.follow(b) is Outcome.FOLLOWED
        agree(session)
        session.delete(session.get_one(Follow, (a.id, b.id)))
        assert a.unfollow(b) is False
        agree(session)
        assert a.graph.counts([a])[a.id].following == 0


def test_a_row_that_another_session_removed_or_replaced_is_read_again(engine: Engine) -> None:
    """Whatever the verb finds, the loaded row says the same as the database afterwards."""
    with crowd(engine, 2) as (session, (a, b)), Session(engine) as elsewhere:
        a.follow(b)
        session.commit()
        theirs = Graph(elsewhere, User)
        for verb, found in (("follow", Outcome.FOLLOWED), ("unfollow", False)):
            row = session.get_one(Follow, (a.id, b.id))
            session.commit()
            theirs.unfollow(a.id, b.id)
            elsewhere.commit()
            assert getattr(a, verb)(b) == found
            agree(session)
            session.rollback()
            a.follow(b)
            session.commit()
            assert row is not None

        row = session.get_one(Follow, (a.id, b.id))
        session.commit()
        theirs.unfollow(a.id, b.id)
        theirs.follow(a.id, b.id)
        elsewhere.commit()
        assert a.unfollow(b)
        assert inspect(row).deleted
        agree(session)


def test_a_follow_that_changes_nothing_still_reads_a_replaced_row_again(engine: Engine) -> None:
    """Another session removed the edge and made it anew: the loaded row gets the new one's time."""
    with crowd(engine, 2) as (session, (a, b)), Session(engine) as elsewhere:
        a.follow(b)
        session.commit()
        row = session.get_one(Follow, (a.id, b.id))
        session.commit()
        theirs = Graph(elsewhere, User)
        theirs.unfollow(a.id, b.id)
        theirs.follow(a.id, b.id)
        elsewhere.commit()

        assert a.follow(b) is Outcome.UNCHANGED

        assert inspect(row).persistent
        agree(session)


def test_rows_of_a_user_who_goes_go_too(engine: Engine) -> None:
    """Deleted one by one or in bulk: no row stays behind in the session, and none comes back by itself."""
    with crowd(engine, 4) as (session, (a, b, c, d)):
        for follower, followed in ((a, b), (b, a), (c, a), (c, d)):
            follower.follow(followed)
        session.commit()
        rows = session.scalars(select(Follow)).all()

        session.delete(b)
        session.flush()
        agree(session)
        session.query(User).filter(User.id == c.id).delete()
        agree(session)
        session.commit()

        assert [inspect(row).persistent for row in rows] == [False] * 4
        assert a.graph.counts([a, d])[d.id].followers == 0


def _delete_by_flush(session: Session, user: Any) -> None:
    session.delete(user)
    session.flush()


def _delete_in_bulk(session: Session, user: Any) -> None:
    session.execute(delete(User).where(User.id == user.id))


@pytest.mark.parametrize("delete_user", [_delete_by_flush, _delete_in_bulk])
def test_rows_come_back_with_a_user_who_does(engine: Engine, delete_user: Callable[[Session, Any], None]) -> None:
    """A deletion that is rolled back to a savepoint never was: what is set on a loaded row is written."""
    with crowd(engine, 2) as (session, (a, b)):
        a.follow(b)
        session.commit()
        row = session.get_one(Follow, (a.id, b.id))
        with session.begin_nested() as savepoint:
            delete_user(session, b)
            assert row not in session
            savepoint.rollback()
        assert row in session
        earlier = datetime(2020, 1, 1, tzinfo=UTC)
        row.timestamp = earlier
        session.commit()
        session.expire_all()
        assert session.scalars(select(Follow.timestamp)).one() == earlier
        agree(session)

        session.refresh(row)
        delete_user(session, session.get_one(User, b.id))
        assert row not in session
        session.commit()
        assert not inspect(row).persistent
        agree(session)


@pytest.mark.parametrize("new", [99, "expression"])
def test_a_user_keeps_their_key(engine: Engine, new: Any) -> None:
    """A flush that would change it is refused with what to do instead, and nothing has changed."""
    with crowd(engine, 2) as (session, (a, b)):
        a.follow(b)
        session.commit()
        key = a.id
        a.id = User.id + 99 if new == "expression" else new
        with pytest.raises(NotWritableError, match="use a key that never changes"):
            session.flush()
        session.rollback()
        assert (a.id, session.get_one(Follow, (key, b.id)).follower) == (key, a)
        a.id = key  # the same is no change
        session.flush()


@pytest.mark.parametrize("name", ["follows", "followed_by", "graph"])
def test_a_user_of_no_session_has_no_lists(engine: Engine, name: str) -> None:
    """Detached or never added: the error says so."""
    with crowd(engine, 2) as (session, (a, _)):
        session.expunge(a)
        for user in (a, User(username="nobody")):
            with pytest.raises(NoSessionError):
                getattr(user, name)
        for verb in (a.follow, a.unfollow, a.is_following, a.is_a_follower):
            with pytest.raises(NoSessionError):
                verb(1)
