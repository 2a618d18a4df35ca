"""
The home timeline against the best SQL that we could write by hand for each kind of reader.

    .venv/bin/python -m benchmarks.timeline [sqlite] [postgresql] [mariadb] [--explain]

A million posts of 100,000 users. Each reader is served by several hand-written statements:
none of them is good for all, and the fastest for this reader, found out first, is the
opponent. Both sides run on one bare driver's connection in turns, and return the same rows,
which is checked before. Printed: the median of the opponent, of our statement, their
ratio, and what the whole call of `Graph.home_timeline()` takes, with its objects. With ``--explain``: the plans.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import BigInteger, Engine, ForeignKey, Index, Integer, String, event, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from benchmarks.databases import on_each
from retinue import ALL, FollowerMixin, FollowMixin, Graph, declare_posts
from retinue.cursors import Place, Scope, Way
from retinue.models import UTCDateTime

START, SECONDS = datetime(2026, 1, 1, tzinfo=UTC), 10_000_000
#: Where a deep page starts: three quarters of all posts are newer.
DEEP = START + timedelta(seconds=SECONDS // 4)
USERS, POSTS, FIRST_READER = 100_000, 1_000_000, 90_001
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


class Post(Base):
    """A post."""

    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    body: Mapped[str] = mapped_column(String(500))
    author: Mapped[User] = relationship()
    __table_args__ = (
        Index("ix_posts_author", "author_id", "created_at", "id"),
        Index("ix_posts_time", "created_at", "id"),
    )


declare_posts(Post, author=Post.author_id, time=Post.created_at)


def world(dice: random.Random) -> tuple[list[tuple[float, int]], dict[str, list[int]]]:
    """Return the posts (second, author) in their order, and whom each reader follows."""
    prolific, steady, curve = range(1, 6), range(1_001, 6_001), range(10_001, 20_001)
    past, silent, tail = range(30_001, 40_001), range(40_001, 50_001), range(50_001, 90_000)
    posts: list[tuple[float, int]] = []

    def add(author: int, many: int, until: float = 1.0) -> None:
        posts.extend((dice.random() * until * SECONDS, author) for _ in range(many))

    for author in prolific:
        add(author, 100_000)
    for author in steady:
        add(author, 40)
    for rank, author in enumerate(curve, 1):
        add(author, 15_000 // rank)
    for author in past:
        add(author, 5, until=0.1)
    while len(posts) < POSTS:
        add(dice.choice(tail), 1)
    few, quiet = dice.sample(steady, 20), [*dice.sample(past, 5_000), *dice.sample(silent, 5_000)]
    return sorted(posts), {
        "500, 20 posted lately": few + quiet[:240] + quiet[-240:],
        "5,000, 20 posted lately": few + quiet[:2_490] + quiet[-2_490:],
        "500, all equally": dice.sample(steady, 500),
        "5,000, all equally": list(steady),
        "500 and two prolific": [1, 2, *dice.sample(curve, 498)],
        "5,000 and two prolific": [1, 2, *dice.sample(curve, 4_998)],
        "500 of 40,000 who post": dice.sample(tail, 500),
        "5,000 of 40,000 who post": dice.sample(tail, 5_000),
        "3 with 100,000 each": [1, 2, 3],
        "20 who posted long ago": quiet[:20],
    }


def populate(engine: Engine) -> dict[str, int]:
    """Make the tables; return the readers by what they follow."""
    posts, readers = world(random.Random(20_26))
    Base.metadata.create_all(engine)
    edges = [(FIRST_READER + n, key) for n, keys in enumerate(readers.values()) for key in keys]
    tables: list[tuple[Any, list[dict[str, Any]]]] = [
        (User, [{"id": n, "username": f"user{n}"} for n in range(1, USERS + 1)]),
        (Follow, [{"follower_id": a, "following_id": b, "timestamp": START} for a, b in sorted(edges)]),
        (
            Post,
            [
                {
                    "id": n,
                    "author_id": a,
                    "created_at": START + timedelta(seconds=s),
                    "body": f"post {n}, of some words",
                }
                for n, (s, a) in enumerate(posts, 1)
            ],
        ),
    ]
    with engine.begin() as connection:
        for model, rows in tables:
            for start in range(0, len(rows), 50_000):
                connection.execute(insert(model), rows[start : start + 50_000])
    statement = {"postgresql": "VACUUM ANALYZE", "sqlite": "ANALYZE"}.get(
        engine.dialect.name, "ANALYZE TABLE users, follows, posts"
    )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(statement)
    return {what: FIRST_READER + n for n, what in enumerate(readers)}


# --- By hand -------------------------------------------------------------------------------------

ORDER = "ORDER BY created_at DESC, id DESC LIMIT"
MINE = "SELECT following_id AS a FROM follows WHERE follower_id = :user UNION ALL SELECT :user"
AUTHOR = "(EXISTS (SELECT 1 FROM follows f WHERE f.follower_id = :user AND f.following_id = p.author_id) OR p.author_id = :user)"
ONE = (
    "(SELECT f.following_id FROM follows f WHERE f.follower_id = :user AND f.following_id = p.author_id) IS NOT NULL"
    " OR p.author_id = :user"
)

#: Pages of (id, created_at), by name; {beside} is the cursor's condition.
BY_HAND: dict[str, dict[str, str]] = {
    "sqlite": {
        "author by author": f"SELECT id, created_at FROM posts p WHERE author_id IN ({MINE}) {{beside}} {ORDER} 21",
        "newest first": f"SELECT id, created_at FROM posts p INDEXED BY ix_posts_time WHERE {AUTHOR} {{beside}} {ORDER} 21",
    },
    "postgresql": {
        "21 of each author": f"SELECT n.id, n.created_at FROM ({MINE}) x CROSS JOIN LATERAL (SELECT id, created_at FROM posts p"
        f" WHERE p.author_id = x.a {{beside}} {ORDER} 21) n {ORDER} 21",
        "author by author": "WITH newest AS MATERIALIZED (SELECT x.a, n.id, n.created_at"
        f" FROM ({MINE}) x CROSS JOIN LATERAL (SELECT id, created_at"
        f" FROM posts p WHERE p.author_id = x.a {{beside}} {ORDER} 1) n {ORDER} 21)"
        " SELECT m.id, m.created_at FROM newest CROSS JOIN LATERAL (SELECT id, created_at FROM posts p"
        f" WHERE p.author_id = newest.a {{beside}} {ORDER} 21) m ORDER BY m.created_at DESC, m.id DESC LIMIT 21",
        "newest first": f"SELECT id, created_at FROM posts p WHERE {AUTHOR} {{beside}} {ORDER} 21",
        "newest first, one by one": f"SELECT id, created_at FROM posts p WHERE ({ONE}) {{beside}} {ORDER} 21",
    },
    "mariadb": {
        "all of all authors": f"SELECT p.id, p.created_at FROM ({MINE}) x STRAIGHT_JOIN posts p ON p.author_id = x.a"
        f" WHERE true {{beside}} {ORDER} 21",
        "author by author": f"SELECT p.id, p.created_at FROM (SELECT a, (SELECT created_at FROM posts p WHERE p.author_id = x.a"
        f" {{beside}} {ORDER} 1) t FROM ({MINE}) x ORDER BY t DESC LIMIT 21) n"
        f" STRAIGHT_JOIN posts p ON p.author_id = n.a WHERE n.t IS NOT NULL {{beside}} {ORDER} 21",
        "newest first": f"SELECT id, created_at FROM posts p FORCE INDEX (ix_posts_time) WHERE {AUTHOR} {{beside}} {ORDER} 21",
        "newest first, joined": "SELECT p.id, p.created_at FROM posts p FORCE INDEX (ix_posts_time)"
        " STRAIGHT_JOIN follows f FORCE INDEX (PRIMARY) ON f.follower_id = :user AND f.following_id = p.author_id"
        f" WHERE true {{beside}} {ORDER} 21",
    },
}
BESIDE = "AND p.created_at <= :time AND (p.created_at < :time OR p.id < :key)"
POST = (
    "SELECT posts.id, posts.author_id, posts.created_at, posts.body, page.id, page.created_at, u.id, u.username FROM ({page}) page"
    " JOIN posts ON posts.id = page.id LEFT JOIN users u ON u.id = posts.author_id"
    " ORDER BY page.created_at DESC, page.id DESC"
)
#: A statement that takes longer is no opponent, in seconds.
SLOW = 0.5


class Driver:
    """A bare driver's connection."""

    def __init__(self, engine: Engine) -> None:
        self.name = engine.dialect.name
        raw = engine.raw_connection()
        self.kept, driver = raw, raw.driver_connection
        if self.name == "postgresql":
            driver.autocommit = True  # type: ignore[union-attr]
        self.cursor = driver.cursor()  # type: ignore[union-attr]

    def run(self, sql: str, parameters: Any) -> list[int]:
        """Run one statement and return the keys of its posts."""
        self.cursor.execute(sql, parameters)
        return [row[0] for row in self.cursor.fetchall()]

    def by_hand(self, page: str, user: int, deep: bool) -> tuple[str, dict[str, Any]]:
        """Return a statement of `BY_HAND` as this driver takes it, with what it binds."""
        sql = POST.format(page=page.format(beside=BESIDE if deep else ""))
        names = {"user": user, "time": DEEP, "key": 0} if deep else {"user": user}
        if self.name != "postgresql" and deep:
            names["time"] = DEEP.replace(tzinfo=None).isoformat(" ", "microseconds")  # type: ignore[assignment]
        if self.name != "sqlite":
            for name in names:
                sql = sql.replace(f":{name}", f"%({name})s")
        return sql, names

    def explain(self, sql: str, parameters: Any) -> None:
        """Print the plan."""
        how = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN (ANALYZE, TIMING OFF) "}.get(
            self.name, "ANALYZE "
        )
        self.cursor.execute(how + sql, parameters)
        for row in self.cursor.fetchall():
            print("    ", *row)


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def fastest(driver: Driver, user: int, deep: bool, expected: list[int]) -> tuple[str, str, dict[str, Any]]:
    """Return the hand-written statement that is the fastest for this reader; all must find the same."""
    times: dict[str, float] = {}
    for name, page in BY_HAND[driver.name].items():
        sql, parameters = driver.by_hand(page, user, deep)
        took = [seconds(lambda: driver.run(sql, parameters))]  # noqa: B023
        assert driver.run(sql, parameters)[:20] == expected, name
        while took[-1] < SLOW and len(took) < 7:
            took.append(seconds(lambda: driver.run(sql, parameters)))  # noqa: B023
        times[name] = min(took)
    best = min(times, key=lambda name: times[name])
    return best, *driver.by_hand(BY_HAND[driver.name][best], user, deep)


