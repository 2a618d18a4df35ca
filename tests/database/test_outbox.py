"""
Listeners hear what was committed, whatever way the transaction and its savepoints began and ended.

Each cell of the matrix is a short story of follows. Then what listeners were told must be the follows that another
connection finds, in their order, each once; and a listener asks for the follow that it is told of, so none is told
before COMMIT.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Literal, NamedTuple

import pytest
from sqlalchemy import URL, Connection, Engine, create_engine, event, select, text
from sqlalchemy.exc import DBAPIError, InvalidRequestError, OperationalError
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from retinue import Followed, listen, prepare_engine
from retinue.testing import deliver
from tests.database.models_plain import Follow, UncountedBase, UncountedFollow, UncountedUser, User, crowd
from tests.databases import not_durable
from tests.servers import Server

# SQLAlchemy warns of savepoints that end out of turn; here they do so on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")


class RaisedError(Exception):
    """What a story raises on purpose."""


class Scene:
    """A database with nine users of whom nobody follows anybody, and what listeners are told."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.heard: list[object] = []
        with Session(engine) as session:
            session.execute(text("DELETE FROM follows"))
            session.commit()

    def hear(self, event: Followed) -> None:
        """Note whom the first user follows now, as another connection sees it."""
        assert event.followed_id in self.rows(), "told before COMMIT"
        self.heard.append(event.followed_id)

    def rows(self) -> list[int]:
        """Return whom the first user follows, by what is committed."""
        edges = UncountedFollow.__table__.c
        with self.engine.connect() as connection:
            return list(connection.scalars(select(edges.following_id).order_by(edges.following_id)))

    def check(self) -> None:
        """Compare what was told with what is there."""
        assert self.heard == self.rows()


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mariadb"])
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, server: Callable[[str], Server]
) -> Iterator[Engine]:
    """Give an engine on a database with nine users that all cells share."""
    if request.param == "sqlite":
        url = URL.create("sqlite", database=str(tmp_path_factory.mktemp("outbox") / "shared.sqlite3"))
    else:
        url = server(request.param).create_database()
    engine = not_durable(prepare_engine(create_engine(url), busy_timeout=5))
    UncountedBase.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([UncountedUser(id=number, username=f"user{number}") for number in range(1, 10)])
        session.commit()
    yield engine
    engine.dispose()
    if request.param != "sqlite":
        server(request.param).drop_database(url)


@pytest.fixture
def scene(shared: Engine) -> Iterator[Scene]:
    """Give the scene; when the story is over, listeners must have heard what is there."""
    scene = Scene(shared)
    # A listener's error is only logged.
    failures: list[BaseException] = []

    def hear(event: Followed) -> None:
        try:
            scene.hear(event)
        except BaseException as failure:
            failures.append(failure)
            raise

    stop = listen(UncountedUser, Followed, hear)
    yield scene
    stop()
    assert not failures
    scene.check()


def follow(session: Session, number: int) -> None:
    """Let the first user follow another."""
    session.get_one(UncountedUser, 1).follow(number)


def fail_to_flush(session: Session) -> None:
    """Flush a user with a key that is taken."""
    session.add(UncountedUser(id=9, username="again"))
    session.flush()


def whatever_comes() -> suppress:
    """Go on after an error that the story is about, or that its ways to end lead to."""
    return suppress(RaisedError, DBAPIError, InvalidRequestError)


class Savepoint(NamedTuple):
    """The ways to end a savepoint."""

    commit: Callable[[], object]
    rollback: Callable[[], object]
    close: Callable[[], object]


def by_session(session: Session, _name: str) -> Savepoint:
    """Begin a savepoint of the session's."""
    point = session.begin_nested()
    return Savepoint(point.commit, point.rollback, point.close)


def by_connection(session: Session, _name: str) -> Savepoint:
    """Begin a savepoint of the connection's, behind the session's back."""
    point = session.connection().begin_nested()
    return Savepoint(point.commit, point.rollback, point.close)


def by_text(session: Session, name: str) -> Savepoint:
    """Begin a savepoint by a text that the session executes."""

    def run(statement: str) -> Callable[[], object]:
        return lambda: session.execute(text(f"{statement} {name}"))

    run("SAVEPOINT")()
    return Savepoint(run("RELEASE SAVEPOINT"), run("ROLLBACK TO SAVEPOINT"), run("ROLLBACK TO SAVEPOINT"))


