"""A unit of work that is tried again: conflicts that the engines really report, and what is no conflict."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from typing import Literal

import pytest
from sqlalchemy import Engine, create_engine, event, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from retinue import Followed, SelfFollowError, listen, prepare_engine, retry, transact
from retinue.models import now
from tests.database.graph_models import HUNG, ONE, audit, crowd, populate

Sessions = Callable[[], Session]

SERVERS = ["postgresql", "mariadb"]
on_servers = pytest.mark.parametrize("database", SERVERS, indirect=True)
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
on_mariadb = pytest.mark.parametrize("database", ["mariadb"], indirect=True)

pytestmark = pytest.mark.tables(ONE.metadata)


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    """Make sessions, in a graph of six people."""
    populate(engine, ONE, 6)
    return sessionmaker(engine)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Collect how many seconds each pause would have been, instead of pausing."""
    taken: list[float] = []
    monkeypatch.setattr(time, "sleep", taken.append)
    return taken


@pytest.fixture
def busy(engine: Engine, sessions: sessionmaker[Session]) -> Iterator[Sessions]:
    """Make sessions that wait for nobody."""
    impatient = prepare_engine(create_engine(engine.url), busy_timeout=0)
    statement = {"postgresql": "SET lock_timeout = 1", "mariadb": "SET innodb_lock_wait_timeout = 0"}

    @event.listens_for(impatient, "begin")
    def wait_for_nobody(connection: Session) -> None:
        if engine.dialect.name in statement:
            connection.execute(text(statement[engine.dialect.name]))

    yield sessionmaker(impatient)
    impatient.dispose()


def rename(session: Session) -> None:
    """Write something that others may be in the way of."""
    user = session.get(ONE.user, 1)
    assert user is not None
    user.name += "!"


# --- A unit of work ------------------------------------------------------------------------------


def test_the_result_is_returned_after_the_commit(engine: Engine, sessions: sessionmaker[Session]) -> None:
    """What the function returns is returned, its work is committed, and its session has given back its connection."""
    used: list[Session] = []

    def work(session: Session) -> str:
        used.append(session)
        assert ONE.graph(session).follow(1, 2)
        return "done"

    assert transact(sessions, work) == "done"
    assert audit(engine, ONE, counted=[1, 2]) == {(1, 2)}
    assert len(used) == 1
    assert not used[0].in_transaction()
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("error", [ValueError("no"), SelfFollowError(1), KeyboardInterrupt()])
def test_errors_of_the_work_pass_at_once(
    engine: Engine, sessions: sessionmaker[Session], pauses: list[float], error: BaseException
) -> None:
    """An error that is none of the database's ends it at the first attempt, and takes back its work."""
    attempts = 0

    def work(session: Session) -> None:
        nonlocal attempts
        attempts += 1
        ONE.graph(session).follow(1, 2)
        raise error

    with pytest.raises(type(error)):
        transact(sessions, work)
    assert attempts == 1
    assert pauses == []
    assert audit(engine, ONE) == set()
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_errors_that_would_come_again_pass_at_once(
    engine: Engine, sessions: sessionmaker[Session], pauses: list[float]
) -> None:
    """A violated constraint is not tried again, nor is a statement that the database does not understand."""
    attempts = 0

    def twice(session: Session) -> None:
        nonlocal attempts
        attempts += 1
        session.execute(insert(ONE.user.__table__), {"id": 1, "name": "again"})

    with pytest.raises(IntegrityError):
        transact(sessions, twice)
    with pytest.raises(DBAPIError):
        transact(sessions, lambda session: session.execute(text("SELECT no_such_column FROM users")))
    assert attempts == 1
    assert pauses == []


def test_a_factory_that_hands_out_a_session_in_use_is_refused(sessions: sessionmaker[Session]) -> None:
    """A session that is already in a transaction is neither committed nor closed: it is somebody else's."""
    with sessions() as session:
        session.execute(select(1))
        with pytest.raises(ValueError, match="in use"):
            transact(lambda: session, rename)
        assert session.in_transaction()


