"""The operations that are timed call by call: what they are called, what we want of them, and what they are asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.competitor import Competitor
from benchmarks.runner import Arguments
from benchmarks.world import Draw, depth_of_page


@dataclass(frozen=True)
class Operation:
    """One row of the table."""

    #: As the goals call it.
    name: str
    #: Of a competitor.
    method: str
    #: Draw the arguments of so many calls.
    draw: Callable[[Draw, int], list[Arguments]]
    #: The highest ratio to the floor that we want: on a server, and on SQLite; None: only stated.
    goal: float | None = None
    goal_sqlite: float | None = None
    #: Whether Retinue is to be ahead of every peer by eight times or more.
    far_ahead: bool = False
    #: A write is timed once for each of its arguments, and warmed up by asking whether its first user follows its second.
    writes: bool = False
    #: The highest ratio to the first page of the same list.
    to_first_page: float | None = None
    #: Turn what was drawn into what this competitor is given.
    given: Callable[[Competitor, Arguments], Arguments] = lambda _competitor, arguments: arguments
    #: The highest ratio of a slow call (the 99th percentile) to a usual one.
    tail: float | None = None
    note: Callable[[Draw], str] = lambda _draw: ""


def _each(one: Callable[[Draw], Arguments]) -> Callable[[Draw, int], list[Arguments]]:
    """Draw call by call."""
    return lambda draw, calls: [one(draw) for _ in range(calls)]


def _deep(draw: Draw, calls: int) -> list[Arguments]:
    """A few places around the depth: each has to be found, which some competitors can only do page by page."""
    depth = depth_of_page(draw.data)
    return [(draw.data.celebrity, depth - 7 * (number % 3)) for number in range(calls)]


def _at_place(competitor: Competitor, arguments: Arguments) -> Arguments:
    user, depth = arguments
    places: dict[int, Any] = competitor.__dict__.setdefault("_benchmark_places", {})
    if depth not in places:
        places[depth] = competitor.operation("place_at")(user, depth)
    return user, places[depth]


def _depth_note(draw: Draw) -> str:
    followers = int(np.count_nonzero(draw.data.followed == draw.data.celebrity))
    return f"The celebrity's {followers:,} followers, from {depth_of_page(draw.data):,} on."


def _new_pairs(draw: Draw, calls: int) -> list[Arguments]:
    """Pairs that are followed, followed again, and unfollowed: the same in all three."""
    pairs: list[Arguments] = draw.__dict__.setdefault("_benchmark_pairs", [])
    if len(pairs) < calls:
        pairs[:] = draw.strangers(calls)
    return pairs[:calls]


def _posts(draw: Draw, calls: int) -> list[Arguments]:
    first = len(draw.world.authors) + 1
    return [(draw.data.celebrity, first + number) for number in range(calls)]


_OF_50 = _each(lambda draw: (draw.users(50),))
_FOLLOWER = _each(lambda draw: (draw.follower(),))
_FOLLOWER_AND_50 = _each(lambda draw: (draw.follower(), draw.users(50)))
_READER_500, _READER_5000 = _each(lambda draw: (draw.reader(500),)), _each(lambda draw: (draw.reader(5_000),))
_BY_HAND = "The floor is SQL (on SQLite and MariaDB, Python too) by hand for the same formula."

# fmt: off
OPERATIONS = (
    Operation("is_following", "is_following", _each(lambda draw: draw.pair()), 1.5, 8),
    Operation("relationships of one viewer with 50 users", "relationships", _FOLLOWER_AND_50, 1.6, 2, far_ahead=True),
    Operation("first page of 20 followers with users", "first_page", _each(lambda draw: (draw.user(),)), 1.6, 2.5,
              far_ahead=True),
    Operation("page of 20 at depth 100,000", "page_from", _deep, 1.6, 2.5, far_ahead=True, to_first_page=1.2,
              given=_at_place, note=_depth_note),
    Operation("counts of one user", "counts", _each(lambda draw: ([draw.user()],)), 1.5, 2, far_ahead=True),
    Operation("counts of 50 users", "counts", _OF_50, 1.5, 2, far_ahead=True),
    Operation("mutuals: first page", "mutuals", _FOLLOWER, 1.5, 1.5),
    Operation("followers you know: first page", "followers_you_know",
              _each(lambda draw: (draw.follower(), draw.user())), 1.5, 1.5),
    Operation("suggestions for someone following 500", "suggestions", _READER_500, 1.5, 1.5,
              note=lambda _draw: _BY_HAND),
    Operation("suggestions over all users", "suggestions", _FOLLOWER, tail=10),
    Operation("home timeline for someone following 500", "home_timeline", _READER_500, 1.5, 1.5, far_ahead=True),
    Operation("home timeline for someone following 5,000", "home_timeline", _READER_5000, 1.5, 1.5, far_ahead=True),
    Operation("follow, new", "follow", _new_pairs, 1.5, 2, writes=True),
    Operation("follow, repeated", "follow", _new_pairs, 1.5, 2, writes=True),
    Operation("unfollow", "unfollow", _new_pairs, 1.5, 2, writes=True),
    Operation("post by the celebrity", "post", _posts, writes=True),
)
# fmt: on
