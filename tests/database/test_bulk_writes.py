"""Bulk statements about users and follows that are not one DELETE: inserts, updates, other classes' tables, two at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import (
    Engine,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.exc import IntegrityError, InvalidRequestError, ResourceClosedError
from sqlalchemy.orm import Session

from retinue import (
    NotWritableError,
)
from tests.database.bulk_models import EDGES, PEOPLE, audit, declare, rows_of, settle
from tests.long import in_every_run

TOWN = declare(mixins=True, own_columns=True)
FOLLOW, PERSON = TOWN.follow, TOWN.person
TABLE = FOLLOW.__table__

pytestmark = pytest.mark.tables(TOWN.metadata)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """Give a session in the town; whatever a test does there, counts and history agree with the rows in the end."""
    with engine.begin() as connection:
        settle(connection, TOWN)
    with Session(engine) as session:
        yield session
        session.commit()
    with engine.connect() as connection:
        audit(connection, TOWN)


def edges(session: Session) -> set[tuple[int, int]]:
    return {(a, b) for a, b in session.execute(select(TABLE.c.follower_id, TABLE.c.following_id))}


def pair(follower: int, followed: int, **more: Any) -> dict[str, Any]:
    return {"follower_id": follower, "following_id": followed, **more}


# --- Inserts -------------------------------------------------------------------------------------

NEW = [(1, 3), (1, 4), (5, 1)]
ROWS = [pair(a, b) for a, b in NEW]
#: The people of these keys follow 3; two do so already.
FANS = [1, 2, 4, 5]


def fans(column: Any) -> Any:
    people = PERSON.__table__
    return select(people.c.id, literal(8), func.now(), literal(3)).where(column.in_(FANS))


INSERTS: dict[str, Callable[[], tuple[Any, ...]]] = {
    "list": lambda: (insert(FOLLOW), ROWS),
    "lists of several kinds": lambda: (insert(FOLLOW), [pair(1, 3), pair(1, 4, note="x"), pair(5, 1, weight=1)]),
    "one": lambda: (insert(FOLLOW), pair(1, 3)),
    "values": lambda: (insert(FOLLOW).values(ROWS),),
    "expressions": lambda: (insert(FOLLOW).values(follower_id=literal(2) - 1, following_id=func.abs(-3)),),
    "table, list": lambda: (insert(TABLE), ROWS),
    "table, values": lambda: (insert(TABLE).values(ROWS),),
    "table, one": lambda: (TABLE.insert().values(**pair(1, 3)),),
    "select": lambda: (
        insert(FOLLOW).from_select(["follower_id", "following_id", "timestamp", "weight"], fans(PERSON.__table__.c.id)),
    ),
    "prefix": lambda: (insert(FOLLOW).prefix_with("/* nightly */"), ROWS),
}


@pytest.mark.parametrize("way", INSERTS)
def test_an_insert_is_counted(session: Session, way: str) -> None:
    """However it is written: its rows are there with the values that they would have, and counted."""
    arguments = INSERTS[way]()

    result: Any = session.execute(*arguments)

    new = edges(session) - set(EDGES)
    assert len(new) == result.rowcount > 0
    assert set(session.scalars(select(FOLLOW.weight).where(FOLLOW.weight != 1))) <= {7, 3}


@pytest.mark.parametrize("way", ["list", "values", "table, list", "table, values"])
def test_an_insert_returns_what_was_asked_for(session: Session, way: str) -> None:
    """RETURNING: the rows and names that SQLAlchemy gives."""
    statement, *rest = INSERTS[way]()
    column = TABLE.c if way.startswith("table") else FOLLOW

    result = session.execute(statement.returning(column.following_id, column.follower_id, column.weight), *rest)

    assert list(result.keys()) == ["following_id", "follower_id", "weight"]
    rows = result.mappings().all()
    assert sorted((row["follower_id"], row["following_id"], row["weight"]) for row in rows) == [(*p, 7) for p in NEW]


def test_an_insert_returns_entities(session: Session) -> None:
    """They are the session's own."""
    found = session.scalars(insert(FOLLOW).returning(FOLLOW), ROWS).all()

    assert sorted((row.follower_id, row.following_id) for row in found) == NEW
    assert all(row in session for row in found)


def test_an_insert_says_the_keys(session: Session) -> None:
    """As SQLAlchemy does for a statement about a table."""
    result: Any = session.execute(insert(TABLE).values(**pair(1, 3)))

    assert tuple(result.inserted_primary_key) == (1, 3)


def ignoring(session: Session, target: Any) -> Any:
    kind: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}.get(session.get_bind().dialect.name)
    return kind(target).on_conflict_do_nothing() if kind else insert(target).prefix_with("IGNORE")


