"""What the graph answers with: small frozen values, none of which can reach the database."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

#: A user's primary key.
Key = int | str | uuid.UUID

T = TypeVar("T")
U = TypeVar("U")


class Everything(enum.Enum):
    """The viewer that trusted code is."""

    ALL = "all"


#: The viewer of trusted code, which sees every row. ``None`` is somebody not logged in.
ALL: Final = Everything.ALL


class Outcome(enum.Enum):
    """What `Graph.follow()` did. ``UNCHANGED`` is falsy, as nothing was done."""

    FOLLOWED = "followed"
    UNCHANGED = "unchanged"

    def __bool__(self) -> bool:
        return self is not Outcome.UNCHANGED


@dataclass(frozen=True, slots=True)
class Relationship:
    """How a viewer and one other user stand."""

    #: The viewer follows the user.
    following: bool = False
    #: The user follows the viewer.
    followed_by: bool = False
    #: When the viewer began to follow the user (aware, UTC); None if they do not.
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many follow a user, and how many the user follows."""

    followers: int = 0
    following: int = 0


@dataclass(frozen=True, slots=True)
class Person(Generic[U]):
    """One row of a list of people."""

    #: The user, as the application's own class.
    user: U
    #: When the edge that put them on this list was made (aware, UTC).
    since: datetime


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """
    One page of a list.

    ``next`` leads to older rows and ``prev`` to newer ones; each is None where
    there are none. Both are opaque and belong to this list alone.
    """

    items: tuple[T, ...] = ()
    next: str | None = None
    prev: str | None = None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
