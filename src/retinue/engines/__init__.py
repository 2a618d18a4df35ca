"""
What differs from one database to the next, behind one interface.

A statement that every engine understands alike does not belong here.
"""

from __future__ import annotations

from functools import cache
from pkgutil import resolve_name
from typing import Final, cast

from sqlalchemy.engine import Connection, Engine

from retinue.engines.contract import Aftermath, EngineRules, NewRow, Rows, Unlike
from retinue.engines.preparing import COMPILED, prepare_engine

__all__ = ["COMPILED", "Aftermath", "EngineRules", "NewRow", "Rows", "Unlike", "engine_of", "prepare_engine"]

#: The module and the class of each family, by the name of SQLAlchemy's dialect: loaded when an engine has it.
_FAMILIES: Final = {
    "sqlite": "sqlite:SQLite",
    "postgresql": "postgresql:PostgreSQL",
    "mysql": "mariadb:MariaDB",
    "mariadb": "mariadb:MariaDB",
}


def engine_of(connection: Connection | Engine) -> EngineRules:
    """
    Return what the database behind *connection* does in its own way.

    Raises:
        NotImplementedError: It is none of SQLite, PostgreSQL, MariaDB and MySQL.
    """
    return _rules_of(connection.dialect.name)


@cache
def _rules_of(dialect: str) -> EngineRules:
    if dialect not in _FAMILIES:
        message = f"Retinue knows SQLite, PostgreSQL, MariaDB and MySQL, not {dialect}"
        raise NotImplementedError(message)
    return _loaded(_FAMILIES[dialect])


@cache
def _loaded(family: str) -> EngineRules:
    # One for both names of a family: statements are kept by it.
    return cast("EngineRules", resolve_name(f"retinue.engines.{family}")())
