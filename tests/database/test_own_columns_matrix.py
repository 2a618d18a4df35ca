"""
Columns of the application's own on every model, of every kind, filled by everything that makes a row.

What SQLAlchemy does for a row that the application adds, a verb does for each of its rows.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, String, delete, func, insert, select
from sqlalchemy.orm import Session, mapped_column, sessionmaker

from retinue import Graph, Settings, fanout
from retinue.doctor import drift, recount
from retinue.transfer import import_follows
from tests.database.models_own import KEYS, KINDS, KINDS_OF_POSTGRESQL, OwnModels, declare, faults, of_every_kind

#: How many people there are.
PEOPLE = 14


def fill(engine: Engine, models: OwnModels) -> None:
    """Let everything that makes rows make some: each verb, the import, the fan-out, the doctor, and the ORM."""
    account, of = models.user, models.of
    sessions = sessionmaker(engine)
    with sessions.begin() as session:
        session.add(models.shop(id=1))
        session.add_all([account(id=key) for key in range(1, PEOPLE + 1)])
    with sessions.begin() as session:
        graph = Graph(session, account)
        session.get_one(account, 1).locked = True
        for other in range(2, 7):
            assert graph.follow(other, 1)
        assert graph.accept(1, 2)
        assert graph.accept_all(1) == 4
        assert graph.follow(7, 1)
        assert graph.follow(8, 1)
        assert graph.unlock(1) == 2
        for other in range(3, 9):
            assert graph.follow(2, other)
        assert graph.unfollow(2, 8)
        session.get_one(account, 9).locked = True
        assert graph.follow(3, 9)
        assert graph.mute(2, 3)
        assert graph.dismiss(2, 9)
        assert graph.follow(4, 2)
        assert graph.block(2, 4)
        assert graph.unblock(2, 4, restore=True)
        assert graph.is_following(4, 2)
        assert graph.block(5, 6)
    with sessions.begin() as session:
        for reader in (2, 3, 4):
            Graph(session, account).mark_active(reader)
    fanout.work(engine, account)
    with sessions.begin() as session:
        session.add_all([models.post(id=number, author_id=4, made_at=datetime.now(UTC)) for number in (1, 2, 3)])
        session.add(models.post(id=4, author_id=1, made_at=datetime.now(UTC)))
    fanout.work(engine, account)
    assert import_follows(engine, account, [(10, 11), (10, 12), (11, 12, datetime(2020, 1, 1, tzinfo=UTC))]).added == 3
    with sessions.begin() as session:
        session.add(of["Follow"](follower_id=12, following_id=10))
        if engine.dialect.name != "mariadb":  # which does not say what a bulk insert changed
            session.execute(insert(of["Follow"]), [{"follower_id": 12, "following_id": 11}])
    with sessions.begin() as session:
        # Nobody is counted any more: who goes leaves neighbours who are to be, and the others are counted anew.
        session.execute(delete(of["FollowCount"]))
        session.delete(session.get_one(account, 8))
        assert Graph(session, account).follow(13, 10)
    recount(engine, account)


def rows_of(session: Session, model: type[Any]) -> list[dict[str, Any]]:
    """Return all rows of *model*, by the keys of their columns."""
    table = model.__table__
    return [dict(zip(table.columns.keys(), row, strict=True)) for row in session.execute(select(table))]


def test_columns_of_every_kind_are_filled_in_every_table(engine: Engine) -> None:
    """Each row has its own value in each column, as its default makes it; and nothing else is wrong."""
    judge(engine, declare(of_every_kind), *KINDS)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("database", "kind"),
    [
        # What the library writes differs from one kind to the next, and hardly from one engine to the next.
        pytest.param(database, kind, marks=() if database == "sqlite" else pytest.mark.long)
        for database in ("sqlite", "postgresql", "mariadb")
        for kind in KINDS
    ],
    indirect=["database"],
)
def test_columns_of_one_kind_are_filled_in_every_table(engine: Engine, kind: str) -> None:
    """The same where there is no other: what one kind needs does not bring another its value."""
    judge(engine, declare(KINDS[kind]), kind)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("kind", KINDS_OF_POSTGRESQL)
def test_columns_that_a_sequence_fills_are_filled_in_every_table(engine: Engine, kind: str) -> None:
    """The same, for what of the three databases only PostgreSQL has beside the primary key."""
    judge(engine, declare(KINDS_OF_POSTGRESQL[kind]), kind)


def test_rows_of_counts_that_are_spread_over_slots_have_their_own_columns(engine: Engine) -> None:
    """The same, where a user has several count rows."""
    judge(engine, declare(KINDS["context"], Settings(counter_slots=4)), "context")


def judge(engine: Engine, models: OwnModels, *kinds: str) -> None:
    """Fill every table, and look at every row; and that the numbers of followers are right."""
    models.metadata.create_all(engine)

    fill(engine, models)

    with Session(engine) as session:
        for name, model in models.of.items():
            rows = rows_of(session, model)
            assert len(rows) > 1 or name in ("Mute", "Block", "FollowRequest", "DismissedSuggestion")
            assert rows
            assert [faults(kind, name, rows) for kind in kinds] == [[]] * len(kinds)
            assert session.scalars(select(model)).unique().all()
        follow, count = models.of["Follow"], models.of["FollowCount"]
        counted = select(count.user_id, func.sum(count.followers)).group_by(count.user_id)
        stored = {user: int(number) for user, number in session.execute(counted)}
        edges = select(follow.following_id, func.count()).group_by(follow.following_id)
        followers = {user: number for user, number in session.execute(edges)}  # noqa: C416 - a result is no mapping
        assert {user: number for user, number in stored.items() if number} == followers
    assert drift(engine, models.user).wrong == 0


def test_the_keys_of_the_tables_are_those_of_the_models() -> None:
    """What the tests say about primary keys is so, but for the time in that of an entry."""
    models = declare(lambda _name: {})

    for name, key in KEYS.items():
        columns = [column.key for column in models.of[name].__table__.primary_key]
        assert [column for column in columns if column != "timestamp"] == list(key)


def test_a_default_finds_what_nobody_has_filled(engine: Engine) -> None:
    """As in a row that the ORM inserts: columns that have no value are there, and None."""
    found: list[set[str]] = []

    def look(context: Any) -> str:
        row = context.get_current_parameters()
        found.append({key for key, value in row.items() if value is None})
        return "seen"

    def extra(_name: str) -> dict[str, Any]:
        return {"remark": mapped_column(String(10)), "seen": mapped_column(String(10), default=look)}

    models = declare(extra)
    models.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add_all([models.user(id=key) for key in range(1, 5)])
        session.get_one(models.user, 1).locked = True
        graph = Graph(session, models.user)
        for other in (2, 3):
            assert graph.follow(other, 1)
        assert graph.accept_all(1) == 2
        assert graph.follow(2, 3)
        assert graph.mute(2, 3)
        assert graph.block(2, 3)

    assert len(found) > 10
    assert all("remark" in empty for empty in found)
