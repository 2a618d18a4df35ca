"""
What the application's own columns refuse: a verb is then undone whole, and says why.

A row that is there already is one with the same primary key. A unique constraint of the
application's own is none of that: what it refuses is the error that SQLAlchemy alone would give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    Engine,
    Executable,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    select,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlalchemy.orm import Session, mapped_column, sessionmaker

from retinue import Graph, MappingError, Outcome
from retinue.doctor import drift
from retinue.engines import engine_of
from retinue.transfer import import_follows
from tests.database.models_own import OwnModels, declare
from tests.models import MIXINS

Verb = Callable[["Graph[Any]"], object]

#: What makes a row in each table, after `prepare()`.
VERBS: dict[str, dict[str, Verb]] = {
    "Follow": {
        "follow": lambda graph: graph.follow(6, 7),
        "accept": lambda graph: graph.accept(1, 2),
        "accept_all": lambda graph: graph.accept_all(1),
        "unlock": lambda graph: graph.unlock(1),
        "restore": lambda graph: graph.unblock(8, 9, restore=True),
    },
    "FollowRequest": {"ask": lambda graph: graph.follow(6, 1)},
    "FollowCount": {"first count": lambda graph: graph.follow(6, 7), "of many": lambda graph: graph.accept_all(1)},
    "FollowEvent": {
        "follow": lambda graph: graph.follow(6, 7),
        "unfollow": lambda graph: graph.unfollow(9, 4),
        "accept": lambda graph: graph.accept(1, 2),
        "accept_all": lambda graph: graph.accept_all(1),
        "reject_all": lambda graph: graph.reject_all(1),
        "block": lambda graph: graph.block(9, 4),
        "restore": lambda graph: graph.unblock(8, 9, restore=True),
        "unlock": lambda graph: graph.unlock(1),
    },
    "Notification": {
        "follow": lambda graph: graph.follow(6, 7),
        "ask": lambda graph: graph.follow(6, 1),
        "accept": lambda graph: graph.accept(1, 2),
        "accept_all": lambda graph: graph.accept_all(1),
        "unlock": lambda graph: graph.unlock(1),
    },
    "Block": {"block": lambda graph: graph.block(6, 7)},
    "Mute": {"mute": lambda graph: graph.mute(6, 7)},
    "DismissedSuggestion": {"dismiss": lambda graph: graph.dismiss(6, 7)},
}


class RefusedError(Exception):
    """What a default of the application's raises."""


class Stamp:
    """What fills the application's column: a number of its own for each row, until it is told otherwise."""

    def __init__(self) -> None:
        self.number = 0
        self.then: Callable[[], int] = self.next

    def next(self) -> int:
        """Return a number that nobody has."""
        self.number += 1
        return self.number

    def __call__(self) -> int:
        """Return what is to be in the column."""
        return self.then()

    def same(self) -> int:
        """Return the number that was given last: somebody has it."""
        return self.number


def prepare(engine: Engine, models: OwnModels) -> None:
    """Make ten people, two requests for the first, a block that cut an edge, and some rows of everything."""
    models.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add_all([models.user(id=key) for key in range(1, 11)])
        graph = Graph(session, models.user)
        session.get_one(models.user, 1).locked = True
        for follower in (2, 3, 4):
            assert graph.follow(follower, 1) is Outcome.REQUESTED
        assert graph.follow(8, 9)
        assert graph.block(8, 9)
        assert graph.follow(9, 4)
        assert graph.block(9, 10)
        assert graph.mute(9, 10)
        assert graph.dismiss(9, 10)


def everything(engine: Engine, models: OwnModels) -> dict[str, list[Any]]:
    """Return what is in every table that has a model."""
    with engine.connect() as connection:
        return {
            name: sorted(map(repr, connection.execute(select(model.__table__))))
            for name, model in [*models.of.items(), ("User", models.user)]
        }


#: What fills the column of each table.
STAMPS = {table: Stamp() for table in VERBS}


def stamped(name: str) -> dict[str, Any]:
    """Return the application's column for the model *name*: unique, and filled by its stamp."""
    if name not in STAMPS:
        return {}
    return {"stamp": mapped_column(Integer, default=STAMPS[name].__call__, unique=True, nullable=False)}


MODELS = declare(stamped)


@pytest.fixture
def stamps() -> Iterator[dict[str, Stamp]]:
    """Give the stamps, which give new numbers before and after a test."""
    yield STAMPS
    for stamp in STAMPS.values():
        stamp.then = stamp.next


