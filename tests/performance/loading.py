"""Rows into tables as fast as each driver can, and the statistics that the engine would gather by itself."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, Table

from tests.performance import crowd
from tests.performance.models import EVERYTHING

#: What lets an engine take rows that are known to be right.
_TRUSTING = {
    "sqlite": "PRAGMA foreign_keys = OFF",
    "postgresql": "SET session_replication_role = replica",
    "mariadb": "SET foreign_key_checks = 0, unique_checks = 0",
}
_DOUBTING = {
    "sqlite": "PRAGMA foreign_keys = ON",
    "postgresql": "SET session_replication_role = origin",
    "mariadb": "SET foreign_key_checks = 1, unique_checks = 1",
}


def load(engine: Engine) -> None:
    """Make every table, and fill it with the crowd."""
    EVERYTHING.metadata.create_all(engine)
    name = engine.dialect.name
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(_TRUSTING[name])
    with engine.begin() as connection:
        driver: Any = connection.connection.driver_connection
        cursor = driver.cursor()
        cursor.execute("BEGIN")
        for table, columns, rows in crowd.tables():
            mapped = EVERYTHING.metadata.tables[table]
            _insert(engine, cursor, mapped, columns, _stored(engine, mapped, columns, rows))
        if name == "postgresql":
            cursor.execute("SELECT setval('posts_id_seq', (SELECT max(id) FROM posts))")
        cursor.close()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(_DOUBTING[name])


def gather_statistics(engine: Engine) -> None:
    """Let the engine look at its tables."""
    names = ", ".join(EVERYTHING.metadata.tables)
    how = {"sqlite": "ANALYZE", "postgresql": "VACUUM (ANALYZE)"}.get(engine.dialect.name, f"ANALYZE TABLE {names}")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            # Of every row, not of those that a die has chosen: the plans shall be the same in every run.
            connection.exec_driver_sql("SET default_statistics_target = 500")
        connection.exec_driver_sql(how).close()
    engine.dispose()


def _stored(engine: Engine, table: Table, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[Any]:
    """Return *rows* as the driver wants them."""
    dialect = engine.dialect
    processors = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in columns]
    lists = [
        [value if process is None else process(value) for value in values]
        for values, process in zip(zip(*rows, strict=True), processors, strict=True)
    ]
    return list(zip(*lists, strict=True))


def _insert(engine: Engine, cursor: Any, table: Table, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    names = ", ".join(columns)
    if engine.dialect.name == "postgresql":
        with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    mark = "?" if engine.dialect.name == "sqlite" else "%s"
    cursor.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({', '.join([mark] * len(columns))})", rows)
