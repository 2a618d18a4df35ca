"""The newest rows of a set of authors: what a home timeline is made of, and what differs between databases in it."""

from __future__ import annotations

from retinue.engines.contract import EngineRules
from retinue.engines.mariadb import MariaDB
from retinue.engines.newest.contract import Authors, Conditions, Feed, Newest, Of, number
from retinue.engines.newest.mariadb import NewestOnMariaDB
from retinue.engines.newest.postgresql import NewestOnPostgreSQL
from retinue.engines.newest.sqlite import NewestOnSQLite
from retinue.engines.postgresql import PostgreSQL
from retinue.engines.sqlite import SQLite

__all__ = [
    "Authors",
    "Conditions",
    "Feed",
    "Newest",
    "NewestOnMariaDB",
    "NewestOnPostgreSQL",
    "NewestOnSQLite",
    "Of",
    "newest_of",
    "number",
]

_NEWEST: dict[type[EngineRules], Newest] = {
    SQLite: NewestOnSQLite(),
    PostgreSQL: NewestOnPostgreSQL(),
    MariaDB: NewestOnMariaDB(),
}


def newest_of(rules: EngineRules) -> Newest:
    """Return how the database with those *rules* finds the newest rows."""
    return _NEWEST[type(rules)]
