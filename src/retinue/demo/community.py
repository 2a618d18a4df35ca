"""
Inventing a community: who is in it, who follows whom since when, and who asks to.

The same number of people gives the same community, each time and everywhere;
only its end is moved to the day on which it is made. People gather in circles,
follow back, find friends of friends, and flock to the well-known: few end up with
very many followers, and most with some.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate

from retinue.demo.people import fold
from retinue.demo.vocabulary import CIRCLES, FIRST_NAMES, LAST_NAMES

#: How long ago the first two came.
AGE = timedelta(days=900)

#: Follows that each person makes on average, followings-back not counted.
FOLLOWS_EACH = 15

# How somebody finds whom to follow; the rest goes by fame alone.
_IN_CIRCLE, _FRIEND_OF_FRIEND, _ANYBODY = 0.45, 0.25, 0.08
_FOLLOWS_BACK = 0.35

# How many keep what to themselves, or are away.
_LOCKED, _HIDE_FOLLOWERS, _HIDE_FOLLOWING, _AWAY = 0.15, 0.05, 0.05, 0.02

#: At the end, this long, is when those asked who wait for an answer now; everybody was there by then.
REQUESTS_LAST = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody, before they are in a database."""

    username: str
    name: str
    bio: str
    circle: str
    joined_at: datetime
    locked: bool = False
    hide_followers: bool = False
    hide_following: bool = False
    active: bool = True


def invent_members(number: int, until: datetime) -> list[Member]:
    """Return *number* people in the order in which they joined, the last some days before *until*."""
    chance = random.Random(f"members {number}")  # noqa: S311 - a story, not a secret
    first_names, last_names = FIRST_NAMES.split(), LAST_NAMES.split()
    pairs = len(first_names) * len(last_names)
    names = chance.sample(range(pairs), min(number, pairs))
    circles = list(CIRCLES)
    sizes = [1 / (place + 2) for place in range(len(circles))]
    members, taken = [], set()
    for place in range(number):
        first, last = divmod(names[place % pairs], len(last_names))
        name = f"{first_names[first]} {last_names[last]}"
        username = fold(name)
        if username in taken:
            username = f"{username}_{place}"
        taken.add(username)
        circle = chance.choices(circles, sizes)[0]
        bio = " ".join(chance.sample(CIRCLES[circle], chance.choice((1, 2, 2))))
        # More and more join: a community that grows.
        age = AGE * (1 - (place / number) ** 0.6) * 0.98 + timedelta(days=3)
        joined_at = until - age - timedelta(seconds=chance.random() * 3600)
        members.append(Member(username, name, bio, circle, joined_at))
    return _with_wishes(sorted(members, key=lambda member: member.joined_at))


def _with_wishes(members: list[Member]) -> list[Member]:
    """Return *members* with what each of them keeps to themselves."""
    chance = random.Random(f"wishes {len(members)}")  # noqa: S311 - a story, not a secret
    return [
        replace(
            member,
            locked=chance.random() < _LOCKED,
            hide_followers=chance.random() < _HIDE_FOLLOWERS,
            hide_following=chance.random() < _HIDE_FOLLOWING,
            active=chance.random() >= _AWAY,
        )
        for member in members
    ]


def invent_requests(
    members: list[Member], follows: Iterable[tuple[int, int, datetime]], until: datetime
) -> Iterator[tuple[int, int, datetime]]:
    """Yield (who asks, whom, when) by their places in *members*: nobody asks whom they follow."""
    chance = random.Random(f"requests {len(members)}")  # noqa: S311 - a story, not a secret
    edges = {(follower, followed) for follower, followed, _ in follows}
    places = range(len(members))
    for asked, member in enumerate(members):
        if not (member.locked and member.active):
            continue
        met = chance.sample(places, min(40, len(places)))
        askers = [place for place in met if place != asked and members[place].active and (place, asked) not in edges]
        askers.sort(key=lambda place: members[place].circle != member.circle)
        for asker in askers[: chance.randint(1, 6)]:
            yield asker, asked, until - REQUESTS_LAST * chance.random() * 0.95


def invent_follows(members: list[Member], until: datetime) -> Iterator[tuple[int, int, datetime]]:
    """Yield (follower, followed, since) by their places in *members*; each pair once, none to oneself."""
    yield from _Story(members, until).tell()


class _Story:
    """The community's life, told from its first day."""

    def __init__(self, members: list[Member], until: datetime) -> None:
        self.members, self.until = members, until
        self.chance = random.Random(f"follows {len(members)}")  # noqa: S311 - a story, not a secret
        self.joined = [member.joined_at for member in members]
        # Some hardly ever follow anybody, a few follow everybody they see.
        self.eagerness = list(accumulate(self.chance.lognormvariate(0, 0.9) for _ in members))
        # Each follower is one lot in the draw for the next one: fame makes fame.
        self.fame: list[int] = []
        self.fame_in_circle: dict[str, list[int]] = {}
        self.follows: list[list[int]] = [[] for _ in members]
        self.edges: set[tuple[int, int]] = set()
        self.present = 0

    def tell(self) -> Iterator[tuple[int, int, datetime]]:
        attempts = len(self.members) * FOLLOWS_EACH
        start = self.joined[min(1, len(self.joined) - 1)]
        for attempt in range(attempts):
            time = start + (self.until - start) * ((attempt + self.chance.random()) / attempts) ** 0.65
            yield from self._welcome(time)
            follower = self._somebody_eager()
            followed = self._found_by(follower)
            yield from self._follow(follower, followed, time)

    def _welcome(self, time: datetime) -> Iterator[tuple[int, int, datetime]]:
        """Let those who have come by *time* in, each with the first two whom they follow."""
        while self.present < len(self.members) and self.joined[self.present] <= time:
            new, came = self.present, self.joined[self.present]
            self.present += 1
            circle = self.members[new].circle
            self.fame.append(new)
            self.fame_in_circle.setdefault(circle, []).append(new)
            for minutes in (2, 5):
                followed = self.chance.choice(self.fame_in_circle[circle] if minutes == 2 else self.fame)
                yield from self._follow(new, followed, came + timedelta(minutes=minutes * self.chance.random()))

    def _somebody_eager(self) -> int:
        lot = self.chance.random() * self.eagerness[self.present - 1]
        return bisect_left(self.eagerness, lot, 0, self.present - 1)

    def _found_by(self, follower: int) -> int:
        way, choice = self.chance.random(), self.chance.choice
        if way < _IN_CIRCLE:
            return choice(self.fame_in_circle[self.members[follower].circle])
        if way < _IN_CIRCLE + _FRIEND_OF_FRIEND and self.follows[follower]:
            friend = choice(self.follows[follower])
            return choice(self.follows[friend] or [friend])
        if way < _IN_CIRCLE + _FRIEND_OF_FRIEND + _ANYBODY:
            return self.chance.randrange(self.present)
        return choice(self.fame)

    def _follow(self, follower: int, followed: int, time: datetime) -> Iterator[tuple[int, int, datetime]]:
        if follower == followed or (follower, followed) in self.edges or time > self.until:
            return
        self.edges.add((follower, followed))
        self.follows[follower].append(followed)
        self.fame.append(followed)
        self.fame_in_circle[self.members[followed].circle].append(followed)
        yield follower, followed, time
        if self.chance.random() < _FOLLOWS_BACK:
            later = time + timedelta(hours=self.chance.expovariate(1 / 20))
            yield from self._follow(followed, follower, later)
