"""What has failed half-way is rolled back by its caller, and by nobody else; until then nothing goes on."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import Any, Literal

import pytest
from sqlalchemy import Engine, delete, insert, text, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from retinue import (
    BlockedError,
    Followed,
    HalfDoneError,
    LimitError,
    RetinueError,
    SelfFollowError,
    Settings,
    UnknownUserError,
    listen,
    transact,
)
from tests.database.graph_models import ONE, audit, edges, populate
from tests.database.stopping import AFTER, BEFORE, Stop, StoppedError
from tests.models import declare

# SQLAlchemy warns of savepoints that end out of turn; here they do so on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")


@pytest.fixture(autouse=True)
def people(engine: Engine) -> list[int]:
    """Give the keys of nine people."""
    return populate(engine, ONE, 9)


def follow(session: Session, *followed: int) -> None:
    """Let the first user follow them."""
    for one in followed:
        ONE.graph(session).follow(1, one)


def fail(session: Session, followed: int = 9) -> None:
    """Let the first user follow somebody half-way, and catch the error."""
    with Stop(0, AFTER).on(session.connection()), suppress(StoppedError):
        ONE.graph(session).follow(1, followed)
        raise AssertionError


def refused(act: Callable[[], object]) -> None:
    """See that *act* is refused."""
    with pytest.raises(HalfDoneError) as caught:
        act()
    assert (caught.value.call, caught.value.failure) == ("follow()", "StoppedError")


Scene = Callable[[Engine, Session], set[int]]
SCENES: dict[str, Scene] = {}


def scene(function: Scene) -> Scene:
    """Add a scene: it returns whom the first user follows then, by what is committed."""
    SCENES[function.__name__] = function
    return function


@scene
def commit_is_refused(_engine: Engine, session: Session) -> set[int]:
    follow(session, 2)
    fail(session)
    refused(session.commit)
    refused(session.commit)
    session.rollback()
    follow(session, 3)
    session.commit()
    return {3}


@scene
def verbs_are_refused_and_questions_answered(_engine: Engine, session: Session) -> set[int]:
    fail(session)
    for verb in (ONE.graph(session).follow, ONE.graph(session).unfollow, ONE.graph(session).remove_follower):
        refused(partial(verb, 1, 3))
    refused(ONE.graph(session).expire)
    assert not ONE.graph(session).is_following(1, 3)
    refused(session.commit)
    return set()


@scene
def a_block_of_the_session_is_rolled_back(engine: Engine, _session: Session) -> set[int]:
    def work() -> None:
        with Session(engine) as session, session.begin():
            follow(session, 2)
            fail(session)

    refused(work)
    return set()


@scene
def a_savepoint_is_rolled_back_alone(_engine: Engine, session: Session) -> set[int]:
    follow(session, 2)

    def work() -> None:
        with session.begin_nested():
            follow(session, 3)
            fail(session)

    refused(work)
    follow(session, 4)
    session.commit()
    return {2, 4}


@scene
def a_savepoint_is_rolled_back_by_hand(_engine: Engine, session: Session) -> set[int]:
    follow(session, 2)
    point = session.begin_nested()
    fail(session)
    refused(point.commit)
    point.rollback()
    follow(session, 3)
    session.commit()
    return {2, 3}


@scene
def a_savepoint_of_the_savepoint_before(_engine: Engine, session: Session) -> set[int]:
    follow(session, 2)
    outer = session.begin_nested()
    follow(session, 3)
    session.begin_nested()
    fail(session)
    outer.rollback()
    follow(session, 4)
    session.commit()
    return {2, 4}


@scene
def a_savepoint_that_was_set_since(_engine: Engine, session: Session) -> set[int]:
    fail(session)
    with session.begin_nested():
        session.execute(text("SELECT 1"))
    session.begin_nested().rollback()
    refused(session.commit)
    session.rollback()
    return set()


@scene
def savepoints_as_text(_engine: Engine, session: Session) -> set[int]:
    follow(session, 2)
    session.execute(text("SAVEPOINT mine"))
    fail(session)
    session.execute(text("SAVEPOINT since"))
    session.execute(text("ROLLBACK TO SAVEPOINT since"))
    session.execute(text("RELEASE SAVEPOINT since"))
    refused(lambda: session.execute(text("RELEASE SAVEPOINT mine")))
    refused(lambda: session.execute(text("COMMIT")))
    refused(session.commit)
    session.execute(text("ROLLBACK TO SAVEPOINT mine"))
    follow(session, 3)
    session.execute(text("RELEASE SAVEPOINT mine"))
    session.commit()
    return {2, 3}


@scene
def the_connection_commits(_engine: Engine, session: Session) -> set[int]:
    connection = session.connection()
    follow(session, 2)
    fail(session)
    refused(connection.commit)
    return set()


@scene
def a_connection_commits_and_goes_on(engine: Engine, _session: Session) -> set[int]:
    with engine.connect() as connection:
        session = Session(connection)
        follow(session, 2)
        fail(session)
        refused(connection.commit)
        connection.rollback()
        session.close()
        with Session(connection) as another:
            follow(another, 3)
            another.commit()
        connection.commit()
    return {3}


@scene
def a_savepoint_of_the_connection(_engine: Engine, session: Session) -> set[int]:
    follow(session, 2)
    point = session.connection().begin_nested()
    fail(session)
    point.rollback()
    follow(session, 3)
    session.commit()
    return {2, 3}


@scene
def a_savepoint_of_the_connection_is_released(_engine: Engine, session: Session) -> set[int]:
    follow(session, 2)

    def work() -> None:
        with session.connection().begin_nested():
            fail(session)

    refused(work)
    follow(session, 3)
    session.commit()
    return {2, 3}


@scene
def a_session_is_closed_and_used_again(_engine: Engine, session: Session) -> set[int]:
    fail(session)
    session.close()
    follow(session, 2)
    session.commit()
    return {2}


@scene
def a_connection_is_lost(_engine: Engine, session: Session) -> set[int]:
    fail(session)
    session.invalidate()
    follow(session, 2)
    session.commit()
    return {2}


@scene
def two_fail(_engine: Engine, session: Session) -> set[int]:
    follow(session, 2)
    outer = session.begin_nested()
    fail(session, 3)
    outer.rollback()
    session.begin_nested()
    fail(session, 4)
    session.rollback()
    refused_once = session.begin_nested()
    fail(session, 5)
    refused(refused_once.commit)
    session.rollback()
    follow(session, 6)
    session.commit()
    return {6}


@scene
def listeners_hear_what_was_committed(_engine: Engine, session: Session) -> set[int]:
    heard: list[object] = []
    stop = listen(ONE.user, Followed, lambda happened: heard.append(happened.followed_id))
    follow(session, 2)
    with suppress(HalfDoneError), session.begin_nested():
        follow(session, 3)
        fail(session)
    session.commit()
    connection = session.connection()
    follow(session, 4)
    fail(session)
    refused(connection.commit)
    session.close()
    stop()
    assert heard == [2]
    return {2}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", SCENES)
def test_a_scene(engine: Engine, name: str) -> None:
    """What is committed is what the scene says, and counted."""
    with Session(engine) as session:
        expected = SCENES[name](engine, session)
    assert audit(engine, ONE) == {(1, followed) for followed in expected}


@pytest.mark.parametrize("mode", ["conditional_savepoint", "create_savepoint", "control_fully", "rollback_only"])
def test_a_session_that_is_joined_to_a_transaction(
    engine: Engine, mode: Literal["conditional_savepoint", "create_savepoint", "control_fully", "rollback_only"]
) -> None:
    """Its commit is refused, whatever it would do; and if it is not rolled back, so is that of the connection."""
    for rolls_back in (True, False):
        with engine.connect() as connection:
            transaction = connection.begin()
            session = Session(connection, join_transaction_mode=mode)
            follow(session, 2)
            fail(session)
            refused(session.commit)
            if rolls_back:
                session.rollback()
                session.close()
            else:
                refused(transaction.commit)
            if transaction.is_active:
                transaction.commit()
        assert edges(engine, ONE) == set()


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_a_transaction_in_two_phases(engine: Engine) -> None:
    """It is neither prepared nor committed."""
    with Session(engine, twophase=True) as session:
        fail(session)
        refused(session.prepare)
        refused(session.commit)
    with engine.connect() as connection:
        for end in ("prepare", "commit"):
            transaction = connection.begin_twophase()
            session = Session(connection)
            fail(session)
            refused(getattr(transaction, end))
            transaction.rollback()
    assert edges(engine, ONE) == set()


# --- What fails by itself ------------------------------------------------------------------------


def hurry(session: Session) -> None:
    """Let no statement of *session* wait for long."""
    by = {"postgresql": "SET LOCAL lock_timeout = '100ms'", "mariadb": "SET SESSION innodb_lock_wait_timeout = 1"}
    session.execute(text(by[session.get_bind().dialect.name]))


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize("within", [False, True])
def test_a_lock_that_is_not_given_in_time(engine: Engine, within: bool) -> None:
    """The edge was there without its counts: it is not committed."""
    with Session(engine) as holder, Session(engine) as session:
        follow(holder, 2)
        holder.commit()
        ONE.graph(holder).follow(3, 2)
        hurry(session)
        session.get_one(ONE.user, 5).name = "mine"
        point = session.begin_nested() if within else session
        with pytest.raises(OperationalError):
            ONE.graph(session).follow(4, 2)
        with pytest.raises(HalfDoneError):
            point.commit()
        point.rollback()
        session.commit()
        holder.commit()
        assert (session.get_one(ONE.user, 5).name == "mine") == within
    assert audit(engine, ONE) == {(1, 2), (3, 2)}


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
def test_a_deadlock_that_takes_what_came_before(engine: Engine) -> None:
    """The database goes on with an empty transaction: what the caller did before is missing, and COMMIT says so."""
    users = ONE.user.__table__

    def rename(session: Session, key: int) -> None:
        session.execute(update(users).where(users.c.id == key).values(name="mine"))

    with Session(engine) as other, Session(engine) as session:
        # MariaDB lets go who has changed less.
        other.execute(insert(users), [{"id": key, "name": "many"} for key in range(100, 200)])
        rename(other, 5)
        rename(session, 6)
        waits = Thread(target=rename, args=(other, 6))
        waits.start()
        time.sleep(0.3)
        with pytest.raises(OperationalError):
            ONE.graph(session).follow(3, 5)
        waits.join()
        with pytest.raises(HalfDoneError):
            session.commit()
        session.rollback()
        rename(session, 7)
        session.commit()
        other.commit()
    with Session(engine) as session:
        assert [session.get_one(ONE.user, key).name for key in (5, 6, 7)] == ["mine"] * 3


@pytest.mark.parametrize("stop", [Stop(0, AFTER), Stop(1, BEFORE), Stop(1, AFTER)], ids=["it", "before", "after"])
def test_a_bulk_statement_whose_consequences_fail(engine: Engine, stop: Stop) -> None:
    """Its rows would be gone, and still be counted."""
    with Session(engine) as session:
        follow(session, 2, 3)
        session.commit()
        stop.said.clear()
        with stop.on(session.connection()), suppress(StoppedError, OperationalError):
            session.execute(delete(ONE.follow))
            raise AssertionError
        with pytest.raises(HalfDoneError):
            session.commit()
    assert audit(engine, ONE, counted=[1, 2, 3]) == {(1, 2), (1, 3)}


def test_a_bulk_statement_that_fails_itself_dooms_nothing(engine: Engine) -> None:
    """It is the caller's own."""
    with Session(engine) as session:
        follow(session, 2)
        with Stop(0, BEFORE).on(session.connection()), pytest.raises(OperationalError):
            session.execute(delete(ONE.follow))
        session.commit()
    assert audit(engine, ONE, counted=[1, 2]) == {(1, 2)}


