"""Where a call goes is found once for a transaction or savepoint, and anew where the session may have changed it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import IntegrityError, PendingRollbackError
from sqlalchemy.orm import Session

from retinue import NotWritableError, prepare_engine
from retinue.testing import count_statements
from retinue.work import routing
from tests.database.graph_models import ONE, edges, populate

pytestmark = pytest.mark.tables(ONE.metadata)


@pytest.fixture(autouse=True)
def _people(engine: Engine) -> None:
    populate(engine, ONE, 5)


def test_a_savepoint_that_is_rolled_back_takes_its_verbs_along(engine: Engine) -> None:
    """Also where the transaction was used before it, and whatever is read after it."""
    with Session(engine) as session:
        graph = ONE.graph(session)
        assert not graph.is_following(1, 2)
        with session.begin_nested() as outer:
            graph.follow(1, 2)
            with session.begin_nested() as inner:
                graph.follow(1, 3)
                inner.rollback()
            assert graph.is_following(1, 2)
            assert not graph.is_following(1, 3)
            outer.rollback()
        assert not graph.is_following(1, 2)
        graph.follow(1, 4)
        session.commit()
    assert edges(engine, ONE) == {(1, 4)}


def test_a_session_with_one_database_is_known_by_what_sqlalchemy_keeps(engine: Engine) -> None:
    """In an attribute that has no public name: without it each new session would be asked about every class."""
    assert routing._has_one_bind(Session(engine))
    for several in (Session(binds={ONE.user: engine}), Session(engine, binds={ONE.user: engine})):
        assert not routing._has_one_bind(several)


def test_each_transaction_of_a_session_has_its_connection(engine: Engine) -> None:
    """After COMMIT, ROLLBACK and `close()`, and all of them were given back."""
    with Session(engine) as session:
        graph = ONE.graph(session)
        for end in (session.commit, session.rollback, session.close):
            assert not graph.is_following(1, 2)
            assert session.in_transaction()
            before = session.connection()
            end()
            assert before.closed
            graph.follow(1, 3)
            session.rollback()
    assert edges(engine, ONE) == set()


def test_a_session_that_wants_a_rollback_says_so(engine: Engine) -> None:
    """As for any query, and also where it has answered before."""
    with Session(engine) as session:
        graph = ONE.graph(session)
        graph.is_following(1, 2)
        session.add(ONE.user(id=1, name="again"))
        with pytest.raises(IntegrityError):
            session.flush()
        with pytest.raises(PendingRollbackError):
            graph.is_following(1, 2)
        session.rollback()
        assert not graph.is_following(1, 2)


def test_a_session_in_autocommit_takes_no_verbs(engine: Engine) -> None:
    """Although the transactions before it did."""
    with Session(engine) as session:
        graph = ONE.graph(session)
        graph.follow(1, 2)
        session.commit()
        session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        assert graph.is_following(1, 2)
        for _ in range(2):
            with pytest.raises(NotWritableError):
                graph.follow(1, 3)
    with Session(engine.execution_options(isolation_level="AUTOCOMMIT")) as session:
        assert ONE.graph(session).is_following(1, 2)
        with pytest.raises(NotWritableError):
            ONE.graph(session).follow(1, 3)


def test_a_session_may_change_its_mind_at_each_call(engine: Engine) -> None:
    """As one that is told where to read from."""
    other = prepare_engine(create_engine(engine.url))
    where = [engine]

    class Told(Session):
        def get_bind(self, *_args: Any, **_options: Any) -> Engine:
            return where[0]

    with Told() as session, count_statements(other) as there, count_statements(engine) as here:
        graph = ONE.graph(session)
        graph.is_following(1, 2)
        where[0] = other
        graph.is_following(1, 2)
        graph.is_following(1, 2)
        where[0] = engine
        graph.is_following(1, 2)
    assert (len(here), len(there)) == (2, 2)
    other.dispose()
