"""
The results of the graph: small frozen values, none of which can reach the database.

The rows of lists are named tuples, as there are many of them: a page of twenty takes a third of the time and memory.
`Page` has no slots: for slots Python makes a second class, and then neither ``Page[Person[User]]()`` nor a forbidden
assignment finds the right one.
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Generic, NamedTuple, TypeVar, overload

#: A user's primary key.
Key = int | str | uuid.UUID

T = TypeVar("T")
U = TypeVar("U")


class Everything(enum.Enum):
    """The type of `ALL`."""

    ALL = "all"


#: The viewer of trusted code, which sees every row. ``None`` is somebody not logged in.
ALL: Final = Everything.ALL


class Sort(enum.Enum):
    """The order of a list of people."""

    #: When the edge was made, the newest first.
    NEWEST = "newest"
    #: The same, the oldest first.
    OLDEST = "oldest"
    #: The name, from A to Z.
    NAME = "name"


class Only(enum.Flag):
    """Which people a list shows; several flags show those for whom all of them are true."""

    #: Those who follow each other: the user, and whoever is on the list.
    MUTUAL = enum.auto()
    #: Those who have not followed back, or have not been followed back: only one follows the other.
    NOT_FOLLOWED_BACK = enum.auto()
    #: Those who were not active for ``Settings(dormant_after=...)``.
    DORMANT = enum.auto()


class Outcome(enum.Enum):
    """The result of `Graph.follow()`. ``UNCHANGED`` is falsy, as nothing was done."""

    FOLLOWED = "followed"
    REQUESTED = "requested"
    UNCHANGED = "unchanged"

    def __bool__(self) -> bool:
        return self is not Outcome.UNCHANGED


class HistoryKind(enum.StrEnum):
    """The kind of a history entry: what happened to an edge, or to its users."""

    FOLLOWED = "followed"
    UNFOLLOWED = "unfollowed"
    FOLLOWER_REMOVED = "follower_removed"
    #: The end of a block brought it back.
    RESTORED = "restored"
    #: It came by an import.
    IMPORTED = "imported"
    REQUESTED = "requested"
    REQUEST_ACCEPTED = "request_accepted"
    REQUEST_REJECTED = "request_rejected"
    #: The user was deleted; such a row has the user on both sides.
    REMOVED = "removed"


class NotificationKind(enum.StrEnum):
    """The kind of a notification."""

    FOLLOW = "follow"
    FOLLOW_REQUEST = "follow_request"
    REQUEST_ACCEPTED = "request_accepted"


class SuggestionReason(enum.StrEnum):
    """Why a user is suggested: the first of these that is true."""

    #: They follow the user.
    FOLLOWS_YOU = "follows_you"
    #: Some whom the user follows follow them, all of these since a week ago or less.
    NEW_IN_NETWORK = "new_in_network"
    #: Some whom the user follows follow them.
    FRIENDS_OF_FRIENDS = "friends_of_friends"
    #: Some who follow the user follow them.
    FOLLOWED_BY_FOLLOWERS = "followed_by_followers"
    #: Others follow them: for newcomers, who know hardly anybody yet.
    POPULAR = "popular"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relationship:
    """The relationship of a viewer with one other user."""

    #: The viewer follows the user.
    following: bool = False
    #: The user follows the viewer.
    followed_by: bool = False
    #: The viewer has asked to follow the user, who has not answered yet.
    requested: bool = False
    #: The user has asked to follow the viewer, who has not answered yet.
    requested_by: bool = False
    #: The viewer blocks the user.
    blocking: bool = False
    #: The user blocks the viewer: for the application alone, never to be shown.
    blocked_by: bool = False
    #: The viewer mutes the user.
    muting: bool = False
    #: When the viewer began to follow the user (aware, UTC); None if they do not.
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers of a user's followers, and of those whom the user follows."""

    followers: int = 0
    following: int = 0


class Person(NamedTuple, Generic[U]):
    """One row of a list of people."""

    #: The user, as the application's own class; with ``columns=`` a frozen row of those.
    user: U
    #: When the edge that put them on this list was made (aware, UTC).
    since: datetime


class BlockedPerson(NamedTuple, Generic[U]):
    """One row of the list of those whom a user blocks."""

    #: As `Person.user`.
    user: U
    #: When the block was made (aware, UTC).
    since: datetime
    #: When the block ends by itself (aware, UTC); None: never.
    until: datetime | None = None