def test_no_attempt_is_not_a_number_of_attempts(sessions: sessionmaker[Session]) -> None:
    """Zero attempts are a mistake of the caller's, not a success."""
    with pytest.raises(ValueError, match="attempts"):
        transact(sessions, rename, attempts=0)


# --- Conflicts -----------------------------------------------------------------------------------


@on_servers
@pytest.mark.parametrize("savepoint", [False, True])
def test_deadlocks_are_tried_again(engine: Engine, sessions: sessionmaker[Session], savepoint: bool) -> None:
    """Of two transactions that deadlock, also within a savepoint, one runs again: both are done, each told once."""
    met = threading.Barrier(2)
    runs = 0
    told: list[Followed] = []

    def work(first: tuple[int, int], second: tuple[int, int]) -> Callable[[Session], None]:
        attempts = 0

        def run(session: Session) -> None:
            nonlocal attempts, runs
            attempts += 1
            runs += 1
            ONE.graph(session).follow(*first)
            with session.begin_nested() if savepoint else nullcontext():
                if attempts == 1:
                    met.wait(HUNG)
                ONE.graph(session).follow(*second)

        return run

    stop = listen(ONE.user, Followed, told.append)
    with crowd(engine, ONE, 2) as them:
        jobs = [work((1, 2), (3, 4)), work((3, 4), (1, 2))]
        assert them.race(jobs, patient=True) == [None, None]
    stop()
    assert runs >= 3
    assert audit(engine, ONE, counted=[1, 2, 3, 4]) == {(1, 2), (3, 4)}
    assert sorted((event.follower_id, event.followed_id) for event in told) == [(1, 2), (3, 4)]


@on_postgresql
@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_serialization_failures_are_tried_again(engine: Engine, sessions: sessionmaker[Session], level: str) -> None:
    """A transaction that wants to change what changed after its snapshot runs again, and then sees it."""
    strict = sessionmaker(engine.execution_options(isolation_level=level))
    assert tried_again_after_a_change(strict, sessions) == 2


@on_postgresql
def test_serialization_failures_of_a_commit_are_tried_again(engine: Engine, sessions: sessionmaker[Session]) -> None:
    """Of two serializable transactions, each of which read what the other wrote, one runs again."""
    strict = engine.execution_options(isolation_level="SERIALIZABLE")
    met = threading.Barrier(2)
    runs = 0

    def unless_other(mine: int, other: int) -> Callable[[Session], bool]:
        attempts = 0

        def run(session: Session) -> bool:
            nonlocal attempts, runs
            attempts += 1
            runs += 1
            taken = ONE.graph(session).is_following(other, 6)
            if attempts == 1:
                met.wait(HUNG)
            if not taken:
                row = {"follower_id": mine, "following_id": 6, "timestamp": now()}
                session.execute(insert(ONE.follow.__table__), row)
            return taken

        return run

    with crowd(strict, ONE, 2) as them:
        assert {*them.race([unless_other(1, 2), unless_other(2, 1)], patient=True)} == {True, False}
    assert runs >= 3
    assert len(audit(engine, ONE)) == 1


@on_mariadb
def test_changes_since_a_checked_snapshot_are_tried_again(engine: Engine, sessions: sessionmaker[Session]) -> None:
    """The same where MariaDB checks snapshots, as its newer versions do by default."""
    strict = create_engine(engine.url)

    @event.listens_for(strict, "begin")
    def check(connection: Session) -> None:
        connection.execute(text("SET innodb_snapshot_isolation = ON"))

    assert tried_again_after_a_change(sessionmaker(strict), sessions) == 2
    strict.dispose()


@on_sqlite
def test_a_read_that_others_overtook_is_tried_again(engine: Engine, sessions: sessionmaker[Session]) -> None:
    """A transaction that is still reading an old state cannot write on SQLite; a new one can."""
    attempts = 0

    def work(session: Session) -> None:
        nonlocal attempts
        attempts += 1
        # Its first row is read, its last is not: until it is closed it holds on to what was there.
        people = select(ONE.user.id).execution_options(yield_per=1)
        with closing(session.execute(people)) as result:
            result.fetchone()
            if attempts == 1:
                transact(sessions, lambda other: ONE.graph(other).follow(1, 2))
            ONE.graph(session).follow(3, 2)

    transact(sessions, work)
    assert attempts == 2
    assert audit(engine, ONE, counted=[1, 2, 3]) == {(1, 2), (3, 2)}


