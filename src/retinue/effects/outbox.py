"""
The outbox: an event waits here for the COMMIT of the transaction that it happened in.

An outbox belongs to the transaction of a connection, as SQLAlchemy keeps it, and not to a session: it follows what
the database is told, whoever tells it. SAVEPOINT, ROLLBACK TO and RELEASE are read from the statements, by name, so
a savepoint is the same whether a session, a connection or a text began it. A transaction that ends in any other way
than by COMMIT takes its outbox along.

Two things are not seen, as no statement says them: that MariaDB commits before it changes a table (what happened before
is told at the end of the transaction, if that is a COMMIT), and that another process commits what was
prepared here (nobody is told).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain, count
from operator import attrgetter
from typing import Any, Final, NamedTuple
from weakref import ReferenceType, WeakKeyDictionary, ref

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, ExceptionContext, RootTransaction, TwoPhaseTransaction
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, SessionTransaction

from retinue.engines import Aftermath, engine_of
from retinue.engines.control import CONTROL, Savepoints
from retinue.events import E, Event, Listeners, listeners_of
from retinue.work import Work, half_done

#: Where a session keeps its unit of work.
_SLOT: Final = "retinue.outbox"


def listen(user_class: type, kind: type[E], listener: Callable[[E], object]) -> Callable[[], None]:
    """
    Call *listener* with every event of *kind* in the graph of *user_class*, after COMMIT.

    The listener gets a frozen value and no session; it runs in the thread that
    committed, after the connection was given back. One that raises is logged
    (``retinue.events``) and breaks nothing. `Event` as *kind* hears everything.

    From the first call on, every SQLAlchemy engine in the process has event hooks: a
    few microseconds a statement. Before it there are none.

    Returns:
        A function that ends the listening.
    """
    for target, name, hook in _HOOKS:
        if not event.contains(target, name, hook):
            # First of all, so that no other hook's error keeps it from being called; but the one that may itself
            # commit last, as others may refuse.
            event.listen(target, name, hook, insert=hook is not _before_commit)
    listeners = listeners_of(user_class)
    listeners.add(kind, listener)
    return lambda: listeners.remove(kind, listener)


class _Waiting(NamedTuple):
    """An event that waits."""

    #: Its place in the order of all events.
    number: int
    unit: _UnitOfWork
    listeners: Listeners
    happened: Event


@dataclass(slots=True, eq=False)
class Outbox:
    """What waits for the end of one transaction of a connection, and its savepoints, the oldest first."""

    waiting: list[_Waiting] = field(default_factory=list)
    #: Each with the number from which on events happened after it.
    savepoints: Savepoints = field(default_factory=Savepoints)
    #: Whether the database accepts nothing but a rollback, to a savepoint or of everything.
    aborted: bool = False

    def set_savepoint(self, name: str, *, replace: bool) -> None:
        """Remember what happened before the savepoint *name*; *replace* one of this name, or hide it."""
        self.savepoints.add(name, next(_numbers), replace=replace)

    def roll_back_to(self, name: str) -> None:
        """Forget what happened since the savepoint *name*, which stays: all, if it is older than the outbox."""
        self.aborted = False
        since = self.savepoints.back_to(name) or 0
        self.waiting = [waiting for waiting in self.waiting if waiting.number < since]

    def clear(self) -> None:
        """Forget everything."""
        self.waiting.clear()
        self.savepoints.clear()

    def take(self) -> list[_Waiting]:
        """Return what waits, and keep nothing; nothing, if the database turns COMMIT into a rollback."""
        taken, self.waiting = [] if self.aborted else self.waiting, []
        return taken

    def take_finished(self) -> list[_Waiting]:
        """Return what sessions left here that have committed, and keep the rest."""
        taken = [waiting for waiting in self.waiting if waiting.unit.is_over]
        self.waiting = [waiting for waiting in self.waiting if not waiting.unit.is_over]
        return taken

    def committing(self) -> _UnitOfWork | None:
        """Return the unit of work whose session is about to send COMMIT."""
        units = (waiting.unit for waiting in reversed(self.waiting))
        return next((unit for unit in units if unit.commits()), None)


@dataclass(slots=True, eq=False)
class _UnitOfWork:
    """One transaction of a session, from its first event on."""

    session: ReferenceType[Session]
    #: What it has sent COMMIT for, in this order: each came through before the next was sent.
    left: list[list[_Waiting]] = field(default_factory=list)
    #: Whether the last COMMIT came through as well.
    committed: bool = False
    is_over: bool = False

    def commits(self) -> bool:
        """Tell whether the session is at its COMMIT."""
        session = None if self.is_over else self.session()
        transaction = session.get_transaction() if session else None
        # Prepared for the COMMIT, it takes no more work.
        return transaction is not None and not transaction.is_active

    def end(self) -> list[_Waiting]:
        """Return what was committed."""
        self.is_over = True
        return list(chain.from_iterable(self.left if self.committed else self.left[:-1]))


#: The outbox of each transaction in which something happened that somebody listens for.
_outboxes: WeakKeyDictionary[RootTransaction, Outbox] = WeakKeyDictionary()

_numbers = count()


def add(work: Work, *events: Event) -> None:
    """Keep *events* for the listeners until COMMIT. No statement."""
    listeners = listeners_of(work.schema.user)
    if not (events and listeners):
        return
    session, connection = work.session, work.connection
    transaction = connection.get_transaction()
    assert transaction is not None, "something happened outside a transaction"  # noqa: S101 - cannot be
    unit: _UnitOfWork | None = session.info.get(_SLOT)
    if unit is None:
        unit = session.info[_SLOT] = _UnitOfWork(ref(session))
    waiting = [_Waiting(next(_numbers), unit, listeners, one) for one in events]
    outbox = _outboxes.get(transaction)
    if outbox is None:
        outbox = _outboxes[transaction] = Outbox()
    outbox.waiting += waiting


def deliver(connection: Connection) -> None:
    """Tell listeners now what waits for the outer transaction of *connection*, of sessions that have committed."""
    outbox = _outbox_of(connection)
    if outbox is not None:
        _tell(outbox.take_finished())


def _outbox_of(connection: Connection | None) -> Outbox | None:
    if connection is None or not _outboxes:
        return None
    transaction = connection.get_transaction()
    return None if transaction is None else _outboxes.get(transaction)


def _tell(committed: Iterable[_Waiting]) -> None:
    for waiting in sorted(committed, key=attrgetter("number")):
        waiting.listeners.tell(waiting.happened)


def _after_statement(
    connection: Connection, _cursor: Any, statement: str, _parameters: Any, _context: Any, _many: bool
) -> None:
    outbox = _outbox_of(connection)
    if outbox is None:
        return
    control = CONTROL.match(statement)
    if control is None:
        return
    engine = engine_of(connection)
    if control["savepoint"]:
        outbox.set_savepoint(engine.savepoint_name(control["new"]), replace=engine.savepoint_replaces)
    elif control["back"]:
        outbox.roll_back_to(engine.savepoint_name(control["old"]))
    elif control["release"]:
        outbox.savepoints.release(engine.savepoint_name(control["gone"]))
    elif control["commit"]:
        _tell(outbox.take())
        outbox.clear()
    elif control["rollback"] or not isinstance(connection.get_transaction(), TwoPhaseTransaction):
        # What is prepared by hand is no longer this connection's, and may yet be rolled back.
        outbox.clear()


def _after_error(context: ExceptionContext) -> None:
    outbox = _outbox_of(context.connection)
    if outbox is None or context.connection is None or context.is_disconnect:
        return
    aftermath = engine_of(context.connection).after_error(context.connection, context.original_exception)
    if aftermath is Aftermath.ROLLED_BACK:
        outbox.clear()
    elif aftermath is Aftermath.ABORTED:
        outbox.aborted = True


def _before_commit(connection: Connection) -> None:
    outbox = _outbox_of(connection)
    if outbox is None or _left_with_session(outbox):
        return
    half_done.refuse_commit(connection)
    committed = outbox.take()
    outbox.clear()
    if not committed:
        return
    # SQLAlchemy sends COMMIT next, and tells nobody when it came through. So commit
    # here: what SQLAlchemy then commits is an empty transaction, on every driver.
    dialect = connection.dialect
    try:
        dialect.do_commit(connection.connection)
    except dialect.loaded_dbapi.Error as error:
        # As SQLAlchemy does itself where its COMMIT fails.
        dialect.do_rollback(connection.connection)
        raise DBAPIError.instance("COMMIT", None, error, dialect.loaded_dbapi.Error, dialect=dialect) from error
    _tell(committed)


def _before_commit_prepared(connection: Connection, _xid: Any, _is_prepared: bool) -> None:
    # Where no session commits, the statement that does so is seen.
    outbox = _outbox_of(connection)
    if outbox is not None:
        _left_with_session(outbox)


def _left_with_session(outbox: Outbox) -> bool:
    """Hand what waits over to the session that is about to commit it, if one is."""
    unit = outbox.committing()
    if unit is None:
        return False
    unit.left.append(outbox.take())
    return True


def _after_session_commit(session: Session) -> None:
    unit: _UnitOfWork | None = session.info.get(_SLOT)
    if unit is not None and not session.in_nested_transaction():
        unit.committed = True


def _after_session_end(session: Session, transaction: SessionTransaction) -> None:
    # Only here has the connection been given back: a listener may open a session of its own.
    if transaction.parent is not None:
        return
    unit: _UnitOfWork | None = session.info.pop(_SLOT, None)
    if unit is not None:
        _tell(unit.end())


_HOOKS: Final[tuple[tuple[Any, str, Callable[..., None]], ...]] = (
    (Engine, "after_cursor_execute", _after_statement),
    (Engine, "handle_error", _after_error),
    (Engine, "commit", _before_commit),
    (Engine, "commit_twophase", _before_commit_prepared),
    (Session, "after_commit", _after_session_commit),
    (Session, "after_transaction_end", _after_session_end),
)
