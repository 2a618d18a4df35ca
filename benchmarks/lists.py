"""
What it costs to search, sort and filter lists of 50, 5,000 and a million: beside the bare driver.

    .venv/bin/python -m benchmarks.lists [sqlite] [postgresql]

The floor is the statement that somebody writes by hand who knows how long this list is and how rare this name: the
shorter way for this very page, and nothing else. What both answer is compared before it is timed. Beside them is a plain
join, whose way is left to the engine.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Engine, Index, func
from sqlalchemy.orm import Session

from benchmarks.competitor import Shown
from benchmarks.competitors.models import declare
from benchmarks.databases import connect, kind_of, on_each
from benchmarks.filling import filling, moments
from benchmarks.report import in_words
from benchmarks.results import FLOOR, RETINUE, Row
from benchmarks.runner import figures, repeated, take_turns
from retinue import Graph, Only, Settings, Sort

USERS = 1_200_000
CELEBRITY, KNOWN, FRIEND = 1, 2, 3
LENGTHS = {CELEBRITY: 1_000_000, KNOWN: 5_000, FRIEND: 50}
START, SECOND = 1_767_225_600_000_000, 1_000_000
ROUNDS = 25

MODELS = declare(settings=Settings(name="username"))
_NAME = MODELS.user.username
Index("ix_users_username_postgresql", func.lower(_NAME).collate("C"), MODELS.user.id).ddl_if(dialect="postgresql")
Index("ix_users_username_sqlite", _NAME.collate("NOCASE"), MODELS.user.id).ddl_if(dialect="sqlite")

_SYLLABLES = [a + b for a in "bcdfghjklmnprstvwz" for b in "aeiou"] + ["an", "en", "in", "or", "ul"]


def names(users: int) -> list[str]:
    """Return names that begin alike by the ten thousand, by the hundred, or not at all."""
    dice = random.Random(1)
    return [("".join(dice.choices(_SYLLABLES, k=3)) + str(dice.randrange(1000))).capitalize() for _ in range(users)]


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
    """Make the tables, and fill them."""
    MODELS.metadata.create_all(engine)
    pairs = np.array(list(edges()))
    times = moments(START + SECOND * np.arange(len(pairs)))
    with filling(engine.url) as filler:
        filler.fill("users", id=np.arange(1, USERS + 1), username=np.array(names(USERS), dtype=object))
        filler.fill("follows", follower_id=pairs[:, 0], following_id=pairs[:, 1], timestamp=times)
    engine.dispose()


@dataclass(frozen=True)
class Case:
    """A page, and which way is the shorter one for it."""

    user: int
    asked: dict[str, Any]
    #: "list", "names" or "other": from where it is read by hand.
    way: str

    def __str__(self) -> str:
        asked = ", ".join(f"{key} {getattr(value, 'name', value)}" for key, value in self.asked.items())
        return f"{LENGTHS[self.user]:,} followers: {asked}"


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


class Hand:
    """The statements of somebody who knows the data."""

    def __init__(self, connection: Any, *, postgresql: bool) -> None:
        self.cursor, self.postgresql = connection.cursor(), postgresql
        self.name, value = (
            ('lower(u.username) COLLATE "C"', "lower(?)") if postgresql else ("u.username COLLATE NOCASE", "?")
        )
        self.fits = f"{self.name} >= {value} AND {self.name} < {value} || '\U0010ffff'"

    def page(self, case: Case, *, join: bool = False) -> list[Shown]:
        """Return (key, name) of a page's users: the way that is known to be short, or a plain *join*."""
        search, only = case.asked.get("search"), case.asked.get("only")
        where, values = [], list[Any]()
        if search:
            where.append(self.fits)
            values += [search, search]
        if only:
            back = "EXISTS (SELECT 1 FROM follows b WHERE b.follower_id = ? AND b.following_id = u.id)"
            where.append(back if only is Only.MUTUAL else f"NOT {back}")
            values.append(case.user)
        order = {
            Sort.NAME: f"{self.name}, u.id",
            Sort.OLDEST: "f.timestamp, f.follower_id",
            Sort.NEWEST: "f.timestamp DESC, f.follower_id DESC",
        }[case.asked.get("sort", Sort.NEWEST)]
        tables = {"list": ("follows f", "users u"), "names": ("users u", "follows f")}
        # SQLite takes the tables of a CROSS JOIN in this order, and PostgreSQL finds it by itself.
        source = " CROSS JOIN ".join(tables.get(case.way, ("follows o", "follows f", "users u")))
        if join:
            source = "follows f JOIN users u ON u.id = f.follower_id"
        elif case.way == "other":
            where.append("o.follower_id = ? AND o.following_id = f.follower_id")
            values.append(case.user)
        conditions = " AND ".join(["f.following_id = ?", "u.id = f.follower_id", *where])
        sql = f"SELECT u.id, u.username FROM {source} WHERE {conditions} ORDER BY {order} LIMIT 20"
        self.cursor.execute(sql.replace("?", "%s") if self.postgresql else sql, (case.user, *values))
        return [tuple(row) for row in self.cursor.fetchall()]


def measure(engine: Engine) -> None:
    """Compare every case on one database."""
    populate(engine)
    kind = kind_of(engine.url)
    with closing(connect(engine.url)) as connection, Session(engine) as session:
        hand, graph = Hand(connection, postgresql=kind == "postgresql"), Graph(session, MODELS.user)
        for case in cases():

            def by_hand(case: Case = case) -> list[Shown]:
                return hand.page(case)

            def retinue(case: Case = case) -> list[Shown]:
                return [(person.user.id, person.user.username) for person in graph.followers(case.user, **case.asked)]

            def plain_join(case: Case = case) -> list[Shown]:
                return hand.page(case, join=True)

            if by_hand() != retinue():
                raise AssertionError(f"{case}: {by_hand()}, {retinue()}")
            # As on a connection that has run the statement before: it is prepared, and its plan is for any name.
            for _ in range(12 if "search" in case.asked else 0):
                hand.page(Case(case.user, {**case.asked, "search": "b"}, case.way), join=True)
            sides = {FLOOR: by_hand, RETINUE: retinue}
            timed = take_turns({name: repeated(call, calls=1, rounds=ROUNDS) for name, call in sides.items()}, ROUNDS)
            timed["plain join"] = [repeated(plain_join, calls=1, rounds=1)(0)] * ROUNDS  # it may take ten seconds
            print(in_words(Row(str(case), kind, len(LENGTHS), figures(timed))), flush=True)
            session.rollback()


def main() -> None:
    """Run on the databases named, or on both."""
    on_each(sys.argv[1:] or ["sqlite", "postgresql"], measure)


if __name__ == "__main__":
    main()