def measure(engine: Engine, *, explain: bool) -> None:
    """Compare both sides for every reader, from the top and deep down."""
    readers, driver, ran = populate(engine), Driver(engine), []

    @event.listens_for(engine, "before_cursor_execute")
    def keep(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        ran.append((statement, parameters))

    print(
        f"{engine.dialect.name}: {POSTS:,} posts, 21 each    by hand ms   ours ms  ratio  (middle half)   whole call ms"
    )
    with Session(engine) as session:
        graph = Graph(session, User)
        for deep in (False, True):
            for what, user in readers.items():
                place = Scope(("home_timeline", user, ALL), b"", int).encode(Place(Way.ON, DEEP, 0)) if deep else None

                def whole() -> list[int]:
                    session.expunge_all()
                    return [post.id for post in graph.home_timeline(user, cursor=place)]  # noqa: B023

                expected = whole()
                sql, parameters = ran[-1]
                best, other, others = fastest(driver, user, deep, expected)
                assert driver.run(sql, parameters)[:20] == expected
                times: list[tuple[float, float, float]] = []
                for _ in range(BLOCKS):
                    sides = (
                        lambda: driver.run(other, others),  # noqa: B023
                        lambda: driver.run(sql, parameters),  # noqa: B023
                        whole,
                    )
                    times.append(tuple(min(seconds(side) for _ in range(3)) * 1e3 for side in sides))  # type: ignore[arg-type]
                ratios = sorted(ours / hand for hand, ours, _ in times)
                hand, ours, call = (statistics.median(column) for column in zip(*times, strict=True))
                print(
                    f"  {what:25} {'deep' if deep else 'top':4} {hand:13.2f} {ours:9.2f} {statistics.median(ratios):6.2f}"
                    f"  ({ratios[BLOCKS // 4]:.2f} to {ratios[-BLOCKS // 4]:.2f}) {call:10.2f}   {best}",
                    flush=True,
                )
                if explain:
                    driver.explain(sql, parameters)


def main() -> None:
    """Run on the databases named, or on all."""
    explain = "--explain" in sys.argv
    named = [name for name in sys.argv[1:] if not name.startswith("-")]
    on_each(named or ["sqlite", "postgresql", "mariadb"], partial(measure, explain=explain))


if __name__ == "__main__":
    main()