# --- What dooms nothing --------------------------------------------------------------------------

PRIVATE = declare(
    "Follow",
    "FollowCount",
    "FollowRequest",
    "Block",
    "Mute",
    "FollowEvent",
    settings=Settings(max_following=2),
    flags=("locked",),
    prefix="private_",
)


def test_errors_that_come_before_a_change_doom_nothing(engine: Engine) -> None:
    """What the caller did before is committed, and verbs go on."""
    PRIVATE.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([PRIVATE.user(id=number) for number in range(1, 7)])
        session.flush()
        graph = PRIVATE.graph(session)
        graph.block(1, 2)
        graph.follow(3, 4)
        graph.follow(3, 5)
        errors: list[tuple[type[RetinueError], Callable[[], Any]]] = [
            (BlockedError, lambda: graph.follow(2, 1)),
            (LimitError, lambda: graph.follow(3, 6)),
            (SelfFollowError, lambda: graph.follow(1, 1)),
            (UnknownUserError, lambda: graph.follow(1, 99)),
            (UnknownUserError, lambda: graph.unfollow(1, 99)),
            (UnknownUserError, lambda: graph.block(99, 1)),
            (UnknownUserError, lambda: graph.mute(1, 99)),
            (UnknownUserError, lambda: graph.accept(1, 99)),
        ]
        for kind, call in errors:
            with pytest.raises(kind):
                call()
            with session.begin_nested(), pytest.raises(kind):
                call()
        graph.follow(5, 6)
        session.commit()
        assert graph.is_following(5, 6)


