"""
Mixes of operations as studies have published them, by eight connections at a time.

LinkBench's mix is what Facebook's database is asked for where its cache does not know. Only the operations on links, as
the benchmark's makers publish them (config/FBWorkload.properties of facebookarchive/linkbench), which make up 87% of
all: 66.6 lists in a hundred (30% of these ask for older history), 11.8 new links, 10.5 that are there already, 6.4
counts, 3.9 deletions, 0.7 look-ups.

TAO's mix is what Facebook's cache of its graph is asked for, nearly all of it reads. As the paper of its makers tells, of
the operations on edges: 99.8 reads in a hundred (of these 57.5 ranges, 22.1 look-ups, 16.5 counts, 3.9 ranges of time),
and 0.2 writes (of these 85 new edges, 13.5 deletions, 1.5 that change an edge, which here are follows of whom one
follows). Half of the look-ups find an edge.

All lists are followers, as rows. In LinkBench's mix the floor does the same operations, by the best SQL by hand on tables of
its own; in TAO's it is the bare driver with Retinue's own statements, on its tables.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sqlalchemy import URL

from benchmarks.competitor import PAGE, Competitor
from benchmarks.competitors import floor_of
from benchmarks.competitors.retinue import Retinue
from benchmarks.competitors.same import SameStatements
from benchmarks.data import Data, Keys
from benchmarks.databases import Place
from benchmarks.loads.crew import Call, Crew, stated
from benchmarks.loads.load import Measured, check, loaded
from benchmarks.results import FLOOR, RETINUE, Stated
from benchmarks.runner import take_turns

CONNECTIONS = 8

#: In a thousand, and in a hundred thousand.
LINKBENCH = {"list": 466, "older": 200, "add": 118, "update": 105, "count": 64, "delete": 39, "get three": 7}
TAO_READS = {"list": 57_384, "older": 3_892, "get one": 11_028, "get none": 11_028, "count": 16_468}
TAO = TAO_READS | {"add": 170, "delete": 27, "update": 3}

READS = {"list", "older", "count", "get one", "get none", "get three"}

#: The highest ratio of a slow call (the 99th percentile) to a usual one.
TAIL = 4.0

#: How many arguments of each kind are drawn before; the sides take them again and again, by chance.
DRAWN, DRAWN_PLACES = 4_096, 128
#: How unevenly LinkBench's operations fall on its users: 1 / rank to the power of this.
READ_SKEW, WRITE_SKEW = 0.8, 0.741

#: How many operations are drawn before; then they begin anew.
_PLANNED = 10_007


@dataclass(frozen=True)
class Drawn:
    """Arguments, drawn once for all sides."""

    users: int
    #: Whom reads are about.
    read: tuple[int, ...]
    #: Who gets a new edge; to anybody.
    write: tuple[int, ...]
    #: Edges that were there at the beginning.
    edges: tuple[tuple[int, int], ...]
    #: Whose list of followers has a second page.
    long_lists: tuple[int, ...]


def zipf(users: int, skew: float, number: int, chance: np.random.Generator) -> Keys:
    """Draw users 1 to *users*, of whom few are asked for often: Zipf's law over an order that is made by chance."""
    sums = np.cumsum(np.arange(1, users + 1, dtype=np.float64) ** -skew)
    ranks = np.searchsorted(sums, chance.random(number) * sums[-1], side="right")
    drawn: Keys = (chance.permutation(users) + 1)[np.minimum(ranks, users - 1)]
    return drawn


def draw(data: Data) -> Drawn:
    """Draw arguments for a graph."""
    chance = np.random.default_rng(1)
    reads, writes = (zipf(data.users, skew, DRAWN, chance) for skew in (READ_SKEW, WRITE_SKEW))
    # An edge of each user who writes and follows anybody.
    order = np.argsort(data.followers, kind="stable")
    start, end = (np.searchsorted(data.followers[order], writes, side=side) for side in ("left", "right"))
    start, end = start[start < end], end[start < end]
    edges = order[start + (chance.random(len(start)) * (end - start)).astype(np.int64)]
    followers = np.bincount(data.followed, minlength=data.users + 1)
    return Drawn(
        data.users,
        tuple(reads.tolist()),
        tuple(writes.tolist()),
        tuple(zip(data.followers[edges].tolist(), data.followed[edges].tolist(), strict=True)),
        tuple(reads[followers[reads] > PAGE].tolist()[:DRAWN_PLACES]),
    )


