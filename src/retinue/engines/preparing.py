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

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.sql.selectable import SelectBase

if TYPE_CHECKING:
    # At run time this would ask for greenlet, which an application without async does not have.
    from sqlalchemy.ext.asyncio import AsyncEngine

AnyEngine = TypeVar("AnyEngine", bound="Engine | AsyncEngine")

#: The execution option of a text that holds what it was compiled from.
COMPILED: Final = "retinue.compiled"

#: Seconds that a writer of SQLite waits for the writers before it.
BUSY_TIMEOUT = 30.0

_COMMENTS = r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
_FIRST_WORD = re.compile(_COMMENTS + r"(\w*)", re.DOTALL)
#: First words of texts that neither write nor begin a savepoint. A text that starts with WITH may write.
READS: Final = frozenset({"SELECT", "VALUES", "EXPLAIN", "PRAGMA"})
_CONTROLS = frozenset({"BEGIN", "COMMIT", "ROLLBACK", "END", "RELEASE", "ATTACH", "DETACH", "VACUUM"})
#: A BEGIN that takes no lock, such as that of SQLAlchemy's recipe for transactions.
_LAZY_BEGIN = re.compile(_COMMENTS + r"BEGIN(\s+DEFERRED)?(\s+TRANSACTION)?\s*;?\s*", re.IGNORECASE | re.DOTALL)
#: How such a text begins.
_BEFORE_BEGIN = "Bb/- \t\r\n"
#: What is sent instead: nothing. The transaction begins with its first write.
_NOT_YET = "-- BEGIN: with the first write"
#: The driver begins transactions by itself in one of two ways, from Python 3.12 on; then this is the one that can be off.
_NOT_BY_ITSELF: Any = getattr(sqlite3, "LEGACY_TRANSACTION_CONTROL", None)
_ATTEMPTS = 100
_READY = "retinue.ready"


def prepare_engine(engine: AnyEngine, *, busy_timeout: float = BUSY_TIMEOUT) -> AnyEngine:
    """
    Make *engine* keep Retinue's promises, and return it. Once is enough; twice is harmless.

    On SQLite: write-ahead log, foreign keys, a busy timeout, and ``BEGIN
    IMMEDIATE`` before the first write or savepoint of a transaction. What a
    transaction reads before that is not part of it: a session that only reads
    delays nobody, however long it stays open. A plain ``BEGIN``, as of SQLAlchemy's recipe
    for SQLite, waits for the first write as well; in AUTOCOMMIT nothing is begun. While Alembic runs ``env.py``, foreign
    keys are off, as Alembic needs it there. On MariaDB: ``innodb_snapshot_isolation``
    is off, as it was before 11.6. On PostgreSQL: nothing. Call it before the first
    connection is made.

    Args:
        engine: An engine of SQLAlchemy, sync or async.
        busy_timeout: Seconds for which a writer waits for its turn (SQLite).
    """
    sync = engine if isinstance(engine, Engine) else engine.sync_engine
    if sync.dialect.name == "sqlite" and not event.contains(sync, "before_cursor_execute", _before_statement):

        def check_out(connection: Any, record: Any, _proxy: Any) -> None:
            _check_out(connection, record, busy_timeout)

        event.listen(sync, "checkout", check_out)
        event.listen(sync, "before_cursor_execute", _before_statement, retval=True)
    elif sync.dialect.name in ("mysql", "mariadb") and not event.contains(sync, "connect", _check_no_snapshot):
        event.listen(sync, "connect", _check_no_snapshot)
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


def _before_statement(
    connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, _many: bool
) -> tuple[str, Any]:
    # Who reads, or writes on, is through with few instructions: this is asked of every statement.
    if statement[:1] in _BEFORE_BEGIN and _LAZY_BEGIN.fullmatch(statement):
        # Also where another session, on the same connection in memory, has begun: SQLite begins but once.
        return (statement if _in_autocommit(connection) else _NOT_YET), parameters
    driver: Any = getattr(cursor, "connection", None) or connection.connection.driver_connection
    if not driver.in_transaction and _writes(statement, context) and not _in_autocommit(connection):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    return statement, parameters


def _in_autocommit(connection: Connection) -> bool:
    return connection._is_autocommit_isolation()  # noqa: SLF001 - whatever is public asks the database


def _writes(statement: str, context: Any) -> bool:
    """Return whether a *statement* writes, or begins a savepoint."""
    compiled = getattr(context, "compiled", None) or context.execution_options.get(COMPILED)
    element = compiled.statement if compiled else None
    if isinstance(element, SelectBase):
        # A locking read is compiled to a plain one here; the write lock is what it asks for.
        return getattr(element, "_for_update_arg", None) is not None
    verb = first_word(statement)
    return bool(verb) and verb not in READS and verb not in _CONTROLS


def first_word(statement: str) -> str:
    """Return the word with which *statement* starts, in capitals, comments left out."""
    word: Any = _FIRST_WORD.match(statement)
    return str(word[1].upper())


def in_transaction(connection: Connection) -> bool:
    """Return whether SQLite is in a transaction, whoever began it: the driver knows. No statement."""
    driver: Any = connection.connection.driver_connection
    return bool(driver.in_transaction)
