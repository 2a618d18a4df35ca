"""The graphs that the benchmark runs on: made here, or read from a file."""

from __future__ import annotations

import argparse
import gzip
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.following import People, follow_one_another, spread
from benchmarks.properties import properties

Keys = NDArray[np.int64]

#: When the first edge of a made graph was made: 2020-01-01, UTC; and how far the others lie apart, in the mean.
START = 1_577_836_800_000_000
GAP = 5_000_000

#: So many edges, or more, can be made.
LEAST = 100
#: Of a hundred users the celebrity is followed by so many.
FANS = 93
#: How many some users follow, in a graph with at least so many users.
READERS = ((3_000, (450, 475, 500, 525, 550)), (6_000, (5_000,)), (50_000, (5_000,)))


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
    """
    Make a graph of exactly so many *edges* among 6 users for 100 edges, shaped like a real follow graph.

    93 of 100 users follow one celebrity; from 3,000 users on five follow 450 to 550
    others, from 6,000 on one follows 5,000, and from 50,000 on two do. (Whoever follows the
    celebrity as well has one more.)

    With the same *seed*, machine and version of numpy it is the same graph, edge by edge;
    the numbers above are the same everywhere.
    """
    if edges < LEAST:
        raise ValueError(f"at least {LEAST} edges are made, not {edges}")
    random = np.random.default_rng(seed)
    users = max(edges * 6 // 100, math.isqrt(9 * edges) + 2)
    celebrity = users // 3
    lengths = [length for least, lengths in READERS if users >= least for length in lengths]
    readers = random.permutation(np.delete(np.arange(users), celebrity))[: len(lengths)].tolist()
    everybody = People.make(users, random)
    people = everybody.without([celebrity], readers)
    # Whoever it is: a fan is anybody but the celebrity, and nobody finds themselves among those that they follow.
    fans = spread(np.delete(np.ones(users), celebrity), users * FANS // 100, random)
    planted = [(fans + (fans >= celebrity)) * users + celebrity]
    for reader, length in zip(readers, lengths, strict=True):
        others = people.attention.copy()
        others[reader] = 0
        planted.append(reader * users + spread(others, length, random))
    pairs = np.concatenate(planted)
    pairs = np.concatenate([pairs, follow_one_another(people, edges - len(pairs), random)])
    pairs = _fill(pairs, users, edges, random)
    names = random.permutation(users)
    pairs = names[pairs // users] * users + names[pairs % users]
    return _finish(f"made, {edges:,} edges", users, random.permutation(pairs), random)


def read(path: Path) -> Data:
    """
    Read *path*, ``follower,followed[,seconds]`` a line, also packed (.gz); a first line of names is passed over.

    Who follows themselves is left out, as is an edge that stood before. Users become
    1, 2, 3 in the order in which they appear. Where there are no seconds, the edges are
    taken in an order by chance (always the same).
    """
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        named = 0 if next(lines, "").split(",")[0].strip().isdigit() else 1
    rows = np.loadtxt(path, delimiter=",", dtype=np.int64, skiprows=named, ndmin=2)
    keys, at, number = np.unique(rows[:, :2], return_index=True, return_inverse=True)
    place = np.empty(len(keys), dtype=np.int64)
    place[np.argsort(at)] = np.arange(len(keys))
    follower, followed = place[number.reshape(-1, 2)].T
    random = np.random.default_rng(1)
    timed = rows.shape[1] > 2
    order = np.argsort(rows[:, 2], kind="stable") if timed else random.permutation(len(rows))
    pairs = (follower * len(keys) + followed)[order]
    first = np.unique(pairs, return_index=True)[1]
    first = np.sort(first[pairs[first] // len(keys) != pairs[first] % len(keys)])
    times = rows[order, 2][first] * 1_000_000 if timed else None
    return _finish(path.name, len(keys), pairs[first], random, times)


def _fill(pairs: Keys, users: int, edges: int, random: np.random.Generator) -> Keys:
    """Add edges by chance until there are so many: a tiny graph may lack some."""
    while len(pairs) < edges:
        more = np.unique(random.integers(users**2, size=edges - len(pairs) + 10))
        more = more[more // users != more % users]
        pairs = np.concatenate([pairs, random.permutation(np.setdiff1d(more, pairs))])[:edges]
    return pairs


def _finish(name: str, users: int, pairs: Keys, random: np.random.Generator, times: Keys | None = None) -> Data:
    """Number users from 1, and make the times that are missing."""
    followers, followed = pairs // users + 1, pairs % users + 1
    if times is None:
        times = START + np.cumsum((random.random(len(pairs)) * 2 * GAP).astype(np.int64))
    # No two alike: each is at least a microsecond after the one before.
    count = np.arange(len(times))
    times = np.maximum.accumulate(times - count) + count
    return Data(name, users, followers, followed, times, int(np.argmax(np.bincount(followed))))


def main() -> None:
    """Print what a graph of so many edges is like, beside a real one."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("edges", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--graph", type=Path, help="follower,followed a line")
    arguments = parser.parse_args()
    graphs = [generate(arguments.edges, arguments.seed), *([read(arguments.graph)] if arguments.graph else [])]
    columns = [properties(graph.followers, graph.followed) for graph in graphs]
    print(f"{'':52}" + "".join(f"{graph.name:>28}" for graph in graphs))
    for name in dict.fromkeys(name for column in columns for name in column):
        print(f"{name:52}" + "".join(f"{column.get(name, '-'):>28}" for column in columns))


if __name__ == "__main__":
    main()