@pytest.mark.parametrize("target", [FOLLOW, TABLE], ids=["class", "table"])
def test_an_insert_that_leaves_what_is_there(session: Session, target: Any) -> None:
    """Only the rows that are new are counted."""
    session.execute(ignoring(session, target), [pair(1, 2), pair(1, 3), pair(2, 1)])

    assert edges(session) - set(EDGES) == {(1, 3)}


def test_or_ignore(session: Session) -> None:
    """SQLite's own words for that."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(insert(FOLLOW).prefix_with("OR IGNORE"), [pair(1, 2), pair(1, 3)])
        assert edges(session) - set(EDGES) == {(1, 3)}


@pytest.mark.parametrize("target", [FOLLOW, TABLE], ids=["class", "table"])
def test_an_insert_that_fails_leaves_nothing(session: Session, target: Any) -> None:
    """Of rows that are sent in several parts, the first do not stay where the last fails."""
    people = range(100, 1_200)
    session.execute(insert(PERSON.__table__), [{"id": n, "kind": "resident"} for n in people])
    rows = [pair(n, 1) for n in people]

    with pytest.raises(IntegrityError):
        session.execute(insert(target), [*rows, pair(1, 2)])

    assert edges(session) == set(EDGES)


@pytest.mark.parametrize("target", [FOLLOW, TABLE], ids=["class", "table"])
def test_an_upsert_is_refused(session: Session, target: Any) -> None:
    """Nobody can tell which of its rows are new."""
    name = session.get_bind().dialect.name
    statement: Any
    if name in ("sqlite", "postgresql"):
        kind = sqlite.insert if name == "sqlite" else postgresql.insert
        statement = kind(target).on_conflict_do_update(
            index_elements=["follower_id", "following_id"], set_={"note": "x"}
        )
    else:
        statement = mysql.insert(target).on_duplicate_key_update(note="x")

    with pytest.raises(NotWritableError):
        session.execute(statement, ROWS)

    assert edges(session) == set(EDGES)


@pytest.mark.parametrize("prefix", ["OR REPLACE", "or replace", "OR /* so */ REPLACE", "OR FAIL", "OR ROLLBACK"])
def test_a_replacing_insert_is_refused(session: Session, prefix: str) -> None:
    """It ends rows, or leaves the first of several: of follows as of users."""
    for statement in (
        insert(FOLLOW).values(ROWS),
        insert(TABLE).values(ROWS),
        insert(PERSON).values(id=1, name="x"),
        insert(PERSON.__table__).values(id=1, name="x"),
    ):
        with pytest.raises(NotWritableError):
            session.execute(statement.prefix_with(prefix))

    assert edges(session) == set(EDGES)


# --- Updates -------------------------------------------------------------------------------------


UPDATES: dict[str, Callable[[], tuple[Any, ...]]] = {
    "column": lambda: (update(FOLLOW).values({FOLLOW.following_id: 8}),),
    "name": lambda: (update(FOLLOW).values(following_id=8),),
    "name of a synonym": lambda: (update(FOLLOW).values(followed_id=8),),
    "synonym": lambda: (update(FOLLOW).values({FOLLOW.followed_id: 8}),),
    "among others": lambda: (update(FOLLOW).values(note="x", follower_id=8),),
    "in an order": lambda: (update(FOLLOW).ordered_values((FOLLOW.note, "x"), (FOLLOW.following_id, 8)),),
    "expression": lambda: (update(FOLLOW).values(following_id=FOLLOW.following_id + 1),),
    "parameters": lambda: (update(FOLLOW).where(FOLLOW.follower_id == 1), {"following_id": 8}),
    "table": lambda: (update(TABLE).values(following_id=8),),
    "table, column": lambda: (TABLE.update().values({TABLE.c.follower_id: 8}),),
    "table, in an order": lambda: (update(TABLE).ordered_values((TABLE.c.following_id, 8)),),
    "table, parameters": lambda: (update(TABLE).where(TABLE.c.note == "new"), {"follower_id": 8}),
    "table, lists": lambda: (
        update(TABLE).where(TABLE.c.follower_id == bindparam("who")),
        [{"who": 1, "following_id": 8}, {"who": 2, "following_id": 8}],
    ),
    "alias": lambda: (update(TABLE.alias("other")).values(following_id=8),),
    "user": lambda: (update(PERSON).where(PERSON.id == 1).values(id=99),),
    "user's table": lambda: (update(PERSON.__table__).where(PERSON.__table__.c.id == 1).values(id=99),),
    "or replace": lambda: (update(PERSON).values(name="x").prefix_with("OR REPLACE"),),
}


@pytest.mark.parametrize("way", UPDATES)
def test_an_update_of_a_key_is_refused(session: Session, way: str) -> None:
    """However it is written: nothing is changed."""
    before = rows_of(session.connection(), TOWN)

    with pytest.raises(NotWritableError):
        session.execute(*UPDATES[way]())

    assert rows_of(session.connection(), TOWN) == before


def test_query_update_of_a_key_is_refused(session: Session) -> None:
    """As `Session.execute()`."""
    every: list[dict[Any, int]] = [{"following_id": 8}, {FOLLOW.following_id: 8}, {"followed_id": 8}]
    for values in every:
        with pytest.raises(NotWritableError):
            session.query(FOLLOW).update(values)


def test_an_update_of_several_tables_is_judged_by_what_it_sets(session: Session) -> None:
    """MariaDB changes the rows of all of them."""
    if session.get_bind().dialect.name == "mysql":
        moved = update(PERSON).where(PERSON.id == FOLLOW.follower_id)
        with pytest.raises(NotWritableError):
            session.execute(moved.values({PERSON.name: "x", FOLLOW.following_id: 8}))


@pytest.mark.parametrize(
    "arguments",
    [
        (update(FOLLOW).values(note="x"),),
        (update(FOLLOW), [pair(1, 2, note="x"), pair(2, 1, note="y")]),
        (update(TABLE).where(TABLE.c.follower_id == bindparam("who")), [{"who": 1, "note": "x"}]),
        (update(PERSON), [{"id": 1, "name": "x"}]),
        (update(FOLLOW).where(FOLLOW.following_id == 1).values(note="x"),),
    ],
    ids=["values", "by key", "parameters", "user by key", "criteria"],
)
def test_other_updates_are_the_applications_own(session: Session, arguments: tuple[Any, ...]) -> None:
    """A key may say which row is meant."""
    session.execute(*arguments)

    names = [*session.scalars(select(FOLLOW.note)), *session.scalars(select(PERSON.name))]
    assert {"x"} <= set(names)


# --- Statements within statements ----------------------------------------------------------------


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_what_a_with_changes_is_refused(session: Session) -> None:
    """PostgreSQL lets a statement change another table by the way: nobody could count that."""
    gone = delete(FOLLOW).where(FOLLOW.following_id == 1).returning(FOLLOW.follower_id).cte("gone")
    for statement in (
        insert(TOWN.note).from_select(["person_id"], select(gone.c.follower_id)),
        delete(TOWN.note).where(TOWN.note.person_id.in_(select(gone.c.follower_id))),
    ):
        with pytest.raises(NotWritableError):
            session.execute(statement)

    assert edges(session) == set(EDGES)


def test_several_sets_of_parameters_are_refused(session: Session) -> None:
    """No database says what each of them deletes."""
    with pytest.raises(NotWritableError):
        session.execute(delete(TABLE).where(TABLE.c.follower_id == bindparam("who")), [{"who": 1}, {"who": 2}])

    assert edges(session) == set(EDGES)


# --- Sessions and transactions -------------------------------------------------------------------


def test_what_a_session_holds_back_stays_held_back(session: Session) -> None:
    """Without autoflush a bulk statement does not see it, and does not lose it."""
    session.autoflush = False
    session.add(PERSON(id=50, name="late"))

    assert session.execute(delete(PERSON).where(PERSON.name.in_(["late", "ben"]))).rowcount == 1  # type: ignore[attr-defined]

    session.flush()
    assert session.get(PERSON, 50) is not None


def test_a_rollback_takes_all_of_it_back(session: Session) -> None:
    """Rows, counts and loaded objects."""
    loaded = session.scalars(select(PERSON)).all()
    session.commit()
    with session.begin_nested() as savepoint:
        session.execute(delete(PERSON).where(PERSON.id < 5))
        session.execute(delete(FOLLOW))
        savepoint.rollback()

    assert edges(session) == set(EDGES)
    assert all(person in session for person in loaded)


def test_a_refused_delete_gives_the_session_its_objects_back(session: Session) -> None:
    """A statement that never deletes the same twice: refused on PostgreSQL, which asks twice."""
    if session.get_bind().dialect.name != "postgresql":
        return
    session.execute(text("CREATE SEQUENCE turns"))
    loaded = {person.id: person for person in session.scalars(select(PERSON))}
    statement = delete(PERSON).where(PERSON.id == (func.nextval("turns") - 1) // len(PEOPLE) + 1)

    with pytest.raises(NotWritableError):
        session.execute(statement.execution_options(synchronize_session="fetch"))

    assert all(person in session for person in loaded.values())
    assert {person.name for person in loaded.values()} == set(session.scalars(select(PERSON.name)))
    assert edges(session) == set(EDGES)


@in_every_run("sqlite")
def test_thousands_of_users_at_once(session: Session) -> None:
    """In rounds, whose number of statements does not grow with each user."""
    many = range(1_000, 3_500)
    session.execute(insert(PERSON.__table__), [{"id": n, "kind": "resident", "name": "spam"} for n in many])
    session.execute(insert(FOLLOW), [pair(n, 1) for n in many])

    assert session.execute(delete(PERSON).where(PERSON.name == "spam")).rowcount == len(many)  # type: ignore[attr-defined]

    assert edges(session) == set(EDGES)


@pytest.fixture
def speechless(engine: Engine) -> Engine:
    """Give an engine whose database does not say what it deletes."""
    engine.connect().close()  # asks the server what it can do
    engine.dialect.delete_returning = False
    return engine


@pytest.mark.parametrize(
    "statement", [delete(PERSON).where(PERSON.district == 1), delete(FOLLOW).where(FOLLOW.note == "new")]
)
def test_a_database_that_does_not_say_what_it_deletes(speechless: Engine, session: Session, statement: Any) -> None:
    """A SELECT asks before: the same rows go, and are counted."""
    assert session.get_bind() is speechless
    loaded = session.scalars(select(PERSON)).all()
    before = len(rows_of(session.connection(), TOWN)["people" if "people" in str(statement) else "follows"])

    gone = session.execute(statement).rowcount  # type: ignore[attr-defined]

    assert gone
    left = rows_of(session.connection(), TOWN)
    assert before - gone == len(left["people" if "people" in str(statement) else "follows"])
    assert sorted(person.id for person in loaded if person in session) == [key for key, _ in left["people"]]


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
@pytest.mark.parametrize("model", [PERSON, FOLLOW], ids=["users", "follows"])
def test_a_guess_that_is_wrong_changes_nothing(speechless: Engine, session: Session, model: Any) -> None:
    """It knows nothing of a LIMIT: the statement deletes fewer rows, and is refused."""
    assert session.get_bind() is speechless
    if sqlalchemy.__version__ < "2.0.37":
        return  # has no LIMIT of a DELETE
    loaded = [*session.scalars(select(PERSON)), *session.scalars(select(FOLLOW)).unique()]
    before = rows_of(session.connection(), TOWN)

    with pytest.raises(NotWritableError):
        session.execute(delete(model).with_dialect_options(mysql_limit=2, mariadb_limit=2))

    assert rows_of(session.connection(), TOWN) == before
    assert all(row in session for row in loaded)


def test_a_statement_that_somebody_ran_before_without_asking(session: Session) -> None:
    """The text that SQLAlchemy keeps of it returns nothing: it must not be taken for this one."""
    for statement in (delete(FOLLOW).where(FOLLOW.follower_id == 2), delete(TABLE)):
        savepoint = session.connection().begin_nested()
        session.connection().execute(statement)
        savepoint.rollback()
        session.execute(statement)

    assert edges(session) == set()


def test_a_select_from_what_writes(session: Session) -> None:
    """Such a SELECT is refused where rows would have to be counted, and is the application's own elsewhere."""
    for statement in (
        delete(FOLLOW).where(FOLLOW.note == "new").returning(FOLLOW),
        insert(FOLLOW).values(ROWS).returning(FOLLOW),
        update(FOLLOW).values(following_id=8).returning(FOLLOW),
    ):
        with pytest.raises(NotWritableError):
            session.execute(select(FOLLOW).from_statement(statement))
    assert edges(session) == set(EDGES)

    if session.get_bind().dialect.update_returning:
        renamed = update(PERSON).where(PERSON.id == 1).values(name="x").returning(PERSON)
        assert session.scalars(select(PERSON).from_statement(renamed)).one().name == "x"


@pytest.mark.parametrize(
    "statement",
    [
        lambda: delete(FOLLOW),
        lambda: delete(PERSON),
        lambda: delete(TABLE),
        lambda: insert(FOLLOW).values(pair(1, 3)),
        lambda: insert(TABLE).values(pair(1, 3)),
    ],
    ids=["follows", "people", "table", "insert", "insert-table"],
)
def test_a_statement_that_asks_for_no_rows_has_none(session: Session, statement: Callable[[], Any]) -> None:
    """As with SQLAlchemy alone: an error, not an empty list that looks like an answer."""
    result: Any = session.execute(statement())
    assert not result.returns_rows
    with pytest.raises(ResourceClosedError):
        result.all()


def test_the_key_of_the_inserted_row_is_said_of_one_row_alone(session: Session) -> None:
    result: Any = session.execute(insert(FOLLOW).values(pair(1, 3)))
    assert (result.is_insert, tuple(result.inserted_primary_key)) == (True, (1, 3))
    more: Any = session.execute(insert(TABLE), [pair(1, 4), pair(5, 1)])
    assert more.inserted_primary_key_rows == [(1, 4), (5, 1)]
    with pytest.raises(InvalidRequestError):
        _ = more.inserted_primary_key
