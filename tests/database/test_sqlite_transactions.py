"""SQLite's transactions on every pool, also where the application begins them: the driver knows whether there is one."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, NullPool, QueuePool, StaticPool, create_engine, event, select, text
from sqlalchemy.orm import Session

from retinue import prepare_engine
from tests.database.graph_models import ONE, audit, edges, populate

#: How an engine may keep its connections; FILE stands for a path.
POOLS: dict[str, tuple[str, dict[str, Any]]] = {
    "static": ("sqlite://", {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}),
    "memory": ("sqlite://", {}),
    "file": ("sqlite:///FILE", {}),
    "file, no pool": ("sqlite:///FILE", {"poolclass": NullPool}),
    "shared cache": ("sqlite:///file:FILE?mode=memory&cache=shared&uri=true", {"poolclass": QueuePool}),
}
if sys.version_info >= (3, 12):
    POOLS["file, autocommit=False"] = ("sqlite:///FILE", {"connect_args": {"autocommit": False}})


def begin_by_event(engine: Engine) -> None:
    """Let SQLAlchemy send BEGIN, by the recipe of its documentation."""

    def no_begin_of_the_drivers(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    event.listen(engine, "connect", no_begin_of_the_drivers)
    event.listen(engine, "begin", begin)


STEPS: dict[str, tuple[Callable[[Engine], object], ...]] = {
    "alone": (prepare_engine,),
    "twice": (prepare_engine, prepare_engine),
    "after the recipe": (begin_by_event, prepare_engine),
    "before the recipe": (prepare_engine, begin_by_event),
}


@pytest.fixture(params=STEPS)
def steps(request: pytest.FixtureRequest) -> tuple[Callable[[Engine], object], ...]:
    """Give how an engine is prepared."""
    return STEPS[request.param]


@pytest.fixture(params=POOLS)
def prepared(
    request: pytest.FixtureRequest, steps: tuple[Callable[[Engine], object], ...], tmp_path: Path
) -> Iterator[Engine]:
    """Give an engine with five people in its database."""
    url, options = POOLS[request.param]
    engine = create_engine(url.replace("FILE", str(tmp_path / "people.sqlite3")), **options)
    for step in steps:
        step(engine)
    populate(engine, ONE, 5)
    yield engine
    engine.dispose()


def driver_of(session: Session) -> sqlite3.Connection:
    """Return the driver's connection."""
    connection: Any = session.connection().connection.driver_connection
    assert isinstance(connection, sqlite3.Connection)
    return connection


def test_a_rollback_takes_back_what_was_done_and_nothing_else(prepared: Engine) -> None:
    """Whatever was read before, and in savepoints of the session and as text."""
    with Session(prepared) as session:
        session.scalars(select(ONE.user)).all()
        graph = ONE.graph(session)
        graph.follow(1, 2)
        session.rollback()
        graph.follow(1, 3)
        with session.begin_nested() as point:
            graph.follow(1, 4)
            point.rollback()
        session.commit()
        session.scalars(select(ONE.user)).all()
        with session.begin_nested() as point:
            graph.follow(2, 1)
            point.rollback()
        graph.follow(2, 3)
        session.execute(text("SAVEPOINT mine"))
        graph.follow(2, 4)
        session.execute(text("ROLLBACK TO mine"))
        session.commit()
        session.execute(
            text("WITH one AS (SELECT 5 AS id) UPDATE users SET name = 'x' WHERE id IN (SELECT id FROM one)")
        )
        session.rollback()
        assert session.get_one(ONE.user, 5).name == "user 5"
    assert audit(prepared, ONE, counted=[1, 2, 3]) == {(1, 3), (2, 3)}


def test_another_session_that_begins_commits_nothing(prepared: Engine) -> None:
    """In memory it has the same connection; a session that is new on it leaves open what is open."""
    with Session(prepared) as one, Session(prepared) as other:
        ONE.graph(one).follow(1, 2)
        other.connection()
        assert driver_of(one).in_transaction
        one.rollback()
    assert edges(prepared, ONE) == set()


def test_one_reads_while_another_commits(prepared: Engine) -> None:
    """Who has read before writes what is true then."""
    with Session(prepared) as one:
        ONE.graph(one).counts([2])
        with Session(prepared) as other:
            ONE.graph(other).follow(1, 2)
            other.commit()
        ONE.graph(one).follow(3, 2)
        one.commit()
    assert audit(prepared, ONE, counted=[1, 2, 3]) == {(1, 2), (3, 2)}


def test_who_only_reads_holds_no_lock(prepared: Engine) -> None:
    """The transaction of the driver begins with the first write, and then with the lock."""
    begun: list[str] = []
    with Session(prepared) as session:
        event.listen(session.connection(), "after_cursor_execute", lambda *said: begun.append(said[2]))
        ONE.graph(session).counts([1, 2])
        assert not driver_of(session).in_transaction
        ONE.graph(session).follow(1, 2)
        assert driver_of(session).in_transaction
        session.commit()
    assert [said for said in begun if "BEGIN" in said] == ["BEGIN IMMEDIATE"]


@pytest.mark.parametrize("statement", ["SAVEPOINT mine", "BEGIN", "begin deferred transaction;", "BEGIN IMMEDIATE"])
@pytest.mark.parametrize("comment", ["", "/* of the application */ "])
def test_a_transaction_that_begins_with_a_text_goes_on(prepared: Engine, statement: str, comment: str) -> None:
    """What comes after it is part of it."""
    with Session(prepared) as session:
        session.execute(text(comment + statement))
        assert ONE.graph(session).follow(1, 2)
        session.rollback()
        session.execute(text(comment + statement))
        assert ONE.graph(session).follow(1, 3)
        session.commit()
    assert audit(prepared, ONE, counted=[1, 3]) == {(1, 3)}


@pytest.mark.parametrize("of_engine", [False, True])
def test_in_autocommit_it_is_as_with_sqlalchemy_alone(
    prepared: Engine, steps: tuple[Callable[[Engine], object], ...], of_engine: bool
) -> None:
    """Each statement is a transaction, but by the recipe; and the next who has the connection is in no such mode."""
    begins = begin_by_event in steps
    level = {"isolation_level": "AUTOCOMMIT"}
    engine = prepared.execution_options(**level) if of_engine else prepared
    with Session(engine) as session:
        session.connection(execution_options={} if of_engine else level)
        session.get_one(ONE.user, 1).name = "Ada"
        session.flush()
        assert driver_of(session).in_transaction == begins
    with Session(prepared) as session:
        assert session.get_one(ONE.user, 1).name == ("user 1" if begins else "Ada")
        ONE.graph(session).follow(1, 2)
        session.rollback()
    assert edges(prepared, ONE) == set()
