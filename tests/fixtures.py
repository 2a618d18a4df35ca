"""
Fixtures that every test may use.

- `database`: the address of a new, empty database; the test runs once on each engine. Where nothing else is said that is
  in a long run; in every run it is on SQLite, and a quarter of the tests on each of the servers as well.
- `engine`: a SQLAlchemy engine on it, prepared as Retinue asks for.

Most tests need tables, and no database of their own. `@pytest.mark.tables(Base.metadata)` says which: they are there
and empty, and the database and the engine are the same for all tests that name them, which spares most of the time.
Where they depend on a test's parameters, `@pytest.mark.tables.with_args(lambda kind: MODELS[kind].metadata)`. A test
that makes others, or drops some, has `@pytest.mark.tables(None)` if its file has the mark: then the database is new.

For one engine only: `@pytest.mark.parametrize("database", ["postgresql"], indirect=True)`.

Servers start when the first test asks for them. Where one is missing its tests are skipped
and the summary says what to install; with RETINUE_REQUIRE_ALL=1 they fail, and so does the run
if any other test is skipped.

Where several processes share the run (pytest-xdist), each has servers and databases of its own.
"""

from __future__ import annotations

import gc
import inspect
import os
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest
from sqlalchemy import URL, Engine, MetaData

from tests.databases import Databases, roomy_engine
from tests.servers import MariaDB, PostgreSQL, Server, ServerMissingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

REQUIRE_ALL = os.environ.get("RETINUE_REQUIRE_ALL", "") not in {"", "0"}

ENGINES = ["sqlite", "postgresql", "mariadb"]

SERVERS: dict[str, type[Server]] = {"postgresql": PostgreSQL, "mariadb": MariaDB}

# The servers that could not be had, each with the sentence what to install: those of this process, and at the
# end of a run those of every process that it had.
MISSING: dict[str, str] = {}


@pytest.fixture(scope="session")
def server() -> Iterator[Callable[[str], Server]]:
    """Give the server of a kind, started when it is asked for the first time."""
    started: dict[str, Server] = {}

    def get(kind: str) -> Server:
        if kind not in started and kind not in MISSING:
            try:
                started[kind] = SERVERS[kind]()
            except ServerMissingError as error:
                MISSING[kind] = str(error)
        if kind in MISSING:
            give_up = pytest.fail if REQUIRE_ALL else pytest.skip
            give_up(f"no {kind}: {MISSING[kind]}")
        return started[kind]

    yield get
    for one in started.values():
        one.stop()


@pytest.fixture(scope="session")
def databases(server: Callable[[str], Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Give what makes and keeps databases."""
    databases = Databases(server, lambda: tmp_path_factory.mktemp("kept"))
    yield databases
    databases.close()


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases) -> Iterator[URL]:
    """Give the address of a new, empty database; with the mark `tables`, of one with empty tables."""
    metadata = _tables(request.node)
    if metadata:
        kept = databases.keep(request.param, *metadata)
        yield kept.url
        databases.give_back(kept)
    elif request.param == "sqlite":
        yield URL.create("sqlite", database=str(tmp_path / "retinue.sqlite3"))
    else:
        url = databases.new(request.param)
        yield url
        databases.drop(request.param, url)


def _tables(item: pytest.Function) -> list[MetaData]:
    """Return what the mark `tables` says of a test; where it has functions, what they say of its parameters."""
    mark = item.get_closest_marker("tables")
    found = []
    for one in mark.args if mark else ():
        if isinstance(one, MetaData):
            found.append(one)
        elif one is not None:
            found.append(one(*(item.callspec.params[name] for name in inspect.signature(one).parameters)))
    return found


@pytest.fixture
def engine(database: URL, databases: Databases) -> Iterator[Engine]:
    """Give a prepared engine on `database`, with room for 40 connections at once."""
    kept = databases.engine_of(database)
    if kept is not None:
        yield kept
        return
    engine = roomy_engine(database)
    yield engine
    engine.dispose()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Give the mark `spared` to what only a long run has.

    Of what may run on both servers each has one half in every run, and a quarter where SQLite has it, too; of what is
    `sampled(of)`, one case in so many runs.
    """
    for item in items:
        sampled = item.get_closest_marker("sampled")
        # By its name, here and below, so that it is the same one for every process of a run.
        if sampled and crc32(item.nodeid.encode()) % sampled.args[0]:
            item.add_marker("spared")
    by_name: dict[str, dict[str, pytest.Item]] = {}
    for item in items:
        callspec = getattr(item, "callspec", None)
        kind = callspec.params.get("database") if callspec else None
        if kind in ENGINES and item.get_closest_marker("long") is None:
            by_name.setdefault(item.nodeid.replace(kind, "", 1), {})[kind] = item
    for name, found in by_name.items():
        servers = sorted(found.keys() & SERVERS.keys())
        if len(servers) == len(SERVERS):
            turn = crc32(name.encode()) % (2 * len(servers) if "sqlite" in found else len(servers))
            for number, kind in enumerate(servers):
                if number != turn:
                    found[kind].add_marker("spared")


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """
    Let the garbage collector pass by what a file has left: models and compiled statements that live to the end.

    Millions of objects by then; to look at all of them again and again took a sixth of a run.
    """
    if nextitem is not None and nextitem.path != item.path:
        gc.collect()
        gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a process of this run could not have."""
    MISSING.update(getattr(node, "workeroutput", {}).get("missing", {}))  # a process that crashed left no word


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that had to run everything and did not; a process of a run hands over what it could not have."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["missing"] = MISSING
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if REQUIRE_ALL and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end, and in colour, what was not tested."""
    for kind, what_to_do in MISSING.items():
        terminalreporter.write_line(f"NOT TESTED on {kind}: {what_to_do}", yellow=True, bold=True)
    if REQUIRE_ALL and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("RETINUE_REQUIRE_ALL is set, and tests were skipped", red=True, bold=True)
