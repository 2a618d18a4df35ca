"""The demo's own migrations: what they make is what its models say, whoever starts first, and quickly where it is made."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, inspect, text
from sqlalchemy.exc import OperationalError

from demo.tests.conftest import file_url
from retinue_demo import migrating
from retinue_demo.migrating import OtherVersionError, upgrade
from retinue_demo.models import db
from tests.database.schemas import describe
from tests.long import in_every_run
from tests.servers import Server


@pytest.fixture
def bare(database: URL) -> Iterator[Engine]:
    """Give an engine on `database` as the application's own programs might have one: not prepared."""
    engine = create_engine(database, poolclass=NullPool)
    yield engine
    engine.dispose()


@pytest.fixture
def created(database: URL, tmp_path: Path, server: Callable[[str], Server]) -> Iterator[Engine]:
    """Give an engine on another database, with the tables that the models say."""
    kind = {"mysql": "mariadb"}.get(database.get_backend_name(), database.get_backend_name())
    url = file_url(tmp_path / "created.sqlite3") if kind == "sqlite" else server(kind).create_database()
    engine = create_engine(url, poolclass=NullPool)
    db.metadata.create_all(engine)
    yield engine
    engine.dispose()
    if kind != "sqlite":
        server(kind).drop_database(url)


def config_on(connection: Connection) -> Config:
    """Return what Alembic's commands want to know."""
    config = migrating._config()
    config.attributes["connection"] = connection
    return config


# Alembic says that it leaves the index by name alone, which is an expression.
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_the_migrated_schema_is_that_of_the_models(bare: Engine, created: Engine) -> None:
    """Every column, key, index, check and foreign key, as the database itself tells them; and Alembic finds nothing."""
    upgrade(bare.url)

    assert describe(bare) == describe(created)
    with bare.connect() as connection:
        command.check(config_on(connection))


def test_there_and_back(bare: Engine) -> None:
    """Each revision can be undone, down to an empty database, and done again."""
    upgrade(bare.url)
    before = describe(bare)
    with bare.connect() as connection:
        command.downgrade(config_on(connection), "base")
        connection.commit()
    assert inspect(bare).get_table_names() == ["alembic_version"]

    upgrade(bare.url)

    assert describe(bare) == before


def test_an_upgrade_keeps_what_is_there_and_asks_twice(bare: Engine) -> None:
    """At every start but the first there is next to nothing to do."""
    upgrade(bare.url)
    asked: list[str] = []
    event.listen(Engine, "before_cursor_execute", note := lambda *told: asked.append(told[2]))
    try:
        upgrade(bare.url)
    finally:
        event.remove(Engine, "before_cursor_execute", note)

    asked = [statement for statement in asked if "alembic_version" in statement or "pg_catalog" not in statement]
    assert len(asked) <= 3, asked


def test_a_start_with_nothing_to_migrate_is_quick(tmp_path: Path) -> None:
    """A few milliseconds; the bound is wide, for a machine that is busy."""
    url = file_url(tmp_path / "demo.sqlite3")
    upgrade(url)

    begun = time.perf_counter()
    for _ in range(10):
        upgrade(url)

    assert (time.perf_counter() - begun) / 10 < 0.1


@in_every_run("postgresql")
def test_two_processes_start_on_an_empty_database(bare: Engine, created: Engine) -> None:
    """One of them makes the tables, the other waits for it, and both can go on."""
    program = "import sys; from sqlalchemy import make_url; from retinue_demo.migrating import upgrade\n"
    program += "print('ready', flush=True); sys.stdin.readline(); upgrade(make_url(sys.argv[1]))"
    url = bare.url.render_as_string(hide_password=False)
    processes = [
        subprocess.Popen([sys.executable, "-c", program, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)

    assert [process.returncode for process in processes] == [0, 0]
    assert describe(bare) == describe(created)


def test_a_migration_waits_for_the_one_before_it(bare: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody else migrates, no table is made; after a while that is an error."""
    monkeypatch.setattr(migrating, "PATIENCE", 1)
    kind = bare.url.get_backend_name()
    with create_engine(bare.url, poolclass=NullPool, **migrating._options(kind)).connect() as first:
        migrating._wait_for_turn(first)
        with pytest.raises((TimeoutError, OperationalError)):
            upgrade(bare.url)
        assert inspect(bare).get_table_names() == []
    upgrade(bare.url)


def test_tables_without_a_version_are_refused(bare: Engine) -> None:
    """A database of a demo that had no migrations stays as it is."""
    with bare.begin() as connection:
        connection.execute(text("CREATE TABLE users (id INTEGER PRIMARY KEY)"))

    with pytest.raises(OtherVersionError, match="it has a table users, and no version"):
        upgrade(bare.url)

    assert inspect(bare).get_table_names() == ["users"]


def test_tables_of_other_programs_are_no_reason(bare: Engine) -> None:
    """The demo may share a database with what is not its own."""
    with bare.begin() as connection:
        connection.execute(text("CREATE TABLE weather (id INTEGER PRIMARY KEY)"))

    upgrade(bare.url)

    assert {"users", "weather"} <= {*inspect(bare).get_table_names()}


def test_a_newer_version_is_refused(bare: Engine) -> None:
    """What a newer demo, or another application's Alembic, has made is not touched."""
    with bare.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('9999')"))

    with pytest.raises(OtherVersionError, match="its version is 9999, and this one knows none but 0001"):
        upgrade(bare.url)

    assert inspect(bare).get_table_names() == ["alembic_version"]


def test_the_revisions_are_one_line() -> None:
    """Each follows one other, so that there is one newest."""
    scripts = ScriptDirectory.from_config(migrating._config())

    assert len(scripts.get_heads()) == 1
    assert [script.down_revision for script in scripts.walk_revisions()][-1] is None
    assert all(not script.is_branch_point for script in scripts.walk_revisions())
