"""
Inventing a community: who is in it, who follows whom since when, who asks to, who keeps whom away, and what they write.

The same numbers give the same community, each time and everywhere;
only its end is moved to the day on which it is made. People gather in circles,
follow back, find friends of friends, and flock to the well-known: few end up with
very many followers, and most with some. A few write most of what there is to read.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate, chain, islice
from math import sqrt
from string import ascii_uppercase
from typing import NamedTuple

from retinue_demo.people import fold
from retinue_demo.sayings import saying
from retinue_demo.vocabulary import CIRCLES, FIRST_NAMES, LAST_NAMES

#: How long ago the first two came.
AGE = timedelta(days=900)

#: Follows that each person makes on average, followings-back not counted, where nobody says how many.
FOLLOWS_EACH = 15

#: Follows that come of one which somebody sets out to make, on average: some follow back, some follow already.
_COME_OF_ONE = 1.1

#: Posts of each person on average, and the most of anybody.
POSTS_EACH, POSTS_MOST = 10, 200

# How somebody finds whom to follow; the rest goes by fame alone.
_IN_CIRCLE, _FRIEND_OF_FRIEND, _ANYBODY = 0.45, 0.25, 0.08
_FOLLOWS_BACK = 0.35

# How many keep what to themselves, or are away.
_LOCKED, _HIDE_FOLLOWERS, _HIDE_FOLLOWING, _AWAY = 0.15, 0.05, 0.05, 0.02

#: Those who came first have met the most people: some of these keep a few of them away.
_LONGEST_HERE = 40

#: The hour before which few people write.
_MORNING = 5

#: How much of what people write is of the last days.
_LATELY = 0.25

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


class KeptAway(NamedTuple):
    """One person blocks or mutes another since then; both by their places among the members."""

    who: int
    whom: int
    at: datetime
    #: Else muted.
    blocked: bool


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
        # Once all names are given, they come again with a letter in the middle.
        middle = f" {ascii_uppercase[(place // pairs - 1) % 26]}. " if place >= pairs else " "
        name = f"{first_names[first]}{middle}{last_names[last]}"
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
    places = range(len(members))
    edges = {follower * len(members) + followed for follower, followed, _ in follows}
    for asked, member in enumerate(members):
        if not (member.locked and member.active):
            continue
        met = chance.sample(places, min(40, len(places)))
        askers = [place for place in met if place != asked and members[place].active]
        askers = [place for place in askers if place * len(members) + asked not in edges]
        askers.sort(key=lambda place: members[place].circle != member.circle)
        for asker in askers[: chance.randint(1, 6)]:
            yield asker, asked, until - REQUESTS_LAST * chance.random() * 0.95


def invent_kept_away(members: list[Member], met: Iterable[tuple[int, int]], until: datetime) -> list[KeptAway]:
    """
    Return whom those who are private, of those who have been here longest, block or mute.

    Args:
        members: The people.
        met: (who, whom) by their places in *members*: one of two follows the other, or asks to. Neither blocks the other.
        until: The end of their story.
    """
    chance = random.Random(f"kept away {len(members)}")  # noqa: S311 - a story, not a secret
    tied = {pair for who, whom in met for pair in ((who, whom), (whom, who))}
    kept_away = []
    for place, member in enumerate(members[:_LONGEST_HERE]):
        if not (member.locked and member.active):
            continue
        others = chance.sample(range(len(members)), min(12, len(members)))
        strangers = [other for other in others if other != place and (place, other) not in tied]
        friends = [other for other in others if (place, other) in tied]
        for other, blocked in [*((other, True) for other in strangers[:1]), *((other, False) for other in friends[:2])]:
            later = max(member.joined_at, members[other].joined_at)
            kept_away.append(KeptAway(place, other, later + (until - later) * chance.random(), blocked))
    return kept_away


def invent_posts(members: list[Member], followers: Sequence[int], until: datetime) -> list[tuple[int, str, datetime]]:
    """
    Return (author, text, when) by their places in *members*, the oldest first, each after its author came.

    Args:
        members: The people.
        followers: How many follow each of them: who is heard writes more.
        until: The end of their story.
    """
    chance = random.Random(f"posts {len(members)}")  # noqa: S311 - a story, not a secret
    zeal = [chance.lognormvariate(0, 0.8) * sqrt(heard_by + 1) for heard_by in followers]
    each = POSTS_EACH * len(members) / sum(zeal)
    posts = []
    for author, member in enumerate(members):
        said = {saying(member.circle, chance) for _ in range(min(POSTS_MOST, round(each * zeal[author])))}
        # A set has no order of its own that two runs would share.
        posts += [(author, text, _time_to_write(member.joined_at, until, chance)) for text in sorted(said)]
    return sorted(posts, key=lambda post: post[2])


def _time_to_write(joined_at: datetime, until: datetime, chance: random.Random) -> datetime:
    """Return when somebody writes: the more the later, much in the last days, and seldom at night."""
    times = []
    # Two are drawn, whatever the hour, so that all that follows is the same whenever it is told.
    for _ in range(2):
        lately, share, days = chance.random() < _LATELY, chance.random(), chance.expovariate(1 / 9)
        ago = timedelta(days=days) if lately else (until - joined_at) * (1 - sqrt(share))
        times.append(max(until - ago, joined_at))
    return times[0] if times[0].hour >= _MORNING else times[1]


def invent_follows(
    members: list[Member], until: datetime, number: int | None = None
) -> Iterator[tuple[int, int, datetime]]:
    """
    Yield (follower, followed, since) by their places in *members*; each pair once, none to oneself.

    Args:
        members: The people.
        until: The end of their story.
        number: How many follows; at most half of those that there can be. None: what comes of `FOLLOWS_EACH`.
    """
    story = _Story(members, until, number)
    if number is None:
        return story.tell()
    return islice(chain(story.tell(), story.go_on()), number)


class _Story:
    """The community's life, told from its first day."""

    def __init__(self, members: list[Member], until: datetime, number: int | None) -> None:
        self.members, self.until = members, until
        people = len(members)
        self.attempts = people * FOLLOWS_EACH
        #: Minutes after coming at which somebody new follows somebody.
        self.welcomes: tuple[int, ...] = (2, 5)
        if number is not None:
            self.attempts = max(0, round(number / _COME_OF_ONE) - 2 * people)
            self.welcomes = self.welcomes if number >= 4 * people else ()
        self.chance = random.Random(f"follows {len(members)}")  # noqa: S311 - a story, not a secret
        self.joined = [member.joined_at for member in members]
        # Some hardly ever follow anybody, a few follow everybody they see.
        self.eagerness = list(accumulate(self.chance.lognormvariate(0, 0.9) for _ in members))
        # Each follower is one lot in the draw for the next one: fame makes fame.
        self.fame: list[int] = []
        self.fame_in_circle: dict[str, list[int]] = {}
        self.follows: list[list[int]] = [[] for _ in members]
        #: follower * people + followed: one number for a pair, as there may be millions.
        self.edges: set[int] = set()
        self.present = 0

    def tell(self) -> Iterator[tuple[int, int, datetime]]:
        """Yield the follows as they come."""
        start = self.joined[min(1, len(self.joined) - 1)]
        for attempt in range(self.attempts):
            time = start + (self.until - start) * ((attempt + self.chance.random()) / self.attempts) ** 0.65
            yield from self._welcome(time)
            follower = self._somebody_eager()
            followed = self._found_by(follower)
            yield from self._follow(follower, followed, time)

    def go_on(self) -> Iterator[tuple[int, int, datetime]]:
        """Yield further follows, of any time, without an end while there may be one."""
        yield from self._welcome(self.until)
        while True:
            follower = self._somebody_eager()
            pairs = ((follower, self._found_by(follower)), (self._anybody(), self._anybody()))
            for pair in pairs:
                came = max(self.joined[place] for place in pair)
                yield from self._follow(*pair, came + (self.until - came) * self.chance.random())

    def _welcome(self, time: datetime) -> Iterator[tuple[int, int, datetime]]:
        """Let those who have come by *time* in, each with the first two whom they follow."""
        while self.present < len(self.members) and self.joined[self.present] <= time:
            new, came = self.present, self.joined[self.present]
            self.present += 1
            circle = self.members[new].circle
            self.fame.append(new)
            self.fame_in_circle.setdefault(circle, []).append(new)
            for minutes in self.welcomes:
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
            return self._anybody()
        return choice(self.fame)

    def _anybody(self) -> int:
        return self.chance.randrange(self.present)

    def _follow(self, follower: int, followed: int, time: datetime) -> Iterator[tuple[int, int, datetime]]:
        edge = follower * len(self.members) + followed
        if follower == followed or edge in self.edges or time > self.until:
            return
        self.edges.add(edge)
        self.follows[follower].append(followed)
        self.fame.append(followed)
        self.fame_in_circle[self.members[followed].circle].append(followed)
        yield follower, followed, time
        if self.chance.random() < _FOLLOWS_BACK:
            later = time + timedelta(hours=self.chance.expovariate(1 / 20))
            yield from self._follow(followed, follower, later)
