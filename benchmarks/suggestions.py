"""
How good the suggestions are: hide a tenth of the edges of a graph, and see who finds them again.

    .venv/bin/python -m benchmarks.suggestions [follows.csv[.gz] ...] [--users 1000]

A file has lines of ``follower,following`` or ``follower,following,unix seconds``. Of one
with times the newest tenth is hidden; else a tenth at random. Without a file a graph is
made up. For users with hidden edges, who have others left, each contestant names
twenty; printed are the share of the hidden edges that are among them (recall@20) and
the mean of one through the place of the first (MRR@20). Retinue's own are those that
`Graph.suggestions()` returns on SQLite; the others' are exact and see all edges, not
only the newest. Those named "either way" take the graph as one without directions.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import heapq
import math
import random
import tempfile
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, create_engine, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from retinue import FollowerMixin, FollowMixin, Graph, prepare_engine
from retinue.transfer import import_follows

SHOWN = 20
HIDDEN = 0.1
#: The chance by which a random walk goes home at each step.
RESTART = 0.15
#: A walker's share that is too small to be passed on, for each neighbour.
SMALL = 1e-5

Pair = tuple[int, int]
Scores = Mapping[int, float]
Recommend = Callable[[int], list[int]]


class Base(DeclarativeBase):
    """The declarative base."""


class User(FollowerMixin, Base):
    """A user."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


class Follow(FollowMixin, Base):
    """An edge."""

    __tablename__ = "follows"


# --- Graphs --------------------------------------------------------------------------------------


@dataclass
class Split:
    """A graph of which some edges are hidden."""

    name: str
    #: What may be seen, oldest first, with its time where there is one.
    seen: dict[Pair, datetime | None]
    hidden: dict[int, set[int]]
    out: dict[int, set[int]] = field(init=False)
    into: dict[int, set[int]] = field(init=False)

    def __post_init__(self) -> None:
        self.out, self.into = defaultdict(set), defaultdict(set)
        for follower, followed in self.seen:
            self.out[follower].add(followed)
            self.into[followed].add(follower)

    @property
    def both(self) -> dict[int, set[int]]:
        """The neighbours of each user, either way."""
        return {user: self.out.get(user, set()) | self.into.get(user, set()) for user in self.out | self.into}


def split(name: str, edges: Mapping[Pair, datetime | None], dice: random.Random) -> Split:
    """Hide the newest tenth of *edges*, or a tenth at random where they have no times."""
    pairs = list(edges)
    if None in edges.values():
        dice.shuffle(pairs)
    cut = int(len(pairs) * (1 - HIDDEN))
    hidden: dict[int, set[int]] = defaultdict(set)
    for follower, followed in pairs[cut:]:
        hidden[follower].add(followed)
    return Split(name, {pair: edges[pair] for pair in pairs[:cut]}, hidden)


def read(path: Path) -> dict[Pair, datetime | None]:
    """Return the edges of a file, each once, without those to oneself; by time if it has any."""
    edges: dict[Pair, datetime | None] = {}
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        for follower, followed, *time in csv.reader(lines):
            if follower.isdigit() and follower != followed:
                at = datetime.fromtimestamp(int(time[0]), UTC) if time else None
                edges.setdefault((int(follower), int(followed)), at)
    if None not in edges.values():
        return dict(sorted(edges.items(), key=lambda edge: str(edge[1])))
    return edges


def made_up(dice: random.Random, users: int = 3_000, mean: int = 20, circles: int = 30) -> dict[Pair, datetime | None]:
    """Return a graph that grows: one follows the popular of one's circle, friends of friends, and those who follow one."""
    edges: dict[Pair, datetime | None] = {}
    out: dict[int, list[int]] = defaultdict(list)
    fans: dict[int, list[int]] = defaultdict(list)
    popular: dict[int, list[int]] = {circle: [circle + 1] for circle in range(circles)}
    for _ in range(users * mean):
        one = dice.randint(1, users)
        draw = dice.random()
        if draw < 0.2 and fans[one]:
            other = dice.choice(fans[one])
        elif draw < 0.7 and out[one] and out[friend := dice.choice(out[one])]:
            other = dice.choice(out[friend])
        else:
            other = dice.choice(popular[one % circles]) if draw < 0.95 else dice.randint(1, users)
        if one != other and (one, other) not in edges:
            edges[one, other] = None
            out[one].append(other)
            fans[other].append(one)
            popular[other % circles].append(other)
    return edges


# --- Contestants ---------------------------------------------------------------------------------


def best(graph: Split, user: int, scores: Scores) -> list[int]:
    """Return those with the best scores whom *user* does not follow; equal ones in no order that means anything."""
    out = graph.out.get(user, set())
    found = ((score, who * 2654435761 % 2**32, who) for who, score in scores.items() if who not in out)
    return [who for _, _, who in heapq.nlargest(SHOWN, (one for one in found if one[2] != user))]


