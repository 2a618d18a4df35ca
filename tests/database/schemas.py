"""What a database says about its own schema, whole: to compare one that was migrated with one that was created."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Engine, inspect, text

Described = dict[str, Any]


def describe(engine: Engine) -> Described:
    """Return each table's description, but Alembic's own, in a form in which equal schemas are equal."""
    with engine.connect() as connection:
        names = sorted(set(inspect(connection).get_table_names()) - {"alembic_version"})
        return {name: _DESCRIBE[engine.dialect.name](connection, name) for name in names}


def _sqlite(connection: Connection, name: str) -> list[str]:
    rows = connection.execute(text("SELECT sql FROM sqlite_master WHERE tbl_name = :name"), {"name": name}).scalars()
    # The clauses of CREATE TABLE may stand in any order.
    return sorted(_clauses(row) for row in rows if row)


def _clauses(statement: str) -> str:
    head, _, rest = re.sub(r"\s+", " ", statement).partition("(")
    body, _, tail = rest.rpartition(")")
    parts = sorted(part.strip() for part in re.split(r",(?![^(]*\))", body)) if "TABLE" in head else [body]
    return f"{head.strip()} ({', '.join(parts)}) {tail.strip()}"


def _mariadb(connection: Connection, name: str) -> list[str]:
    lines = connection.execute(text(f"SHOW CREATE TABLE `{name}`")).one()[1].splitlines()
    return sorted(line.strip().rstrip(",") for line in lines)


_POSTGRESQL = (
    """
    SELECT column_name, data_type, is_nullable, column_default, character_maximum_length, datetime_precision
    FROM information_schema.columns WHERE table_name = :name AND table_schema = current_schema()
    """,
    "SELECT indexdef FROM pg_indexes WHERE tablename = :name AND schemaname = current_schema()",
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = CAST(:name AS regclass)",
)


def _postgresql(connection: Connection, name: str) -> list[str]:
    found: Iterable[Any] = (
        tuple(row) for question in _POSTGRESQL for row in connection.execute(text(question), {"name": name})
    )
    return sorted(map(repr, found))


_DESCRIBE = {"sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mariadb, "mariadb": _mariadb}
