"""Users who may be private, in a graph that has everything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Engine, delete, insert

from retinue import Settings
from tests.database.graph_models import find_deadlocks_at_once
from tests.database.models_private import declare
from tests.models import Models

ANY: Final = declare(Settings())


def populate(engine: Engine, models: Models, people: int, locked: Iterable[int] = ()) -> list[int]:
    """Make the tables, or empty them, and so many people, some of them *locked*; return their keys."""
    if engine.dialect.name == "postgresql":
        find_deadlocks_at_once(engine)
    ids, private = list(range(1, people + 1)), set(locked)
    chosen = {"active": True, "hide_followers": False, "hide_following": False}
    with engine.begin() as connection:
        models.metadata.create_all(connection)
        for table in reversed(models.metadata.sorted_tables):
            connection.execute(delete(table))
        rows = [{"id": user, "locked": user in private, **chosen} for user in ids]
        connection.execute(insert(models.user.__table__), rows)
    return ids
