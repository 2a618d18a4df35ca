"""A reading club, whose tables each test shapes as it needs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Column, Engine, Integer, String
from sqlalchemy.orm import DeclarativeBase, Session, configure_mappers

from retinue import (
    BlockMixin,
    FollowCountMixin,
    FollowerMixin,
    FollowEventMixin,
    FollowMixin,
    FollowRequestMixin,
    Graph,
    MuteMixin,
    NotificationMixin,
    Settings,
)

MIXINS = {
    "Follow": FollowMixin,
    "FollowCount": FollowCountMixin,
    "FollowRequest": FollowRequestMixin,
    "FollowEvent": FollowEventMixin,
    "Block": BlockMixin,
    "Mute": MuteMixin,
    "Notification": NotificationMixin,
}


@dataclass(frozen=True)
class Club:
    """The models of one club."""

    base: Any
    reader: Any
    #: The others by name: a class that nobody holds is forgotten.
    models: dict[str, Any]

    def open(self, engine: Engine, *names: str) -> list[Any]:
        """Make the tables, and readers of these names; return their keys."""
        self.base.metadata.create_all(engine)
        with Session(engine) as session, session.begin():
            readers = [self.reader(name=name) for name in names]
            session.add_all(readers)
            session.flush()
            return [reader.id for reader in readers]

    def graph(self, session: Session) -> Graph[Any]:
        """Return the graph in *session*."""
        return Graph(session, self.reader)


def club(
    key: Any = None,
    *,
    settings: Settings | None = None,
    follow: dict[str, Any] | None = None,
    **columns: Any,
) -> Club:
    """Declare a club whose readers have *key* and more *columns*, and its follows their own."""
    base = type("Base", (DeclarativeBase,), {"__module__": __name__})
    reader = type(
        "Reader",
        (FollowerMixin, base),
        {
            "__tablename__": "readers",
            "__module__": __name__,
            "__retinue__": settings or Settings(name="name"),
            "id": Column(Integer, primary_key=True) if key is None else key,
            "name": Column(String(60), nullable=False),
            "locked": Column(Boolean, nullable=False, default=False),
            **columns,
        },
    )
    models = {}
    for name, mixin in MIXINS.items():
        own = follow if follow and name == "Follow" else {}
        models[name] = type(
            name, (mixin, base), {"__tablename__": f"reader_{name.lower()}", "__module__": __name__, **own}
        )
    configure_mappers()
    return Club(base, reader, models)
