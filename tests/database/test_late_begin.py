"""On PostgreSQL, what only reads begins no transaction; and nothing that could tell is without one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from retinue import AsyncGraph, prepare_engine
from tests.database.graph_models import ONE, edges, populate
from tests.database.test_routing import MODELS, READS

pytestmark = [
    pytest.mark.tables(ONE.metadata),
    pytest.mark.parametrize("database", ["postgresql"], indirect=True),
]

#: Requests that each make a session: more than psycopg waits for before it prepares a statement.
REQUESTS = 8


@pytest.fixture
def one(engine: Engine) -> Iterator[Engine]:
    """Give an engine of one connection, on a database with five people."""
    populate(engine, ONE, 5)
    with engine_of_one(engine) as own:
        yield own


@contextmanager
def engine_of_one(engine: Engine, **options: Any) -> Iterator[Engine]:
    """Give another engine on the database of *engine*, with one connection."""
    own = prepare_engine(create_engine(engine.url, pool_size=1, max_overflow=0, **options))
    yield own
    own.dispose()


def number_of(session: Session) -> int:
    """Return the number by which the server knows the session's connection."""
    driver: Any = session.connection().connection.driver_connection
    return int(driver.info.backend_pid)


def state_of(watcher: Engine, number: int) -> str:
    """Return what the server says that a connection is at."""
    with watcher.connect() as connection:
        asked = text("SELECT state FROM pg_stat_activity WHERE pid = :number")
        return str(connection.execute(asked, {"number": number}).scalar_one())


def in_transaction(session: Session) -> bool:
    """Return whether the driver has begun one."""
    driver: Any = session.connection().connection.driver_connection
    return bool(driver.info.transaction_status)


def test_a_session_for_each_request_keeps_what_is_prepared(one: Engine) -> None:
    """The driver forgets it at ROLLBACK, and asks the server to; so nothing is rolled back that has only read."""
    for _ in range(REQUESTS):
        with Session(one) as session:
            session.get(ONE.user, 1)
            graph = ONE.graph(session)
            assert not graph.is_following(1, 2)
            graph.counts([1])
            graph.followers(1, viewer=2)
    with one.connect() as connection:
        prepared = connection.exec_driver_sql("SELECT statement FROM pg_prepared_statements").scalars().all()
    assert len(prepared) == 4, prepared


def test_a_request_sends_what_it_asks_and_nothing_else(one: Engine, tmp_path: Path) -> None:
    """One message for a question, whatever it takes to make a session and to give its connection back."""
    sent = tmp_path / "sent"
    with sent.open("wb") as file:
        for _ in range(REQUESTS):
            with Session(one) as session:
                driver: Any = session.connection().connection.driver_connection
                driver.pgconn.trace(file.fileno())
                ONE.graph(session).is_following(1, 2)
        driver.pgconn.untrace()
    messages = [line.split("\t")[3] for line in sent.read_text().splitlines() if "\tF\t" in line]
    assert messages.count("Sync") == REQUESTS + 1  # one of them prepares the question first
    assert "Query" not in messages  # such as BEGIN, ROLLBACK and DEALLOCATE ALL


@pytest.mark.tables(MODELS.metadata)
@pytest.mark.parametrize("read", READS)
def test_no_read_of_the_graph_begins_a_transaction(engine: Engine, read: str) -> None:
    """Not one statement of theirs is such that it could not be sent alone."""
    with Session(engine) as session:
        READS[read](MODELS.graph(session))
        assert not in_transaction(session)


def test_a_session_that_has_read_keeps_no_transaction_open(one: Engine, engine: Engine) -> None:
    """The server waits for nothing, however long it stays."""
    with Session(one) as session:
        assert session.get_one(ONE.user, 1).name == "user 1"
        assert ONE.graph(session).counts([1])
        assert state_of(engine, number_of(session)) == "idle"
        ONE.graph(session).follow(1, 2)
        assert ONE.graph(session).is_following(1, 2)
        assert state_of(engine, number_of(session)) == "idle in transaction"
        session.rollback()
    assert edges(engine, ONE) == set()


def test_what_is_written_after_a_read_is_one_transaction(one: Engine, engine: Engine) -> None:
    """Also in savepoints, and as text."""
    with Session(one) as session:
        graph = ONE.graph(session)
        graph.is_following(1, 2)
        session.execute(text("UPDATE users SET name = 'x'"))
        with session.begin_nested() as point:
            graph.follow(1, 2)
            point.rollback()
        graph.follow(1, 3)
        session.rollback()
        graph.is_following(1, 2)
        with session.begin_nested():
            graph.follow(2, 3)
        session.commit()
        assert session.get_one(ONE.user, 1).name == "user 1"
    assert edges(engine, ONE) == {(2, 3)}


