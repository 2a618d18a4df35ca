"""What an application's own ``do_orm_execute`` does about a bulk statement has its whole effect, once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event, insert, select, update
from sqlalchemy.orm import ORMExecuteState, Session

from retinue import NotWritableError
from tests.database.bulk_models import EDGES, PEOPLE, audit, declare, settle

TOWN = declare(mixins=True, own_columns=False)
PERSON, FOLLOW, NOTE = TOWN.person, TOWN.follow, TOWN.note


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """Give a session in the town; in the end counts and history agree with the rows."""
    with engine.begin() as connection:
        settle(connection, TOWN)
    with Session(engine) as session:
        yield session
        session.commit()
    with engine.connect() as connection:
        audit(connection, TOWN)


def people(session: Session) -> dict[int, str]:
    return {row.id: row.name for row in session.execute(select(PERSON.id, PERSON.name))}


NAMES = {key: name for key, _, _, name in PEOPLE}


def statement_of(model: type[Any]) -> Any:
    return delete(model).where((PERSON.id if model is PERSON else FOLLOW.follower_id) == 1)


@pytest.mark.parametrize("returning", [False, True])
def test_a_deletion_that_an_event_makes_an_update_is_an_update(session: Session, returning: bool) -> None:
    """As soft deletion does: the row stays, and so do the follows."""
    # On MariaDB an UPDATE returns nothing.
    returning = returning and session.connection().dialect.update_returning

    @event.listens_for(session, "do_orm_execute")
    def soften(state: ORMExecuteState) -> Any:
        if not state.is_delete:
            return None
        criteria: Any = state.statement
        softly = update(PERSON).where(criteria.whereclause).values(name="gone")
        return state.invoke_statement(softly.returning(PERSON.id) if returning else softly)

    result: Any = session.execute(delete(PERSON).where(PERSON.id == 1))
    assert result.scalars().all() == [1] if returning else result.rowcount == 1
    assert people(session) == NAMES | {1: "gone"}
    assert len(session.scalars(select(FOLLOW)).all()) == len(EDGES)


@pytest.mark.parametrize("model", [PERSON, FOLLOW])
@pytest.mark.parametrize("pending", [False, True])
def test_what_an_event_writes_is_written_once(session: Session, model: type[Any], pending: bool) -> None:
    calls = []

    @event.listens_for(session, "do_orm_execute")
    def note(state: ORMExecuteState) -> None:
        if state.is_delete:
            calls.append(state)
            if pending:
                state.session.add(NOTE(id=100 + len(calls), person_id=1))
            else:
                state.session.execute(insert(NOTE).values(id=100 + len(calls), person_id=1))

    session.execute(statement_of(model))
    session.flush()
    assert len(calls) == 1
    assert session.scalars(select(NOTE.id).where(NOTE.id > 100)).all() == [101]


@pytest.mark.parametrize("model", [PERSON, FOLLOW])
def test_what_an_event_makes_of_a_statement_is_what_is_counted(session: Session, model: type[Any]) -> None:
    """The event gives its own result: the statement runs with more criteria, or for other rows."""

    @event.listens_for(session, "do_orm_execute")
    def narrow(state: ORMExecuteState) -> Any:
        if not state.is_delete:
            return None
        statement: Any = state.statement
        key = PERSON.id if model is PERSON else FOLLOW.following_id
        return state.invoke_statement(statement.where(key == 1))

    result: Any = session.execute(delete(model))
    assert result.rowcount == (1 if model is PERSON else sum(followed == 1 for _, followed in EDGES))


def test_what_an_event_makes_uncountable_is_refused(session: Session) -> None:
    @event.listens_for(session, "do_orm_execute")
    def replace(state: ORMExecuteState) -> None:
        if state.is_insert:
            statement: Any = state.statement
            state.statement = statement.prefix_with("OR REPLACE")

    with pytest.raises(NotWritableError):
        session.execute(insert(FOLLOW), [{"follower_id": 1, "following_id": 3}])
    assert len(session.scalars(select(FOLLOW)).all()) == len(EDGES)


def test_an_event_that_refuses_leaves_everything(session: Session) -> None:
    class RefusedError(Exception):
        pass

    @event.listens_for(session, "do_orm_execute")
    def refuse(state: ORMExecuteState) -> None:
        if state.is_delete:
            raise RefusedError

    ada = session.get(PERSON, 1)
    with pytest.raises(RefusedError):
        session.execute(delete(PERSON))
    assert ada in session
    assert people(session) == NAMES
