"""
What a reader may see of a user, as one table; and users of whom everything is so that the table speaks of, in all combinations.

The table is that of the documentation, in plain Python: it knows no statement of the library.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple


@dataclass(frozen=True)
class Facts:
    """How a user is, and how a reader stands to them."""

    #: Who blocks: "", "reader" or "user".
    block: str = ""
    #: "": nothing; the reader "follows" the user, or has "asked" to.
    relation: str = ""
    active: bool = True
    locked: bool = False
    #: The list that the user hides: "", "followers" or "following".
    hides: str = ""
    #: Whether the reader mutes the user: "", "wholly", or "posts" alone.
    mute: str = ""
    discoverable: bool = True
    dismissed: bool = False


class Place(enum.Enum):
    """Where a reader may meet a user."""

    FOLLOWERS = "the user's list of followers"
    FOLLOWING = "the user's list of whom they follow"
    ROW = "a row of somebody's list, a search, visible_to()"
    UNBLOCKING = "visible_to(blocked=True)"
    SUGGESTION = "a suggestion"
    SUGGESTED_BY = "who makes suggestions"
    TIMELINE = "the reader's timeline"
    NOTICE = "a notification for the reader"


class Cell(NamedTuple):
    """A row of the table: when it holds, and where the answer is no then."""

    name: str
    holds: Callable[[Facts], bool]
    no: frozenset[Place]


def _cell(name: str, holds: Callable[[Facts], bool], *no: Place) -> Cell:
    return Cell(name, holds, frozenset(no))


_LISTS = (Place.FOLLOWERS, Place.FOLLOWING)

#: Where nothing of it holds, the answer is yes.
TABLE: Sequence[Cell] = (
    _cell("a block, either side", lambda is_: bool(is_.block), *(set(Place) - {Place.UNBLOCKING})),
    _cell("the user blocks", lambda is_: is_.block == "user", Place.UNBLOCKING),
    _cell("inactive", lambda is_: not is_.active, *Place),
    _cell("hides followers", lambda is_: is_.hides == "followers", Place.FOLLOWERS),
    _cell("hides following", lambda is_: is_.hides == "following", Place.FOLLOWING, Place.SUGGESTED_BY),
    _cell("locked", lambda is_: is_.locked and is_.relation != "follows", *_LISTS, Place.SUGGESTED_BY),
    _cell("not followed", lambda is_: is_.relation != "follows", Place.TIMELINE),
    _cell("muted", lambda is_: bool(is_.mute), Place.SUGGESTION, Place.SUGGESTED_BY, Place.TIMELINE),
    _cell("notifications muted", lambda is_: is_.mute == "wholly", Place.NOTICE),
    _cell("not discoverable", lambda is_: not is_.discoverable, Place.SUGGESTION),
    _cell("dismissed", lambda is_: is_.dismissed, Place.SUGGESTION),
    _cell("followed or asked", lambda is_: bool(is_.relation), Place.SUGGESTION),
)


def meets(facts: Facts, place: Place) -> bool:
    """Return whether the reader meets such a user there."""
    return not any(place in cell.no for cell in TABLE if cell.holds(facts))


def everything() -> Iterator[Facts]:
    """Yield all that can be together: a block ends what is between two, and only who approves is asked."""
    for block, relation, active, locked, hides, mute, wish in product(
        ("", "reader", "user"),
        ("", "follows", "asked"),
        (True, False),
        (False, True),
        ("", "followers", "following"),
        ("", "wholly", "posts"),
        ({}, {"discoverable": False}, {"dismissed": True}),
    ):
        if not (block and relation) and (locked or relation != "asked"):
            yield Facts(block, relation, active, locked, hides, mute, **wish)
