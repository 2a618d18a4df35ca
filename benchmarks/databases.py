"""Where the benchmarks run: databases of their own on a server of their own, which goes when it is done."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pymysql
from sqlalchemy import URL, Engine, create_engine

from benchmarks.cores import servers_core
from benchmarks.data import Data
from benchmarks.wire import wire
from retinue import prepare_engine
from tests.servers import MariaDB, PostgreSQL, Server

_SERVERS: dict[str, type[Server]] = {"postgresql": PostgreSQL, "mariadb": MariaDB}

#: What can be measured: a kind of database, or PostgreSQL behind a wire.
WIRE = "wire"
ENGINES = ("sqlite", "postgresql", "mariadb")
DATABASES = ("sqlite", "postgresql", WIRE, "mariadb")

#: A server holds its tables in memory up to this many edges with the small cache.
_SMALL_EDGES, _SMALL_CACHE_MEGABYTES, _LARGE_CACHE_MEGABYTES = 1_000_000, 256, 1024


def kind_of(url: URL) -> str:
    """Return sqlite, postgresql or mariadb."""
    name = url.get_backend_name()
    return name if name in {"sqlite", "postgresql"} else "mariadb"


def connect(url: URL) -> Any:
    """Return a connection of the bare driver, as durable as the database is by itself. What has no BEGIN is committed."""
    kind = kind_of(url)
    if kind == "sqlite":
        # With the log that Retinue switches on, and no edge without its users.
        file = sqlite3.connect(str(url.database), isolation_level=None, timeout=30)
        for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            file.execute(f"PRAGMA {setting}")
        return file
    if kind == "postgresql":
        host = str(url.query["host"])
        return psycopg.connect(host=host, dbname=url.database, user=url.username, autocommit=True)
    return pymysql.connect(
        unix_socket=str(url.query["unix_socket"]),
        database=url.database,
        user=url.username,
        charset="utf8mb4",
        autocommit=True,
        local_infile=True,
    )


@dataclass(frozen=True)
class Place:
    """Where one graph is measured on one kind of database."""

    #: One of `DATABASES`, as the rows have it.
    name: str
    #: sqlite, postgresql or mariadb.
    kind: str
    data: Data
    #: True: be done in seconds, and content with fewer repetitions.
    quick: bool
    #: Make a new, empty database on the same server, and return its address. It goes with the place.
    fresh: Callable[[], URL]
    #: Drop a database that `fresh()` made, whoever may still be connected to it, and free its space.
    drop: Callable[[URL], None]
    server: Server | None = None

    def copy(self, url: URL) -> URL:
        """Return the address of a copy of a database to which nobody is connected; on SQLite or PostgreSQL."""
        new = self.fresh()
        if self.server is None:
            shutil.copy(str(url.database), str(new.database))
        else:
            self.drop(new)
            with closing(connect(url.set(database="postgres"))) as one:
                one.execute(f"CREATE DATABASE {new.database} TEMPLATE {url.database}")
        return new


@contextmanager
def place(name: str, data: Data, *, quick: bool = False) -> Iterator[Place]:
    """Give a place: a server as durable as its makers ship it, perhaps behind a wire, or a folder for SQLite's files."""
    if name == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            numbers = count(1)
            yield Place(name, name, data, quick, lambda: _file(folder, next(numbers)), _delete)
        return
    kind = "postgresql" if name == WIRE else name
    small = len(data.times) <= _SMALL_EDGES
    with servers_core():
        cache = _SMALL_CACHE_MEGABYTES if small else _LARGE_CACHE_MEGABYTES
        server = _SERVERS[kind](durable=True, cache_megabytes=cache)
    try:
        if name == WIRE:
            with _behind_a_wire(server) as fresh:
                yield Place(name, kind, data, quick, fresh, server.drop_database, server)
        else:
            yield Place(name, kind, data, quick, server.create_database, server.drop_database, server)
    finally:
        server.stop()


@contextmanager
def _behind_a_wire(server: Server) -> Iterator[Callable[[], URL]]:
    """Give what makes a database on a PostgreSQL *server*, and returns its address behind a wire."""
    socket = ".s.PGSQL.5432"
    with tempfile.TemporaryDirectory(prefix="retinue-", dir="/tmp") as folder, ExitStack() as open_:

        def round_trip(host: Path) -> Callable[[], object]:
            near = open_.enter_context(closing(connect(server.url().update_query_dict({"host": str(host)}))))
            return lambda: near.execute("SELECT 1").fetchone()

        open_.enter_context(wire(server.directory / socket, Path(folder, socket), round_trip))
        yield lambda: server.create_database().update_query_dict({"host": folder})


def _file(folder: str, number: int) -> URL:
    return URL.create("sqlite", database=f"{folder}/bench{number}.sqlite3")


def _delete(url: URL) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{url.database}{suffix}").unlink(missing_ok=True)


def server_version(here: Place) -> str:
    """Ask a server for its version."""
    with closing(connect(here.fresh())) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT version()")
        # "PostgreSQL 17.2 on x86_64 ..." and "11.4.3-MariaDB-..."
        words = str(cursor.fetchone()[0]).split()
    return next(word for word in words if word[0].isdigit())


@contextmanager
def database(kind: str) -> Iterator[Engine]:
    """Give a prepared engine on an empty database of that *kind*."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield prepare_engine(create_engine(_file(folder, 1)))
        return
    server = _SERVERS[kind](durable=True)
    try:
        yield prepare_engine(create_engine(server.create_database()))
    finally:
        server.stop()


def on_each(kinds: Sequence[str], measure: Callable[[Engine], object]) -> None:
    """Run *measure* on each kind of database, one after the other."""
    for kind in kinds:
        with database(kind) as engine:
            measure(engine)
