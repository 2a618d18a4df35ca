"""Edges that raw SQL has made are not counted; when they go, no count is below zero."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Session

from retinue.effects.counts import rows
from retinue.engines.mariadb import MariaDB
from retinue.schema import schema_of
from tests.database.graph_models import MANY, ONE, befriend, populate
from tests.models import Models

pytestmark = pytest.mark.tables(ONE.metadata)


def leave(session: Session, model: type[Any], *keys: object) -> None:
    for key in keys:
        session.delete(session.get_one(model, key))


#: Ways for user 2, whose counts are there, to lose the unseen followers 3 and 4.
WAYS: dict[str, Callable[[Session, Models], object]] = {
    "unfollow": lambda session, models: [models.graph(session).unfollow(who, 2) for who in (3, 4)],
    "remove_follower": lambda session, models: [models.graph(session).remove_follower(2, who) for who in (3, 4)],
    "the session": lambda session, models: leave(session, models.follow, (3, 2), (4, 2)),
    "a bulk delete": lambda session, models: session.execute(
        delete(models.follow).where(models.follow.following_id == 2)
    ),
    "leaving": lambda session, models: leave(session, models.user, 3, 4),
}


def stored(engine: Engine, models: Models) -> dict[tuple[int, int], tuple[int, int]]:
    row = models.count.__table__.c
    with engine.connect() as connection:
        found = connection.execute(select(row.user_id, row.slot, row.followers, row.following))
        return {(user, slot): (followers, following) for user, slot, followers, following in found}


@pytest.mark.parametrize("way", WAYS)
def test_what_was_never_counted_takes_nothing_with_it(engine: Engine, way: str) -> None:
    """Where the count is too low to be lowered, it is zero; on either side."""
    populate(engine, ONE, 4)
    with Session(engine) as session:
        for pair in ((1, 2), (3, 1), (4, 1)):
            ONE.graph(session).follow(*pair)
        for pair in ((1, 2), (3, 1), (4, 1)):
            ONE.graph(session).unfollow(*pair)
        session.commit()
    assert set(stored(engine, ONE).values()) == {(0, 0)}
    befriend(engine, ONE, [(3, 2), (4, 2)])
    with Session(engine) as session:
        WAYS[way](session, ONE)
        session.commit()
    assert set(stored(engine, ONE).values()) == {(0, 0)}


def test_what_was_counted_is_lowered(engine: Engine) -> None:
    """As far as it goes, and no further."""
    populate(engine, ONE, 5)
    with Session(engine) as session:
        for who in (1, 5):
            ONE.graph(session).follow(who, 2)
        session.commit()
    befriend(engine, ONE, [(3, 2), (4, 2)])
    for who, left in ((3, 1), (4, 0), (5, 0), (1, 0)):
        with Session(engine) as session:
            assert ONE.graph(session).unfollow(who, 2)
            session.commit()
        assert stored(engine, ONE)[2, 0][0] == left


@pytest.mark.tables(MANY.metadata)
def test_one_slot_of_several_may_be_below_zero(engine: Engine) -> None:
    """Their sum counts: an application that goes back to one slot loses nothing."""
    few = schema_of(MANY.user).settings
    populate(engine, MANY, 30)
    with Session(engine) as session:
        for who in range(2, 31):
            MANY.graph(session).follow(who, 1)
        session.commit()
    object.__setattr__(few, "counter_slots", 1)
    try:
        with Session(engine) as session:
            for who in range(2, 31):
                MANY.graph(session).unfollow(who, 1)
            session.commit()
            assert MANY.graph(session).counts([1])[1].followers == 0
    finally:
        object.__setattr__(few, "counter_slots", 16)
    assert stored(engine, MANY)[1, 0][0] < 0


def test_mysql_reads_no_table_that_it_changes() -> None:
    """It would refuse the statement: there the count may be wrong, and the doctor finds it."""
    statement: Any = rows.add_to_count(schema_of(ONE.user), MariaDB(), True)
    dialect: Any = mysql.dialect()
    assert "other_slot" not in str(statement.compile(dialect=dialect))
    dialect.is_mariadb = True
    assert "other_slot" in str(statement.compile(dialect=dialect))
