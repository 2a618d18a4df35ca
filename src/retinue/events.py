"""
Events, as frozen values, and their listeners.

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
    """*follower* now follows *followed*, who accepted the request; a kind of `Followed`."""


@dataclass(frozen=True, slots=True)
class FollowRestored(Followed):
    """*follower* follows *followed* again, after the end of a block; a kind of `Followed`."""


@dataclass(frozen=True, slots=True)
class RequestRejected(EdgeEvent):
    """*followed* rejected the request of *follower*."""


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
    """There is work to do for home timelines: pass *unit* to `retinue.fanout.run()`, in any process."""

    unit: str


E = TypeVar("E", bound=Event)
Listener = Callable[[Any], object]


class Listeners:
    """The listeners of one graph of users, by the class of event that they listen to."""

    def __init__(self) -> None:
        self._of: dict[type[Event], list[Listener]] = {}

    def add(self, kind: type[Event], listener: Listener) -> None:
        """Call *listener* with each event of *kind* and of its subclasses."""
        self._of.setdefault(kind, []).append(listener)

    def remove(self, kind: type[Event], listener: Listener) -> None:
        """Remove *listener*. Does nothing if it was not added."""
        if listener in self._of.get(kind, ()):
            self._of[kind].remove(listener)

    def tell(self, event: Event) -> None:
        """Call every listener with *event*; one that raises is logged, and the others are still called."""
        for kind in type(event).__mro__:
            for listener in tuple(self._of.get(kind, ())):
                try:
                    listener(event)
                except Exception:
                    log.exception("a listener failed on %r", event)

    def __bool__(self) -> bool:
        return any(self._of.values())


def listeners_of(user_class: Any) -> Listeners:
    """Return the listeners of the graph of *user_class*, which its subclasses share."""
    return cast("Listeners", user_class.__retinue_listeners__)
