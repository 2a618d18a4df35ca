"""
What it costs to search, sort and filter lists of 50, 5,000 and a million: beside the bare driver.

    .venv/bin/python -m benchmarks.lists [sqlite] [postgresql]

The floor is the statement that somebody writes by hand who knows how long this list is and how rare this name: the
shorter way for this very page, and nothing else. What both answer is compared before it is timed. Printed: the
median time of a page on either side in microseconds, the ratio, its spread, and what the plain join costs, the way
being left to the engine.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Index, String, func
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from benchmarks.databases import on_each
from retinue import FollowerMixin, FollowMixin, Graph, Only, Settings, Sort

USERS = 1_200_000
CELEBRITY, KNOWN, FRIEND = 1, 2, 3
LENGTHS = {CELEBRITY: 1_000_000, KNOWN: 5_000, FRIEND: 50}
START = datetime(2026, 1, 1, tzinfo=UTC)
ROUNDS = 25

_SYLLABLES = [a + b for a in "bcdfghjklmnprstvwz" for b in "aeiou"] + ["an", "en", "in", "or", "ul"]


class Base(DeclarativeBase):
    """The declarative base."""


class User(FollowerMixin, Base):
    """A user with a name."""

    __tablename__ = "users"
    __retinue__ = Settings(name="username")
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64))


Index("ix_users_username_postgresql", func.lower(User.username).collate("C"), User.id).ddl_if(dialect="postgresql")
Index("ix_users_username_sqlite", User.username.collate("NOCASE"), User.id).ddl_if(dialect="sqlite")


class Follow(FollowMixin, Base):
    """An edge."""

    __tablename__ = "follows"


# --- The data ------------------------------------------------------------------------------------


def names() -> Iterator[tuple[int, str]]:
    """Yield users whose names begin alike by the ten thousand, by the hundred, or not at all."""
    dice = random.Random(1)
    for key in range(1, USERS + 1):
        yield key, ("".join(dice.choices(_SYLLABLES, k=3)) + str(dice.randrange(1000))).capitalize()


def edges() -> Iterator[tuple[int, int]]:
    """Yield lists of three lengths, some of whom are followed back, among half a million other edges."""
    others = list(range(4, USERS + 1))
    random.Random(2).shuffle(others)
    for user, length in LENGTHS.items():
        yield from ((other, user) for other in others[:length])
    for user, back in ((CELEBRITY, 50), (KNOWN, 2_500), (FRIEND, 25)):
        yield from ((user, other) for other in others[:back])
    for follower in range(10, USERS, 2):
        followed = 4 + follower * 7_919 % (USERS - 5)
        if follower != followed:
            yield follower, followed


def populate(engine: Engine) -> None:
    """Load it by the driver's own means."""
    Base.metadata.create_all(engine)
    rows = ((a, b, START + number * timedelta(seconds=1)) for number, (a, b) in enumerate(edges()))
    connection: Any = engine.raw_connection().driver_connection
    cursor = connection.cursor()
    if engine.dialect.name == "postgresql":
        with cursor.copy("COPY users (id, username) FROM STDIN") as copy:
            for user in names():
                copy.write_row(user)
        with cursor.copy("COPY follows (follower_id, following_id, timestamp) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        cursor.execute("BEGIN")
        cursor.executemany("INSERT INTO users (id, username) VALUES (?, ?)", names())
        bare = ((a, b, at.replace(tzinfo=None).isoformat(" ", "microseconds")) for a, b, at in rows)
        cursor.executemany("INSERT INTO follows (follower_id, following_id, timestamp) VALUES (?, ?, ?)", bare)
    connection.commit()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as autocommit:
        autocommit.exec_driver_sql("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE")


# --- By hand -------------------------------------------------------------------------------------


class Floor:
    """The bare driver."""

    def __init__(self, engine: Engine) -> None:
        self.postgresql = engine.dialect.name == "postgresql"
        self._kept = engine.raw_connection()
        self.connection: Any = self._kept.driver_connection
        self.cursor = self.connection.cursor()

    def run(self, sql: str, *parameters: Any) -> list[Any]:
        """Run one statement and return its rows."""
        self.cursor.execute(sql.replace("?", "%s") if self.postgresql else sql, parameters)
        return list(self.cursor.fetchall())


@dataclass(frozen=True)
class Case:
    """A page, and which way is the shorter one for it."""

    user: int
    look: dict[str, Any]
    #: "list", "names" or "other": from where it is read by hand.
    way: str


class Hand:
    """The statements of somebody who knows the data."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        if floor.postgresql:
            self.name, self.text = 'lower(u.username) COLLATE "C"', "lower(?)"
        else:
            self.name, self.text = "u.username COLLATE NOCASE", "?"
        self.fits = f"{self.name} >= {self.text} AND {self.name} < {self.text} || '\U0010ffff'"

    def page(self, case: Case, *, join: bool = False) -> list[tuple[int, str]]:
        """Return (key, name) of a page's users: the way that is known to be short, or a plain *join*."""
        search, only = case.look.get("search"), case.look.get("only")
        where, values = [], list[Any]()
        if search:
            where.append(self.fits)
            values += [search, search]
        if only is Only.MUTUAL:
            where.append("EXISTS (SELECT 1 FROM follows b WHERE b.follower_id = ? AND b.following_id = u.id)")
        elif only is Only.NOT_FOLLOWED_BACK:
            where.append("NOT EXISTS (SELECT 1 FROM follows b WHERE b.follower_id = ? AND b.following_id = u.id)")
        values += [case.user] if only else []
        order = {
            Sort.NAME: f"{self.name}, u.id",
            Sort.OLDEST: "f.timestamp, f.follower_id",
            Sort.NEWEST: "f.timestamp DESC, f.follower_id DESC",
        }[case.look.get("sort", Sort.NEWEST)]
        sources = {
            "list": "follows f CROSS JOIN users u" if not self.floor.postgresql else "follows f JOIN users u ON true",
            "names": "users u CROSS JOIN follows f" if not self.floor.postgresql else "users u JOIN follows f ON true",
            "other": "follows o CROSS JOIN follows f CROSS JOIN users u",
        }
        if case.way == "other" and not join:
            where.append("o.follower_id = ? AND o.following_id = f.follower_id")
            values.append(case.user)
        conditions = " AND ".join(["f.following_id = ?", "u.id = f.follower_id", *where])
        source = "follows f JOIN users u ON u.id = f.follower_id" if join else sources[case.way]
        sql = f"SELECT u.id, u.username FROM {source} WHERE {conditions} ORDER BY {order} LIMIT 20"
        return [tuple(row) for row in self.floor.run(sql, case.user, *values)]


def cases() -> Iterator[Case]:
    """Yield what is measured."""
    for user in LENGTHS:
        long, very_long = user != FRIEND, user == CELEBRITY
        yield Case(user, {"search": "b"}, "list")
        yield Case(user, {"search": "ban"}, "list" if very_long or not long else "names")
        yield Case(user, {"search": "banban"}, "names" if long else "list")
        yield Case(user, {"sort": Sort.OLDEST}, "list")
        yield Case(user, {"sort": Sort.NAME}, "names" if very_long else "list")
        yield Case(user, {"sort": Sort.NAME, "search": "b"}, "names" if very_long else "list")
        yield Case(user, {"only": Only.MUTUAL}, "other" if very_long else "list")
        yield Case(user, {"only": Only.NOT_FOLLOWED_BACK}, "list")


# --- The race ------------------------------------------------------------------------------------


def once(call: Callable[[], Any]) -> float:
    """Return how many microseconds a call takes."""
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e6


def measure(engine: Engine) -> None:
    """Compare every case on one database."""
    populate(engine)
    floor, session = Floor(engine), Session(engine)
    hand, graph = Hand(floor), Graph(session, User)
    print(
        f"{engine.dialect.name}: {USERS:,} users"
        + " " * 31
        + "floor us  ours us   ratio  (middle half)   plain join us"
    )
    for case in cases():

        def ours(case: Case = case) -> list[tuple[int, str]]:
            page = graph.followers(case.user, **case.look)
            return [(person.user.id, person.user.username) for person in page]

        assert hand.page(case) == ours(), case
        pairs = [(once(lambda case=case: hand.page(case)), once(ours)) for _ in range(ROUNDS)]
        # As on a connection that has run the statement before: the driver has prepared it, and its plan is for any name.
        if "search" in case.look:
            common = Case(case.user, {**case.look, "search": "b"}, case.way)
            for _ in range(12):
                hand.page(common, join=True)
        natural = once(lambda case=case: hand.page(case, join=True))
        ratios = sorted(b / a for a, b in pairs)
        what = f"{LENGTHS[case.user]:>9,}: " + ", ".join(
            f"{key} {getattr(value, 'name', value)}" for key, value in case.look.items()
        )
        print(
            f"  {what:46} {statistics.median(a for a, _ in pairs):9.0f} {statistics.median(b for _, b in pairs):8.0f}"
            f" {statistics.median(ratios):7.2f}  ({ratios[ROUNDS // 4]:.2f} to {ratios[-ROUNDS // 4]:.2f}) {natural:13.0f}",
            flush=True,
        )
        session.rollback()
        floor.connection.rollback()
    session.close()


def main() -> None:
    """Run on the databases named, or on both."""
    on_each(sys.argv[1:] or ["sqlite", "postgresql"], measure)


if __name__ == "__main__":
    main()
