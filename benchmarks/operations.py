"""The operations that are timed call by call: what they are called, what we want of them, and what they are asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.contestant import Contestant
from benchmarks.timing import Arguments
from benchmarks.world import Draw, depth_of_page


def _as_drawn(_contestant: Contestant, arguments: Arguments) -> Arguments:
    return arguments


@dataclass(frozen=True)
class Operation:
    """One row of the table."""

    #: As the goals call it.
    name: str
    #: Of a contestant.
    method: str
    #: Draw the arguments of so many calls.
    draw: Callable[[Draw, int], list[Arguments]]
    #: The highest ratio to the floor that we want: on a server, and on SQLite; None: only stated.
    goal: float | None = None
    goal_sqlite: float | None = None
    #: Whether Retinue is to be ahead of every peer by eight times or more.
    far_ahead: bool = False
    writes: bool = False
    #: How many times as long it may take as another operation of the same contestant: that one's draw and method.
    beside: Beside | None = None
    #: Turn what was drawn into what this contestant is given.
    given: Callable[[Contestant, Arguments], Arguments] = _as_drawn
    #: The highest ratio of a slow call (the 99th percentile) to a usual one.
    tail: float | None = None
    note: Callable[[Draw], str] = lambda _draw: ""


@dataclass(frozen=True)
class Beside:
    """What an operation is compared with besides the floor: another method, asked about the same user."""

    what: str
    method: str
    goal: float

    def given(self, arguments: Arguments) -> Arguments:
        """Return what the other method is given."""
        return arguments[:1]


def _many(one: Callable[[Draw], Arguments]) -> Callable[[Draw, int], list[Arguments]]:
    """Draw call by call."""
    return lambda draw, many: [one(draw) for _ in range(many)]


def _deep(draw: Draw, many: int) -> list[Arguments]:
    """A few places around the depth: each has to be found, which some contestants can only do page by page."""
    depth = depth_of_page(draw.data)
    return [(draw.data.celebrity, depth - 7 * (number % 3)) for number in range(many)]


def _at_place(contestant: Contestant, arguments: Arguments) -> Arguments:
    user, depth = arguments
    places: dict[int, Any] = contestant.__dict__.setdefault("_benchmark_places", {})
    if depth not in places:
        places[depth] = contestant.place_at(user, depth)
    return user, places[depth]


class _Pairs:
    """The pairs that are made, made again, and ended: the same in all three."""

    def __init__(self) -> None:
        self._drawn: dict[int, list[Arguments]] = {}

    def __call__(self, draw: Draw, many: int) -> list[Arguments]:
        """Draw pairs, once."""
        if id(draw) not in self._drawn:
            self._drawn = {id(draw): list(draw.strangers(many))}
        return self._drawn[id(draw)][:many]


def _posts(draw: Draw, many: int) -> list[Arguments]:
    first = len(draw.world.authors) + 1
    return [(draw.data.celebrity, first + number) for number in range(many)]


_NEW_PAIRS = _Pairs()
_BY_HAND = "The floor is SQL (on SQLite and MariaDB, Python too) by hand for the same formula."
_DEEP_NOTE = "The celebrity's {followers:,} followers, from {depth:,} on."

OPERATIONS = (
    Operation("is_following", "is_following", _many(lambda draw: draw.pair()), 1.5, 8),
    Operation(
        "relationships of one viewer with 50 users",
        "relationships",
        _many(lambda draw: (draw.follower(), draw.users(50))),
        1.6,
        2,
        far_ahead=True,
    ),
    Operation(
        "first page of 20 followers with users",
        "first_page",
        _many(lambda draw: (draw.user(),)),
        1.6,
        2.5,
        far_ahead=True,
    ),
    Operation(
        "page of 20 at depth 100,000",
        "page_from",
        _deep,
        1.6,
        2.5,
        far_ahead=True,
        beside=Beside("first page of the same list", "first_page", 1.2),
        given=_at_place,
        note=lambda draw: _DEEP_NOTE.format(
            followers=int((draw.data.followed == draw.data.celebrity).sum()), depth=depth_of_page(draw.data)
        ),
    ),
    Operation("counts of one user", "counts", _many(lambda draw: ([draw.user()],)), 1.5, 2, far_ahead=True),
    Operation("counts of 50 users", "counts", _many(lambda draw: (draw.users(50),)), 1.5, 2, far_ahead=True),
    Operation("mutuals: first page", "mutuals", _many(lambda draw: (draw.follower(),)), 1.5, 1.5),
    Operation(
        "followers you know: first page",
        "followers_you_know",
        _many(lambda draw: (draw.follower(), draw.user())),
        1.5,
        1.5,
    ),
    Operation(
        "suggestions for someone following 500",
        "suggestions",
        _many(lambda draw: (draw.reader(500),)),
        1.5,
        1.5,
        note=lambda _draw: _BY_HAND,
    ),
    Operation("suggestions over all users", "suggestions", _many(lambda draw: (draw.follower(),)), tail=10),
    Operation(
        "home timeline for someone following 500",
        "home_timeline",
        _many(lambda draw: (draw.reader(500),)),
        1.5,
        1.5,
        far_ahead=True,
    ),
    Operation(
        "home timeline for someone following 5,000",
        "home_timeline",
        _many(lambda draw: (draw.reader(5_000),)),
        1.5,
        1.5,
        far_ahead=True,
    ),
    Operation("follow, new", "follow", _NEW_PAIRS, 1.5, 2, writes=True),
    Operation("follow, repeated", "follow", _NEW_PAIRS, 1.5, 2, writes=True),
    Operation("unfollow", "unfollow", _NEW_PAIRS, 1.5, 2, writes=True),
    Operation("post by the celebrity", "post", _posts, writes=True),
)
