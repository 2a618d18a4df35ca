"""
What happened, as frozen values, and who listens.

A verb puts an event into the outbox (`retinue.effects.outbox`), which hands it to the listeners after COMMIT.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from retinue.values import Key

log: logging.Logger = logging.getLogger("retinue.events")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a graph."""


@dataclass(frozen=True, slots=True)
class EdgeEvent(Event):
    """Something that happened to the edge from *follower* to *followed*."""

    follower_id: Key
    followed_id: Key
    at: datetime


@dataclass(frozen=True, slots=True)
class Followed(EdgeEvent):
    """*follower* now follows *followed*."""


@dataclass(frozen=True, slots=True)
class Unfollowed(EdgeEvent):
    """*follower* no longer follows *followed*, by their own choice."""


@dataclass(frozen=True, slots=True)
class FollowerRemoved(EdgeEvent):
    """*follower* no longer follows *followed*, because *followed* removed them."""


@dataclass(frozen=True, slots=True)
class Requested(EdgeEvent):
    """*follower* asked to follow *followed*."""


@dataclass(frozen=True, slots=True)
class RequestAccepted(Followed):
    """*follower* now follows *followed*, because *followed* said yes: a `Followed` of its own kind."""


@dataclass(frozen=True, slots=True)
class FollowRestored(Followed):
    """*follower* follows *followed* as before a block that was taken back: a `Followed` of its own kind."""


@dataclass(frozen=True, slots=True)
class RequestRejected(EdgeEvent):
    """*followed* said no to *follower*."""


@dataclass(frozen=True, slots=True)
class Blocked(Event):
    """*blocker* now blocks *blocked*, until a time (aware, UTC) or for good (None)."""

    blocker_id: Key
    blocked_id: Key
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unblocked(Event):
    """*blocker* no longer blocks *blocked*, by their own choice."""

    blocker_id: Key
    blocked_id: Key
    at: datetime


@dataclass(frozen=True, slots=True)
class Muted(Event):
    """*muter* now mutes *muted*, until a time (aware, UTC) or for good (None)."""

    muter_id: Key
    muted_id: Key
    at: datetime
    until: datetime | None = None
    notifications: bool = True


@dataclass(frozen=True, slots=True)
class Unmuted(Event):
    """*muter* no longer mutes *muted*, by their own choice."""

    muter_id: Key
    muted_id: Key
    at: datetime


@dataclass(frozen=True, slots=True)
class TimelineWork(Event):
    """There is something to be done for home timelines: *unit* is for `retinue.fanout.run()`, in any process."""

    unit: str


E = TypeVar("E", bound=Event)
Listener = Callable[[Any], object]


class Listeners:
    """Who wants to hear what, for one graph of users."""

    def __init__(self) -> None:
        self._of: dict[type[Event], list[Listener]] = {}

    def add(self, kind: type[Event], listener: Listener) -> None:
        """Call *listener* with each event of *kind* and of its subclasses."""
        self._of.setdefault(kind, []).append(listener)

    def remove(self, kind: type[Event], listener: Listener) -> None:
        """Forget *listener*; nothing happens if it is not known."""
        if listener in self._of.get(kind, ()):
            self._of[kind].remove(listener)

    def tell(self, happened: Event) -> None:
        """Call every listener; one that raises is logged and stops nobody."""
        for kind in type(happened).__mro__:
            for listener in tuple(self._of.get(kind, ())):
                try:
                    listener(happened)
                except Exception:
                    log.exception("a listener failed on %r", happened)

    def __bool__(self) -> bool:
        return any(self._of.values())


def listeners_of(user_class: Any) -> Listeners:
    """Return who listens in the graph of *user_class*; its subclasses share them."""
    return cast("Listeners", user_class.__retinue_listeners__)
