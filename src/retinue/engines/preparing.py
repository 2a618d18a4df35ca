"""
Prepare an engine for what Retinue promises.

SQLite's driver begins a write transaction late, by upgrading one that reads, which fails
without waiting. MariaDB from 11.6 on refuses to add to a counter to which another
transaction has added since this one first read anything.
"""

from __future__ import annotations

import re
import sqlite3
import sys
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import WeakSet

from sqlalchemy import event
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.sql.selectable import SelectBase

from retinue.engines.late_begin import begin_late
from retinue.engines.reading import COMMENTS, READS, first_word

if TYPE_CHECKING:
    # At run time this would ask for greenlet, which an application without async does not have.
    from sqlalchemy.ext.asyncio import AsyncEngine

AnyEngine = TypeVar("AnyEngine", bound="Engine | AsyncEngine")

#: The execution option of a text that holds what it was compiled from.
COMPILED: Final = "retinue.compiled"

#: Seconds that a writer of SQLite waits for the writers before it.
BUSY_TIMEOUT = 30.0

_CONTROLS = frozenset({"BEGIN", "COMMIT", "ROLLBACK", "END", "RELEASE", "ATTACH", "DETACH", "VACUUM"})
#: A BEGIN that takes no lock, such as that of SQLAlchemy's recipe for transactions.
_LAZY_BEGIN = re.compile(COMMENTS + r"BEGIN(\s+DEFERRED)?(\s+TRANSACTION)?\s*;?\s*", re.IGNORECASE | re.DOTALL)
#: How such a text begins.
_BEFORE_BEGIN = "Bb/- \t\r\n"
#: What is sent instead: nothing. The transaction begins with its first write.
_NOT_YET = "-- BEGIN: with the first write"
#: The driver begins transactions by itself in one of two ways, from Python 3.12 on; then this is the one that can be off.
_NOT_BY_ITSELF: Any = getattr(sqlite3, "LEGACY_TRANSACTION_CONTROL", None)
_ATTEMPTS = 100
_READY = "retinue.ready"
#: The dialects of engines that have our hooks. (SQLAlchemy finds a hook of a dialect's by the number of its engine, which
#: the next engine may get.)
_PREPARED: Final[WeakSet[Dialect]] = WeakSet()


def prepare_engine(engine: AnyEngine, *, busy_timeout: float = BUSY_TIMEOUT) -> AnyEngine:
    """
    Make *engine* keep Retinue's promises, and return it. Once is enough; twice is harmless.

    On SQLite: write-ahead log, foreign keys, a busy timeout, and ``BEGIN
    IMMEDIATE`` before the first write or savepoint of a transaction. What a
    transaction reads before that is not part of it: a session that only reads
    delays nobody, however long it stays open. A plain ``BEGIN``, as of SQLAlchemy's recipe
    for SQLite, waits for the first write as well; in AUTOCOMMIT nothing is begun. While Alembic runs ``env.py``, foreign
    keys are off, as Alembic needs it there. On MariaDB: ``innodb_snapshot_isolation``
    is off, as it was before 11.6. On PostgreSQL, at its usual isolation level: no transaction begins before a statement
    that does more than read, with psycopg and asyncpg. Call it before the first connection is made.

    Args:
        engine: An engine of SQLAlchemy, sync or async.
        busy_timeout: Seconds for which a writer waits for its turn (SQLite).
    """
    sync = engine if isinstance(engine, Engine) else engine.sync_engine
    if sync.dialect.name == "sqlite" and sync.dialect not in _PREPARED:
        _PREPARED.add(sync.dialect)

        def check_out(connection: Any, record: Any, _proxy: Any) -> None:
            _check_out(connection, record, busy_timeout)

        event.listen(sync, "checkout", check_out)
        # Where the statement goes to the driver: an event of the connection's costs every statement four times as much.
        for name, hook in _HOOKS.items():
            event.listen(sync, name, hook)
    elif sync.dialect.name in ("mysql", "mariadb") and not event.contains(sync, "connect", _check_no_snapshot):
        event.listen(sync, "connect", _check_no_snapshot)
    elif sync.dialect.name == "postgresql" and sync.dialect not in _PREPARED:
        _PREPARED.add(sync.dialect)
        begin_late(sync)
    return engine


def is_prepared(connection: Connection) -> bool:
    """Return whether a prepared engine gave out *connection*, which is SQLite's."""
    return _READY in connection.info


