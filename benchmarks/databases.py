"""Where the benchmarks run: databases of their own on a server of their own, which goes when it is done."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from sqlalchemy import URL, Engine, create_engine

from benchmarks.data import Data
from retinue import prepare_engine
from tests.servers import MariaDB, PostgreSQL, Server

_SERVERS: dict[str, type[Server]] = {"postgresql": PostgreSQL, "mariadb": MariaDB}

#: A server holds its tables in memory up to this many edges with the small cache.
_SMALL_EDGES, _SMALL_CACHE_MEGABYTES, _LARGE_CACHE_MEGABYTES = 1_000_000, 256, 1024


@dataclass(frozen=True)
class Place:
    """Where one graph is measured on one kind of database."""

    #: sqlite, postgresql or mariadb.
    kind: str
    data: Data
    #: True: be done in seconds, and content with fewer repetitions.
    quick: bool
    #: Make a new, empty database on the same server, and return its address. It goes with the place.
    fresh: Callable[[], URL]
    #: Drop a database that `fresh()` made, whoever may still be connected to it, and free its space.
    drop: Callable[[URL], None]

    def engine(self) -> Engine:
        """Return a prepared engine on a fresh database."""
        return prepare_engine(create_engine(self.fresh()))


@contextmanager
def place(kind: str, data: Data, *, quick: bool = False) -> Iterator[Place]:
    """Give a place: a server as durable as its makers ship it, or a folder for SQLite's files."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            numbers = count(1)
            yield Place(kind, data, quick, lambda: _file(folder, next(numbers)), _delete)
        return
    small = len(data.times) <= _SMALL_EDGES
    server = _SERVERS[kind](durable=True, cache_megabytes=_SMALL_CACHE_MEGABYTES if small else _LARGE_CACHE_MEGABYTES)
    try:
        yield Place(kind, data, quick, server.create_database, server.drop_database)
    finally:
        server.stop()


def _file(folder: str, number: int) -> URL:
    return URL.create("sqlite", database=f"{folder}/bench{number}.sqlite3")


def _delete(url: URL) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{url.database}{suffix}").unlink(missing_ok=True)


@contextmanager
def database(kind: str) -> Iterator[Engine]:
    """Give a prepared engine on an empty database of that *kind*."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield prepare_engine(create_engine(f"sqlite:///{folder}/bench.sqlite3"))
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