@pytest.mark.parametrize(
    "statement", ["SELECT set_config('retinue.tenant', '7', true)", "SET LOCAL retinue.tenant = 7"]
)
def test_what_holds_for_a_transaction_does(one: Engine, statement: str) -> None:
    """As what row-level security asks for."""
    with Session(one) as session:
        session.get(ONE.user, 1)
        session.execute(text(statement))
        session.get(ONE.user, 2)
        assert session.scalar(text("SELECT current_setting('retinue.tenant', true)")) == "7"


def test_a_time_of_the_transaction_stays(one: Engine) -> None:
    """Each of its statements has the same."""
    with Session(one) as session:
        assert session.scalar(select(func.now())) == session.scalar(select(func.now()))


def test_a_lock_is_held(one: Engine, engine: Engine) -> None:
    """To the end of the transaction."""
    with Session(one) as session, Session(engine) as other:
        session.get(ONE.user, 1, with_for_update=True)
        with pytest.raises(DBAPIError):
            other.get(ONE.user, 1, with_for_update={"nowait": True})


def test_a_cursor_of_the_server_has_its_transaction(one: Engine) -> None:
    """Rows that come in parts."""
    with Session(one) as session:
        streamed = session.scalars(select(ONE.user.id).order_by(ONE.user.id).execution_options(yield_per=2))
        assert list(streamed) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "options",
    [
        {"isolation_level": "REPEATABLE READ"},
        {"connect_args": {"options": "-c default_transaction_isolation=serializable"}},
    ],
)
def test_a_snapshot_is_that_of_the_transaction(engine: Engine, options: dict[str, Any]) -> None:
    """Whoever wants it, of SQLAlchemy or of the server."""
    populate(engine, ONE, 5)
    with engine_of_one(engine, **options) as own, Session(own) as session:
        assert not ONE.graph(session).is_following(1, 2)
        with Session(engine) as other:
            ONE.graph(other).follow(1, 2)
            other.commit()
        assert not ONE.graph(session).is_following(1, 2)
        session.rollback()
        assert ONE.graph(session).is_following(1, 2)


def test_a_level_of_one_transaction_is_its_own(one: Engine, engine: Engine) -> None:
    """The next on the same connection is as before; so is one in AUTOCOMMIT."""
    for level, waits in {"SERIALIZABLE": True, "READ COMMITTED": False, "AUTOCOMMIT": False}.items():
        with Session(one) as session:
            session.connection(execution_options={"isolation_level": level})
            session.get(ONE.user, 1)
            assert in_transaction(session) == waits
            session.execute(text(f"UPDATE users SET name = '{level}' WHERE id = 1"))
        with Session(one) as session:
            assert session.get_one(ONE.user, 1).name == ("AUTOCOMMIT" if level == "AUTOCOMMIT" else "user 1")
            assert not in_transaction(session)


def test_two_phases_are_as_ever(one: Engine) -> None:
    """The driver may begin them by itself."""
    with one.connect() as connection:
        with connection.begin_twophase() as transaction:
            connection.execute(select(ONE.user.id)).all()
            connection.execute(text("UPDATE users SET name = 'x'"))
            transaction.rollback()
        assert connection.scalar(select(ONE.user.name).where(ONE.user.id == 1)) == "user 1"


def test_a_read_that_fails_leaves_the_connection_as_it_was(one: Engine) -> None:
    """What is written next is in a transaction."""
    with Session(one) as session:
        with pytest.raises(DBAPIError):
            session.execute(text("SELECT nothing FROM users"))
        session.rollback()
        session.execute(text("UPDATE users SET name = 'x'"))
        assert in_transaction(session)
        session.rollback()
        assert session.get_one(ONE.user, 1).name == "user 1"


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_it_is_the_same_with_async_drivers(engine: Engine, driver: str) -> None:
    """With both."""
    populate(engine, ONE, 5)

    async def read_and_write() -> tuple[str, str]:
        own = prepare_engine(create_async_engine(engine.url.set(drivername=f"postgresql+{driver}")))
        number = text("SELECT pid FROM pg_stat_activity WHERE pid = pg_backend_pid()")
        async with AsyncSession(own) as session:
            pid = (await session.scalars(number)).one()
            await session.rollback()
            graph = AsyncGraph(session, ONE.user)
            assert not await graph.is_following(1, 2)
            before = state_of(engine, pid)
            await graph.follow(1, 2)
            assert await graph.is_following(1, 2)
            after = state_of(engine, pid)
            await session.rollback()
            assert not await graph.is_following(1, 2)
        await own.dispose()
        return before, after

    assert asyncio.run(read_and_write()) == ("idle", "idle in transaction")
    assert edges(engine, ONE) == set()