def popularity(graph: Split) -> Recommend:
    """The most followed."""
    ranked = sorted(graph.into, key=lambda who: -len(graph.into[who]))

    def recommend(user: int) -> list[int]:
        out = graph.out.get(user, set())
        first = (who for who in ranked if who not in out and who != user)
        return [who for who, _ in zip(first, range(SHOWN), strict=False)]

    return recommend


def common(graph: Split, near: Mapping[int, set[int]], weight: Callable[[int], float]) -> Recommend:
    """Those at the end of the most paths of two steps, each of which counts by whom it goes through."""

    def recommend(user: int) -> list[int]:
        scores: dict[int, float] = defaultdict(float)
        for middle in near.get(user, ()):
            worth = weight(middle)
            for other in near.get(middle, ()):
                scores[other] += worth
        return best(graph, user, scores)

    return recommend


def adamic_adar(graph: Split, near: Mapping[int, set[int]]) -> Recommend:
    """Common neighbours, each weighted by one through the logarithm of how many it has."""
    return common(graph, near, lambda middle: 1 / math.log(max(2, len(near[middle]))))


def walk(graph: Split, near: Mapping[int, set[int]]) -> Recommend:
    """Those whom a random walk meets that goes home now and then: personalised PageRank, by forward push."""

    def recommend(user: int) -> list[int]:
        rank: dict[int, float] = defaultdict(float)
        left: dict[int, float] = {user: 1.0}
        queue = deque([user])
        while queue:
            at = queue.popleft()
            share = left.pop(at, 0.0)
            others = near.get(at, set())
            rank[at] += RESTART * share
            if not others:
                continue
            passed = (1 - RESTART) * share / len(others)
            for other in others:
                before = left.get(other, 0.0)
                left[other] = before + passed
                small = SMALL * max(1, len(near.get(other, ())))
                if before < small <= before + passed:
                    queue.append(other)
        return best(graph, user, rank)

    return recommend


def retinue(graph: Split, engine: Engine) -> Recommend:
    """`Graph.suggestions()`."""
    Base.metadata.create_all(engine)
    users = {user for pair in graph.seen for user in pair} | graph.hidden.keys()
    users |= {user for found in graph.hidden.values() for user in found}
    with engine.begin() as connection:
        connection.execute(insert(User), [{"id": user} for user in sorted(users)])
    import_follows(engine, User, ((*pair, at) if at else pair for pair, at in graph.seen.items()))
    session = Session(engine)

    def recommend(user: int) -> list[int]:
        found = Graph(session, User).suggestions(user, SHOWN)
        session.expunge_all()
        return [one.user.id for one in found]

    return recommend


# --- Judging -------------------------------------------------------------------------------------


def judge(graph: Split, users: Iterable[int], recommend: Recommend) -> tuple[float, float]:
    """Return recall@20 and MRR@20, on the mean of *users*."""
    recalls, places = [], []
    for user in users:
        hidden, found = graph.hidden[user], recommend(user)
        recalls.append(len(hidden & set(found)) / len(hidden))
        places.append(next((1 / place for place, who in enumerate(found, 1) if who in hidden), 0.0))
    return sum(recalls) / len(recalls), sum(places) / len(places)


def contest(graph: Split, engine: Engine) -> Iterator[tuple[str, Recommend]]:
    """Yield the contestants."""
    both = graph.both
    yield "popularity", popularity(graph)
    yield "common neighbours", common(graph, graph.out, lambda _: 1.0)
    yield "common neighbours, either way", common(graph, both, lambda _: 1.0)
    yield "Adamic-Adar", adamic_adar(graph, graph.out)
    yield "Adamic-Adar, either way", adamic_adar(graph, both)
    yield "random walk with restart", walk(graph, graph.out)
    yield "random walk with restart, either way", walk(graph, both)
    yield "Retinue", retinue(graph, engine)


def main() -> None:
    """Print a table for each graph."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--users", type=int, default=1_000, help="how many of those with hidden edges to ask for")
    arguments = parser.parse_args()
    dice = random.Random(7)
    graphs = [split(path.name, read(path), dice) for path in arguments.files]
    for graph in graphs or [split("made up", made_up(dice), dice)]:
        able = sorted(user for user in graph.hidden if user in graph.out or user in graph.into)
        users = dice.sample(able, min(arguments.users, len(able)))
        print(f"\n{graph.name}: {len(graph.seen):,} edges seen, {len(users):,} users asked for\n")
        print(f"| {'':36} | recall@{SHOWN} | MRR@{SHOWN} |\n|{'-' * 38}|-----------|--------|")
        with tempfile.TemporaryDirectory() as place:
            engine = prepare_engine(create_engine(f"sqlite:///{place}/graph.sqlite3"))
            for name, recommend in contest(graph, engine):
                recall, place_of_first = judge(graph, users, recommend)
                print(f"| {name:36} | {recall:9.3f} | {place_of_first:6.3f} |", flush=True)
            engine.dispose()


if __name__ == "__main__":
    main()