@pytest.mark.tables(MODELS.metadata)
@pytest.mark.parametrize("table", VERBS)
def test_what_is_refused_changes_nothing(engine: Engine, table: str, stamps: dict[str, Stamp]) -> None:
    """Whether the database refuses a row or Python does, and whatever the caller does with the error."""
    stamp, models = stamps[table], MODELS
    prepare(engine, models)
    before = everything(engine, models)

    def nothing_at_all() -> int:
        raise RefusedError

    for name, run in VERBS[table].items():
        for refusal, error in ((stamp.same, IntegrityError), (nothing_at_all, StatementError)):
            stamp.then = refusal
            # The caller goes on, from a savepoint of theirs ...
            with Session(engine) as session, session.begin():
                with pytest.raises(error), session.begin_nested():
                    run(Graph(session, models.user))
                session.flush()
            assert everything(engine, models) == before, name
            # ... or without one, where the database lets them.
            if engine.dialect.name != "postgresql":
                with Session(engine) as session, session.begin(), pytest.raises(error):
                    run(Graph(session, models.user))
                assert everything(engine, models) == before, name
        stamp.then, there = stamp.next, stamp.number
        with Session(engine) as session:
            assert run(Graph(session, models.user)), name
        stamp.number = there  # rolled back
    assert drift(engine, models.user).wrong == 0


@pytest.mark.tables(MODELS.metadata)
def test_who_follows_already_is_not_refused(engine: Engine, stamps: dict[str, Stamp]) -> None:
    """The primary key says that the row is there, also if it would have met another row besides."""
    stamp, models = stamps["Follow"], MODELS
    prepare(engine, models)
    stamp.then = stamp.same

    with Session(engine) as session, session.begin():
        assert Graph(session, models.user).follow(9, 4) is Outcome.UNCHANGED
    report = import_follows(engine, models.user, [(9, 4)])
    assert (report.added, dict(report.skipped).popitem()[0].name) == (0, "DUPLICATE")


@pytest.mark.tables(MODELS.metadata)
@pytest.mark.parametrize("table", ["Follow", "FollowCount", "FollowEvent"])
@pytest.mark.parametrize("duplicate", [False, True], ids=["new", "beside a duplicate"])
def test_an_import_that_is_refused_takes_its_batch_back(
    engine: Engine, table: str, duplicate: bool, stamps: dict[str, Stamp]
) -> None:
    """It says what the database says, and calls nothing a duplicate that is none."""
    stamp, models = stamps[table], MODELS
    prepare(engine, models)
    before = everything(engine, models)
    stamp.then = stamp.same

    with pytest.raises(IntegrityError):
        import_follows(engine, models.user, [(6, 7), (7, 6), *([(9, 4)] if duplicate else [])])

    assert everything(engine, models) == before
    assert drift(engine, models.user).wrong == 0
    stamp.then = stamp.next
    assert import_follows(engine, models.user, [(6, 7), (7, 6), (9, 4)]).added == 2


CONSTRAINTS: dict[str, Any] = {
    "unique over the mixin's own columns": (UniqueConstraint("following_id"),),
    "check": (CheckConstraint("following_id <> 1"),),
}


@pytest.mark.parametrize("kind", CONSTRAINTS)
def test_a_constraint_without_a_column_is_the_applications_too(engine: Engine, kind: str) -> None:
    """It refuses edges; and those who have asked have not asked in vain."""
    models = declare(lambda name: {"__table_args__": CONSTRAINTS[kind]} if name == "Follow" else {})
    prepare(engine, models)
    before = everything(engine, models)

    verbs: list[Verb] = [VERBS["Follow"][verb] for verb in ("accept_all", "unlock")]
    for verb in verbs:
        with Session(engine) as session, session.begin():
            with pytest.raises(DBAPIError), session.begin_nested():
                verb(Graph(session, models.user))
            session.flush()
        assert everything(engine, models) == before
        if engine.dialect.name != "postgresql":
            with Session(engine) as session, session.begin(), pytest.raises(DBAPIError):
                verb(Graph(session, models.user))
            assert everything(engine, models) == before


def test_a_unique_index_that_no_model_knows_of_lets_no_request_go(engine: Engine) -> None:
    """As one that a migration made: what the database refuses, no verb takes for done."""
    models = declare(lambda _name: {})
    prepare(engine, models)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE UNIQUE INDEX one_follower ON follows (following_id)")

    with Session(engine) as session:
        with pytest.raises(IntegrityError):
            Graph(session, models.user).accept_all(1)
        session.rollback()
        with pytest.raises(IntegrityError):
            Graph(session, models.user).follow(6, 4)
        session.rollback()
        assert Graph(session, models.user).accept(1, 2)
        with pytest.raises(IntegrityError):
            Graph(session, models.user).accept(1, 3)
        session.rollback()


# --- A value that nobody has ---------------------------------------------------------------------


@cache
def needed_in(table: str) -> OwnModels:
    """Declare the models; *table* needs a value, and has no default for it."""
    return declare(lambda name: {"reason": mapped_column("why", String(20), nullable=False)} if name == table else {})


