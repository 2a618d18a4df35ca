"""
The home timeline against the best SQL that we could write by hand for each kind of reader.

    .venv/bin/python -m benchmarks.timeline [sqlite] [postgresql] [mariadb] [--explain]

A million posts of 100,000 users. Each reader is served by several hand-written statements:
none of them is good for all, and the fastest for this reader, found out first, is the floor. Beside it are
the statement that Retinue sends, on the bare driver, and the whole call of `Graph.home_timeline()`, with its objects. All
return the same posts, which is checked before. With ``--explain``: the plans of Retinue's statement.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import numpy as np
from sqlalchemy import event

from benchmarks.competitors import floor_of
from benchmarks.competitors.floor import Floor
from benchmarks.competitors.retinue import Retinue
from benchmarks.data import START, Data
from benchmarks.databases import Place, connect, place
from benchmarks.report import in_words
from benchmarks.results import RETINUE, Row
from benchmarks.runner import figures, repeated, take_turns

SECONDS, SECOND = 10_000_000, 1_000_000
#: Where a deep page starts: a quarter of the time of all posts is later.
DEEP = SECONDS * 3 // 4
USERS, POSTS, FIRST_READER = 100_000, 1_000_000, 90_001
ROUNDS = 15
_EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN (ANALYZE, TIMING OFF) ", "mariadb": "ANALYZE "}


def world(dice: random.Random) -> tuple[list[tuple[float, int]], dict[str, list[int]]]:
    """Return the posts (second, author) in their order, and whom each reader follows."""
    prolific, steady, curve = range(1, 6), range(1_001, 6_001), range(10_001, 20_001)
    past, silent, tail = range(30_001, 40_001), range(40_001, 50_001), range(50_001, 90_000)
    posts: list[tuple[float, int]] = []

    def add(author: int, number: int, until: float = 1.0) -> None:
        posts.extend((dice.random() * until * SECONDS, author) for _ in range(number))

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


class Reader:
    """A kind of reader, and where their deep page begins on either side."""

    def __init__(self, key: int, name: str) -> None:
        self.key, self.name = key, name
        self.cursor: str | None = None
        self.post = 0


def populate(by_hand: Floor, retinue: Retinue) -> tuple[list[Reader], dict[int, int]]:
    """Fill the tables; return the readers, and when each post was made."""
    posts, follows = world(random.Random(20_26))
    readers = [Reader(FIRST_READER + number, name) for number, name in enumerate(follows)]
    pairs = [(reader.key, key) for reader, keys in zip(readers, follows.values(), strict=True) for key in keys]
    edges = np.array(sorted(pairs))
    times = START + np.arange(len(edges))
    data = Data("readers", USERS, edges[:, 0], edges[:, 1], times, celebrity=1)
    older = sum(second < DEEP for second, _ in posts)
    when = [START + SECOND + int(second * SECOND) for second, _ in posts]
    authors = [author for _, author in posts]
    for side in (by_hand, retinue):
        side.create()
        side.load(data)
        side.load_posts(authors[:older], when[:older])
        for reader in readers if side is retinue else ():
            # What is a first page now is deep when the others have posted: its end is where the deep page begins.
            page = retinue.graph.home_timeline(reader.key)
            reader.cursor, reader.post = page.next, page.items[-1].id
        side.load_posts(authors[older:], when[older:], first=older + 1)
    return readers, dict(enumerate(when, 1))


class Sent:
    """The last statement that Retinue sent, to be run without it."""

    def __init__(self, retinue: Retinue) -> None:
        self.statement: tuple[str, Any] = ("", ())
        self.cursor = connect(retinue.url).cursor()
        event.listen(retinue.engine, "before_cursor_execute", self._hear)

    def _hear(self, _connection: Any, _cursor: Any, text: str, values: Any, _context: Any, _many: bool) -> None:
        self.statement = text, values

    def run(self, before: str = "") -> list[Any]:
        """Run it, or what is written *before* it as well."""
        text, values = self.statement
        self.cursor.execute(before + text, values)
        return list(self.cursor.fetchall())


def measure(here: Place, *, explain: bool) -> Iterator[Row]:
    """Compare all for every reader, from the top and deep down."""
    kind: Any = floor_of(here.kind)
    with closing(kind(here.fresh())) as by_hand, closing(Retinue(here.fresh())) as retinue:
        readers, times = populate(by_hand, retinue)
        sent = Sent(retinue)
        for deep in (False, True):
            for reader in readers:
                key, cursor = reader.key, reader.cursor if deep else None

                def hand(key: int = key, deep: bool = deep, post: int = reader.post) -> list[int]:
                    found: list[int] = (
                        by_hand.timeline_from(key, times[post], post) if deep else by_hand.home_timeline(key)
                    )
                    return found

                def call(key: int = key, cursor: str | None = cursor) -> list[int]:
                    retinue.session.expunge_all()
                    return [post.id for post in retinue.graph.home_timeline(key, cursor=cursor)]

                if not hand() == call() == [row[0] for row in sent.run()][:20]:
                    raise AssertionError(f"{reader.name}: {hand()}, {call()}")
                sides: dict[str, Callable[[], object]] = {
                    by_hand.name: hand,
                    "Retinue's statement": sent.run,
                    RETINUE: call,
                }
                turns = {name: repeated(side, calls=3, rounds=ROUNDS) for name, side in sides.items()}
                name = f"{reader.name}, {'deep' if deep else 'top'}"
                statements = {text: one for one, text in by_hand.timelines(older=deep).items()}
                note = f"By hand: {statements[by_hand.fastest[key, deep]]}"
                yield Row(name, here.kind, len(readers), figures(take_turns(turns, ROUNDS)), note=note)
                if explain:
                    print(*("    " + " ".join(map(str, row)) for row in sent.run(_EXPLAIN[here.kind])), sep="\n")


def main() -> None:
    """Run on the databases named, or on all."""
    named = [name for name in sys.argv[1:] if not name.startswith("-")]
    nobody = np.empty(0, dtype=np.int64)
    for kind in named or ["sqlite", "postgresql", "mariadb"]:
        with place(kind, Data("readers", USERS, nobody, nobody, nobody, 1)) as here:
            for row in measure(here, explain="--explain" in sys.argv):
                print(in_words(row), flush=True)


if __name__ == "__main__":
    main()