def _check_no_snapshot(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("SHOW SESSION VARIABLES LIKE 'innodb_snapshot_isolation'")
    if dict(cursor.fetchall()).get("innodb_snapshot_isolation") == "ON":
        cursor.execute("SET SESSION innodb_snapshot_isolation = OFF")
    cursor.close()


def _check_out(connection: Any, record: Any, busy_timeout: float) -> None:
    _begin_nothing(connection, record.driver_connection)
    keys = "OFF" if _migrates() else "ON"
    if record.info.get(_READY) == keys:
        return
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {round(busy_timeout * 1000)}")
    cursor.execute(f"PRAGMA foreign_keys = {keys}")
    _use_write_ahead_log(cursor)
    cursor.close()
    record.info[_READY] = keys


def _begin_nothing(connection: Any, driver: Any) -> None:
    """
    Let the driver not begin transactions by itself, which SQLAlchemy resets at times.

    Only where it would: to say it once more commits what another session has open on the
    same connection, as sessions have with StaticPool.
    """
    if getattr(connection, "autocommit", _NOT_BY_ITSELF) != _NOT_BY_ITSELF:
        connection.autocommit = _NOT_BY_ITSELF
        connection.rollback()  # of the transaction that is always open otherwise
    if connection.isolation_level is not None and not driver.in_transaction:
        connection.isolation_level = None


def _migrates() -> bool:
    """
    Return whether Alembic runs a migration's ``env.py``; without importing Alembic.

    To alter a table, Alembic makes a new one and drops the old one, which deletes its rows: with
    foreign keys on, rows of all tables that refer to them would be deleted, too, every follow included.
    """
    # Outside ``env.py`` this module of Alembic's has no such attribute.
    return hasattr(sys.modules.get("alembic.context"), "config")


def _use_write_ahead_log(cursor: Any) -> None:
    """Switch the file to write-ahead logging, once in its life; SQLite does not wait for others that do so."""
    for attempt in range(1, _ATTEMPTS + 1):
        cursor.execute("PRAGMA journal_mode")
        if cursor.fetchone()[0] in ("wal", "memory"):
            return
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.fetchall()
            return
        except sqlite3.OperationalError as error:
            if attempt == _ATTEMPTS or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(0.02)


def _executing(cursor: Any, statement: str, _parameters: Any, context: Any) -> bool:
    """Begin what *statement* needs; return whether it was all that there is to do."""
    driver: Any = getattr(cursor, "connection", None) or context.root_connection.connection.driver_connection
    # Who writes on is through with few instructions, and who reads nearly: this is asked of every statement.
    if statement[:1] in _BEFORE_BEGIN and _LAZY_BEGIN.fullmatch(statement):
        if _in_autocommit(context.root_connection):
            return False
        # Also where another session, on the same connection in memory, has begun: SQLite begins but once.
        cursor.execute(_NOT_YET)
        return True
    if not driver.in_transaction and _needs_the_lock(statement, context):
        connection: Connection = context.root_connection
        if not _in_autocommit(connection):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
    return False


def _executing_without_parameters(cursor: Any, statement: str, context: Any) -> bool:
    return _executing(cursor, statement, (), context)


_HOOKS: Final[dict[str, Any]] = {
    "do_execute": _executing,
    "do_executemany": _executing,
    "do_execute_no_params": _executing_without_parameters,
}


def begin_to_write(connection: Connection) -> None:
    """Take the one write lock of SQLite for the transaction of *connection*, unless it has it."""
    driver: Any = connection.connection.driver_connection
    if not driver.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _in_autocommit(connection: Connection) -> bool:
    return connection._is_autocommit_isolation()  # noqa: SLF001 - whatever is public asks the database


def _writes(statement: str) -> bool:
    """Return whether a *statement* writes, or begins a savepoint, by its first word."""
    verb = first_word(statement)
    return bool(verb) and verb not in READS and verb not in _CONTROLS


def _needs_the_lock(statement: str, context: Any) -> bool:
    compiled = context.compiled or context.execution_options.get(COMPILED)
    if compiled is not None and isinstance(compiled.statement, SelectBase):
        # A locking read is compiled to a plain one here; the write lock is what it asks for.
        return getattr(compiled.statement, "_for_update_arg", None) is not None
    return _writes(statement)


def in_transaction(connection: Connection) -> bool:
    """Return whether SQLite is in a transaction, whoever began it: the driver knows. No statement."""
    driver: Any = connection.connection.driver_connection
    return bool(driver.in_transaction)
