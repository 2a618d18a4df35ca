"""
The auditor at work: all that the graph issues is shard-safe, and what is not is caught in the act.

And the tables, as each database takes them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, delete, exc, insert, select, text
from sqlalchemy import inspect as look_at
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from retinue import FollowCountMixin, FollowerMixin, FollowMixin, Graph, Settings
from retinue.schema import schema_of
from retinue.testing import EXEMPT, audited, make_users
from retinue.transfer import import_follows
from retinue.work.building import OPTION
from tests.database.models_plain import Follow, FollowCount, User, crowd

edges: Any = Follow.__table__


class SlottedBase(DeclarativeBase):
    """The base of models whose counts are spread over slots."""


class SlottedUser(FollowerMixin, SlottedBase):
    """A user whose counts are spread over four rows."""

    __tablename__ = "users"
    __retinue__ = Settings(counter_slots=4)
    id: Mapped[int] = mapped_column(primary_key=True)


class SlottedFollow(FollowMixin, SlottedBase):
    """An edge."""

    __tablename__ = "follows"


class SlottedCount(FollowCountMixin, SlottedBase):
    """The counts."""

    __tablename__ = "follow_counts"


def do_everything(session: Session, users: list[Any], follow: type[Any]) -> None:
    """Use every verb, read and way of writing once, in all their cases."""
    a, b, c, d, e, f = users
    user = type(a)
    graph = Graph(session, user)
    for _ in range(2):
        graph.follow(a, b)
        graph.follow(b, a)
    graph.follow(c, a)
    with pytest.raises(LookupError):
        graph.follow(a, 10**6)
    loaded = session.get_one(follow, (a.id, b.id))
    graph.unfollow(a, b)
    assert loaded not in session
    graph.unfollow(a, b)
    graph.follow(a, b)
    graph.unfollow(a, b)
    graph.remove_follower(a, c)
    session.add(follow(follower=a, following=d))
    session.flush()
    row = session.get_one(follow, (a.id, d.id))
    session.delete(row)
    session.flush()
    a.followers.append(follow(follower=e))
    a.following.append(follow(following=e))
    graph.is_following(a, e)
    graph.relationships(a, users)
    graph.counts(users)
    for read in (graph.followers, graph.following, graph.mutuals):
        page = read(a, limit=1)
        if page.next:
            read(a, limit=1, cursor=read(a, limit=1, cursor=page.next).prev)
    if session.get_bind().dialect.name != "mariadb":
        session.execute(insert(follow), [{"follower_id": f.id, "following_id": a.id}])
    session.execute(delete(follow).where(follow.following_id == a.id))
    graph.follow(b, c)
    graph.follow(c, d)
    session.delete(b)
    session.flush()
    session.execute(delete(user).where(user.id == c.id))
    session.commit()


def test_everything_that_the_graph_issues_is_shard_safe(engine: Engine) -> None:
    """Verbs, reads, writes through the ORM and deletions pass."""
    with crowd(engine, 6) as (session, users), audited(engine):
        do_everything(session, users, Follow)

    with_slots = Session(engine)
    SlottedBase.metadata.drop_all(engine)
    SlottedBase.metadata.create_all(engine)
    with with_slots as session, audited(engine):
        do_everything(session, make_users(session, SlottedUser, 6), SlottedFollow)


def test_a_load_of_many_owners_at_once_is_exempt_and_named(engine: Engine) -> None:
    """`import_follows()` issues no statement that the auditor does not know by name."""
    with crowd(engine, 4) as (session, users), audited(engine) as audit:
        keys = [user.id for user in users]
        pairs = [(a, b) for a in keys for b in keys if a != b]
        assert import_follows(engine, User, pairs).added == len(pairs)
        session.rollback()

    exempt = {name for name in EXEMPT if name.startswith("import_")}
    assert exempt & audit.seen.keys()
    assert all(name.startswith("import_") for name in audit.seen)


def in_the_library(source: str) -> Callable[..., Any]:
    """Return a function as if it were code of the library: *source* is its body, *s* and *user* its arguments."""
    space: dict[str, Any] = {
        "__name__": "retinue.planted",
        "text": text,
        "select": select,
        "Follow": Follow,
        "OPTION": OPTION,
    }
    exec(compile(f"def run(s, user):\n    {source}", "planted.py", "exec"), space)
    run: Callable[..., Any] = space["run"]
    return run


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("s.execute(select(Follow.__table__))", "planted.py:2 issues a statement without a name: SELECT"),
        ("s.execute(text('SELECT 1'))", "planted.py:2 issues a statement without a name: SELECT 1"),
        ("s.connection().exec_driver_sql('SELECT 1')", "planted.py:2 issues a statement without a name: SELECT 1"),
        ("s.expire(user); user.username", "planted.py:2 issues a statement without a name: SELECT"),
        ("user.followers.all()", "planted.py:2 issues a statement without a name: SELECT"),
        ("s.get(Follow, (1, 2))", "planted.py:2 issues a statement without a name: SELECT"),
        (
            "s.execute(select(Follow.__table__).execution_options(**{OPTION: 'bad'}))",
            "bad: follows is not held to an owner by follower_id",
        ),
        (
            "s.scalars(select(Follow).execution_options(**{OPTION: 'orm'})).all()",
            "orm: follows is not held to an owner",
        ),
        ("s.execute(text('SELECT 1').execution_options(**{OPTION: 'raw'}))", "raw: came as text"),
    ],
)
def test_what_the_library_must_not_issue_is_caught(source: str, fault: str) -> None:
    """A statement without a name, a hidden one too, and one that holds to no owner turn the auditor red."""
    engine = create_engine("sqlite://")
    with crowd(engine, 1) as (session, (user,)):
        with pytest.raises(AssertionError) as caught, audited(engine):
            in_the_library(source)(session, user)

        assert fault in str(caught.value)
    engine.dispose()


def test_the_applications_own_statements_are_its_own_business(engine: Engine) -> None:
    """Its queries, its pending objects that a verb flushes and its eager relationships are not checked."""

    class Base(DeclarativeBase):
        pass

    class Person(FollowerMixin, Base):
        __tablename__ = "persons"
        id: Mapped[int] = mapped_column(primary_key=True)
        boss_id: Mapped[int | None] = mapped_column()
        staff: Mapped[list[Person]] = relationship(
            primaryjoin="Person.id == foreign(Person.boss_id)", lazy="selectin", viewonly=True
        )

    class Contact(FollowMixin, Base):
        __tablename__ = "contacts"

    Base.metadata.create_all(engine)
    with Session(engine) as session, audited(engine) as audit:
        session.scalars(select(Contact)).all()
        session.execute(text("SELECT * FROM contacts")).all()
        a, b = Person(), Person()
        session.add_all([a, b])
        a.follow(b)
        a.followers.all()
        a.follows.all()
        session.expire_all()
        assert [person.user for person in a.graph.following(a)] == [b]
        session.execute(delete(Contact).where(Contact.timestamp > a.following.one().timestamp))

    assert audit.seen.keys() == {"insert_edge", "following"}
    Base.registry.dispose()


def test_an_auditor_stops_at_the_end_of_its_block() -> None:
    """What runs after it is not checked, and an error in the block is what its caller gets."""
    engine = create_engine("sqlite://")
    with crowd(engine, 1) as (session, (user,)):
        unnamed = in_the_library("s.execute(text('SELECT 1'))")
        failing = in_the_library("s.execute(text('SELECT 1')); s.no_such_thing")
        with audited(engine) as audit:
            user.is_following(user.id)
        unnamed(session, user)

        assert audit.seen == {"is_following": 1}

        with pytest.raises(AttributeError), audited(engine):
            failing(session, user)
    engine.dispose()


# --- The tables ----------------------------------------------------------------------------------


def test_the_tables_can_be_created_twice(engine: Engine) -> None:
    """`create_all()` finds everything there the second time, and all of it is there."""
    for _ in range(2):
        User.metadata.create_all(engine)

    there = look_at(engine)
    assert there.get_pk_constraint("follows")["constrained_columns"] == ["follower_id", "following_id"]
    assert there.get_pk_constraint("follow_counts")["constrained_columns"] == ["user_id", "slot"]
    assert {tuple(index["column_names"]) for index in there.get_indexes("follows")} >= {
        ("follower_id", "timestamp", "following_id"),
        ("following_id", "timestamp", "follower_id"),
    }
    for table, owners in (("follows", ["follower_id", "following_id"]), ("follow_counts", ["user_id"])):
        keys = there.get_foreign_keys(table)
        assert sorted(key["constrained_columns"][0] for key in keys) == owners
        assert {key["options"].get("ondelete") for key in keys} == {"CASCADE"}
        assert all(key["name"] for key in keys)


def test_the_longest_table_names_can_be_created(engine: Engine) -> None:
    """Names of 63 characters, which differ only at their end, do not clash in their constraints."""

    class Base(DeclarativeBase):
        pass

    long = "a_name_as_long_as_postgresql_allows_for_tables_and_their_indexes"[:62]

    class Person(FollowerMixin, Base):
        __tablename__ = f"{long}1"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Contact(FollowMixin, Base):
        __tablename__ = f"{long}2"

    class Count(FollowCountMixin, Base):
        __tablename__ = f"{long}3"

    for _ in range(2):
        Base.metadata.create_all(engine)
    with Session(engine) as session:
        a, b = make_users(session, Person, 2)
        a.follow(b)
        assert a.graph.counts([a])[a.id].following == 1
    assert schema_of(Person).follow is Contact
    Base.metadata.drop_all(engine)
    Base.registry.dispose()


def test_the_database_refuses_that_a_user_follows_themselves(engine: Engine) -> None:
    """Also where nobody asks the library, and the row comes as plain SQL."""
    with crowd(engine, 1) as (session, (user,)):
        for write in (
            insert(edges).values(follower_id=user.id, following_id=user.id),
            text("INSERT INTO follows VALUES (:id, :id, '2026-01-01 00:00:00')").bindparams(id=user.id),
        ):
            with pytest.raises(exc.DBAPIError) as refused:
                session.execute(write)
            session.rollback()
            assert isinstance(refused.value, (exc.IntegrityError, exc.OperationalError))

        assert session.scalars(select(Follow)).all() == []


def test_the_database_refuses_a_second_edge_and_an_edge_to_nobody(engine: Engine) -> None:
    """The primary key and both foreign keys stand on every engine."""
    with crowd(engine, 2) as (session, (a, b)):
        a.follow(b)
        session.commit()

        for pair in ((a.id, b.id), (a.id, 999), (999, a.id)):
            with pytest.raises(exc.IntegrityError):
                session.execute(insert(edges).values(follower_id=pair[0], following_id=pair[1]))
            session.rollback()

        assert session.query(FollowCount).count() == 2
