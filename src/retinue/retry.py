"""Run work in a transaction, and again if the database reports a deadlock or another conflict."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from retinue.engines import prepare_engine

T = TypeVar("T")

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


def transact(session_factory: Callable[[], Session], fn: Callable[[Session], T], *, attempts: int = 20) -> T:
    """
    Run ``fn(session)`` in a transaction of its own, commit, and return its result.

    After an error that the database calls retriable (a deadlock, a serialization failure, a busy
    database) it runs again in a new session, after a random pause that doubles
    from 10 milliseconds to a second. *fn* may therefore run several times: it must
    not do what a rollback cannot undo. Any other error ends it at once.

    Args:
        session_factory: Makes a new session, such as a ``sessionmaker``.
        fn: The work. It must not commit.
        attempts: How often to try in all.

    Raises:
        sqlalchemy.exc.DBAPIError: The last attempt failed as well.
        ValueError: The factory gave a session that is already in a transaction.
    """
    for attempt in range(1, attempts + 1):
        session = session_factory()
        if session.in_transaction():
            message = "the factory must make a new session, not hand out one that is in use"
            raise ValueError(message)
        try:
            with session:
                return _committed(session, fn)
        except DBAPIError as error:
            if attempt == attempts or not is_retriable(error):
                raise
        # Full jitter: sessions that collided once must not collide in step.
        time.sleep(random.uniform(0, min(_MAX_PAUSE, _FIRST_PAUSE * 2**attempt)))  # noqa: S311 - not a secret
    message = f"attempts must be at least 1, not {attempts}"
    raise ValueError(message)


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
    if not callable(given) or isinstance(given, (type(None), Session)) or hasattr(given, "sync_engine"):
        message = f"an Engine or what makes a Session is wanted, not {type(given).__name__}"
        raise TypeError(message)
    return cast("Callable[[], Session]", given)