def test_a_first_statement_that_fails_dooms_nothing(engine: Engine) -> None:
    """Nothing has changed by then."""
    with Session(engine) as session:
        follow(session, 2)
        with Stop(0, BEFORE).on(session.connection()), pytest.raises(OperationalError):
            follow(session, 3)
        follow(session, 4)
        session.commit()
    assert audit(engine, ONE, counted=[1, 2, 4]) == {(1, 2), (1, 4)}


def test_an_error_of_the_callers_own_dooms_nothing(engine: Engine) -> None:
    """Only a call of the library's is a whole."""
    with Session(engine) as session:
        follow(session, 2)
        with suppress(IntegrityError), session.begin_nested():
            session.execute(insert(ONE.user.__table__), {"id": 1, "name": "another"})
        session.commit()
    assert audit(engine, ONE, counted=[1, 2]) == {(1, 2)}


def test_a_unit_of_work_that_catches_is_told(engine: Engine) -> None:
    """What transact() is given may catch what it likes: its COMMIT says that something is half done."""
    with pytest.raises(HalfDoneError):
        transact(lambda: Session(engine), fail)
    assert edges(engine, ONE) == set()


def test_nothing_is_held_when_it_is_over(engine: Engine) -> None:
    """Neither the connection nor the session stays in memory for it."""
    session = Session(engine)
    fail(session)
    kept: list[weakref.ref[Any]] = [weakref.ref(session), weakref.ref(session.connection())]
    session.close()
    del session
    gc.collect()
    assert [one() for one in kept] == [None, None]
