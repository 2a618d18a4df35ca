"""The operations that are timed call by call: what they are called, what we want of them, and what they are asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from benchmarks.competitor import Competitor
from benchmarks.databases import WIRE
from benchmarks.runner import Arguments
from benchmarks.world import Draw, depth_of_page


class Goals(NamedTuple):
    """The highest ratio to the floor that we want, by where it is measured; None: only stated."""

    server: float | None = None
    sqlite: float | None = None
    wire: float | None = None

    def of(self, place: str) -> float | None:
        """Return that of a place, by its name."""
        return {"sqlite": self.sqlite, WIRE: self.wire}.get(place, self.server)


_NONE = Goals()


@dataclass(frozen=True)
class Operation:
    """One row of the table."""

    #: As the goals call it.
    name: str
    #: Of a competitor.
    method: str
    #: Draw the arguments of so many calls.
    draw: Callable[[Draw, int], list[Arguments]]
    #: Those without one for the wire are not measured there.
    goals: Goals = _NONE
    #: The same with every model declared; where there are none, it is compared with Retinue without.
    every_model: Goals = _NONE
    #: How many times as fast as the fastest peer Retinue is to be.
    ahead: float = 1.0
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

_A_PAGE = Goals(1.8, 4, 1.25)

# fmt: off
OPERATIONS = (
    Operation("is_following", "is_following", _each(lambda draw: draw.pair()), Goals(1.45, 3.3, 1.1)),
    Operation("relationships of one viewer with 50 users", "relationships", _FOLLOWER_AND_50, Goals(1.6, 2), ahead=8),
    Operation("first page of 20 followers", "first_page", _each(lambda draw: (draw.user(),)), _A_PAGE, ahead=4),
    Operation("page of 20 at depth 100,000", "page_from", _deep, _A_PAGE, ahead=8, to_first_page=1.2,
              given=_at_place, note=_depth_note),
    Operation("counts of one user", "counts", _each(lambda draw: ([draw.user()],)), Goals(1.6, 4, 1.15), ahead=4),
    Operation("counts of 50 users", "counts", _OF_50, Goals(1.5, 2), ahead=8),
    Operation("mutuals: first page", "mutuals", _FOLLOWER, _A_PAGE),
    Operation("followers you know: first page", "followers_you_know",
              _each(lambda draw: (draw.follower(), draw.user())), _A_PAGE),
    Operation("suggestions for someone following 500", "suggestions", _READER_500, Goals(1.5, 1.5),
              note=lambda _draw: _BY_HAND),
    Operation("suggestions over all users", "suggestions", _FOLLOWER, tail=10),
    Operation("home timeline for someone following 500", "home_timeline", _READER_500, _A_PAGE),
    Operation("home timeline for someone following 5,000", "home_timeline", _READER_5000, _A_PAGE),
    Operation("follow, new", "follow", _new_pairs, Goals(1.4, 2.2, 1.2), Goals(1.8, 3, 1.3), writes=True),
    Operation("follow, repeated", "follow", _new_pairs, Goals(1.5, 8, 1.15), writes=True),
    Operation("unfollow", "unfollow", _new_pairs, Goals(1.4, 2.2, 1.2), Goals(1.8, 3, 1.3), writes=True),
    Operation("post by the celebrity", "post", _posts, writes=True),
)
# fmt: on
