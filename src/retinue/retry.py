"""Run work in a transaction, and again if the database reports a deadlock or another conflict."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from inspect import isawaitable, iscoroutine
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.util import await_only, greenlet_spawn
from sqlalchemy.util.concurrency import in_greenlet

from retinue.engines import prepare_engine

if TYPE_CHECKING:
    # At run time this would ask for greenlet, which an application without async does not have.
    from sqlalchemy.ext.asyncio import AsyncSession

T = TypeVar("T")
S = TypeVar("S", bound=Session)
A = TypeVar("A", bound="AsyncSession")

#: PostgreSQL, Citus, CockroachDB: serialization failure, deadlock, lock not available.
_SQLSTATES = frozenset({"40001", "40P01", "55P03"})
#: MariaDB, MySQL, Galera: deadlock, lock wait timeout, row changed since the snapshot, node not ready.
_ERRNOS = frozenset({1213, 1205, 1020, 1047})
#: "No such savepoint": a deadlock ended it, and the rollback to it then fails with this error.
_NO_SAVEPOINT = 1305
#: SQLite's primary result codes BUSY, LOCKED, and PROTOCOL: lost a race for the start of a transaction too often.
_SQLITE_CODES = frozenset({5, 6, 15})

#: Seconds: the longest first pause, and the longest of all.
_FIRST_PAUSE = 0.01
_MAX_PAUSE = 1.0


@overload
def transact(session_factory: Callable[[], S], fn: Callable[[S], T], *, attempts: int = 20) -> T: ...
@overload
def transact(
    session_factory: Callable[[], A], fn: Callable[[A], Awaitable[T]], *, attempts: int = 20
) -> Coroutine[Any, Any, T]: ...
def transact(session_factory: Callable[[], Any], fn: Callable[[Any], Any], *, attempts: int = 20) -> Any:
    """
    Run ``fn(session)`` in a transaction of its own, commit, and return its result.

    After an error that the database calls retriable (a deadlock, a serialization failure, a busy
    database) it runs again in a new session, after a random pause that doubles
    from 10 milliseconds to a second. *fn* may therefore run several times: it must
    not do what a rollback cannot undo. Any other error ends it at once.

    With an ``async_sessionmaker`` and a coroutine function it is awaited:
    ``await transact(sessions, follow_them)``. Cancelled, it rolls back.

    Args:
        session_factory: Makes a new session, such as a ``sessionmaker``; or a new async one.
        fn: The work. It must not commit. For async sessions it is a coroutine function.
        attempts: How often to try in all.

    Raises:
        sqlalchemy.exc.DBAPIError: The last attempt failed as well.
        TypeError: A coroutine function without async sessions, or async sessions without one.
        ValueError: The factory gave a session that is already in a transaction; or *attempts* is less than 1.
    """
    if attempts < 1:
        message = f"attempts must be at least 1, not {attempts}"
        raise ValueError(message)
    first = session_factory()
    if hasattr(first, "sync_session"):
        return _awaited(first, session_factory, fn, attempts)
    return _attempts(first, session_factory, partial(_called, fn), attempts, close=Session.close)


def _attempts(
    session: Session,
    another: Callable[[], Session],
    fn: Callable[[Session], T],
    attempts: int,
    *,
    close: Callable[[Session], object],
) -> T:
    attempt = 1
    while True:
        if session.in_transaction():
            message = "the factory must make a new session, not hand out one that is in use"
            raise ValueError(message)
        try:
            return _committed(session, fn)
        except DBAPIError as error:
            if attempt == attempts or not is_retriable(error):
                raise
        finally:
            close(session)
        # Full jitter: sessions that collided once must not collide in step.
        _pause(random.uniform(0, min(_MAX_PAUSE, _FIRST_PAUSE * 2**attempt)))  # noqa: S311 - not a secret
        session, attempt = another(), attempt + 1


def _awaited(
    session: AsyncSession, another: Callable[[], AsyncSession], fn: Callable[[AsyncSession], Any], attempts: int
) -> Coroutine[Any, Any, Any]:
    """Return the same attempts, which wait for nothing but what their caller awaits."""

    def next_session() -> Session:
        nonlocal session
        session = another()
        return session.sync_session

    def work(_session: Session) -> Any:
        awaitable = fn(session)
        if not isawaitable(awaitable):
            message = "an async session needs a coroutine function"
            raise TypeError(message)
        return await_only(awaitable)

    return greenlet_spawn(
        _attempts,
        session.sync_session,
        next_session,
        work,
        attempts,
        # Also where it is cancelled meanwhile: as an ``async with`` closes it.
        close=lambda _session: await_only(asyncio.shield(session.close())),
    )


def _pause(seconds: float) -> None:
    """Pause; within ``run_sync()`` only the task does, and others go on."""
    if "greenlet" in sys.modules and in_greenlet():
        await_only(asyncio.sleep(seconds))
    else:
        time.sleep(seconds)


def _called(fn: Callable[[Session], T], session: Session) -> T:
    result = fn(session)
    if iscoroutine(result):
        result.close()
        message = "a coroutine function needs async sessions, such as those of an async_sessionmaker"
        raise TypeError(message)
    return result


def _committed(session: Session, fn: Callable[[Session], T]) -> T:
    try:
        result = fn(session)
        session.commit()
    except BaseException:
        # Closing it would leave what it has done in a transaction that it has joined.
        session.rollback()
        raise
    return result


def is_retriable(error: DBAPIError) -> bool:
    """Return whether the transaction may be run again, by the error code of the database, never by its text."""
    if error.connection_invalidated:
        # The connection broke: if that was in COMMIT, it may have been committed or not.
        return False
    cause = error.orig
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE_CODES
    number = next(iter(getattr(cause, "args", ())), None)
    if isinstance(number, int):
        # MySQL's drivers. Theirs may have an SQLSTATE too, but it tells less: HY000 is all that 1205 and 1020 get.
        before = error.__context__
        if number == _NO_SAVEPOINT and isinstance(before, DBAPIError):
            return is_retriable(before)
        return number in _ERRNOS
    sqlstate = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    return sqlstate in _SQLSTATES


def sessions_of(given: Any) -> Callable[[], Session]:
    """
    Return a factory of sessions: one for the engine that was given, which is prepared; or the given factory.

    Raises:
        TypeError: *given* is neither an engine nor a factory of sessions.
    """
    if isinstance(given, Engine):
        return sessionmaker(prepare_engine(given))
    if hasattr(given, "sync_engine") or hasattr(getattr(given, "class_", None), "sync_session_class"):
        message = (
            f"a sync Engine is wanted, not {type(given).__name__}: in async code give it engine.sync_engine,"
            " and make this call inside await session.run_sync(...)"
        )
        raise TypeError(message)
    if not callable(given) or isinstance(given, (type(None), Session)):
        message = f"an Engine or what makes a Session is wanted, not {type(given).__name__}"
        raise TypeError(message)
    return cast("Callable[[], Session]", given)
