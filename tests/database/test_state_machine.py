"""
The library beside a follow graph in plain Python: both do the same, step by step, and must agree.

The steps are those of an application: verbs, writes through the ORM one by one and in bulk,
deletions of users, savepoints in savepoints, commits and rollbacks, and another session that
writes in between. After each, rows, counts, lists, relationships and events are compared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, String, delete, func, insert, inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, SessionTransaction, mapped_column

from retinue import (
    Counts,
    Event,
    FollowCountMixin,
    Followed,
    FollowerMixin,
    FollowerRemoved,
    FollowMixin,
    Graph,
    NotWritableError,
    Outcome,
    SelfFollowError,
    Settings,
    Unfollowed,
    UnknownUserError,
    listen,
)
from retinue.testing import assert_pages_join_up, make_users
from tests.database import models_plain

LENGTH = 25
EXAMPLES = {"sqlite": 60, "postgresql": 12, "mariadb": 12}


class SpreadBase(DeclarativeBase):
    """The base of models whose counts are spread over slots."""


class SpreadUser(FollowerMixin, SpreadBase):
    """A user whose counts are spread over three rows."""

    __tablename__ = "users"
    __retinue__ = Settings(counter_slots=3)
    id: Mapped[int] = mapped_column(primary_key=True)
    motto: Mapped[str | None] = mapped_column(String(20))


class SpreadFollow(FollowMixin, SpreadBase):
    """An edge."""

    __tablename__ = "follows"


class SpreadCount(FollowCountMixin, SpreadBase):
    """The counts."""

    __tablename__ = "follow_counts"


@dataclass(frozen=True)
class Models:
    """The classes that a machine works on."""

    user: type[Any]
    follow: type[Any]
    count: type[Any]


MODELS = {
    "one slot": Models(models_plain.User, models_plain.Follow, models_plain.FollowCount),
    "three slots": Models(SpreadUser, SpreadFollow, SpreadCount),
}

Pair = tuple[int, int]
Said = tuple[type[Event], int, int]


@dataclass
class World:
    """A follow graph in plain Python: what a transaction sees, and what it has to say when it is over."""

    users: set[int] = field(default_factory=set)
    edges: set[Pair] = field(default_factory=set)
    said: list[Said] = field(default_factory=list)

    def copy(self) -> World:
        return World(set(self.users), set(self.edges), list(self.said))

    def add(self, pair: Pair) -> None:
        self.edges.add(pair)
        self.said.append((Followed, *pair))

    def remove(self, pair: Pair, how: type[Event] = Unfollowed) -> bool:
        if pair not in self.edges:
            return False
        self.edges.remove(pair)
        self.said.append((how, *pair))
        return True

    def bury(self, gone: set[int]) -> None:
        self.users -= gone
        self.edges = {pair for pair in self.edges if not gone & set(pair)}

    def refusal(self, pair: Pair) -> type[Exception] | None:
        if pair[0] == pair[1]:
            return SelfFollowError
        return None if set(pair) <= self.users else UnknownUserError


#: The number that stands for somebody who is gone; those below it, for somebody who is there.
GONE = 5
NUMBER = st.integers(0, GONE)
FORM = st.sampled_from(["instances", "keys", "mixed", "method"])


ELSEWHERE = st.sampled_from(["follow", "unfollow", "remove_follower", "refollow"])

F = TypeVar("F", bound=Callable[..., None])

#: Every step that there is, as often as its weight says: a name, and what its arguments are drawn from.
STEPS: list[tuple[str, dict[str, st.SearchStrategy[Any]]]] = []


def step(weight: int = 1, **arguments: st.SearchStrategy[Any]) -> Callable[[F], F]:
    """Make a method a step. Not a rule: Hypothesis leaves out some rules in each run, and here it takes all kinds."""

    def add(method: F) -> F:
        STEPS.extend([(method.__name__, arguments)] * weight)
        return method

    return add


def any_step() -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """Draw a step with its arguments."""
    return st.one_of(
        [
            st.tuples(st.just(name), st.fixed_dictionaries(arguments))
            for name, arguments in sorted(STEPS, key=lambda one: one[0] != "follow")
        ]
    )


class FollowGraphMachine(RuleBasedStateMachine):
    """Does each step twice: with the library, and in the `World`."""

    engine: Engine
    models: Models

    def __init__(self) -> None:
        super().__init__()
        with self.engine.begin() as connection:
            for model in (self.models.count, self.models.follow, self.models.user):
                connection.execute(delete(model.__table__))
        self.heard: list[Said] = []
        self.told: list[Said] = []
        self.world = World()
        self.committed = World()
        self.savepoints: list[tuple[SessionTransaction, World]] = []
        #: Every key that a user ever had; a number picks one.
        self.keys: list[int] = []
        #: Rows that the application holds on to, and so the session too.
        self.held: list[Any] = []
        #: The pair that the last step was about, and whether it was a verb or a write: then its row must agree.
        self.named: Pair | None = None
        self.touched = False
        self.stop = listen(self.models.user, Event, self.hear)

    def hear(self, event: Event) -> None:
        self.heard.append((type(event), int(str(event.follower_id)), int(str(event.followed_id))))

    @initialize(expire=st.booleans(), count=st.integers(2, 5), edges=st.sets(st.tuples(NUMBER, NUMBER), max_size=8))
    def open(self, expire: bool, count: int, edges: set[tuple[int, int]]) -> None:
        self.session = Session(self.engine, expire_on_commit=expire)
        self.join(count)
        for a, b in sorted(edges):
            self.follow(a, b, "keys")
        self.commit()
        self.named = None

    def teardown(self) -> None:
        self.stop()
        if hasattr(self, "session"):
            self.session.close()

    @property
    def graph(self) -> Graph[Any]:
        return Graph(self.session, self.models.user)

    def key(self, number: int) -> int:
        """Return the key of somebody; of somebody who is gone, now and then."""
        keys = sorted(self.world.users) if number < GONE and self.world.users else self.keys
        return keys[number % len(keys)]

    def edge(self, a: int, b: int) -> Pair:
        """Return a pair that follows, most of the time."""
        edges = sorted(self.world.edges)
        if not edges or b == GONE:
            return self.pair(a, b)
        self.named = edges[(a * GONE + b) % len(edges)]
        return self.named

    def user(self, key: int) -> Any:
        """Return the user, or the key of one who is gone."""
        return self.session.get(self.models.user, key) or key

    def pair(self, a: int, b: int) -> Pair:
        self.named = (self.key(a), self.key(b))
        return self.named

    def held_pair(self, number: int) -> Pair | None:
        """Return the pair of a row that the session has loaded, be it stale."""
        loaded = [inspect(row).identity for row in self.held if row in self.session and inspect(row).persistent]
        if loaded:
            self.named = loaded[number % len(loaded)]
        return self.named if loaded else None

    def row(self, pair: Pair) -> Any:
        return self.session.get(self.models.follow, pair)

    @rule(step=st.deferred(any_step))
    def take(self, step: tuple[str, dict[str, Any]]) -> None:
        name, arguments = step
        getattr(self, name)(**arguments)

    # --- Users -----------------------------------------------------------------------------------

    @step(count=st.integers(1, 2))
    def join(self, count: int) -> None:
        count = min(count, GONE - len(self.world.users))
        for _ in range(count):
            # SQLite gives a key anew when its last user has gone; a session that does not expire minds that.
            key = len(self.keys) + 1
            make_users(self.session, self.models.user, 1, id=key)
            self.keys.append(key)
            self.world.users.add(key)

    @step(a=NUMBER, b=NUMBER, how=st.sampled_from(["one", "two", "bulk", "query"]))
    def leave(self, a: int, b: int, how: str) -> None:
        gone = {self.key(a)} if how == "one" else {self.key(a), self.key(b)}
        user = self.models.user
        if how in ("one", "two"):
            for key in gone & self.world.users:
                self.session.delete(self.session.get_one(user, key))
            self.session.flush()
        elif how == "bulk":
            self.session.execute(delete(user).where(user.id.in_(gone)))
        else:
            assert self.session.query(user).filter(user.id.in_(gone)).delete() == len(gone & self.world.users)
        self.world.bury(gone)

    # --- Verbs -----------------------------------------------------------------------------------

    def arguments(self, pair: Pair, form: str) -> tuple[Any, Any]:
        a, b = (self.user(key) for key in pair)
        if form == "keys":
            return pair
        return (a, pair[1]) if form == "mixed" else (a, b)

    def call(self, pair: Pair, form: str, verb: str) -> Callable[[], Any]:
        a, b = self.arguments(pair, form)
        if form == "method" and isinstance(a, self.models.user) and verb != "remove_follower":
            return partial(getattr(a, verb), b)
        return partial(getattr(self.graph, verb), *((b, a) if verb == "remove_follower" else (a, b)))

    def do(self, pair: Pair, form: str, verb: str) -> None:
        """Call a verb, and expect what the world says of it."""
        call = self.call(pair, form, verb)
        self.touched = True
        refusal = self.world.refusal(pair)
        if refusal is not None:
            with pytest.raises(refusal):
                call()
        elif verb == "follow":
            assert call() is (Outcome.UNCHANGED if pair in self.world.edges else Outcome.FOLLOWED)
            if pair not in self.world.edges:
                self.world.add(pair)
        else:
            kind = FollowerRemoved if verb == "remove_follower" else Unfollowed
            assert call() is self.world.remove(pair, kind)

    @step(weight=4, a=NUMBER, b=NUMBER, form=FORM)
    def follow(self, a: int, b: int, form: str) -> None:
        self.do((b == GONE and self.held_pair(a)) or self.pair(a, b), form, "follow")

    @step(weight=2, a=NUMBER, b=NUMBER, form=FORM)
    def unfollow(self, a: int, b: int, form: str) -> None:
        self.do(self.edge(a, b), form, "unfollow")

    @step(a=NUMBER, b=NUMBER, form=FORM)
    def remove_follower(self, a: int, b: int, form: str) -> None:
        self.do(self.edge(a, b), form, "remove_follower")

    @step(a=NUMBER, verb=st.sampled_from(["follow", "unfollow", "remove_follower"]))
    def name_nobody(self, a: int, verb: str) -> None:
        with pytest.raises(UnknownUserError):
            getattr(self.graph, verb)(self.key(a), 2**31 - 1)

    # --- The ORM's own writes --------------------------------------------------------------------

    @step(
        weight=3,
        a=NUMBER,
        b=NUMBER,
        how=st.sampled_from(["add", "add keys", "append following", "append followers"]),
        then=st.sampled_from(["flush", "follow", "unfollow", "remove_follower", "forget", "delete"]),
    )
    def add_row(self, a: int, b: int, how: str, then: str) -> None:
        """Make a row, and go on before it is written."""
        pair = self.pair(a, b)
        if self.world.refusal(pair) or pair in self.world.edges:
            return
        stale = self.session.identity_map.get(self.session.identity_key(self.models.follow, pair))
        if stale is not None:
            self.session.expunge(stale)
        follower, followed = self.user(pair[0]), self.user(pair[1])
        if how == "add keys":
            row = self.models.follow(follower_id=pair[0], following_id=pair[1])
            self.session.add(row)
        elif how == "add":
            row = self.models.follow(follower=follower, followed=followed)
            self.session.add(row)
        elif how == "append following":
            row = self.models.follow(following=followed)
            follower.following.append(row)
        else:
            row = self.models.follow(follower=follower)
            followed.followers.append(row)
        if then == "forget":
            if how == "add keys":
                self.session.expunge(row)
                return
            self.session.flush()
        self.world.add(pair)
        self.touched = True
        if then == "flush":
            self.held.append(row)
        elif then == "delete":
            self.session.flush()
            self.session.delete(row)
            self.world.remove(pair)
        elif then != "forget":
            self.do(pair, "keys", then)

    @step(
        weight=3,
        a=NUMBER,
        b=NUMBER,
        how=st.sampled_from(["delete", "remove following", "remove followers"]),
        then=st.sampled_from(["flush", "follow", "unfollow", "remove_follower", "again"]),
    )
    def delete_row(self, a: int, b: int, how: str, then: str) -> None:
        """Delete a row, which another session may have deleted already, and go on before it is written."""
        pair = (b == GONE and self.held_pair(a)) or self.edge(a, b)
        row = self.row(pair)
        if row is None:
            return
        if how == "delete" or self.world.refusal(pair):
            self.session.delete(row)
        elif how == "remove following":
            self.user(pair[0]).following.remove(row)
        else:
            self.user(pair[1]).followers.remove(row)
        self.world.remove(pair)
        self.touched = True
        if then == "again":
            self.session.flush()
            self.session.add(self.models.follow(follower_id=pair[0], following_id=pair[1]))
            self.world.add(pair)
        elif then != "flush":
            self.do(pair, "instances", then)

    @step(a=NUMBER, b=NUMBER)
    def add_a_row_that_is_there(self, a: int, b: int) -> None:
        """The database refuses it; the savepoint around it leaves no trace."""
        pair = self.edge(a, b)
        if pair not in self.world.edges:
            return
        loaded = self.session.identity_map.get(self.session.identity_key(self.models.follow, pair))
        if loaded is not None:
            self.session.expunge(loaded)
        with pytest.raises(IntegrityError), self.session.begin_nested():
            self.session.add(self.models.follow(follower_id=pair[0], following_id=pair[1]))

    @step(numbers=st.lists(st.tuples(NUMBER, NUMBER), min_size=1, max_size=4, unique=True))
    def insert_in_bulk(self, numbers: list[tuple[int, int]]) -> None:
        pairs = {(self.key(a), self.key(b)) for a, b in numbers}
        pairs = {pair for pair in pairs if not self.world.refusal(pair)} - self.world.edges
        rows = [{"follower_id": a, "following_id": b} for a, b in sorted(pairs)]
        if not rows:
            return
        if self.engine.dialect.insert_executemany_returning:
            for a, b in pairs:
                stale = self.session.identity_map.get(self.session.identity_key(self.models.follow, (a, b)))
                if stale is not None:
                    self.session.expunge(stale)
            self.session.execute(insert(self.models.follow), rows)
            self.world.edges |= pairs
        else:
            with pytest.raises(NotWritableError):
                self.session.execute(insert(self.models.follow), rows)

    @step(a=NUMBER, side=st.sampled_from(["follower_id", "following_id"]), how=st.sampled_from(["bulk", "query"]))
    def delete_in_bulk(self, a: int, side: str, how: str) -> None:
        key, follow = self.key(a), self.models.follow
        gone = {pair for pair in self.world.edges if pair[side == "following_id"] == key}
        if how == "bulk":
            result: Any = self.session.execute(delete(follow).where(getattr(follow, side) == key))
            count = result.rowcount
        else:
            count = self.session.query(follow).filter(getattr(follow, side) == key).delete()
        assert count == len(gone)
        self.world.edges -= gone

    @step(weight=3, a=NUMBER, b=NUMBER)
    def load(self, a: int, b: int) -> None:
        """Hold on to a row, so that the session keeps it loaded."""
        row = self.row(self.edge(a, b))
        if row is not None:
            self.held.append(row)

    @step()
    def expire(self) -> None:
        self.session.flush()
        self.session.expire_all()

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

    def write_elsewhere(self, pair: Pair, verb: str) -> None:
        """Let another session change *pair* and commit, while this one is in no transaction."""
        with Session(self.engine) as other:
            graph = Graph(other, self.models.user)
            if verb in ("unfollow", "refollow"):
                graph.unfollow(*pair)
            if verb in ("follow", "refollow"):
                graph.follow(*pair)
            if verb == "remove_follower":
                graph.remove_follower(pair[1], pair[0])
            other.commit()
        if verb != "follow":
            self.world.remove(pair, FollowerRemoved if verb == "remove_follower" else Unfollowed)
        if verb in ("follow", "refollow") and pair not in self.world.edges:
            self.world.add(pair)
        self.told += self.world.said
        self.world.said = []
        self.committed = self.world.copy()

    @step(weight=3, a=NUMBER, b=NUMBER, verb=ELSEWHERE)
    def let_another_session_write(self, a: int, b: int, verb: str) -> None:
        """What this one has loaded is stale after it, if it does not expire on commit."""
        self.commit()
        pair = self.pair(a, b) if verb == "follow" else self.edge(a, b)
        if not self.world.refusal(pair):
            self.write_elsewhere(pair, verb)

    @step(weight=3, a=NUMBER, b=NUMBER, verb=ELSEWHERE, then=st.sampled_from(["delete", "follow", "unfollow"]))
    def act_on_a_stale_row(self, a: int, b: int, verb: str, then: str) -> None:
        """Two sessions go for one row; this one still believes what it has loaded."""
        pair = self.edge(a, b)
        row = self.row(pair)
        if row is None or self.session.expire_on_commit:
            return
        self.commit()
        if self.world.refusal(pair):
            return
        self.write_elsewhere(pair, verb)
        if then == "delete":
            self.session.delete(row)
            self.world.remove(pair)
        else:
            self.do(pair, "instances", then)

    # --- What must agree -------------------------------------------------------------------------

    @invariant()
    def all_agree(self) -> None:
        self.events_are_told_after_commit_and_only_then()
        self.rows_and_counts_agree()
        self.lists_agree()
        self.relationships_agree()
        self.a_loaded_row_agrees()
        self.named, self.touched = None, False

    def events_are_told_after_commit_and_only_then(self) -> None:
        assert self.heard == self.told

    def rows_and_counts_agree(self) -> None:
        self.session.flush()
        edges: Any = self.models.follow.__table__
        counts: Any = self.models.count.__table__
        self.times = {(row[0], row[1]): row.timestamp for row in self.session.execute(select(edges))}
        assert self.times.keys() == self.world.edges
        found = self.graph.counts(self.keys)
        expected = {key: self.count(key) for key in self.keys}
        assert found == expected
        kept = self.session.execute(
            select(counts.c.user_id, func.sum(counts.c.followers), func.sum(counts.c.following)).group_by(
                counts.c.user_id
            )
        )
        for user, followers, following in kept:
            assert user in self.world.users
            assert (int(followers), int(following)) == (expected[user].followers, expected[user].following)

    def count(self, key: int) -> Counts:
        edges = self.world.edges
        return Counts(sum(pair[1] == key for pair in edges), sum(pair[0] == key for pair in edges))

    def lists_agree(self) -> None:
        graph, edges = self.graph, self.world.edges
        followers = {key: list[tuple[Any, int]]() for key in self.keys}
        following = {key: list[tuple[Any, int]]() for key in self.keys}
        mutuals = {key: list[tuple[Any, int]]() for key in self.keys}
        for (a, b), time in self.times.items():
            followers[b].append((time, a))
            following[a].append((time, b))
            if (b, a) in edges:
                mutuals[a].append((time, b))
        limit = len(self.heard) % 4 + 1
        for key in self.named or self.keys[-1:]:
            for read, rows in ((graph.followers, followers), (graph.following, following), (graph.mutuals, mutuals)):
                page = read(key, limit=100)
                assert [(person.since, person.user.id) for person in page] == sorted(rows[key], reverse=True)
                people: list[Any] = assert_pages_join_up(partial(read, key), limits=[limit])
                assert people == list(page)
            user = self.user(key)
            if isinstance(user, self.models.user):
                assert {other.id for other in user.followed_by} == {other for _, other in followers[key]}
                assert {(row.follower.id, row.following.id) for row in user.following} == {
                    pair for pair in edges if pair[0] == key
                }

    def relationships_agree(self) -> None:
        viewer, edges = self.keys[len(self.heard) % len(self.keys)], self.world.edges
        for key, stand in self.graph.relationships(viewer, self.keys).items():
            assert isinstance(key, int)
            assert (stand.following, stand.followed_by) == ((viewer, key) in edges, (key, viewer) in edges)
            assert stand.since == self.times.get((viewer, key))
        if self.named:
            assert self.graph.is_following(*self.named) is (self.named in edges)

    def a_loaded_row_agrees(self) -> None:
        """That of the pair that a verb was about; others may be stale, as SQLAlchemy's rows are."""
        if self.named and self.touched:
            row = self.row(self.named)
            assert (row is not None) == (self.named in self.world.edges)
            if row is not None:
                assert inspect(row).persistent
                assert row.timestamp == self.times[self.named]


@pytest.mark.parametrize("kind", MODELS)
def test_the_library_does_what_a_plain_graph_does(engine: Engine, kind: str) -> None:
    """Whatever an application does, in whatever order, both agree after every step."""
    models = MODELS[kind]
    models.user.metadata.create_all(engine)
    machine = type("Machine", (FollowGraphMachine,), {"engine": engine, "models": models})
    examples = EXAMPLES[engine.dialect.name] // (1 if kind == "one slot" else 3)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=LENGTH,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],  # a failure has 25 steps at most; to shorten it takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
