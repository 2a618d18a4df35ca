"""
Prepare an engine for what Retinue promises.

SQLite's driver begins a write transaction late, by upgrading one that reads, which fails
without waiting. MariaDB from 11.6 on refuses to add to a counter to which another
transaction has added since this one first read anything.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.sql.selectable import SelectBase

if TYPE_CHECKING:
    # At run time this would ask for greenlet, which an application without async does not have.
    from sqlalchemy.ext.asyncio import AsyncEngine

AnyEngine = TypeVar("AnyEngine", bound="Engine | AsyncEngine")

#: Seconds that a writer of SQLite waits for the writers before it.
BUSY_TIMEOUT = 30.0

#: First words of SQL texts that read or control. A text that starts with WITH may write.
_READS = ("SELECT", "VALUES", "EXPLAIN", "PRAGMA")
_CONTROLS = ("BEGIN", "COMMIT", "ROLLBACK", "END", "SAVEPOINT", "RELEASE", "ATTACH", "DETACH", "VACUUM")
_ATTEMPTS = 100
_READY = "retinue.ready"
_WRITING = "retinue.writing"


def prepare_engine(engine: AnyEngine, *, busy_timeout: float = BUSY_TIMEOUT) -> AnyEngine:
    """
    Make *engine* keep Retinue's promises, and return it. Once is enough; twice is harmless.

    On SQLite: write-ahead log, foreign keys, a busy timeout, and ``BEGIN
    IMMEDIATE`` before the first write or savepoint of a transaction. What a
    transaction reads before that is not part of it: a session that only reads
    delays nobody, however long it stays open. While Alembic runs ``env.py``, foreign
    keys are off, as Alembic needs it there. On MariaDB: ``innodb_snapshot_isolation``
    is off, as it was before 11.6. On PostgreSQL: nothing. Call it before the first
    connection is made.

    Args:
        engine: An engine of SQLAlchemy, sync or async.
        busy_timeout: Seconds for which a writer waits for its turn (SQLite).
    """
    sync = engine if isinstance(engine, Engine) else engine.sync_engine
    if sync.dialect.name == "sqlite" and not event.contains(sync, "begin", _begin):

        def check_out(connection: Any, record: Any, _proxy: Any) -> None:
            _check_out(connection, record, busy_timeout)

        event.listen(sync, "checkout", check_out)
        event.listen(sync, "begin", _begin)
        event.listen(sync, "savepoint", _before_savepoint)
        event.listen(sync, "before_cursor_execute", _before_statement)
    elif sync.dialect.name in ("mysql", "mariadb") and not event.contains(sync, "connect", _check_no_snapshot):
        event.listen(sync, "connect", _check_no_snapshot)
    return engine


def _check_no_snapshot(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("SHOW SESSION VARIABLES LIKE 'innodb_snapshot_isolation'")
    if dict(cursor.fetchall()).get("innodb_snapshot_isolation") == "ON":
        cursor.execute("SET SESSION innodb_snapshot_isolation = OFF")
    cursor.close()


def _check_out(connection: Any, record: Any, busy_timeout: float) -> None:
    # The driver must not open transactions by itself; SQLAlchemy resets this at times.
    connection.isolation_level = None
    keys = "OFF" if _migrates() else "ON"
    if record.info.get(_READY) == keys:
        return
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {round(busy_timeout * 1000)}")
    cursor.execute(f"PRAGMA foreign_keys = {keys}")
    _use_write_ahead_log(cursor)
    cursor.close()
    record.info[_READY] = keys


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


def _begin(connection: Connection) -> None:
    connection.info[_WRITING] = False


def _before_savepoint(connection: Connection, _name: str | None) -> None:
    _write(connection)


def _before_statement(
    connection: Connection, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool
) -> None:
    if connection.info.get(_WRITING, True):
        return
    element = context.compiled.statement if getattr(context, "compiled", None) else None
    if isinstance(element, SelectBase):
        # A locking read is compiled to a plain one here; the write lock is what it asks for.
        writes = getattr(element, "_for_update_arg", None) is not None
    else:
        verb = statement.split(None, 1)[0].upper() if statement.strip() else ""
        writes = verb not in _READS and verb not in _CONTROLS
    if writes:
        _write(connection)


def _write(connection: Connection) -> None:
    if not connection.info.get(_WRITING, True):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        # Only now: if BEGIN fails, the next write must begin a transaction, too.
        connection.info[_WRITING] = True
