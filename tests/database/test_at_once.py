"""What one statement decides on PostgreSQL: by nothing that somebody else has changed since it began."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.orm import Session

from retinue import BlockedError, Graph, LimitError, Outcome, Settings
from retinue.testing import count_statements
from tests.database.graph_models import HUNG
from tests.database.models_private import declare

ANN, BOB, CAY = 1, 2, 3

MODELS = declare(Settings())
LIMITED = declare(Settings(max_following=1, max_following_ratio=0.5, max_follows_per_day=3, max_pending_requests=1))

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@pytest.fixture
def engine_of_three(engine: Engine) -> Engine:
    """Give an engine with three users who have been counted and have guards."""
    MODELS.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([MODELS.user(id=key, locked=False) for key in (ANN, BOB, CAY)])
        session.flush()
        session.add_all([MODELS.count(user_id=key, slot=0, followers=0, following=0) for key in (ANN, BOB, CAY)])
        session.commit()
    return engine


def counts(session: Session) -> dict[Any, tuple[int, int]]:
    """Return how many follow each of the three, and how many they follow."""
    found = Graph(session, MODELS.user).counts([ANN, BOB, CAY])
    return {key: (one.followers, one.following) for key, one in found.items()}


@contextmanager
def beside(engine: Engine, call: Callable[[Graph[Any]], object]) -> Iterator[Future[tuple[object, int]]]:
    """Make *call* in a session that has read all users before, and give what it answers, and how many statements it took."""

    def answer() -> tuple[object, int]:
        with Session(engine) as session:
            session.scalars(select(MODELS.user)).all()
            with count_statements(session.connection()) as statements:
                found = call(Graph(session, MODELS.user))
            session.commit()
        return found, len(statements)

    with ThreadPoolExecutor(1) as pool, engine.connect() as looking:
        future = pool.submit(answer)
        deadline = time.monotonic() + HUNG
        while not looking.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar():
            assert time.monotonic() < deadline
            assert not future.done(), future.result()
            looking.rollback()
        yield future


def test_who_waited_takes_two_statements(engine_of_three: Engine) -> None:
    """Somebody else has held the guard since the first began, and committed: it changes nothing, and the second does it."""
    with Session(engine_of_three) as session:
        Graph(session, MODELS.user).follow(ANN, CAY)
        with beside(engine_of_three, lambda graph: graph.follow(ANN, BOB)) as waits:
            session.commit()
            assert waits.result(HUNG) == (Outcome.FOLLOWED, 2)
        assert counts(session) == {ANN: (0, 2), BOB: (1, 0), CAY: (1, 0)}


def test_who_waited_for_a_rollback_takes_one(engine_of_three: Engine) -> None:
    """Nothing has changed then."""
    with Session(engine_of_three) as session:
        Graph(session, MODELS.user).follow(ANN, CAY)
        with beside(engine_of_three, lambda graph: graph.follow(ANN, BOB)) as waits:
            session.rollback()
            assert waits.result(HUNG) == (Outcome.FOLLOWED, 1)


def test_a_block_beside_a_follow_is_seen(engine_of_three: Engine) -> None:
    """Also where its guard rows are the first that there are."""
    with Session(engine_of_three) as session:
        Graph(session, MODELS.user).block(BOB, ANN)
        with beside(engine_of_three, lambda graph: graph.follow(ANN, BOB)) as waits:
            session.commit()
            with pytest.raises(BlockedError):
                waits.result(HUNG)
        assert not Graph(session, MODELS.user).is_following(ANN, BOB)


@pytest.mark.parametrize(
    "end", [lambda graph: graph.block(BOB, ANN), lambda graph: graph.unfollow(ANN, BOB)], ids=["block", "unfollow"]
)
def test_a_follow_beside_its_end_is_ended(engine_of_three: Engine, end: Callable[[Graph[Any]], object]) -> None:
    """A block, or the end of another follow, that waited for a follow finds it in its second statement."""
    with Session(engine_of_three) as session:
        graph = Graph(session, MODELS.user)
        graph.follow(ANN, BOB)
        session.commit()
        graph.remove_follower(BOB, ANN)
        graph.follow(ANN, BOB)
        with beside(engine_of_three, end) as waits:
            session.commit()
            assert waits.result(HUNG) == (True, 2)
        assert not graph.is_following(ANN, BOB)
        assert counts(session) == {ANN: (0, 0), BOB: (0, 0), CAY: (0, 0)}


def test_who_becomes_private_just_now_is_asked(engine_of_three: Engine) -> None:
    """Whoever locks the user to change that is waited for; what it was before decides nothing."""
    with Session(engine_of_three) as session:
        bob = session.get(MODELS.user, BOB, with_for_update=True)
        assert bob is not None
        bob.locked = True
        session.flush()
        with beside(engine_of_three, lambda graph: graph.follow(ANN, BOB)) as waits:
            session.commit()
            assert waits.result(HUNG) == (Outcome.REQUESTED, 2)


def test_a_block_remembers_what_it_cut_and_is_renewed(engine_of_three: Engine) -> None:
    """In one statement: both edges, both requests, and a block that had ended before; and counts stay right."""
    hour = timedelta(hours=1)
    with Session(engine_of_three) as session:
        graph = Graph(session, MODELS.user)
        graph.follow(ANN, BOB)
        session.execute(update(MODELS.user).where(MODELS.user.id == ANN).values(locked=True))
        graph.follow(BOB, ANN)
        session.commit()
        until = datetime.now(UTC) + hour
        with count_statements(engine_of_three) as statements:
            assert graph.block(ANN, BOB, until=until)
            assert not graph.block(ANN, BOB, until=until)
        assert len(statements) == 2
        block: Any = session.get_one(MODELS.block, (ANN, BOB))
        cut = [block.cut_following, block.cut_followed_by, block.cut_requested, block.cut_requested_by]
        assert [since is not None for since in cut] == [True, False, False, True]
        session.execute(update(MODELS.block).values(until=datetime.now(UTC) - hour))
        assert graph.follow(CAY, BOB)
        assert graph.block(ANN, BOB)
        session.refresh(block)
        assert [block.cut_following, block.cut_requested_by, block.until] == [None, None, None]
        session.commit()
        assert counts(session) == {ANN: (0, 0), BOB: (1, 0), CAY: (0, 1)}


def test_limits_are_asked_in_the_same_statement(engine_of_three: Engine) -> None:
    """One statement while there is room; who has reached a limit is told by which, and nothing has changed."""
    with Session(engine_of_three) as session:
        graph = Graph(session, LIMITED.user)
        with count_statements(engine_of_three) as statements:
            assert graph.follow(ANN, BOB)
        assert len(statements) == 1
        with pytest.raises(LimitError) as caught:
            graph.follow(ANN, CAY)
        assert (caught.value.limit, caught.value.current) == ("max_following", 1)
        session.execute(update(MODELS.user).values(locked=True))
        assert graph.follow(BOB, CAY) is Outcome.REQUESTED
        with pytest.raises(LimitError) as caught:
            graph.follow(BOB, ANN)
        assert caught.value.limit in ("max_following", "max_pending_requests")
        session.commit()
        assert counts(session) == {ANN: (0, 1), BOB: (1, 0), CAY: (0, 0)}
