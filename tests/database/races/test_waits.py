"""Who waits for nobody, and a wait that ends badly; SQLite has one lock for all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, create_engine, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from retinue import HalfDoneError, prepare_engine
from retinue.retry import is_retriable
from tests.database.graph_models import ONE, audit, befriend, populate

pytestmark = pytest.mark.tables(ONE.metadata)


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_deletion_locks_no_strangers(engine: Engine) -> None:
    """While a user is being deleted, those who have nothing to do with them follow without waiting."""
    ids = populate(engine, ONE, 400)
    befriend(engine, ONE, [(a, b) for a in ids[10:60] for b in ids[60:100]])
    friends = [(1, 2), (3, 1), (5, 6), (7, 8)]
    befriend(engine, ONE, friends)
    table = ONE.count.__table__
    with engine.begin() as connection:
        connection.execute(insert(table), [{"user_id": i, "slot": 0, "followers": 0, "following": 0} for i in ids])
        connection.execute(text("ANALYZE TABLE follows, follow_counts" if is_mariadb(engine) else "ANALYZE"))
    with Session(engine) as session, Session(engine) as other:
        session.delete(session.get(ONE.user, 1))
        session.flush()
        other.execute(text("SET innodb_lock_wait_timeout = 1" if is_mariadb(engine) else "SET lock_timeout = '1s'"))
        assert ONE.graph(other).follow(200, 201)
        assert ONE.graph(other).unfollow(5, 6)
        other.commit()
        session.commit()


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_wait_that_times_out(engine: Engine) -> None:
    """A follow whose counting waits too long cannot be committed without it, also by who ignores the error."""
    populate(engine, ONE, 4)
    befriend(engine, ONE, [(3, 2)])
    with Session(engine) as holder, Session(engine) as session:
        assert ONE.graph(session).follow(4, 2)
        session.commit()
        table = ONE.count.__table__
        holder.execute(select(table).where(table.c.user_id == 2).with_for_update()).all()
        session.execute(text("SET innodb_lock_wait_timeout = 0" if is_mariadb(engine) else "SET lock_timeout = 50"))
        with pytest.raises(DBAPIError) as caught:
            ONE.graph(session).follow(1, 2)
        assert is_retriable(caught.value)
        with pytest.raises(HalfDoneError):
            session.commit()
        session.rollback()
        assert audit(engine, ONE) == {(3, 2), (4, 2)}
        holder.rollback()
        assert ONE.graph(session).follow(1, 2)
        session.commit()
    assert audit(engine, ONE, counted=[1, 2]) == {(1, 2), (3, 2), (4, 2)}


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
def test_snapshots_that_the_server_would_check(engine: Engine) -> None:
    """On a MariaDB that checks snapshots, as newer ones do by default, a prepared engine counts all the same."""
    populate(engine, ONE, 4)
    checks = "SET GLOBAL innodb_snapshot_isolation = {}"
    with engine.connect() as connection:
        connection.execute(text(checks.format("ON")))
    try:
        with engine_of_its_own(engine) as prepared, Session(prepared) as one, Session(prepared) as two:
            for session in (one, two):
                session.get(ONE.user, 2)
            assert ONE.graph(one).follow(1, 2)
            one.commit()
            assert ONE.graph(two).follow(3, 2)
            two.commit()
    finally:
        with engine.connect() as connection:
            connection.execute(text(checks.format("OFF")))
    assert audit(engine, ONE, counted=[1, 2, 3]) == {(1, 2), (3, 2)}


@contextmanager
def engine_of_its_own(engine: Engine) -> Iterator[Engine]:
    """Give another prepared engine on the same database."""
    other = prepare_engine(create_engine(engine.url))
    yield other
    other.dispose()


def is_mariadb(engine: Engine) -> bool:
    return engine.dialect.name in ("mysql", "mariadb")
