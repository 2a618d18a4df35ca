"""The graphs that the benchmark runs on: made here, or read from a file."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy
from numpy.typing import NDArray

Keys = NDArray[numpy.int64]

#: When the first edge of a made graph was made: 2020-01-01, UTC; and how far the others lie apart, in the mean.
START = 1_577_836_800_000_000
GAP = 5_000_000


@dataclass(frozen=True)
class Data:
    """
    A follow graph: users 1 to *users*, and an edge in each place of the arrays, no two alike, none to oneself.

    In the order in which the edges were made: *times* (microseconds since 1970, UTC)
    ascend, and no two are alike.
    """

    name: str
    users: int
    followers: Keys
    followed: Keys
    times: Keys
    #: The user with the most followers.
    celebrity: int

    def name_of(self, user: int) -> str:
        """Return the name that *user* has everywhere."""
        return f"user{user}"


def generate(edges: int, seed: int = 1) -> Data:
    """Make a graph of exactly so many *edges*; the same for the same *seed*."""
    random = numpy.random.default_rng(seed)
    users = max(20, edges * 6 // 100)
    order = random.permutation(users)
    attention = (numpy.arange(users) + 10.0) ** -0.75
    curiosity = numpy.minimum((numpy.arange(users) + 30.0) ** -0.6, 1)
    celebrity, fans = 0, users * 93 // 100
    pairs = [celebrity + users * random.choice(numpy.arange(1, users), fans, replace=False)]
    for many in [5_000] * (users >= 6_000) + [5_000] * (users >= 50_000) + [450, 475, 500, 525, 550] * (users >= 3_000):
        busy = random.integers(1, users)
        pairs.append(busy * users + random.choice(numpy.arange(1, users), many, replace=False))
    planted = _distinct(numpy.concatenate(pairs), users)
    found = planted
    while len(found) < edges:
        short = (edges - len(found)) * 5 // 4 + 1_000
        follower = order[_draw(random, curiosity, short)]
        followed = order[_draw(random, attention, short)]
        answered = random.random(short) < 0.32
        more = numpy.concatenate([follower * users + followed, (followed * users + follower)[answered]])
        found = _distinct(numpy.concatenate([found, more]), users)
    spare = numpy.setdiff1d(found, planted, assume_unique=True)
    found = numpy.concatenate([planted, random.permutation(spare)[: edges - len(planted)]])
    return _finish(f"made, {edges:,} edges", users, random.permutation(found), random)


def _draw(random: numpy.random.Generator, weights: NDArray[numpy.float64], many: int) -> Keys:
    total = numpy.cumsum(weights)
    return numpy.searchsorted(total, random.random(many) * total[-1])


def _distinct(pairs: Keys, users: int) -> Keys:
    pairs = numpy.unique(pairs)
    return pairs[pairs // users != pairs % users]


def _finish(name: str, users: int, pairs: Keys, random: numpy.random.Generator) -> Data:
    gaps = 1 + (random.random(len(pairs)) * 2 * GAP).astype(numpy.int64)
    followers, followed = pairs // users + 1, pairs % users + 1
    celebrity = int(numpy.argmax(numpy.bincount(followed)))
    return Data(name, users, followers, followed, START + numpy.cumsum(gaps), celebrity)


def read(path: Path) -> Data:
    """
    Read *path*, ``follower,followed[,seconds]`` a line, also packed (.gz); a first line of names is passed over.

    Who follows themselves is left out, as is an edge that stood before. Users
    become 1, 2, 3 in the order in which they appear; times that are missing are made.
    """
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        first = next(lines, "").split(",")
        rows = numpy.loadtxt(lines, delimiter=",", dtype=numpy.int64, ndmin=2)
        if first[0].strip().isdigit():
            rows = numpy.concatenate([numpy.array([first], dtype=numpy.int64), rows])
    keys, at, number = numpy.unique(rows[:, :2], return_index=True, return_inverse=True)
    place = numpy.empty(len(keys), dtype=numpy.int64)
    place[numpy.argsort(at)] = numpy.arange(len(keys))
    follower, followed = place[number.reshape(-1, 2)].T
    pairs = follower * len(keys) + followed
    first_of_pair = numpy.unique(pairs, return_index=True)[1]
    keep = numpy.sort(first_of_pair[follower[first_of_pair] != followed[first_of_pair]])
    return _finish(path.name, len(keys), pairs[keep], numpy.random.default_rng(1))
