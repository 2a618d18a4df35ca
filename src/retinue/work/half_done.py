"""
What failed half-way: no commit has it.

Any statement may fail alone, when a lock is not given in time or the disk is full, and the caller may catch that. What
came before it is then in the transaction, and what would have come after it is not. So the innermost transaction or
savepoint that was open before is doomed: until the caller rolls it back, no verb goes on in it and nothing is committed.
It is not rolled back here: what else is in it is the caller's.

Who fails is told of by events of the one connection that it failed on, and of its session: while nothing fails,
nobody listens. Of the savepoints that follow, statements tell; any that was set before is one to roll back to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn
from weakref import WeakKeyDictionary, ref

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

from retinue.engines import engine_of
from retinue.engines.control import CONTROL, Savepoints
from retinue.errors import HalfDoneError

#: Where a session keeps what failed in it.
_SLOT: Final = "retinue.half_done"


class _HalfDone:
    """A call that failed half-way."""

    __slots__ = ("call", "failure", "is_over", "savepoints", "scope")

    def __init__(self, session: Session, call: str, error: BaseException) -> None:
        # Not the error itself: all that was going on hangs on it.
        self.call, self.failure = call, type(error).__name__
        #: Whether it was rolled back.
        self.is_over = False
        #: Those that were set since.
        self.savepoints = Savepoints()
        innermost = session.get_nested_transaction()
        #: The session's savepoint that it was in, if it was in one.
        self.scope: Callable[[], object] = (lambda: None) if innermost is None else ref(innermost)

    def refuse(self) -> NoReturn:
        raise HalfDoneError(self.call, self.failure)


#: The connections on which something is half done.
_half_done: WeakKeyDictionary[Connection, _HalfDone] = WeakKeyDictionary()


def doom(session: Session, connection: Connection, call: str, error: BaseException) -> None:
    """Let nothing be committed that *call* has left half done on *connection*, where it failed with *error*."""
    if connection in _half_done:
        return  # by a call before, which has to be rolled back as well
    failed = _half_done[connection] = _HalfDone(session, call, error)
    session.info[_SLOT] = [*_open(session), failed]
    target = _target_of(connection)
    for listened, name, hook in (*((target, *one) for one in _HOOKS), (session, "before_commit", _before_commit)):
        if not event.contains(listened, name, hook):
            event.listen(listened, name, hook)


def _target_of(connection: Connection) -> Connection | Engine:
    """Return what tells of the statements of *connection*: its engine, where SQLAlchemy 2.0 takes no listener for it."""
    try:
        event.contains(connection, *_HOOKS[0])
    except InvalidRequestError:  # an engine with execution options of its own
        return connection.engine
    return connection


def refuse(connection: Connection) -> None:
    """
    Refuse to go on where something is half done.

    Raises:
        HalfDoneError: Something is.
    """
    if _half_done:
        failed = _half_done.get(connection)
        if failed is not None:
            failed.refuse()


def refuse_commit(connection: Connection) -> None:
    """
    As `refuse()`, where *connection* is about to commit.

    SQLAlchemy takes a transaction for ended whose COMMIT fails, and sends no ROLLBACK any more. So it is sent here.
    """
    if connection in _half_done:
        failed = _over(connection)
        connection.dialect.do_rollback(connection.connection)
        failed.refuse()


def _over(connection: Connection) -> _HalfDone:
    failed = _half_done.pop(connection)
    failed.is_over = True
    return failed


# --- The session ---------------------------------------------------------------------------------


def _open(session: Session) -> list[_HalfDone]:
    return [failed for failed in session.info.get(_SLOT, ()) if not failed.is_over]


def _before_commit(session: Session) -> None:
    committed = session.get_nested_transaction()
    for failed in _open(session):
        # A savepoint that was set since may be released: it does not have what is half done.
        if committed is None or committed is failed.scope():
            failed.refuse()


# --- The connection ------------------------------------------------------------------------------


def _before_statement(connection: Connection, _cursor: Any, statement: str, *_context: Any) -> None:
    failed = _half_done.get(connection)
    control = None if failed is None else CONTROL.match(statement)
    if failed is None or control is None:
        return
    if control["commit"] or control["prepare"]:
        failed.refuse()
    if control["release"] and not failed.savepoints.release(engine_of(connection).savepoint_name(control["gone"])):
        failed.refuse()


def _after_statement(connection: Connection, _cursor: Any, statement: str, *_context: Any) -> None:
    failed = _half_done.get(connection)
    control = None if failed is None else CONTROL.match(statement)
    if failed is None or control is None:
        return
    engine = engine_of(connection)
    if control["savepoint"]:
        failed.savepoints.add(engine.savepoint_name(control["new"]), 0, replace=engine.savepoint_replaces)
    elif control["rollback"] or (
        control["back"] and failed.savepoints.back_to(engine.savepoint_name(control["old"])) is None
    ):
        _over(connection)


def _rolled_back(connection: Connection, *_xid: Any) -> None:
    if connection in _half_done:
        _over(connection)


def _before_release(connection: Connection, name: str, _context: Any) -> None:
    failed = _half_done.get(connection)
    if failed is not None and engine_of(connection).savepoint_name(name) not in failed.savepoints:
        # As in `refuse_commit()`: SQLAlchemy would not roll back to it any more.
        connection.dialect.do_rollback_to_savepoint(connection, name)
        failed.refuse()


def _before_prepare(connection: Connection, _xid: Any) -> None:
    refuse(connection)


def _before_commit_prepared(connection: Connection, xid: Any, is_prepared: bool) -> None:
    if connection in _half_done:
        failed = _over(connection)
        connection.dialect.do_rollback_twophase(connection, xid, is_prepared)  # as in `refuse_commit()`
        failed.refuse()


_HOOKS: Final[tuple[tuple[str, Callable[..., None]], ...]] = (
    ("before_cursor_execute", _before_statement),
    ("after_cursor_execute", _after_statement),
    ("rollback", _rolled_back),
    ("rollback_twophase", _rolled_back),
    ("commit", refuse_commit),
    ("prepare_twophase", _before_prepare),
    ("commit_twophase", _before_commit_prepared),
    ("release_savepoint", _before_release),
)