def by_driver(session: Session, name: str) -> Savepoint:
    """Begin a savepoint by a text for the driver, written as nobody would."""
    quote = "`" if session.connection().dialect.name == "mariadb" else '"'

    def run(statement: str) -> Callable[[], object]:
        return lambda: session.connection().exec_driver_sql(f"/* by hand */ {statement} {quote}{name}{quote};")

    run("savepoint")()
    return Savepoint(run("Release Savepoint"), run("rollback  to"), run("Rollback To Savepoint"))


Begin = Callable[[Session, str], Savepoint]
BEGINS: list[Begin] = [by_session, by_connection, by_text, by_driver]
End = Literal["commit", "rollback", "close"]
ENDS: list[End] = ["commit", "rollback", "close"]


def named(value: object) -> str | None:
    """Name a function in a test's id."""
    return getattr(value, "__name__", None)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("first", [True, False], ids=["after the first event", "before the first event"])
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("begin", BEGINS, ids=named)
def test_a_savepoint(scene: Scene, begin: Begin, end: End, first: bool) -> None:
    """One savepoint, whoever begins it, and however it ends."""
    with Session(scene.engine) as session:
        # A text is no write of its own to SQLite: the transaction begins with what is written first.
        session.get_one(UncountedUser, 1).unfollow(9)
        if first:
            follow(session, 2)
        point = begin(session, "mine")
        follow(session, 3)
        getattr(point, end)()
        follow(session, 4)
        session.commit()
    assert set(scene.heard) == {*((2,) if first else ()), *((3,) if end == "commit" else ()), 4}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("outer_end", ["commit", "rollback"])
@pytest.mark.parametrize("inner_end", ["commit", "rollback", "nothing"])
@pytest.mark.parametrize("inner", [by_session, by_connection, by_driver], ids=named)
@pytest.mark.parametrize("outer", [by_session, by_connection, by_text], ids=named)
def test_a_savepoint_in_another(scene: Scene, outer: Begin, inner: Begin, inner_end: str, outer_end: End) -> None:
    """Two savepoints; the inner one may still be open when the outer one ends."""
    with Session(scene.engine) as session:
        follow(session, 2)
        outside = outer(session, "outside")
        follow(session, 3)
        inside = inner(session, "inside")
        follow(session, 4)
        if inner_end != "nothing":
            getattr(inside, inner_end)()
            follow(session, 5)
        with whatever_comes():
            getattr(outside, outer_end)()
            follow(session, 6)
        with whatever_comes():
            session.commit()


@pytest.mark.parametrize("end", [(), ("release",), ("rollback",), ("release", "rollback"), ("rollback", "release")])
@pytest.mark.parametrize("names", [("mine", "mine"), ("mine", "MINE"), ('"mine"', "Mine"), ('"Mine"', "mine")])
def test_savepoints_of_one_name(scene: Scene, names: tuple[str, str], end: tuple[str, ...]) -> None:
    """MariaDB takes the newer for the older, the others hide the older behind it; PostgreSQL tells quoted ones apart."""
    orders = {"release": "RELEASE SAVEPOINT", "rollback": "ROLLBACK TO SAVEPOINT"}
    with Session(scene.engine) as session:
        connection = session.connection()
        quote = "`" if connection.dialect.name == "mariadb" else '"'
        follow(session, 2)
        for number, name in enumerate(names, 3):
            connection.exec_driver_sql(f"SAVEPOINT {name}".replace('"', quote))
            follow(session, number)
        for number, order in enumerate(end, 5):
            with whatever_comes():
                connection.exec_driver_sql(f"{orders[order]} {names[1]}".replace('"', quote))
                follow(session, number)
        with whatever_comes():
            session.commit()


def story(tell: Callable[[Session], object]) -> Callable[[Session], object]:
    """Keep a story for `test_a_session()`."""
    STORIES.append(tell)
    return tell


STORIES: list[Callable[[Session], object]] = []


@story
def a_flush_fails_in_a_savepoint(session: Session) -> None:
    follow(session, 2)
    with whatever_comes(), session.begin_nested():
        follow(session, 3)
        fail_to_flush(session)
    follow(session, 4)
    session.commit()


@story
def a_flush_fails_in_the_first_savepoint(session: Session) -> None:
    with whatever_comes(), session.begin_nested():
        follow(session, 3)
        fail_to_flush(session)
    session.commit()


