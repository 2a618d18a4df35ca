"""Users who may be private, in a graph that has everything; and what an application does to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Engine, delete, insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from retinue import Graph, Settings
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


# --- What an application does --------------------------------------------------------------------


class Application(Graph[Any]):
    """The graph, and what an application writes beside it."""

    __slots__ = ("_models",)

    def __init__(self, session: Session, models: Models) -> None:
        super().__init__(session, models.user)
        self._models = models

    def choose(self, user: int, *, locked: bool) -> None:
        """Let *user* become private or public, as a form that knows nothing of requests does."""
        table = self._models.user
        self._session.execute(update(table).where(table.id == user).values(locked=locked))

    def put(self, follower: int, followed: int) -> bool:
        """Add a `Follow` to the session; return whether it was new."""
        session = self._session
        try:
            with session.begin_nested():
                session.add(self._models.follow(follower_id=follower, following_id=followed))
        except IntegrityError:
            return False
        return True

    def leave(self, user: int) -> None:
        """Delete *user*."""
        session = self._session
        there = session.get(self._models.user, user, populate_existing=True)
        if there is not None:
            session.delete(there)
