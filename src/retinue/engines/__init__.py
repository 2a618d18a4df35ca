"""
What differs from one database to the next, behind one interface.

A statement that every engine understands alike does not belong here.
"""

from __future__ import annotations

from sqlalchemy.engine import Connection, Engine

from retinue.engines.contract import Aftermath, EngineRules, Rows
from retinue.engines.mariadb import MariaDB
from retinue.engines.postgresql import PostgreSQL
from retinue.engines.preparing import prepare_engine
from retinue.engines.sqlite import SQLite

__all__ = ["Aftermath", "EngineRules", "Rows", "prepare_engine", "engine_of"]

_MARIADB = MariaDB()
_RULES: dict[str, EngineRules] = {
    "sqlite": SQLite(),
    "postgresql": PostgreSQL(),
    "mysql": _MARIADB,
    "mariadb": _MARIADB,
}


def engine_of(connection: Connection | Engine) -> EngineRules:
    """
    Return the rules of the database behind *connection*.

    Raises:
        NotImplementedError: It is none of SQLite, PostgreSQL, MariaDB and MySQL.
    """
    name = connection.dialect.name
    try:
        return _RULES[name]
    except KeyError:
        message = f"Retinue knows SQLite, PostgreSQL, MariaDB and MySQL, not {name}"
        raise NotImplementedError(message) from None
