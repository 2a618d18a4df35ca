"""A mix of operations as a study has published it, and whom they are about."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import URL, create_engine
from sqlalchemy.orm import Session

from benchmarks.data import Data, Keys
from benchmarks.loads.crew import Call
from benchmarks.loads.models import User
from benchmarks.loads.recording import Statements
from benchmarks.loads.sides import BareSide, PlaceInList, RetinueSide, Side
from retinue import Graph, Page, Person, prepare_engine

#: How many arguments of each kind are drawn before; the sides take them again and again, by chance.
DRAWN = 4_096
DRAWN_PLACES = 512

#: How unevenly LinkBench's operations fall on its users: 1 / rank to the power of this.
READ_SKEW, WRITE_SKEW = 0.8, 0.741


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
    older_followers: tuple[PlaceInList, ...]
    older_following: tuple[PlaceInList, ...]


class Skew:
    """Users 1 to *users*, of whom few are asked for often: Zipf's law over an order of users that is made by chance."""

    def __init__(self, users: int, skew: float, random: np.random.Generator) -> None:
        weights = np.arange(1, users + 1, dtype=np.float64) ** -skew
        self._sums: NDArray[np.float64] = np.cumsum(weights)
        self._order = random.permutation(users) + 1
        self._random = random

    def draw(self, many: int) -> Keys:
        """Return so many users, some of them more than once."""
        ranks = np.searchsorted(self._sums, self._random.random(many) * self._sums[-1], side="right")
        drawn: Keys = self._order[np.minimum(ranks, len(self._order) - 1)]
        return drawn


def draw(url: URL, data: Data) -> Drawn:
    """Draw arguments for the graph *data*, which is in the database at *url*."""
    chance = np.random.default_rng(1)
    reads, writes = Skew(data.users, READ_SKEW, chance), Skew(data.users, WRITE_SKEW, chance)
    chosen = _edges_of(writes.draw(DRAWN * 4), data, chance)
    engine = prepare_engine(create_engine(url))
    with Session(engine) as session:
        graph = Graph(session, User)
        drawn = Drawn(
            data.users,
            tuple(reads.draw(DRAWN).tolist()),
            tuple(writes.draw(DRAWN).tolist()),
            chosen[:DRAWN],
            _places(reads, graph.followers),
            _places(reads, graph.following),
        )
    engine.dispose()
    return drawn


def _edges_of(users: Keys, data: Data, chance: np.random.Generator) -> tuple[tuple[int, int], ...]:
    """Return an edge of each of *users* who follows anybody."""
    order = np.argsort(data.followers, kind="stable")
    start = np.searchsorted(data.followers[order], users, side="left")
    end = np.searchsorted(data.followers[order], users, side="right")
    start, end = start[start < end], end[start < end]
    edges = order[start + (chance.random(len(start)) * (end - start)).astype(np.int64)]
    return tuple(zip(data.followers[edges].tolist(), data.followed[edges].tolist(), strict=True))


def _places(skew: Skew, listed: Callable[[int], Page[Person[User]]]) -> tuple[PlaceInList, ...]:
    """Return the ends of first pages behind which there is more."""
    found: list[PlaceInList] = []
    for user in skew.draw(DRAWN_PLACES * 20).tolist():
        page = listed(user)
        if page.next is not None:
            last = page.items[-1]
            found.append(PlaceInList(user, last.since, last.user.id, page.next))
            if len(found) == DRAWN_PLACES:
                break
    if not found:
        raise AssertionError("no list of this graph has a second page")
    return tuple(found)


def _new_edge(drawn: Drawn, dice: random.Random) -> tuple[int, int]:
    follower = dice.choice(drawn.write)
    return follower, 1 + (follower + dice.randrange(drawn.users - 1)) % drawn.users


#: Each operation: with what a side does it. Asking for an edge finds one every other time.
OPERATIONS: dict[str, Callable[[Side, Drawn, random.Random], object]] = {
    "followers": lambda side, drawn, dice: side.followers(dice.choice(drawn.read)),
    "following": lambda side, drawn, dice: side.following(dice.choice(drawn.read)),
    "older followers": lambda side, drawn, dice: side.older_followers(dice.choice(drawn.older_followers)),
    "older following": lambda side, drawn, dice: side.older_following(dice.choice(drawn.older_following)),
    "count": lambda side, drawn, dice: side.count(dice.choice(drawn.read)),
    "get one": lambda side, drawn, dice: side.is_following(*dice.choice(drawn.edges)),
    "get none": lambda side, drawn, dice: side.is_following(*_new_edge(drawn, dice)),
    "get three": lambda side, drawn, dice: side.relationships(dice.choice(drawn.read), dice.sample(drawn.read, 3)),
    "add": lambda side, drawn, dice: side.follow(*_new_edge(drawn, dice)),
    "update": lambda side, drawn, dice: side.follow(*dice.choice(drawn.edges)),
    "delete": lambda side, drawn, dice: side.unfollow(*dice.choice(drawn.edges)),
}

#: How many operations are drawn before; then they begin anew.
_PLANNED = 10_007


def member(number: int, url: URL, statements: Statements | None, drawn: Drawn, weights: Mapping[str, float]) -> Call:
    """Return what a member of a crew repeats: the next operation of the mix, by *statements* or, without, by Retinue."""
    side: Side = BareSide(url, statements) if statements else RetinueSide(url)
    dice = random.Random(number)
    plan = [OPERATIONS[name] for name in dice.choices(list(weights), list(weights.values()), k=_PLANNED)]

    def operate(done: int) -> None:
        plan[done % _PLANNED](side, drawn, dice)

    return operate


def compare(url: URL, statements: Statements, drawn: Drawn) -> None:
    """Raise if both sides do not read the same."""
    ours, theirs = _read(RetinueSide(url), drawn), _read(BareSide(url, statements), drawn)
    for name, found in ours.items():
        if found != theirs[name]:
            raise AssertionError(f"{name}: {found} here, {theirs[name]} there")


def _read(side: Side, drawn: Drawn) -> dict[str, list[object]]:
    dice = random.Random(1)
    reads = [name for name in OPERATIONS if name not in ("add", "update", "delete")]
    found = {name: [OPERATIONS[name](side, drawn, dice) for _ in range(50)] for name in reads}
    side.close()
    return found