def tried_again_after_a_change(strict: Sessions, sessions: Sessions) -> int:
    """Let a transaction change what another changed after its snapshot; return how often it ran."""
    attempts = 0

    def work(session: Session) -> None:
        nonlocal attempts
        attempts += 1
        user = session.get(ONE.user, 1)
        assert user is not None
        if attempts == 1:
            transact(sessions, rename)
        user.name += "?"

    transact(strict, work)
    with sessions() as session:
        user = session.get(ONE.user, 1)
        assert user is not None
        assert user.name == "user 1!?"
    return attempts


def test_it_goes_on_when_the_way_is_free(
    engine: Engine, sessions: sessionmaker[Session], busy: Sessions, pauses: list[float]
) -> None:
    """Whoever finds a lock taken, and may not wait for it, tries again until it is given back."""
    attempts = 0
    with sessions() as holder:
        rename(holder)
        holder.flush()

        def work(session: Session) -> None:
            nonlocal attempts
            attempts += 1
            if attempts == 4:
                holder.commit()
            rename(session)

        transact(busy, work)
    assert attempts == 4
    assert len(pauses) == 3
    with sessions() as session:
        user = session.get(ONE.user, 1)
        assert user is not None
        assert user.name == "user 1!!"


def test_it_gives_up_in_the_end(sessions: sessionmaker[Session], busy: Sessions, pauses: list[float]) -> None:
    """After the last attempt the database's own error comes out; the pauses between were random and grew."""
    attempts = 0

    def work(session: Session) -> None:
        nonlocal attempts
        attempts += 1
        rename(session)

    with sessions() as holder:
        rename(holder)
        holder.flush()
        with pytest.raises(DBAPIError) as caught:
            transact(busy, work, attempts=12)
    assert retry.is_retriable(caught.value)
    assert attempts == 12
    assert len(pauses) == 11
    assert len(set(pauses)) == 11
    for number, pause in enumerate(pauses, 1):
        assert 0 <= pause <= min(1.0, 0.01 * 2**number)
    assert max(pauses) > 0.02


@on_servers
def test_a_broken_connection_is_never_tried_again(
    engine: Engine, sessions: sessionmaker[Session], pauses: list[float]
) -> None:
    """If the server ends the connection, nobody knows what became of the work: the error comes out."""
    attempts = 0

    def work(session: Session) -> None:
        nonlocal attempts
        attempts += 1
        ONE.graph(session).follow(1, 2)
        own = "SELECT pg_backend_pid()" if engine.dialect.name == "postgresql" else "SELECT connection_id()"
        end = "SELECT pg_terminate_backend({})" if engine.dialect.name == "postgresql" else "KILL {}"
        number = session.execute(text(own)).scalar()
        with engine.connect() as other:
            other.execute(text(end.format(number)))
        ONE.graph(session).follow(3, 4)

    with pytest.raises(DBAPIError) as caught:
        transact(sessions, work)
    assert caught.value.connection_invalidated
    assert attempts == 1
    assert pauses == []
    assert audit(engine, ONE) == set()
    assert transact(sessions, lambda session: bool(ONE.graph(session).follow(1, 2)))


@pytest.mark.parametrize("mode", ["conditional_savepoint", "create_savepoint", "control_fully", "rollback_only"])
def test_a_unit_of_work_that_fails_leaves_nothing_in_the_transaction_that_it_joined(
    engine: Engine,
    mode: Literal["conditional_savepoint", "create_savepoint", "control_fully", "rollback_only"],
) -> None:
    """The session's rollback reaches as far as its way to join lets it."""

    def work(session: Session) -> None:
        ONE.graph(session).follow(1, 2)
        raise LookupError

    with engine.connect() as connection:
        transaction = connection.begin()
        with pytest.raises(LookupError):
            transact(lambda: Session(connection, join_transaction_mode=mode), work)
        assert transaction.is_active == (mode == "create_savepoint")
        if transaction.is_active:
            transaction.commit()
    assert audit(engine, ONE) == set()
