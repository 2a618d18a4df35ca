"""
How good the suggestions are: hide a tenth of the edges of a graph, and see who finds them again.

    .venv/bin/python -m benchmarks.suggestions [follows.csv[.gz] ...] [--users 1000]

A file has lines of ``follower,following`` or ``follower,following,unix seconds``. Of one
with times the newest tenth is hidden; else a tenth at random. Without a file a graph is
made. For users with hidden edges, who have others left, each recommender names
twenty; printed are the share of the hidden edges that are among them (recall@20) and
the mean of one through the place of the first (MRR@20). Retinue's own are those that
`Graph.suggestions()` returns on SQLite; the others' are exact and see all edges, not
only the newest. Those named "either way" take the graph as one without directions.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from benchmarks.competitors.retinue import Retinue
from benchmarks.data import Data, generate, read
from benchmarks.databases import place

SHOWN = 20
HIDDEN = 0.1
#: The chance by which a random walk goes home at each step.
RESTART = 0.15
#: A walker's share that is too small to be passed on, for each neighbour.
SMALL = 1e-5

Neighbours: TypeAlias = Mapping[int, set[int]]
Recommend: TypeAlias = Callable[[int], list[int]]


class Split:
    """A graph whose newest tenth is hidden."""

    def __init__(self, data: Data) -> None:
        cut = int(len(data.times) * (1 - HIDDEN))
        #: What may be seen.
        self.seen = replace(data, followers=data.followers[:cut], followed=data.followed[:cut], times=data.times[:cut])
        self.out = _neighbours(self.seen.followers.tolist(), self.seen.followed.tolist())
        self.into = _neighbours(self.seen.followed.tolist(), self.seen.followers.tolist())
        self.hidden = _neighbours(data.followers[cut:].tolist(), data.followed[cut:].tolist())

    @property
    def both(self) -> Neighbours:
        """The neighbours of each user, either way."""
        return {user: self.out.get(user, set()) | self.into.get(user, set()) for user in self.out | self.into}

    def best(self, user: int, scores: Mapping[int, float]) -> list[int]:
        """Return those with the best scores whom *user* does not follow; equal ones in no order that means anything."""
        out = {user, *self.out.get(user, ())}
        found = ((score, who * 2654435761 % 2**32, who) for who, score in scores.items() if who not in out)
        return [who for _, _, who in heapq.nlargest(SHOWN, found)]


def _neighbours(ones: Iterable[int], others: Iterable[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for one, other in zip(ones, others, strict=True):
        found[one].add(other)
    return dict(found)


# --- Recommenders --------------------------------------------------------------------------------


def popularity(graph: Split) -> Recommend:
    """The users with the highest numbers of followers."""
    followers = {user: len(fans) for user, fans in graph.into.items()}
    return lambda user: graph.best(user, followers)


def common(graph: Split, near: Neighbours, weight: Callable[[int], float]) -> Recommend:
    """Those to whom paths of two steps lead, each of which counts by whom it goes through."""

    def recommend(user: int) -> list[int]:
        scores: dict[int, float] = defaultdict(float)
        for middle in near.get(user, ()):
            worth = weight(middle)
            for other in near.get(middle, ()):
                scores[other] += worth
        return graph.best(user, scores)

    return recommend


def adamic_adar(graph: Split, near: Neighbours) -> Recommend:
    """Common neighbours, each weighted by one through the logarithm of how many it has."""
    return common(graph, near, lambda middle: 1 / math.log(max(2, len(near.get(middle, ())))))


def walk(graph: Split, near: Neighbours) -> Recommend:
    """Those whom a random walk visits that goes home now and then: personalised PageRank, by forward push."""

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
        return graph.best(user, rank)

    return recommend


def recommenders(graph: Split, retinue: Retinue) -> Iterator[tuple[str, Recommend]]:
    """Yield who is compared."""
    both = graph.both
    yield "popularity", popularity(graph)
    yield "common neighbours", common(graph, graph.out, lambda _: 1.0)
    yield "common neighbours, either way", common(graph, both, lambda _: 1.0)
    yield "Adamic-Adar", adamic_adar(graph, graph.out)
    yield "Adamic-Adar, either way", adamic_adar(graph, both)
    yield "random walk with restart", walk(graph, graph.out)
    yield "random walk with restart, either way", walk(graph, both)
    yield retinue.name, retinue.suggestions


# --- Judging -------------------------------------------------------------------------------------


def judge(graph: Split, users: Iterable[int], recommend: Recommend) -> tuple[float, float]:
    """Return recall@20 and MRR@20, on the mean of *users*."""
    recalls, places = [], []
    for user in users:
        hidden, found = graph.hidden[user], recommend(user)
        recalls.append(len(hidden & set(found)) / len(hidden))
        places.append(next((1 / place for place, who in enumerate(found, 1) if who in hidden), 0.0))
    return sum(recalls) / len(recalls), sum(places) / len(places)


def main() -> None:
    """Print a table for each graph."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--users", type=int, default=1_000, help="how many of those with hidden edges to ask for")
    arguments = parser.parse_args()
    dice = random.Random(7)
    for data in map(read, arguments.files) if arguments.files else [generate(60_000)]:
        graph = Split(data)
        able = sorted(user for user in graph.hidden if user in graph.out or user in graph.into)
        users = dice.sample(able, min(arguments.users, len(able)))
        print(f"\n{data.name}: {len(graph.seen.times):,} edges seen, {len(users):,} users asked for\n")
        print(f"| {'':36} | recall@{SHOWN} | MRR@{SHOWN} |\n|{'-' * 38}|-----------|--------|")
        with place("sqlite", data) as here, closing(Retinue(here.fresh())) as retinue:
            retinue.create()
            retinue.load(graph.seen)
            for name, recommend in recommenders(graph, retinue):
                recall, first = judge(graph, users, recommend)
                print(f"| {name:36} | {recall:9.3f} | {first:6.3f} |", flush=True)


if __name__ == "__main__":
    main()
