"""
How close the verbs are to the floor: the bare driver with the same statements, prepared.

    .venv/bin/python -m benchmarks.verbs [sqlite] [postgresql]

Both sides run in one process on one database, in turns, block by block; what they
answer is compared before it is timed. Printed: the median time of a call on either
side in microseconds, the ratio, and the spread of the ratio over the blocks.
"""

from __future__ import annotations

import gc
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, Integer, String, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from benchmarks.databases import on_each
from retinue import FollowCountMixin, FollowerMixin, FollowMixin, Graph

USERS = 5_000
EDGES = 100_000
BLOCKS = 15


class Base(DeclarativeBase):
    """The declarative base."""


class User(FollowerMixin, Base):
    """A user with a name."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    username: Mapped[str] = mapped_column(String(64))


class Follow(FollowMixin, Base):
    """An edge."""

    __tablename__ = "follows"


class FollowCount(FollowCountMixin, Base):
    """The counts."""

    __tablename__ = "follow_counts"


class Floor:
    """The bare driver, with the statements that a careful programmer writes by hand."""

    def __init__(self, engine: Engine) -> None:
        self.postgresql = engine.dialect.name == "postgresql"
        driver: Any = engine.raw_connection().driver_connection
        self.connection = driver
        if not self.postgresql:
            self.connection.isolation_level = None
        self.cursor = self.connection.cursor()

    def run(self, sql: str, *parameters: Any) -> list[Any]:
        """Run one statement and return its rows."""
        self.cursor.execute(sql.replace("?", "%s") if self.postgresql else sql, parameters)
        return list(self.cursor.fetchall()) if self.cursor.description else []

    def among(self, sql: str, keys: list[int], *parameters: Any) -> list[Any]:
        """Run one statement in which ``IN ?`` stands for a list."""
        if self.postgresql:
            return self.run(sql.replace("IN ?", "= ANY(?)"), *parameters, keys)
        return self.run(sql.replace("IN ?", f"IN ({','.join('?' * len(keys))})"), *parameters, *keys)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run what is inside in a transaction of its own."""
        if not self.postgresql:
            self.cursor.execute("BEGIN IMMEDIATE")
        yield
        self.connection.commit()

    def is_following(self, follower: int, followed: int) -> bool:
        """One select by primary key."""
        return bool(self.run("SELECT 1 FROM follows WHERE follower_id = ? AND following_id = ?", follower, followed))

    def page(self, user: int) -> list[int]:
        """Twenty of the newest, and their users: two selects."""
        edges = self.run(
            "SELECT follower_id, timestamp FROM follows WHERE following_id = ?"
            " ORDER BY timestamp DESC, follower_id DESC LIMIT 20",
            user,
        )
        keys = [key for key, _ in edges]
        users = dict(self.among("SELECT id, username FROM users WHERE id IN ?", keys))
        return [key for key in keys if key in users]

    def relationships(self, viewer: int, users: list[int]) -> set[tuple[str, int]]:
        """Both directions: two selects."""
        out = "SELECT following_id, timestamp FROM follows WHERE follower_id = ? AND following_id IN ?"
        back = "SELECT follower_id FROM follows WHERE following_id = ? AND follower_id IN ?"
        following = {("following", key) for key, _ in self.among(out, users, viewer)}
        return following | {("followed_by", key) for (key,) in self.among(back, users, viewer)}

    def counts(self, users: list[int]) -> dict[int, tuple[int, int]]:
        """One select."""
        rows = self.among("SELECT user_id, followers, following FROM follow_counts WHERE user_id IN ?", users)
        return {user: (followers, following) for user, followers, following in rows}

    def follow(self, follower: int, followed: int) -> bool:
        """One insert and two counters, in ascending order of user, and commit."""
        now = datetime.now(UTC)
        at: Any = now if self.postgresql else now.replace(tzinfo=None).isoformat(" ", "microseconds")
        with self.transaction():
            fresh = self.run(
                "INSERT INTO follows (follower_id, following_id, timestamp) VALUES (?, ?, ?)"
                " ON CONFLICT DO NOTHING RETURNING follower_id",
                follower,
                followed,
                at,
            )
            if fresh:
                self._count(follower, followed, 1)
        return bool(fresh)

    def unfollow(self, follower: int, followed: int) -> bool:
        """One delete and two counters, and commit."""
        with self.transaction():
            self.run("DELETE FROM follows WHERE follower_id = ? AND following_id = ?", follower, followed)
            gone = bool(self.cursor.rowcount == 1)
            if gone:
                self._count(follower, followed, -1)
        return gone

    def _count(self, follower: int, followed: int, change: int) -> None:
        for user, followers, following in sorted([(follower, 0, change), (followed, change, 0)]):
            self.run(
                "UPDATE follow_counts SET followers = followers + ?, following = following + ?"
                " WHERE user_id = ? AND slot = 0",
                followers,
                following,
                user,
            )


