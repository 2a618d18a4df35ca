"""The bare driver: what is left without SQLAlchemy and without Retinue."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

import psycopg
import pymysql
from sqlalchemy import URL

_NAMED = re.compile(r"(?<!:):(\w+)")


class Bare:
    """
    One connection, as the driver gives it. Statements name their parameters ``:so``.

    What it runs between `begin()` and `commit()` is one transaction; all else is committed at once.
    """

    def __init__(self, url: URL) -> None:
        self.kind = {"sqlite": "sqlite", "postgresql": "postgresql"}.get(url.get_backend_name(), "mariadb")
        if self.kind == "sqlite":
            # As durable as SQLite is by itself, and with the log that Retinue switches on.
            self.connection: Any = sqlite3.connect(str(url.database), isolation_level=None, timeout=30)
            for setting in ("journal_mode = WAL", "foreign_keys = ON"):
                self.connection.execute(f"PRAGMA {setting}")
        elif self.kind == "postgresql":
            host = str(url.query["host"])
            self.connection = psycopg.connect(host=host, dbname=url.database, user=url.username, autocommit=True)
        else:
            self.connection = pymysql.connect(
                unix_socket=str(url.query["unix_socket"]),
                database=url.database,
                user=url.username,
                autocommit=True,
                local_infile=True,
            )
        self._cursor = self.connection.cursor()
        self._texts: dict[str, str] = {}

    def run(self, text: str, /, **values: Any) -> list[Any]:
        """Run one statement, and return its rows."""
        self._cursor.execute(self._texts.get(text) or self._text(text), values)
        return list(self._cursor.fetchall()) if self._cursor.description else []

    def changed(self, text: str, /, **values: Any) -> int:
        """Run one statement, and return how many rows it changed."""
        self.run(text, **values)
        return int(self._cursor.rowcount)

    def begin(self) -> None:
        """Begin a transaction; on SQLite one that writes."""
        self._cursor.execute("BEGIN IMMEDIATE" if self.kind == "sqlite" else "BEGIN")

    def commit(self) -> None:
        """Commit it."""
        self._cursor.execute("COMMIT")

    def insert(self, table: str, **values: Any) -> bool:
        """Insert a row; return False if there is one of that key."""
        columns, names = ", ".join(values), ", ".join(f":{name}" for name in values)
        text = f"INSERT INTO {table} ({columns}) VALUES ({names})"
        if self.kind != "mariadb":
            return bool(self.changed(text + " ON CONFLICT DO NOTHING", **values))
        try:
            return bool(self.changed(text, **values))
        except pymysql.err.IntegrityError:
            return False

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def _text(self, text: str) -> str:
        found = text if self.kind == "sqlite" else _NAMED.sub(r"%(\1)s", text)
        return self._texts.setdefault(text, found)