@pytest.mark.sampled(2)
@pytest.mark.parametrize("table", [name for name in MIXINS if name not in ("Follow", "Mute", "DismissedSuggestion")])
def test_a_value_that_no_verb_has_is_asked_for_at_once(engine: Engine, table: str) -> None:
    """Of a table in which the library writes by itself: before anything changes, with the column's name."""
    models = needed_in(table)
    models.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([models.user(id=key) for key in (1, 2)])
        session.commit()

        with pytest.raises(MappingError, match=rf"{table}\.why is NOT NULL and has no default.*why = mapped_column"):
            Graph(session, models.user)
        session.commit()
        with pytest.raises(MappingError, match=rf"{table}\.why"):
            session.get_one(models.user, 1).follow(session.get_one(models.user, 2))
        with pytest.raises(MappingError, match=rf"{table}\.why"):
            import_follows(engine, models.user, [(1, 2)])
        session.add(models.of["Follow"](follower_id=1, following_id=2))
        with pytest.raises(MappingError, match=rf"{table}\.why"):
            session.flush()
        session.rollback()
    assert not any(rows for name, rows in everything(engine, models).items() if name != "User")


def test_an_edge_that_needs_a_value_is_the_applications_to_write(engine: Engine) -> None:
    """The ORM takes it; a verb that would need it says so before anything changes."""
    models = needed_in("Follow")
    models.metadata.create_all(engine)
    make = sessionmaker(engine)
    with make.begin() as session:
        session.add_all([models.user(id=key) for key in range(1, 6)])
        session.get_one(models.user, 1).locked = True
    with make.begin() as session:
        session.add(models.of["Follow"](follower_id=2, following_id=3, reason="school"))
        session.flush()
        assert Graph(session, models.user).unfollow(2, 3)
        session.add(models.of["Follow"](follower_id=4, following_id=3, reason="work"))
    before = everything(engine, models)
    verbs: list[Verb] = [
        lambda graph: graph.follow(2, 3),
        lambda graph: graph.accept(1, 2),
        lambda graph: graph.accept_all(1),
        lambda graph: graph.unlock(1),
        lambda graph: graph.unblock(2, 4, restore=True),
    ]
    with make.begin() as session:
        for verb in verbs:
            with pytest.raises(MappingError, match=r"Follow\.why"):
                verb(Graph(session, models.user))
    with pytest.raises(MappingError, match=r"Follow\.why"):
        import_follows(engine, models.user, [(4, 5)])
    assert everything(engine, models) == before
    assert drift(engine, models.user).wrong == 0


@pytest.mark.parametrize(("table", "verb"), [("Mute", "mute"), ("DismissedSuggestion", "dismiss")])
def test_a_mute_or_dismissal_that_needs_a_value(engine: Engine, table: str, verb: str) -> None:
    """Only who uses the verb is told."""
    models = needed_in(table)
    models.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add_all([models.user(id=key) for key in (1, 2, 3)])
        graph = Graph(session, models.user)
        assert graph.follow(1, 2)
        with pytest.raises(MappingError, match=rf"{table}\.why"):
            getattr(graph, verb)(1, 3)
        assert graph.is_following(1, 2)


def test_what_the_database_fills_by_itself_may_be_said(engine: Engine) -> None:
    """A server default, or the word that there is one, is a value."""
    models = declare(lambda _name: {"reason": mapped_column(String(20), nullable=False, server_default="none")})
    prepare(engine, models)

    with Session(engine) as session:
        assert set(session.scalars(select(models.of["Follow"].reason))) == {"none"}


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
def test_no_upsert_touches_the_row_of_another(engine: Engine) -> None:
    """MariaDB takes every unique constraint for the key; a row that is met by another one than that stays as it is."""
    metadata, rules = MetaData(), engine_of(engine)
    key = Column("user_id", Integer, primary_key=True, autoincrement=False)
    table = Table("tallies", metadata, key, Column("number", Integer), Column("seat", Integer, unique=True))
    metadata.create_all(engine)
    added = rules.upsert(table, None, lambda new: {"number": table.c.number + new.number})
    kept = rules.insert_from(table, ["user_id", "number"], None)

    with engine.begin() as connection:
        # A column of the application's own that counts by itself gives no number that is taken for the word.
        connection.exec_driver_sql("ALTER TABLE tallies ADD place INTEGER NOT NULL AUTO_INCREMENT UNIQUE")

        def run(statement: Executable, user: int, number: int, seat: int) -> tuple[bool, bool]:
            result: Any = connection.execute(statement, {"user_id": user, "number": number, "seat": seat})
            return rules.inserted(result), rules.collided(result)

        assert run(kept, 1, 10, 1) == (True, False)
        assert run(kept, 1, 20, 9) == (False, False)
        assert run(kept, 2, 20, 1) == (False, True)
        assert run(kept, 3, 30, 3) == (True, False)
        assert run(added, 1, 5, 8) == (False, False)
        assert run(added, 4, 5, 3) == (False, True)
        rows = select(table.c.user_id, table.c.number, table.c.seat).order_by(key)
        assert connection.execute(rows).all() == [(1, 15, 1), (3, 30, 3)]
