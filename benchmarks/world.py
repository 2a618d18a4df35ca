"""What the timed calls are asked with: users drawn from a graph, and what is put on top of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import Data

#: Readers are who follow so many, or a tenth more or less; a graph that has fewer than so many of them gets as many.
READERS = {500: 4, 5_000: 2}
#: Posts for each thousand edges, and at most.
_POSTS_PER_THOUSAND, _MAX_POSTS = 100, 500_000

_SECOND = 1_000_000


@dataclass(frozen=True)
class World:
    """A graph in which somebody follows 500 and 5,000, and the posts of its users."""

    data: Data
    #: By how many they follow: about so many, or half of all users where there are too few.
    readers: dict[int, list[int]]
    #: Of the posts 1, 2 ..: by whom, and when.
    authors: NDArray[np.int64]
    post_times: NDArray[np.int64]


def world(data: Data, seed: int = 1) -> World:
    """Put readers and posts on top of *data*."""
    dice = np.random.default_rng(seed)
    users, edges, readers = data.users, [np.empty((0, 2), np.int64)], dict[int, list[int]]()
    follow = np.bincount(data.followers)
    for many, number in READERS.items():
        readers[many] = np.flatnonzero(np.abs(follow - many) <= many // 10)[:20].tolist()
        if len(readers[many]) >= number:
            continue
        for _ in range(number):
            users += 1
            chosen = _by_degree(data.followed, min(many, data.users // 2), dice)
            edges.append(np.stack([np.full(len(chosen), users), chosen], axis=1))
            readers[many].append(users)
    new = dice.permutation(np.concatenate(edges))
    times = data.times[-1] + _SECOND * np.arange(1, len(new) + 1)
    whole = replace(
        data,
        users=users,
        followers=np.concatenate([data.followers, new[:, 0]]),
        followed=np.concatenate([data.followed, new[:, 1]]),
        times=np.concatenate([data.times, times]),
    )
    # Half of the posts are by whoever has followers, the more the more; half by anybody.
    number = min(len(data.times) * _POSTS_PER_THOUSAND // 1_000, _MAX_POSTS)
    popular, anybody = dice.choice(data.followed, number // 2), dice.integers(1, users + 1, number - number // 2)
    authors = dice.permutation(np.concatenate([popular, anybody]))
    return World(whole, readers, authors, whole.times[-1] - _SECOND * np.arange(number, 0, -1))


def _by_degree(ends: NDArray[np.int64], many: int, dice: np.random.Generator) -> NDArray[np.int64]:
    """Draw different users, the likelier the more edges end at them; what is missing then, from the others."""
    chosen = np.unique(dice.choice(ends, many))
    while len(chosen) < many:
        more = np.concatenate([dice.choice(ends, many), dice.integers(1, ends.max() + 1, many // 4 + 1)])
        chosen = np.unique(np.concatenate([chosen, more]))
    return dice.permutation(chosen)[:many]


class Draw:
    """Draws users and pairs: the first half of them by degree, as visitors see them, the other half at random."""

    def __init__(self, of: World, seed: int) -> None:
        self.world, self.data, self._dice, self._turn = of, of.data, Random(seed), 0
        self._pairs: NDArray[np.int64] | None = None

    def user(self) -> int:
        """Draw a user: by how many follow them, or at random."""
        self._turn += 1
        if self._turn % 2:
            return int(self.data.followed[self._dice.randrange(len(self.data.times))])
        return self._dice.randint(1, self.data.users)

    def follower(self) -> int:
        """Draw a user: by how many they follow, or at random."""
        self._turn += 1
        if self._turn % 2:
            return int(self.data.followers[self._dice.randrange(len(self.data.times))])
        return self._dice.randint(1, self.data.users)

    def users(self, many: int) -> list[int]:
        """Draw different users."""
        found: dict[int, None] = {}
        while len(found) < min(many, self.data.users):
            found[self.user()] = None
        return list(found)

    def pair(self) -> tuple[int, int]:
        """Draw two users: an edge, or any two."""
        self._turn += 1
        if self._turn % 2:
            edge = self._dice.randrange(len(self.data.times))
            return int(self.data.followers[edge]), int(self.data.followed[edge])
        follower, followed = self.users(2)
        return follower, followed

    def strangers(self, many: int) -> list[tuple[int, int]]:
        """Draw different pairs of users of whom the first does not follow the other."""
        found: dict[tuple[int, int], None] = {}
        while len(found) < many:
            follower, followed = self.follower(), self.user()
            if follower != followed and not self._follows(follower, followed):
                found[follower, followed] = None
        return list(found)

    def reader(self, many: int) -> int:
        """Draw one of those who follow so many."""
        return self._dice.choice(self.world.readers[many])

    def _follows(self, follower: int, followed: int) -> bool:
        if self._pairs is None:
            self._pairs = np.sort(self.data.followers * (self.data.users + 1) + self.data.followed)
        wanted = follower * (self.data.users + 1) + followed
        place = int(np.searchsorted(self._pairs, wanted))
        return place < len(self._pairs) and int(self._pairs[place]) == wanted


def depth_of_page(data: Data, depth: int = 100_000) -> int:
    """Return how deep in the celebrity's list a page can begin: *depth*, or nine tenths of it where it is shorter."""
    return min(depth, int(np.count_nonzero(data.followed == data.celebrity)) * 9 // 10)
