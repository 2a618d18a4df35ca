"""
Databases of one process of a run: a new one for a test that asks for nothing more, and kept ones.

A kept database has the tables of some metadata, and they stay from test to test; what the tests wrote does not.
Nor does its engine change, so statements are compiled once for all tests of a file.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, MetaData, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from retinue import prepare_engine
from tests.servers import Server

#: How many a process keeps of each kind: tests of one file come one after the other, so few are in use at a time.
KEPT_AT_ONCE: Final = 12

#: A session that a test forgot may hold locks: then the database is replaced.
_PATIENCE: Final = {
    "sqlite": "PRAGMA busy_timeout = 2000",
    "postgresql": "SET lock_timeout = '2s'",
    "mariadb": "SET SESSION innodb_lock_wait_timeout = 2, lock_wait_timeout = 2",
}


def roomy_engine(url: URL) -> Engine:
    """Return a prepared engine with room for 40 connections at once: races need them."""
    return not_durable(prepare_engine(create_engine(url, pool_size=20, max_overflow=20)))


def not_durable(engine: Engine) -> Engine:
    """
    Let SQLite trade durability for speed, as the servers do; return *engine*.

    What it has committed outlives the process all the same, and no loss of power.
    """
    if engine.dialect.name == "sqlite":
        engine.dispose()  # whoever is connected already
        event.listen(engine, "connect", _wait_for_no_disk)
    return engine


def _wait_for_no_disk(connection: Any, _record: object = None) -> None:
    connection.execute("PRAGMA synchronous = OFF")


class Kept:
    """A database with the tables of all *metadata*, which are empty whenever a test begins."""

    def __init__(self, kind: str, url: URL, metadata: tuple[MetaData, ...]) -> None:
        self.kind = kind
        self.url = url
        self.metadata = metadata
        self._engine: Engine | None = None
        self._listeners: list[int] = []
        self._cleaner = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool).connect()
        self._cleaner.exec_driver_sql(_PATIENCE[kind])
        if kind == "sqlite":
            _wait_for_no_disk(self._cleaner.connection.dbapi_connection)
        for one in metadata:
            one.create_all(self._cleaner)
        self._emptying = _emptying(kind, self._cleaner, metadata)

    @property
    def engine(self) -> Engine:
        """The engine of every test; a new one after a test that left listeners behind."""
        if self._engine is not None and _listeners(self._engine) != self._listeners:
            self.let_go()
        if self._engine is None:
            self._engine = roomy_engine(self.url)
            self._engine.connect().close()  # the first connection adds listeners of SQLAlchemy's own
            self._listeners = _listeners(self._engine)
        return self._engine

    def rest(self) -> None:
        """Close the connections of the engine, which is kept with all statements that it has compiled."""
        if self._engine is not None and _listeners(self._engine) == self._listeners:
            self._engine.dispose()
            self._listeners = _listeners(self._engine)
        else:
            self.let_go()

    def empty(self) -> bool:
        """Delete every row, and count keys from one again; return False if somebody holds a lock."""
        try:
            for statement in self._emptying:
                self._cleaner.exec_driver_sql(statement)
        except DBAPIError:
            return False
        return True

    def let_go(self) -> None:
        """Part with the engine."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def close(self) -> None:
        """Close every connection."""
        self.let_go()
        self._cleaner.close()


def _emptying(kind: str, connection: Connection, metadata: tuple[MetaData, ...]) -> list[str]:
    """Return statements that delete every row of these tables."""
    quote = connection.dialect.identifier_preparer.format_table
    tables = [table for one in metadata for table in reversed(one.sorted_tables)]
    statements = [f"DELETE FROM {quote(table)}" for table in tables]
    numbered = [table for table in tables if table.autoincrement_column is not None]
    if kind == "postgresql":
        for table in numbered:
            column: Any = table.autoincrement_column
            statements.append(f"SELECT setval(pg_get_serial_sequence('{quote(table)}', '{column.name}'), 1, false)")
        return ["; ".join(statements)]
    if kind == "mariadb":
        statements += [f"ALTER TABLE {quote(table)} AUTO_INCREMENT = 1" for table in numbered]
    return statements


def _listeners(engine: Engine) -> list[int]:
    """Return what listens to *engine*, to compare."""
    found = []
    for target in (engine, engine.pool, engine.dialect):
        dispatch: Any = target.dispatch
        for name in sorted(dispatch._event_names):
            found += [id(listener) for listener in getattr(dispatch, name)]
    return found


class Databases:
    """The databases of one process of a run; *server* gives a server of a kind, *folder* a new folder."""

    def __init__(self, server: Callable[[str], Server], folder: Callable[[], Path]) -> None:
        self._server = server
        self._folder = folder
        self._kept: OrderedDict[tuple[str, tuple[MetaData, ...]], Kept] = OrderedDict()

    def new(self, kind: str) -> URL:
        """Make a new, empty database."""
        if kind == "sqlite":
            return URL.create("sqlite", database=str(self._folder() / "retinue.sqlite3"))
        return self._server(kind).create_database()

    def drop(self, kind: str, url: URL) -> None:
        """Drop a database; a file of SQLite's goes with its folder, when the run is over."""
        if kind != "sqlite":
            self._server(kind).drop_database(url)

    def keep(self, kind: str, *metadata: MetaData) -> Kept:
        """Return the kept database with the tables of all *metadata*, empty."""
        kept = self._kept.pop((kind, metadata), None)
        if kept is None:
            kept = Kept(kind, self.new(kind), metadata)
        others = [one for one in self._kept.values() if one.kind == kind]
        for one in others[-1:]:
            one.rest()
        for one in others[: 1 - KEPT_AT_ONCE]:
            self.give_up(one)
        self._kept[kind, metadata] = kept
        return kept

    def engine_of(self, url: URL) -> Engine | None:
        """Return the engine on a kept database."""
        return next((kept.engine for kept in self._kept.values() if kept.url == url), None)

    def give_back(self, kept: Kept) -> None:
        """Empty *kept* for the next test, or give it up if that cannot be."""
        if not kept.empty():
            self.give_up(kept)

    def give_up(self, kept: Kept) -> None:
        """Drop *kept*."""
        self._kept.pop((kept.kind, kept.metadata), None)
        kept.close()
        self.drop(kept.kind, kept.url)

    def close(self) -> None:
        """Close the connections to all that are kept; they go with their servers, and with the run's folder."""
        for kept in self._kept.values():
            kept.close()
