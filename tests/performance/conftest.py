"""Databases that are loaded once, and read and written (but never changed) by every test here."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, create_engine

from retinue import prepare_engine
from tests.fixtures import MISSING, REQUIRE_ALL
from tests.performance.loading import load
from tests.performance.places import Measured
from tests.servers import Server


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a loaded SQLite database of which nobody has gathered statistics, as is usual there."""
    file = tmp_path_factory.mktemp("performance") / "crowd.sqlite3"
    engine = _engine(URL.create("sqlite", database=str(file)))
    load(engine)
    engine.dispose()  # the last to leave writes the log back into the file
    return file


@pytest.fixture(scope="session", params=["sqlite", "sqlite with statistics", "postgresql", "mariadb"])
def measured(request: pytest.FixtureRequest, server: Callable[[str], Server]) -> Iterator[Measured]:
    """Give a database of 20,000 people on each engine."""
    kind, _, statistics = request.param.partition(" with ")
    if kind == "sqlite":
        file = request.getfixturevalue("sqlite_file")
        copy = file.with_stem(request.param.replace(" ", "_"))
        shutil.copy(file, copy)
        engine = _engine(URL.create("sqlite", database=str(copy)))
        yield Measured(engine, loaded=True, statistics=bool(statistics))
    else:
        engine = _engine(server(kind).create_database())
        yield Measured(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def valgrind() -> None:
    """Give nothing; without Valgrind the test is skipped, or fails where all have to run."""
    if not (shutil.which("valgrind") and shutil.which("vgdb")):
        MISSING["valgrind"] = "install it: apt-get install --no-install-recommends valgrind"
        give_up = pytest.fail if REQUIRE_ALL else pytest.skip
        give_up(f"no valgrind: {MISSING['valgrind']}")


def _engine(url: URL) -> Engine:
    return prepare_engine(create_engine(url))
