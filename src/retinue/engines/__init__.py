"""
What differs from one database to the next, behind one interface.

A statement that every engine understands alike does not belong here.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final, cast

from sqlalchemy.engine import Connection, Engine

from retinue.engines.contract import Aftermath, EngineRules, Rows
from retinue.engines.preparing import prepare_engine

__all__ = ["Aftermath", "EngineRules", "Rows", "engine_of", "prepare_engine"]

#: The module and the class of each family, by the name of SQLAlchemy's dialect: loaded when an engine has it.
_FAMILIES: Final = {
    "sqlite": ("sqlite", "SQLite"),
    "postgresql": ("postgresql", "PostgreSQL"),
    "mysql": ("mariadb", "MariaDB"),
    "mariadb": ("mariadb", "MariaDB"),
}

_LOADED: Final[dict[str, EngineRules]] = {}


def engine_of(connection: Connection | Engine) -> EngineRules:
    """
    Return what the database behind *connection* does in its own way.

    Raises:
        NotImplementedError: It is none of SQLite, PostgreSQL, MariaDB and MySQL.
    """
    name = connection.dialect.name
    return _LOADED.get(name) or _load(name)


def _load(name: str) -> EngineRules:
    if name not in _FAMILIES:
        message = f"Retinue knows SQLite, PostgreSQL, MariaDB and MySQL, not {name}"
        raise NotImplementedError(message)
    module, family = _FAMILIES[name]
    # One for both names of a family, by which statements are kept.
    engine = next((engine for engine in _LOADED.values() if type(engine).__name__ == family), None)
    if engine is None:
        engine = cast("EngineRules", getattr(import_module(f"retinue.engines.{module}"), family)())
    _LOADED[name] = engine
    return engine
