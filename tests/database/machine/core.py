"""A session and a `World`, to which each step is done; users who come and go, transactions, and time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from sqlalchemy import Engine, delete, inspect
from sqlalchemy.orm import Session, SessionTransaction

from retinue import Event, Graph, RetinueError, listen
from retinue.testing import make_users
from tests.database.clock import Clock
from tests.database.machine.world import World
from tests.database.plain_view import Member, Pair
from tests.models import Models

#: The number that stands for somebody who is gone; those below it, for somebody who is there.
GONE = 5
NUMBER = st.integers(0, GONE)
SPAN = st.sampled_from([timedelta(minutes=1), timedelta(hours=1), timedelta(hours=9), timedelta(days=1)])

F = TypeVar("F", bound=Callable[..., None])


def step(weight: int = 1, **arguments: st.SearchStrategy[Any]) -> Callable[[F], F]:
    """
    Make a method a step, taken as often as its *weight* says; its *arguments* are drawn.

    Not a rule: Hypothesis leaves out some rules in each run, and here it takes all kinds.
    """

    def mark(method: F) -> F:
        vars(method).update(weight=weight, arguments=st.fixed_dictionaries(arguments))
        return method

    return mark


class Core(RuleBasedStateMachine):
    """Does each step twice: with the library, and in the `World`."""

    engine: Engine
    models: Models
    clock: Clock
    #: How many users there are at most.
    most = GONE

    def __init__(self) -> None:
        super().__init__()
        with self.engine.begin() as connection:
            for table in reversed(self.models.metadata.sorted_tables):
                connection.execute(delete(table))
        self.heard: list[Event] = []
        self.told: list[Event] = []
        self.world = World(self.models.user.__retinue__, self.clock)
        self.committed = self.world.copy()
        self.savepoints: list[tuple[SessionTransaction, World]] = []
        #: Every key that a user ever had; a number picks one.
        self.keys: list[int] = []
        #: Rows that the application holds on to, and so the session too.
        self.held: list[Any] = []
        #: The pair that the last step was about, and whether it was a verb or a write: then its row must agree.
        self.named: Pair | None = None
        #: The last pair that a step was about.
        self.last: Pair | None = None
        self.touched = False
        self.stop = listen(self.models.user, Event, self.heard.append)

    @initialize(expire=st.booleans(), count=st.integers(2, 5), edges=st.sets(st.tuples(NUMBER, NUMBER), max_size=8))
    def open(self, expire: bool, count: int, edges: set[tuple[int, int]]) -> None:
        self.session = self.new_session(expire_on_commit=expire)
        self.join(count)
        for a, b in sorted(edges):
            self.agree("follow", self.key(a), self.key(b))
        self.commit()

    def teardown(self) -> None:
        self.stop()
        if hasattr(self, "session"):
            self.session.close()

    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        method = data.draw(st.sampled_from(list(self.steps())))
        method(**data.draw(vars(method.__func__)["arguments"]))

    @classmethod
    def weights(cls) -> dict[str, int]:
        marked = {name: vars(member) for name, member in vars(cls).items() if callable(member)}
        return {name: said["weight"] for name, said in marked.items() if "weight" in said}

    def steps(self) -> Iterator[Any]:
        for part in reversed(type(self).__mro__):
            if issubclass(part, Core):
                for name, weight in part.weights().items():
                    yield from [getattr(self, name)] * weight

    # --- Both at once ----------------------------------------------------------------------------

    def new_session(self, **options: Any) -> Session:
        return Session(self.engine, **options)

    def graph_on(self, session: Session) -> Graph[Any]:
        return Graph(session, self.models.user)

    @property
    def graph(self) -> Graph[Any]:
        return self.graph_on(self.session)

    def agree(self, verb: str, *names: Any, call: Callable[[], Any] | None = None, **more: Any) -> Any:
        """Let the world do *verb*, and the library by *call*: both return the same, or refuse for the same reason."""
        expected = result_of(lambda: getattr(self.world, verb)(*names, **more))
        found = result_of(call or (lambda: getattr(self.graph, verb)(*names, **more)))
        assert found == expected
        return found

    # --- Who is meant ----------------------------------------------------------------------------

    def key(self, number: int) -> int:
        """Return the key of somebody; of somebody who is gone, now and then."""
        keys = sorted(self.world.users) if number < GONE and self.world.users else self.keys
        return keys[number % len(keys)]

    def pair(self, a: int, b: int) -> Pair:
        self.named = (self.key(a), self.key(b))
        return self.named

    def one_of(self, pairs: Any, a: int, b: int) -> Pair:
        """Return one of *pairs*, most of the time."""
        if not pairs or b == GONE:
            return self.pair(a, b)
        self.named = sorted(pairs)[(a * GONE + b) % len(pairs)]
        return self.named

    def edge(self, a: int, b: int) -> Pair:
        """Return a pair that follows, most of the time."""
        return self.one_of(self.world.edges, a, b)

    def user(self, key: int) -> Any:
        """Return the user, or the key of one who is gone."""
        return self.session.get(self.models.user, key) or key

    def row(self, pair: Pair) -> Any:
        return self.session.get(self.models.follow, pair)

    def held_pair(self, number: int) -> Pair | None:
        """Return the pair of a row that the session has loaded, be it stale."""
        loaded = [inspect(row).identity for row in self.held if row in self.session and inspect(row).persistent]
        if loaded:
            self.named = loaded[number % len(loaded)]
        return self.named if loaded else None

    # --- Users and time --------------------------------------------------------------------------

    @step(count=st.integers(1, 2))
    def join(self, count: int) -> None:
        for _ in range(min(count, self.most - len(self.world.users))):
            # SQLite gives a key anew when its last user has gone; a session that does not expire minds that.
            self.welcome(len(self.keys) + 1)

    def welcome(self, key: int, **choices: bool) -> None:
        make_users(self.session, self.models.user, 1, id=key, **choices)
        self.keys.append(key)
        self.world.users[key] = Member(**choices)

    @step(a=NUMBER, b=NUMBER, how=st.sampled_from(["one", "two", "bulk", "query"]))
    def leave(self, a: int, b: int, how: str) -> None:
        gone = {self.key(a)} if how == "one" else {self.key(a), self.key(b)}
        user = self.models.user
        if how in ("one", "two"):
            for key in gone & self.world.users.keys():
                self.session.delete(self.session.get_one(user, key))
            self.session.flush()
        elif how == "bulk":
            self.session.execute(delete(user).where(user.id.in_(gone)))
        else:
            found = self.session.query(user).filter(user.id.in_(gone)).delete()
            assert found == len(gone & self.world.users.keys())
        self.world.bury(gone)

    @step(weight=2, span=SPAN)
    def wait(self, span: timedelta) -> None:
        self.clock.move(span)

    # --- Transactions ----------------------------------------------------------------------------

    @step()
    def commit(self) -> None:
        self.session.commit()
        self.told += self.world.said
        self.world.said = []
        self.committed = self.world.copy()
        self.savepoints = []

    @step()
    def rollback(self) -> None:
        self.session.rollback()
        self.world = self.committed.copy()
        self.savepoints = []

    @step(weight=3)
    def set_savepoint(self) -> None:
        if len(self.savepoints) == 3:
            return
        self.session.flush()
        self.savepoints.append((self.session.begin_nested(), self.world.copy()))

    @step(depth=st.integers(0, 2))
    def release_savepoint(self, depth: int) -> None:
        """Release one, and with it those within it."""
        if not self.savepoints:
            return
        depth = depth % len(self.savepoints)
        self.savepoints[depth][0].commit()
        del self.savepoints[depth:]

    @step(depth=st.integers(0, 2))
    def roll_back_to_savepoint(self, depth: int) -> None:
        """Roll back to one, and forget those within it."""
        if not self.savepoints:
            return
        depth = depth % len(self.savepoints)
        savepoint, world = self.savepoints[depth]
        savepoint.rollback()
        self.world = world
        del self.savepoints[depth:]

    @contextmanager
    def elsewhere(self) -> Iterator[tuple[Session, Graph[Any]]]:
        """Commit, then give another session and its graph; it commits as well."""
        self.commit()
        with self.new_session() as other:
            yield other, self.graph_on(other)
            other.commit()
        self.told += self.world.said
        self.world.said = []
        self.committed = self.world.copy()


def result_of(call: Callable[[], Any]) -> Any:
    """Return what *call* returns, or what it refuses to do and with which evidence."""
    try:
        return call()
    except RetinueError as error:
        return type(error), vars(error)