class Member:
    """One connection that does the operations of a mix, each about somebody drawn by chance."""

    def __init__(self, competitor: Competitor, drawn: Drawn, seed: int) -> None:
        self.competitor, self.drawn, self.dice = competitor, drawn, random.Random(seed)
        self.places = [(user, competitor.place_at(user, PAGE)) for user in drawn.long_lists]
        follow, is_following = competitor.follow, competitor.is_following
        self.operations: dict[str, Callable[[], Any]] = {
            "list": lambda: competitor.first_page(self._reader()),
            "older": lambda: competitor.page_from(*self.dice.choice(self.places)),
            "count": lambda: competitor.counts([self._reader()]),
            "get one": lambda: is_following(*self._edge()),
            "get none": lambda: is_following(*self._new_edge()),
            "get three": lambda: competitor.relationships(
                self._reader(), self.dice.sample(sorted({*drawn.read[:9]}), 3)
            ),
            "add": lambda: follow(*self._new_edge()),
            "update": lambda: follow(*self._edge()),
            "delete": lambda: competitor.unfollow(*self._edge()),
        }

    def _reader(self) -> int:
        return self.dice.choice(self.drawn.read)

    def _edge(self) -> tuple[int, int]:
        return self.dice.choice(self.drawn.edges)

    def _new_edge(self) -> tuple[int, int]:
        follower = self.dice.choice(self.drawn.write)
        return follower, 1 + (follower + self.dice.randrange(self.drawn.users - 1)) % self.drawn.users


def member(number: int, kind: type[Competitor], url: URL, drawn: Drawn, weights: Mapping[str, int]) -> Call:
    """Return what a member of a crew repeats: the next operation of the mix."""
    one = Member(kind(url), drawn, number)
    names = one.dice.choices(list(weights), list(weights.values()), k=_PLANNED)
    plan = [one.operations[name] for name in names]
    return lambda done: plan[done % _PLANNED]()


def compare(sides: Mapping[str, Competitor], drawn: Drawn, weights: Mapping[str, int]) -> None:
    """Raise if the sides do not read the same."""
    ours, theirs = (Member(side, drawn, 1) for side in sides.values())
    for name in weights.keys() & READS:
        for _ in range(50):
            found, expected = theirs.operations[name](), ours.operations[name]()
            if found != expected:
                raise AssertionError(f"{name}: {found}, {expected}")


def linkbench(place: Place) -> Measured:
    """LinkBench's mix, beside the best SQL by hand."""
    return _measured(place, LINKBENCH, {kind.name: loaded(place, kind) for kind in (floor_of(place.kind), Retinue)})


def tao(place: Place) -> Measured:
    """TAO's mix, beside the same statements in the bare driver."""
    retinue = loaded(place, Retinue)
    return _measured(place, TAO, {FLOOR: SameStatements(retinue.url), RETINUE: retinue})


def _measured(place: Place, weights: Mapping[str, int], sides: Mapping[str, Competitor]) -> Measured:
    """Let both sides work in turns; the answers are compared before, the counters with the edges at the end."""
    rounds, seconds = (3, 0.7) if place.quick else (5, 6.0)
    drawn = draw(place.data)
    compare(sides, drawn, weights)
    with ExitStack() as stack:
        crews = {}
        for name, side in sides.items():
            side.close()
            crews[name] = stack.enter_context(Crew(CONNECTIONS, member, type(side), side.url, drawn, weights))
        turns = {name: partial(lambda crew, _: [crew.work(seconds)], crew) for name, crew in crews.items()}
        found = take_turns(turns, rounds)
        tail = Stated("Retinue at half of that: p99 to p50", crews[RETINUE].tail(seconds), TAIL)
    for side in sides.values():
        if not isinstance(side, SameStatements):  # which has no tables of its own
            check(side)
            place.drop(side.url)
    return Measured(found, (tail, *stated(crews)))
