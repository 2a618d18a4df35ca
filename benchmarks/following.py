"""
Who follows whom, in a graph that is made: the shape of a real one, at any size.

Each user has a place on a ring (where they live, what they are interested in), an *attention*
that they get, and a *curiosity*. A follows B where B is near enough: the higher the curiosity of
A and the attention of B, the farther apart they may be. So a few are followed from everywhere and
most from nearby; neighbours follow the same people and one another, which makes the triangles; and
who follows is followed back, unless the other gets far more attention than they give.

How near that comes: `python -m benchmarks.data 2000000 --graph FILE`, where FILE is ego-Twitter of
the Stanford Network Analysis Project, 81,306 users and 1,768,135 edges. (93 of 100 made users also
follow the celebrity, who is no part of this module.)

                                                made                      real
    following: median, 90 %, 99 %, 99.9 %       8, 40, 127, 314           9, 55, 181, 337
    followers: median, 90 %, 99 %, 99.9 %       6, 32, 156, 620           8, 50, 209, 736
    exponent of the tail: following, followers  3.5, 2.6                  4.7, 2.9
    correlation of both (of their logarithms)   0.65                      0.72
    reciprocity; without the most followed      0.47; 0.50                0.48; 0.48
    clustering, mean over users                 0.67                      0.61
    with 2, 10, 20 neighbours or more           0.82, 0.69, 0.56          0.78, 0.59, 0.54
    with 50, 100, 200, 500 or more              0.37, 0.23, 0.13, 0.04    0.46, 0.32, 0.16, 0.07

Degrees are lower because a made graph has 17 edges for each user, and this real one 22.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.int64]
Numbers = NDArray[np.float64]

#: How heavy the tails are: the share of users above k falls as k to the power of minus this.
ATTENTION_TAIL = 1.7
CURIOSITY_TAIL = 3.0
#: How far who gets attention is also curious: 1 were entirely.
GIVE_AND_TAKE = 0.85
#: This share of users follows nobody, but for those whom everybody follows.
SILENT = 0.14
#: The share of pairs near enough that know one another, and of edges that have nothing to do with places.
ACQUAINTED = 0.85
ANYWHERE = 0.05
#: Nobody gets less attention than this (the mean is 1).
LEAST_ATTENTION = 0.06
#: Nobody but the celebrity is followed by more than this share of users.
MOST = 0.05


@dataclass(frozen=True)
class People:
    """The users from 0: where they are on a ring as long as they are many, and what they get (1 in the mean) and give."""

    places: Numbers
    attention: Numbers
    curiosity: Numbers

    @classmethod
    def make(cls, users: int, random: np.random.Generator) -> People:
        """Make so many."""
        popular = random.standard_normal(users)
        active = GIVE_AND_TAKE * popular + (1 - GIVE_AND_TAKE**2) ** 0.5 * random.standard_normal(users)
        curiosity = _heavy_tailed(active, CURIOSITY_TAIL)
        curiosity[random.random(users) < SILENT] = 0
        attention = np.maximum(_heavy_tailed(popular, ATTENTION_TAIL), LEAST_ATTENTION)
        return cls(np.sort(random.random(users) * users), attention, curiosity)

    def without(self, celebrities: list[int], readers: list[int]) -> People:
        """Return the same, but that nobody follows the *celebrities*, and the *readers* follow nobody."""
        attention, curiosity = self.attention.copy(), self.curiosity.copy()
        attention[celebrities] = 0
        curiosity[readers] = 0
        return People(self.places, attention, curiosity)


def follow_one_another(people: People, edges: int, random: np.random.Generator) -> Keys:
    """Return at most so many *edges* (fewer only in a tiny graph), as follower * users + followed, in no useful order."""
    users = len(people.places)
    # A little more than needed: what chance gives is cut to measure below.
    give = people.curiosity * (edges * 1.04 / people.curiosity.sum())
    get = np.minimum(people.attention, MOST * users / (edges / users))
    get *= users / get.sum()
    near = [*_near(people.places, give * (1 - ANYWHERE), get, int(random.integers(2**32)))]
    found = np.sort(np.concatenate([*near, _anywhere(give, get, int(edges * ANYWHERE / 2), random)]))
    found = found[np.append(True, np.diff(found) > 0)]
    # The dice fall alike for both directions of a pair, so that cutting ends no friendship by half.
    dice = _dice(found // users, found % users, users, int(random.integers(2**32)))
    fallen: Keys = found[np.argsort(dice, kind="stable")[:edges]]
    return fallen


def spread(weights: Numbers, many: int, random: np.random.Generator) -> Keys:
    """Return so *many* different places of *weights* by chance, the heavier the likelier; none of weight 0."""
    with np.errstate(divide="ignore"):
        wait = -np.log(1 - random.random(len(weights))) / weights
    many = min(many, int(np.count_nonzero(weights)))
    return np.sort(np.argsort(wait, kind="stable")[:many])


def _heavy_tailed(order: Numbers, tail: float) -> Numbers:
    """Return numbers with such a tail, 1 in the mean, ranked as *order*."""
    rank = np.empty(len(order))
    rank[np.argsort(-order, kind="stable")] = np.arange(len(order))
    numbers = ((rank + 0.5) / len(order)) ** (-1 / tail) - 1
    scaled: Numbers = numbers / numbers.mean()
    return scaled


def _near(places: Numbers, give: Numbers, get: Numbers, salt: int) -> Iterator[Keys]:
    """Yield the edges between those who are near enough, for users of about the same attention at a time."""
    users = len(places)
    reach = give / (2 * ACQUAINTED)
    with np.errstate(divide="ignore"):
        layers = np.clip(np.floor(np.log2(get)), -6, None)
    for layer in np.unique(layers[get > 0]):
        members = np.flatnonzero((layers == layer) & (get > 0))
        # The ring three times over, so that nobody stands at its end.
        at = np.concatenate([places[members] + turn * users for turn in (-1, 0, 1)])
        who = np.tile(members, 3)
        far = np.minimum(reach * get[members].max(), users * 0.499999)
        first, last = np.searchsorted(at, places - far), np.searchsorted(at, places + far)
        for some in _portions(last - first):
            many = (last - first)[some]
            follower = np.repeat(np.arange(some.start, some.stop), many)
            step = np.arange(len(follower)) - np.repeat(np.cumsum(many) - many, many)
            candidate = first[follower] + step
            followed = who[candidate]
            near = np.abs(at[candidate] - places[follower]) <= reach[follower] * get[followed]
            follower, followed = follower[near], followed[near]
            acquainted = (_dice(follower, followed, users, salt) < ACQUAINTED) & (follower != followed)
            yield follower[acquainted] * users + followed[acquainted]


def _portions(many: Keys, size: int = 2_000_000) -> Iterator[slice]:
    """Cut the places of *many* into slices that sum up to about so much."""
    portion = np.cumsum(many) // size
    edges = [0, *(np.flatnonzero(np.diff(portion)) + 1).tolist(), len(many)]
    return (slice(start, stop) for start, stop in pairwise(edges))


def _anywhere(give: Numbers, get: Numbers, many: int, random: np.random.Generator) -> Keys:
    """Return so many edges that have nothing to do with places, each with its opposite where that can be."""
    one, other = (_draw(some, many, random) for some in (give, get))
    one, other = one[one != other], other[one != other]
    back = (give[other] > 0) & (get[one] > 0)
    return np.concatenate([one * len(give) + other, (other * len(give) + one)[back]])


def _draw(weights: Numbers, many: int, random: np.random.Generator) -> Keys:
    """Draw so *many* places of *weights*, each as often as it is heavy."""
    total = np.cumsum(weights)
    drawn: Keys = np.searchsorted(total, random.random(many) * total[-1], side="right")
    return drawn


def _dice(one: Keys, other: Keys, users: int, salt: int) -> Numbers:
    """Return a number from 0 to 1 for each pair, the same whoever comes first (the mixer of SplitMix64)."""
    mixed = (np.minimum(one, other) * users + np.maximum(one, other)).astype(np.uint64) + np.uint64(salt)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
