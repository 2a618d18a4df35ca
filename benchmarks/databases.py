"""Where the benchmarks run: each on an empty database of its own, which goes when it is done."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine

from retinue import prepare_engine
from tests.servers import MariaDB, PostgreSQL, Server

_SERVERS: dict[str, type[Server]] = {"postgresql": PostgreSQL, "mariadb": MariaDB}


@contextmanager
def database(kind: str) -> Iterator[Engine]:
    """Give a prepared engine on an empty database of that *kind*."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield prepare_engine(create_engine(f"sqlite:///{folder}/bench.sqlite3"))
        return
    server = _SERVERS[kind]()
    try:
        yield prepare_engine(create_engine(server.create_database()))
    finally:
        server.stop()


def on_each(kinds: Sequence[str], measure: Callable[[Engine], object]) -> None:
    """Run *measure* on each kind of database, one after the other."""
    for kind in kinds:
        with database(kind) as engine:
            measure(engine)