class MutedPerson(NamedTuple, Generic[U]):
    """One row of the list of those whom a user mutes."""

    #: As `Person.user`.
    user: U
    #: When the mute was made (aware, UTC).
    since: datetime
    #: When the mute ends by itself (aware, UTC); None: never.
    until: datetime | None = None
    #: Whether notifications are left out as well.
    notifications: bool = True


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that happened to an edge."""

    kind: HistoryKind
    #: The key of the user who follows, or followed.
    follower_id: Key
    #: The key of the user who is followed, or was.
    followed_id: Key
    #: When it happened (aware, UTC).
    at: datetime


class Notice(NamedTuple, Generic[U]):
    """One row of the list of a user's notifications."""

    #: The id for `Graph.mark_read()`.
    id: int
    kind: NotificationKind
    #: Who did it: as `Person.user`.
    user: U
    #: When it was done (aware, UTC).
    at: datetime
    #: Whether the recipient has seen it.
    read: bool


@dataclass(frozen=True, slots=True)
class Expired:
    """How many rows `Graph.expire()` deleted."""

    requests: int = 0
    blocks: int = 0
    mutes: int = 0
    history: int = 0
    #: Readers for whom no home timeline is kept ready any more.
    timelines: int = 0


@dataclass(frozen=True, slots=True)
class DayCount:
    """The followers whom a user gained and lost on one day."""

    #: The day, in UTC.
    day: date
    #: How many began to follow.
    gained: int
    #: How many unfollowed, were removed, or were deleted.
    lost: int
    #: How many there were at the day's end.
    total: int

    @property
    def net(self) -> int:
        """How many more there were than the day before."""
        return self.gained - self.lost


@dataclass(frozen=True, slots=True)
class Churn:
    """The followers whom a user gained and lost over some days."""

    #: How many there were at the start.
    at_start: int = 0
    #: How many of those do not follow any more.
    left: int = 0
    #: How many new ones came.
    won: int = 0
    #: How many of the new ones do not follow any more.
    won_and_left: int = 0

    @property
    def rate(self) -> float:
        """The share of those at the start who left, 0 to 1."""
        return self.left / self.at_start if self.at_start > 0 else 0.0


class NewFollower(NamedTuple, Generic[U]):
    """A new follower of a user."""

    #: The follower, as the application's own class.
    user: U
    #: When they began to follow (aware, UTC).
    since: datetime
    #: How many follow them.
    followers: int = 0


class Suggestion(NamedTuple, Generic[U]):
    """A suggested user, and why they are suggested."""

    #: Who is suggested: as `Person.user`.
    user: U
    reason: SuggestionReason
    #: How good the suggestion is; to be compared with others for the same user only.
    score: float
    #: Up to three users whom the reader follows and who follow the suggested user; those followed last come first.
    known: tuple[U, ...] = ()
    #: How many such users there are among the 100 whom the reader followed last.
    known_total: int = 0


class _Cursor:
    """The cursor of a page, which is written when somebody asks for it: most pages are not turned."""

    def __set_name__(self, _owner: type[Any], name: str) -> None:
        self._name = f"_{name}"

    @overload
    def __get__(self, page: None, owner: type[Any]) -> None: ...
    @overload
    def __get__(self, page: Page[Any], owner: type[Any] | None = None) -> str | None: ...
    def __get__(self, page: Page[Any] | None, owner: type[Any] | None = None) -> str | None:
        if page is None:
            return None  # what a page has that is made without one
        cursor: str | Callable[[], str] | None = page.__dict__[self._name]
        if callable(cursor):
            cursor = page.__dict__[self._name] = cursor()
        return cursor

    def __set__(self, page: Page[Any], cursor: str | Callable[[], str] | None) -> None:
        page.__dict__[self._name] = cursor


@dataclass(frozen=True)
class Page(Generic[T]):
    """
    One page of a list.

    ``next`` leads on and ``prev`` back (from the newest on to older rows, unless the
    list is sorted otherwise); each is None where there is nothing. Both are opaque and belong to this list alone.
    """

    items: tuple[T, ...] = ()
    next: _Cursor = _Cursor()
    prev: _Cursor = _Cursor()
    #: Whether rows of inactive users were left out here; True for the owner of the list only.
    hidden: bool = False
    #: How many rows the whole list has, for lists that count them; else None.
    total: int | None = None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __reduce__(self) -> tuple[Any, ...]:
        return Page, (self.items, self.next, self.prev, self.hidden, self.total)
