"""Bringing a database to the tables of this version of the demo, with Alembic."""

from __future__ import annotations

import threading
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, NullPool, create_engine, func, inspect, select

from retinue_demo.models import db

#: Seconds for which a start waits while another one migrates the same database.
PATIENCE = 60

_FOLDER = Path(__file__).parent / "migrations"
#: Any number, if only it is the same for all.
_LOCK = 0x7265_7469_6E75_65

# Alembic runs one migration at a time in a process.
_one = threading.Lock()


class OtherVersionError(Exception):
    """The database holds the tables of another version of the demo; the text says how that shows."""


def upgrade(database: URL) -> None:
    """
    Bring *database* up to date; on a new one, make all tables.

    Several processes may do so at once: one migrates, the others wait. Cost, where there
    is nothing to do: a connection and two statements (whether there are versions; which).

    Raises:
        OtherVersionError: It holds tables of the demo without a version, or a version that
            this demo does not know. It stays as it is, to the byte.
        TimeoutError: Another process did not finish its migration (MariaDB).
        sqlalchemy.exc.OperationalError: The same on the others; or the database is not to be had.
    """
    # An engine of its own: a prepared one would change an SQLite file that is refused.
    engine = create_engine(database, poolclass=NullPool, hide_parameters=True, **_options(database.get_backend_name()))
    with _one:
        with engine.connect() as connection:
            if _versions(connection) == {_revisions()[0]}:
                return
        # All of it is one transaction, but on MariaDB, where each change of a table is one of its own.
        with engine.begin() as connection:
            _wait_for_turn(connection)
            # Only now: while another process migrates, MariaDB shows what is not done yet.
            _refuse_others(connection)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _versions(connection: Connection) -> set[str]:
    return set(MigrationContext.configure(connection).get_current_heads())


def _refuse_others(connection: Connection) -> None:
    versions, (_, known) = _versions(connection), _revisions()
    if unknown := versions - known:
        message = f"its version is {min(unknown)}, and this one knows none but {', '.join(sorted(known))}"
        raise OtherVersionError(message)
    if not versions and (there := {*db.metadata.tables} & {*inspect(connection).get_table_names()}):
        message = f"it has a table {min(there)}, and no version"
        raise OtherVersionError(message)


def _wait_for_turn(connection: Connection) -> None:
    """Let no other process migrate the same database until the connection's transaction, or the connection, ends."""
    match connection.dialect.name:
        case "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        case "postgresql":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}s'")
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        case _:
            # Names are the server's, and may have 64 characters.
            digest = blake2b((connection.engine.url.database or "").encode(), digest_size=16).hexdigest()
            if not connection.execute(select(func.get_lock(f"retinue_demo {digest}", PATIENCE))).scalar_one():
                message = f"another process has been migrating the database for more than {PATIENCE} seconds"
                raise TimeoutError(message)


def _options(kind: str) -> dict[str, Any]:
    """Return what the engine of such a database needs for this."""
    if kind == "sqlite":
        return {"connect_args": {"timeout": PATIENCE}}
    return {"isolation_level": "AUTOCOMMIT"} if kind in ("mysql", "mariadb") else {}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config


@cache
def _revisions() -> tuple[str | None, set[str]]:
    """Return the newest revision, and all there are."""
    scripts = ScriptDirectory.from_config(_config())
    return scripts.get_current_head(), {script.revision for script in scripts.walk_revisions()}