@story
def a_flush_fails_two_savepoints_deep(session: Session) -> None:
    follow(session, 2)
    with whatever_comes(), session.begin_nested():
        follow(session, 3)
        with session.begin_nested():
            follow(session, 4)
            fail_to_flush(session)
    follow(session, 5)
    session.commit()


@story
def a_flush_fails_and_the_savepoint_around_goes_on(session: Session) -> None:
    with session.begin_nested():
        follow(session, 2)
        with whatever_comes(), session.begin_nested():
            follow(session, 3)
            fail_to_flush(session)
        follow(session, 4)
    session.commit()


@story
def a_flush_fails_in_a_savepoint_of_the_connection(session: Session) -> None:
    follow(session, 2)
    with whatever_comes(), session.connection().begin_nested():
        follow(session, 3)
        fail_to_flush(session)
    with whatever_comes():
        session.commit()
    session.rollback()
    follow(session, 4)
    session.commit()


@story
def a_flush_fails_at_the_commit_of_a_savepoint(session: Session) -> None:
    follow(session, 2)
    point = session.begin_nested()
    follow(session, 3)
    session.add(UncountedUser(id=9, username="again"))
    with whatever_comes():
        point.commit()
    with whatever_comes():
        follow(session, 4)
    with whatever_comes():
        session.commit()


@story
def a_flush_fails_at_commit(session: Session) -> None:
    follow(session, 2)
    session.add(UncountedUser(id=9, username="again"))
    with whatever_comes():
        session.commit()
    session.rollback()
    follow(session, 3)
    session.commit()


@story
def a_flush_fails_without_a_savepoint(session: Session) -> None:
    follow(session, 2)
    with whatever_comes():
        fail_to_flush(session)
    with whatever_comes():
        session.commit()
    session.rollback()
    follow(session, 3)
    session.commit()


@story
def an_error_leaves_a_savepoint(session: Session) -> None:
    follow(session, 2)
    with whatever_comes(), session.begin_nested():
        follow(session, 3)
        raise RaisedError
    with session.begin_nested():
        follow(session, 4)
    session.commit()


@story
def an_error_leaves_savepoints_of_the_connection(session: Session) -> None:
    follow(session, 2)
    with whatever_comes(), session.connection().begin_nested():
        follow(session, 3)
        with session.connection().begin_nested():
            follow(session, 4)
            raise RaisedError
    follow(session, 5)
    session.commit()


@story
def a_statement_fails_and_the_caller_goes_on(session: Session) -> None:
    # PostgreSQL takes the COMMIT that follows for a ROLLBACK, and says nothing.
    follow(session, 2)
    with whatever_comes():
        session.execute(text("SELECT nothing FROM nowhere"))
    with whatever_comes():
        follow(session, 3)
    with whatever_comes():
        session.commit()


@story
def a_statement_fails_in_a_savepoint_by_text(session: Session) -> None:
    follow(session, 2)
    session.execute(text("SAVEPOINT mine"))
    follow(session, 3)
    with whatever_comes():
        session.execute(text("SELECT nothing FROM nowhere"))
    session.execute(text("ROLLBACK TO mine"))
    follow(session, 4)
    session.commit()


@story
def the_driver_refuses_what_it_is_given(session: Session) -> None:
    follow(session, 2)
    with whatever_comes():
        session.connection().exec_driver_sql("SELECT 1", (object(),))
    with whatever_comes():
        follow(session, 3)
    with whatever_comes():
        session.commit()


@story
def rolled_back(session: Session) -> None:
    follow(session, 2)
    session.rollback()
    follow(session, 3)
    session.commit()
    session.commit()


@story
def closed(session: Session) -> None:
    follow(session, 2)
    session.close()
    follow(session, 3)
    session.commit()


@story
def closed_in_a_savepoint(session: Session) -> None:
    follow(session, 2)
    session.begin_nested()
    follow(session, 3)
    session.close()
    follow(session, 4)
    session.commit()


@story
def reset_in_a_savepoint(session: Session) -> None:
    follow(session, 2)
    session.begin_nested()
    follow(session, 3)
    session.reset()
    follow(session, 4)
    session.commit()


@story
def never_ended(session: Session) -> None:
    follow(session, 2)


@story
def invalidated(session: Session) -> None:
    follow(session, 2)
    session.invalidate()
    follow(session, 3)
    session.commit()


