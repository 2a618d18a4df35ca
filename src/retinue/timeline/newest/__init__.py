"""The newest rows of a set of authors: what a home timeline is made of, and what differs between databases in it."""

from __future__ import annotations

from retinue.engines.contract import EngineRules
from retinue.engines.mariadb import MariaDB
from retinue.engines.postgresql import PostgreSQL
from retinue.engines.sqlite import SQLite
from retinue.timeline.newest.contract import Authors, Conditions, Feed, Newest, Of, number
from retinue.timeline.newest.mariadb import NewestOnMariaDB
from retinue.timeline.newest.postgresql import NewestOnPostgreSQL
from retinue.timeline.newest.sqlite import NewestOnSQLite

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


def newest_of(engine: EngineRules) -> Newest:
    """Return how the database with those *engine* finds the newest rows."""
    return _NEWEST[type(engine)]
