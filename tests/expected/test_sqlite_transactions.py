"""O: whether SQLite is in a transaction is kept in a flag, and not asked of the driver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import URL, Connection, create_engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from retinue import prepare_engine
from tests.expected.models import club

pytestmark = [
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
    pytest.mark.xfail(strict=True, raises=OperationalError, reason="O: a BEGIN of somebody else's is not seen"),
]


def begin_by_event(engine: Any) -> None:
    """Let SQLAlchemy send BEGIN, by the recipe of its documentation."""

    def no_begin_of_the_drivers(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    event.listen(engine, "connect", no_begin_of_the_drivers)
    event.listen(engine, "begin", begin)


@pytest.mark.parametrize("steps", [(begin_by_event, prepare_engine), (prepare_engine, begin_by_event)])
def test_the_recipe_for_begin_goes_with_a_prepared_engine(
    database: URL, steps: tuple[Callable[[Any], Any], ...]
) -> None:
    """Whichever came first."""
    engine = create_engine(database)
    for step in steps:
        step(engine)
    readers = club()
    try:
        ada, ben = readers.open(engine, "ada", "ben")
        with Session(engine) as session:
            assert readers.graph(session).follow(ada, ben)
            session.commit()
    finally:
        engine.dispose()


@pytest.mark.parametrize("statement", ["SAVEPOINT mine", "BEGIN"])
def test_a_transaction_that_begins_with_a_text_goes_on(database: URL, statement: str) -> None:
    """What comes after it is part of it."""
    engine = prepare_engine(create_engine(database))
    readers = club()
    try:
        ada, ben = readers.open(engine, "ada", "ben")
        with Session(engine) as session:
            session.execute(text(statement))
            assert readers.graph(session).follow(ada, ben)
            session.commit()
    finally:
        engine.dispose()