@story
def invalidated_in_a_savepoint(session: Session) -> None:
    follow(session, 2)
    session.begin_nested()
    follow(session, 3)
    session.invalidate()
    follow(session, 4)
    session.commit()


@story
def the_connection_is_invalidated(session: Session) -> None:
    follow(session, 2)
    session.connection().invalidate()
    with whatever_comes():
        session.commit()
    session.rollback()
    follow(session, 3)
    session.commit()


@story
def the_connection_is_invalidated_in_a_savepoint(session: Session) -> None:
    follow(session, 2)
    session.begin_nested()
    session.connection().invalidate()
    with whatever_comes():
        session.commit()
    session.close()
    follow(session, 3)
    session.commit()


@story
def the_connection_is_closed(session: Session) -> None:
    follow(session, 2)
    session.connection().close()
    with whatever_comes():
        session.commit()
    session.rollback()
    follow(session, 3)
    session.commit()


@story
def committed_from_inside_savepoints(session: Session) -> None:
    follow(session, 2)
    session.begin_nested()
    follow(session, 3)
    session.begin_nested()
    follow(session, 4)
    session.commit()


@story
def rolled_back_from_inside_a_savepoint(session: Session) -> None:
    follow(session, 2)
    session.begin_nested()
    follow(session, 3)
    session.rollback()
    follow(session, 4)
    session.commit()


@story
def the_outermost_transaction_is_committed_from_inside_a_savepoint(session: Session) -> None:
    follow(session, 2)
    session.begin_nested()
    follow(session, 3)
    outermost = session.get_transaction()
    assert outermost
    outermost.commit()


@story
def the_outermost_transaction_is_rolled_back_from_inside_a_savepoint(session: Session) -> None:
    follow(session, 2)
    session.begin_nested()
    follow(session, 3)
    outermost = session.get_transaction()
    assert outermost
    outermost.rollback()
    follow(session, 4)
    session.commit()


@story
def used_on_after_each_end(session: Session) -> None:
    follow(session, 2)
    session.commit()
    follow(session, 3)
    session.rollback()
    with session.begin():
        follow(session, 4)
    with whatever_comes(), session.begin():
        follow(session, 5)
        raise RaisedError
    follow(session, 6)
    session.commit()


@story
def the_connection_commits(session: Session) -> None:
    follow(session, 2)
    session.connection().commit()
    session.close()


@story
def the_connection_commits_and_the_session_rolls_back(session: Session) -> None:
    follow(session, 2)
    session.connection().commit()
    session.rollback()
    follow(session, 3)
    session.commit()


@story
def the_connection_rolls_back(session: Session) -> None:
    follow(session, 2)
    session.connection().rollback()
    with whatever_comes():
        session.commit()
    session.rollback()
    follow(session, 3)
    session.commit()


@story
def a_commit_listener_refuses(session: Session) -> None:
    follow(session, 2)
    session.begin_nested().commit()
    engine = session.get_bind()
    assert isinstance(engine, Engine)
    event.listen(engine, "commit", refuse)
    with whatever_comes():
        session.commit()
    event.remove(engine, "commit", refuse)
    session.rollback()
    follow(session, 3)
    session.commit()


def refuse(_connection: Connection) -> None:
    """Refuse to commit."""
    raise RaisedError


@story
def an_after_commit_listener_of_the_application_fails(session: Session) -> None:
    def fail(_session: Session) -> None:
        raise RaisedError

    event.listen(session, "after_commit", fail)
    follow(session, 2)
    with whatever_comes():
        session.commit()
    event.remove(session, "after_commit", fail)
    session.close()


@story
def a_before_commit_listener_of_the_application_follows(session: Session) -> None:
    def one_more(session: Session) -> None:
        with whatever_comes(), session.begin_nested():
            follow(session, 3)
            fail_to_flush(session)
        follow(session, 4)

    event.listen(session, "before_commit", one_more, once=True)
    follow(session, 2)
    session.commit()


@story
def all_of_it_happens_in_the_flush_of_the_commit(session: Session) -> None:
    session.add(UncountedFollow(follower_id=1, following_id=2))
    session.commit()


@story
def commit_and_rollback_as_text(session: Session) -> None:
    follow(session, 2)
    session.execute(text("COMMIT"))
    session.rollback()
    follow(session, 3)
    session.execute(text("ROLLBACK"))
    session.commit()
    follow(session, 4)
    session.commit()