def populate(engine: Engine, dice: random.Random) -> list[tuple[int, int]]:
    """Make the tables and a random graph; return pairs that do not follow, for later."""
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < EDGES + 20_000:
        a, b = dice.randint(1, USERS), dice.randint(1, USERS)
        if a != b:
            pairs.add((a, b))
    chosen = sorted(pairs)
    dice.shuffle(chosen)
    with Session(engine) as session:
        session.execute(insert(User), [{"id": n, "username": f"user{n}"} for n in range(1, USERS + 1)])
        rows = [{"follower_id": a, "following_id": b} for a, b in chosen[:EDGES]]
        session.execute(insert(Follow), rows)
        session.commit()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    return chosen[EDGES:]


def race(what: str, floor: Callable[[], Any], ours: Callable[[], Any], calls: int) -> None:
    """Time both sides in turns, and print a row."""
    times: dict[str, list[float]] = {"floor": [], "ours": []}
    for _ in range(BLOCKS):
        for name, call in (("floor", floor), ("ours", ours)):
            gc.collect()
            gc.disable()
            start = time.perf_counter()
            for _ in range(calls):
                call()
            times[name].append((time.perf_counter() - start) / calls * 1e6)
            gc.enable()
    ratios = sorted(b / a for a, b in zip(times["floor"], times["ours"], strict=True))
    low, high = ratios[BLOCKS // 4], ratios[-BLOCKS // 4]
    print(
        f"  {what:34} {statistics.median(times['floor']):8.0f} {statistics.median(times['ours']):8.0f}"
        f" {statistics.median(ratios):7.2f}   ({low:.2f} to {high:.2f})"
    )


def measure(engine: Engine) -> None:
    """Compare all operations on one database."""
    dice = random.Random(20_26)
    fresh = populate(engine, dice)
    floor, session = Floor(engine), Session(engine)
    graph = Graph(session, User)

    def user() -> int:
        return dice.randint(1, USERS)

    def batch() -> list[int]:
        return dice.sample(range(1, USERS + 1), 50)

    for a, b, many in [(user(), user(), batch()) for _ in range(100)]:
        assert floor.is_following(a, b) == graph.is_following(a, b)
        assert floor.page(a) == [person.user.id for person in graph.followers(a)]
        stood = graph.relationships(a, many)
        ours = {("following", k) for k, r in stood.items() if r.following}
        assert floor.relationships(a, many) == ours | {("followed_by", k) for k, r in stood.items() if r.followed_by}
        assert floor.counts(many) == {k: (c.followers, c.following) for k, c in graph.counts(many).items()}
    floor.connection.rollback()

    print(
        f"{engine.dialect.name}: {USERS:,} users, {EDGES:,} edges"
        + " " * 10
        + "floor us  ours us   ratio   (middle half)"
    )
    race("is_following", lambda: floor.is_following(user(), user()), lambda: graph.is_following(user(), user()), 300)
    race("page of 20 followers with users", lambda: floor.page(user()), lambda: graph.followers(user()), 100)
    race(
        "relationships with 50",
        lambda: floor.relationships(user(), batch()),
        lambda: graph.relationships(user(), batch()),
        100,
    )
    race("counts of 1", lambda: floor.counts([user()]), lambda: graph.counts([user()]), 100)
    race("counts of 50", lambda: floor.counts(batch()), lambda: graph.counts(batch()), 100)
    floor.connection.rollback()
    session.rollback()

    def then_commit(verb: Callable[[int, int], Any], pairs: Iterator[tuple[int, int]]) -> Callable[[], None]:
        def call() -> None:
            verb(*next(pairs))
            session.commit()

        return call

    todo = iter(fresh)
    done = [next(todo) for _ in range(2 * BLOCKS * 100)]
    new = iter(done)
    race("follow, new, with counts", lambda: floor.follow(*next(new)), then_commit(graph.follow, new), 100)
    again = iter(done)
    race("follow, repeated", lambda: floor.follow(*next(again)), then_commit(graph.follow, again), 100)
    gone = iter(done)
    race("unfollow, with counts", lambda: floor.unfollow(*next(gone)), then_commit(graph.unfollow, gone), 100)
    session.close()


def main() -> None:
    """Run on the databases named, or on both."""
    on_each(sys.argv[1:] or ["sqlite", "postgresql"], measure)


if __name__ == "__main__":
    main()
