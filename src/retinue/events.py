"""
What happened, told after COMMIT.

A verb puts a frozen event into the outbox of its session. The outbox follows
the transaction: a rollback, also to a savepoint, takes back what was said since;
a COMMIT delivers the rest, once, in order, in this process. A session that is
joined to an outer transaction hands its events to that transaction's connection.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.sql.expression import SavepointClause

from retinue.values import Key

log: logging.Logger = logging.getLogger("retinue.events")

_SLOT = "retinue.outbox"


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


def listen(user_class: type, kind: type[E], listener: Callable[[E], object]) -> Callable[[], None]:
    """
    Call *listener* with every event of *kind* in the graph of *user_class*, after COMMIT.

    The listener gets a frozen value and no session; it runs in the thread that
    committed, after the connection was given back. One that raises is logged
    (``retinue.events``) and breaks nothing. `Event` as *kind* hears everything.

    Returns:
        A function that ends the listening.
    """
    listeners = listeners_of(user_class)
    listeners.add(kind, listener)
    return lambda: listeners.remove(kind, listener)


def listeners_of(user_class: Any) -> Listeners:
    """Return who listens in the graph of *user_class*; its subclasses share them."""
    return cast("Listeners", user_class.__retinue_listeners__)


@dataclass(slots=True)
class Outbox:
    """What was said in one transaction, and how much of it before each savepoint."""

    said: list[tuple[Listeners, Event]] = field(default_factory=list)
    marks: dict[object, int] = field(default_factory=dict)
    connections: set[Connection] = field(default_factory=set)
    committed: bool = False

    def add(self, connection: Connection, listeners: Listeners, happened: Event) -> None:
        """Keep *happened* until COMMIT."""
        self.connections.add(connection)
        self.said.append((listeners, happened))

    def mark(self, savepoint: object) -> None:
        """Remember what was said before *savepoint*."""
        self.marks[savepoint] = len(self.said)

    def take_back(self, savepoint: object) -> None:
        """Forget what was said since *savepoint*; all of it, if that is older than the outbox."""
        del self.said[self.marks.pop(savepoint, 0) :]

    def deliver(self) -> None:
        """Tell the listeners, and be empty."""
        said, self.said = self.said, []
        for listeners, happened in said:
            listeners.tell(happened)


def outbox_of(session: Session) -> Outbox:
    """Return the outbox of the transaction that *session* is in."""
    box: Outbox | None = session.info.get(_SLOT)
    if box is None:
        box = session.info[_SLOT] = Outbox()
    return box


@event.listens_for(Session, "after_transaction_create")
def _savepoint_made(session: Session, transaction: SessionTransaction) -> None:
    box: Outbox | None = session.info.get(_SLOT)
    if box is not None and transaction.nested:
        box.mark(transaction)


@event.listens_for(Session, "after_soft_rollback")
def _rolled_back(session: Session, transaction: SessionTransaction) -> None:
    box: Outbox | None = session.info.get(_SLOT)
    if box is None:
        return
    if transaction.nested:
        box.take_back(transaction)
    elif transaction.parent is None:
        box.said.clear()
    # Else a flush has failed: what encloses it, a savepoint or all, is rolled back next and comes here too.


@event.listens_for(Session, "after_commit")
def _committed(session: Session) -> None:
    box: Outbox | None = session.info.get(_SLOT)
    if box is not None and not session.in_nested_transaction():
        box.committed = True


@event.listens_for(Session, "after_transaction_end")
def _ended(session: Session, transaction: SessionTransaction) -> None:
    # Only here has the connection been given back: a listener may open a session of its own.
    if transaction.parent is not None:
        return
    box: Outbox | None = session.info.pop(_SLOT, None)
    if box is None or not box.committed or not box.said:
        return
    outer = [c for c in box.connections if not c.closed and c.in_transaction()]
    if outer:
        _hand_over(box, outer[0])
    else:
        box.deliver()


def _hand_over(box: Outbox, connection: Connection) -> None:
    """Let *box* follow the outer transaction of *connection*, to which its session was joined."""
    # Savepoints of the session are over; those of the connection go by name.
    box.marks.clear()
    waiting: list[Outbox] = connection.info.setdefault(_SLOT, [])
    waiting.append(box)
    if len(waiting) == 1:
        for name, handler in _OUTER.items():
            if not event.contains(connection, name, handler):
                event.listen(connection, name, handler)


def _outer_executed(connection: Connection, element: Any, *_rest: object) -> None:
    # The event of this name would do, if it knew what the savepoint will be called.
    if isinstance(element, SavepointClause):
        for box in connection.info.get(_SLOT, ()):
            box.mark(element.ident)


def _outer_savepoint_rolled_back(connection: Connection, name: str, _context: None) -> None:
    for box in connection.info.get(_SLOT, ()):
        box.take_back(name)


def _outer_rolled_back(connection: Connection) -> None:
    connection.info.pop(_SLOT, None)


def _outer_committed(connection: Connection) -> None:
    # SQLAlchemy calls this just before its COMMIT, and tells nobody after it. So commit
    # here: what SQLAlchemy then commits is an empty transaction, on every driver.
    if connection.info.get(_SLOT):
        dialect = connection.dialect
        try:
            dialect.do_commit(connection.connection)
        except dialect.loaded_dbapi.Error as error:
            # As SQLAlchemy does itself where its COMMIT fails.
            dialect.do_rollback(connection.connection)
            _outer_rolled_back(connection)
            raise DBAPIError.instance("COMMIT", None, error, dialect.loaded_dbapi.Error, dialect=dialect) from error
        deliver(connection)


_OUTER: dict[str, Callable[..., None]] = {
    "after_execute": _outer_executed,
    "rollback_savepoint": _outer_savepoint_rolled_back,
    "rollback": _outer_rolled_back,
    "commit": _outer_committed,
}


def deliver(connection: Connection) -> None:
    """Deliver now what waits for the outer transaction of *connection*."""
    for box in connection.info.pop(_SLOT, ()):
        box.deliver()
