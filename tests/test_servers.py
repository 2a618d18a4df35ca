"""The throw-away servers are what tests believe them to be, and leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.ext.asyncio import create_async_engine

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import URL

    from tests.servers import Server

REPOSITORY = Path(__file__).resolve().parent.parent

START_AND_HANG = """
import os, signal, sys, time
from tests import servers
server = getattr(servers, sys.argv[1])()
server.create_database()
if not os.fork():  # a worker that holds every open file of the run, and outlives it
    time.sleep(60)
print(server.directory, flush=True)
time.sleep(60)
"""


def processes_that_name(directory: Path) -> list[str]:
    """Return the command lines of running processes that mention a directory (on Linux)."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it ended meanwhile
            command = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found += [command] if str(directory) in command else []
    return found


@pytest.mark.parametrize("kind", ["PostgreSQL", "MariaDB"])
def test_a_killed_run_leaves_nothing_behind(kind: str, server: Callable[[str], Server]) -> None:
    """After kill -9 of the tests, even with a worker of theirs alive, server and files are gone within seconds."""
    server(kind.lower())  # skips, or fails, where it cannot be had
    run = subprocess.Popen(
        [sys.executable, "-c", START_AND_HANG, kind],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert run.stdout
    directory = Path(run.stdout.readline().strip())
    try:
        assert (directory / "data").is_dir()

        os.kill(run.pid, signal.SIGKILL)

        deadline = time.monotonic() + 20
        while (directory.exists() or processes_that_name(directory)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not directory.exists()
        assert processes_that_name(directory) == []
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        run.stdout.close()


def test_each_test_gets_an_empty_database_of_its_own(engine: Engine) -> None:
    """A table of any name can be made, and rows written, without asking what other tests did."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE users (id INTEGER PRIMARY KEY)"))
        connection.execute(text("INSERT INTO users VALUES (1)"))

    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM users")) == 1


def test_many_sessions_fit(engine: Engine) -> None:
    """Forty connections at once are no problem: race tests need them."""
    connections = [engine.connect() for _ in range(40)]
    try:
        assert [connection.scalar(text("SELECT 1")) for connection in connections] == [1] * 40
    finally:
        for connection in connections:
            connection.close()


def test_isolation_levels_are_those_of_the_makers(engine: Engine) -> None:
    """What a test proves holds for a server as it is installed."""
    usual = {"sqlite": "SERIALIZABLE", "postgresql": "READ COMMITTED", "mariadb": "REPEATABLE READ"}

    with engine.connect() as connection:
        assert connection.default_isolation_level == usual[connection.dialect.name]


@pytest.mark.parametrize(
    ("database", "driver"),
    [
        ("sqlite", "sqlite+aiosqlite"),
        ("postgresql", "postgresql+asyncpg"),
        ("postgresql", "postgresql+psycopg_async"),
    ],
    indirect=["database"],
)
def test_async_drivers_take_the_same_address(database: URL, driver: str) -> None:
    """`database.set(drivername=...)` is all that an async test needs."""

    async def ask() -> int | None:
        engine = create_async_engine(database.set(drivername=driver))
        async with engine.connect() as connection:
            answer: int | None = await connection.scalar(text("SELECT 1"))
        await engine.dispose()
        return answer

    assert asyncio.run(ask()) == 1
