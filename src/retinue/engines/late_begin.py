"""
PostgreSQL: a transaction begins with the first statement that needs one.

At READ COMMITTED each statement sees what is committed when it starts, in a transaction or not. So what only reads, before
anything else, is sent without one. Of a session that only reads, as of most requests, that saves BEGIN and ROLLBACK, two of
three round trips; no connection waits "idle in transaction"; and psycopg, which forgets at each ROLLBACK what it
has prepared, goes on knowing it. Whatever might mean a transaction begins it, as ever (`only_reads()`), and so does each
statement at another isolation level.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from weakref import WeakSet

from sqlalchemy import event
from sqlalchemy.engine import Engine

from retinue.engines.reading import only_reads

#: Where a connection keeps that it was asked at which level transactions begin by themselves.
_ASKED: Final = "retinue.isolation_asked"
#: The drivers' connections for which that is READ COMMITTED.
_COMMITTED: Final[WeakSet[Any]] = WeakSet()
_LEVELS: Final = frozenset({"read committed", "read uncommitted"})  # one and the same on PostgreSQL

#: Whether a connection of each driver is in no transaction, by what the driver knows. No statement.
_IDLE: Final[dict[str, Callable[[Any], bool]]] = {
    "psycopg": lambda driver: driver.pgconn.transaction_status == 0,
    "psycopg_async": lambda driver: driver.pgconn.transaction_status == 0,
    "asyncpg": lambda driver: not driver.is_in_transaction(),
}


def begin_late(engine: Engine) -> None:
    """Let what only reads begin no transaction on *engine*; nothing changes with a driver that is not known here."""
    is_idle = _IDLE.get(engine.dialect.driver)
    if is_idle is None:
        return

    def executing(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
        # Asked of every statement: in a transaction this is all.
        driver = getattr(cursor, "connection", None)
        if driver is None:  # that of an async driver is hidden
            driver = context.root_connection.connection.driver_connection
        if not is_idle(driver) or not only_reads(statement) or not _alone_is_the_same(driver, context):
            return False
        connection = context.root_connection.connection.dbapi_connection
        connection.autocommit = True
        try:
            context.dialect.do_execute(cursor, statement, parameters, context)
        finally:
            if is_idle(driver):  # else it is lost, and SQLAlchemy drops it
                connection.autocommit = False
        return True

    event.listen(engine, "checkout", _check_out)
    event.listen(engine, "do_execute", executing)


def _check_out(connection: Any, record: Any, _proxy: Any) -> None:
    if _ASKED in record.info:
        return
    record.info[_ASKED] = True
    before, connection.autocommit = connection.autocommit, True
    cursor = connection.cursor()
    cursor.execute("SHOW default_transaction_isolation")
    if cursor.fetchone()[0] in _LEVELS:
        _COMMITTED.add(record.driver_connection)
    cursor.close()
    connection.autocommit = before


def _alone_is_the_same(driver: Any, context: Any) -> bool:
    """Return whether each statement has a snapshot of its own, and leaves nothing open."""
    connection = context.root_connection.connection.dbapi_connection
    if connection.autocommit or context.execution_options.get("stream_results"):
        return False
    # asyncpg's own connection has no level, and the async form of psycopg's has it alone.
    level = getattr(driver, "isolation_level", None) or getattr(connection, "isolation_level", None)
    if level is None:
        return driver in _COMMITTED
    return str(getattr(level, "name", level)).replace("_", " ").lower() in _LEVELS