@story
def commit_as_text_in_a_savepoint(session: Session) -> None:
    follow(session, 2)
    session.execute(text("SAVEPOINT mine"))
    follow(session, 3)
    session.connection().exec_driver_sql("commit")
    session.close()


@pytest.mark.parametrize("tell", STORIES, ids=named)
def test_a_session(scene: Scene, tell: Callable[[Session], object]) -> None:
    """What happens in a session of its own, to its end; the first event may come before, in it or after."""
    with Session(scene.engine) as session:
        tell(session)


TWO_PHASES = pytest.mark.parametrize("shared", ["postgresql", "mariadb"], indirect=True)


@TWO_PHASES
@pytest.mark.parametrize("end", ["commit", "rollback", "close", "prepare and commit", "prepare and rollback"])
def test_two_phases(scene: Scene, end: str) -> None:
    """A session that prepares before it commits."""
    with Session(scene.engine, twophase=True) as session:
        follow(session, 2)
        with whatever_comes(), session.begin_nested():
            follow(session, 3)
            fail_to_flush(session)
        follow(session, 4)
        for step in end.split(" and "):
            getattr(session, step)()
        follow(session, 5)
        session.commit()
    assert scene.heard == ([2, 4, 5] if "commit" in end else [5])


JoinMode = Literal["conditional_savepoint", "create_savepoint", "control_fully", "rollback_only"]
MODES: list[JoinMode] = ["conditional_savepoint", "create_savepoint", "control_fully", "rollback_only"]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("outer", ["commit", "rollback", "savepoint commit", "savepoint rollback"])
@pytest.mark.parametrize("inner", ["commit", "rollback", "close", "failing flush", "invalidate", "nothing"])
@pytest.mark.parametrize("mode", MODES)
def test_a_joined_session(scene: Scene, mode: JoinMode, inner: str, outer: str) -> None:
    """A session on a connection whose transaction is somebody else's; with a savepoint of the session's in it."""
    with scene.engine.connect() as connection:
        transaction = connection.begin()
        around = connection.begin_nested() if "savepoint" in outer else None
        session = Session(connection, join_transaction_mode=mode)
        follow(session, 2)
        with whatever_comes(), session.begin_nested():
            follow(session, 3)
            fail_to_flush(session)
        follow(session, 4)
        with whatever_comes():
            if inner == "failing flush":
                fail_to_flush(session)
            elif inner != "nothing":
                getattr(session, inner)()
        if inner not in ("nothing", "failing flush"):
            with whatever_comes():
                follow(session, 5)
                session.commit()
        if inner != "nothing":
            session.close()
        with whatever_comes():
            if around is not None:
                getattr(around, outer.split()[1])()
        with whatever_comes():
            getattr(transaction, "commit" if "savepoint" in outer else outer)()
        session.close()


@pytest.mark.parametrize("end", ["commit", "rollback", "prepare and commit", "prepare and rollback"])
@pytest.mark.parametrize("shared", ["mariadb"], indirect=True)
def test_a_joined_session_and_two_phases(scene: Scene, end: str) -> None:
    """The connection's own two-phase transaction; psycopg's is not seen to come through, and nobody is told of it."""
    with scene.engine.connect() as connection:
        transaction = connection.begin_twophase()
        with Session(connection) as session:
            follow(session, 2)
            session.commit()
        for step in end.split(" and "):
            getattr(transaction, step)()


@pytest.mark.parametrize("way", ["options", "unprepared", "connected before", "scoped", "options of the connection"])
def test_an_engine_or_session_of_another_kind(scene: Scene, way: str) -> None:
    """However the session came by its connection, its savepoints are seen."""
    plain = create_engine(scene.engine.url)
    if plain.dialect.name == "sqlite" or way != "unprepared":
        # The driver of SQLite alone cannot keep savepoints.
        prepare_engine(plain)
    engine = plain.execution_options(compiled_cache=None) if way == "options" else plain
    options = {"compiled_cache": None} if way == "options of the connection" else {}
    with engine.connect().execution_options(**options) as connection:
        factory = sessionmaker(connection if "connect" in way else engine)
        session = scoped_session(factory) if way == "scoped" else factory()
        user = session.get_one(UncountedUser, 1)
        user.follow(2)
        with whatever_comes(), session.begin_nested():
            user.follow(3)
            session.execute(text("SELECT nothing FROM nowhere"))
        user.graph.follow(1, 4)
        session.commit()
        session.close()
        if connection.in_transaction():
            connection.rollback()
    plain.dispose()
    assert scene.heard == [2, 4]


def test_two_graphs_on_two_databases_in_one_session(shared: Engine, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What both databases committed is told in the order in which it happened; also if the second COMMIT fails."""
    other = prepare_engine(create_engine(f"sqlite:///{tmp_path_factory.mktemp('other')}/other.sqlite3"))
    with crowd(other, 3):
        pass
    Scene(shared)
    heard: list[tuple[type, object]] = []
    stops = [
        listen(User, Followed, lambda event: heard.append((User, event.followed_id))),
        listen(UncountedUser, Followed, lambda event: heard.append((UncountedUser, event.followed_id))),
    ]
    with Session(binds={User: other, Follow: other, UncountedUser: shared, UncountedFollow: shared}) as session:

        def follow_all() -> None:
            for number in (2, 3):
                session.get_one(User, 1).follow(number)
                session.get_one(UncountedUser, 1).follow(number)

        with session.begin_nested() as point:
            follow_all()
            point.rollback()
        follow_all()
        session.commit()
        assert heard == [(User, 2), (UncountedUser, 2), (User, 3), (UncountedUser, 3)]
        session.get_one(User, 1).unfollow(2)
        session.get_one(UncountedUser, 1).unfollow(2)
        session.commit()
        heard.clear()
        committed: list[type] = []

        def refuse_the_second(connection: Connection) -> None:
            if committed:
                raise RaisedError
            committed.append(User if connection.engine is other else UncountedUser)

        for engine in (shared, other):
            event.listen(engine, "commit", refuse_the_second)
        session.get_one(User, 1).follow(2)
        session.get_one(UncountedUser, 1).follow(2)
        with whatever_comes():
            session.commit()
        for engine in (shared, other):
            event.remove(engine, "commit", refuse_the_second)
        session.rollback()
        assert heard == [(committed[0], 2)]
    for stop in stops:
        stop()
    other.dispose()


def test_deliver_tells_what_sessions_have_committed(shared: Engine) -> None:
    """And nothing of what a session that is still at work may take back."""
    Scene(shared)
    numbers: list[object] = []
    stop = listen(UncountedUser, Followed, lambda event: numbers.append(event.followed_id))
    with shared.connect() as connection:
        outer = connection.begin()
        session = Session(connection, join_transaction_mode="create_savepoint")
        follow(session, 2)
        deliver(connection)
        assert numbers == []
        session.commit()
        follow(session, 3)
        deliver(connection)
        assert numbers == [2]
        session.rollback()
        deliver(connection)
        session.close()
        outer.rollback()
    deliver(connection)
    stop()
    assert numbers == [2]


@pytest.mark.parametrize("shared", ["mariadb"], indirect=True)
def test_a_deadlock_takes_the_whole_transaction(scene: Scene) -> None:
    """The server rolls back all of it; what the caller does then, and commits, is told alone."""
    rename = text("UPDATE users SET username = concat(username, '.') WHERE id = :id")
    blocked = text("SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'")
    with Session(scene.engine) as session, scene.engine.connect() as other, ThreadPoolExecutor(1) as pool:
        follow(session, 2)
        session.execute(rename, {"id": 8})
        # The one that has changed less is the one to go.
        other.execute(rename, [{"id": 9}] * 20)
        waiting = pool.submit(other.execute, rename, {"id": 8})
        with scene.engine.connect() as watcher:
            while not watcher.scalar(blocked):
                time.sleep(0.01)
        with pytest.raises(OperationalError, match="1213"):
            session.execute(rename, {"id": 9})
        waiting.result()
        other.rollback()
        follow(session, 3)
        session.commit()
    assert scene.heard == [3]


def test_nothing_is_hooked_before_somebody_listens() -> None:
    """An application that listens to nothing does not pay for it."""
    program = """
from sqlalchemy import event
import retinue, retinue.testing, retinue.fanout
from retinue.effects import outbox
from tests.database.models_plain import User
assert not any(event.contains(*hook) for hook in outbox._HOOKS)
retinue.listen(User, retinue.Event, print)
assert all(event.contains(*hook) for hook in outbox._HOOKS)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
