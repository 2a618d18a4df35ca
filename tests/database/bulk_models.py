"""
One small town twice, with the same tables: with the mixins, and as plain SQLAlchemy models.

What a statement does to the second is what it has to do to the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Connection,
    DateTime,
    ForeignKey,
    Integer,
    MetaData,
    String,
    delete,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, relationship, with_loader_criteria

from retinue import FollowCountMixin, FollowerMixin, FollowEventMixin, FollowMixin
from retinue.models import new_id, now

#: Key, kind, district and name of everybody.
PEOPLE = [
    (1, "resident", 1, "ada"),
    (2, "resident", 2, "ben"),
    (3, "resident", 1, "cleo"),
    (4, "robot", 2, "droid"),
    (5, "robot", 1, "echo"),
    (6, "clerk", 2, "fay"),
    (7, "clerk", 1, "gus"),
    (8, "resident", 2, "hal"),
]
EDGES = [(1, 2), (2, 1), (3, 1), (4, 1), (1, 5), (5, 4), (6, 1), (4, 6), (2, 3), (7, 2), (8, 7), (8, 1)]
NOTED = [2, 2, 5, 6]
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Town:
    """The classes of one of the two."""

    metadata: MetaData
    person: type[Any]
    robot: type[Any]
    clerk: type[Any]
    follow: type[Any]
    note: type[Any]
    #: None where nobody counts.
    count: type[Any] | None = None
    event: type[Any] | None = None


def declare(*, mixins: bool, own_columns: bool) -> Town:
    """Declare a town, with the mixins or without; its follows have columns of their own, or none."""

    class Base(DeclarativeBase):
        pass

    users: tuple[type[Any], ...] = (FollowerMixin, Base) if mixins else (Base,)
    follows: tuple[type[Any], ...] = (FollowMixin, Base) if mixins else (Base,)
    prefix = "own_" if own_columns else ""

    class Person(*users):  # type: ignore[misc]
        __tablename__ = f"{prefix}people"
        id = mapped_column(Integer, primary_key=True)
        kind = mapped_column(String(10))
        district = mapped_column(Integer)
        name = mapped_column(String(20))
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "resident"}  # noqa: RUF012

    class Robot(Person):
        maker = mapped_column(String(20))
        __mapper_args__ = {"polymorphic_identity": "robot"}  # noqa: RUF012

    class Clerk(Person):
        __tablename__ = f"{prefix}clerks"
        id = mapped_column(ForeignKey(Person.id, ondelete="CASCADE"), primary_key=True)
        desk = mapped_column(String(20))
        __mapper_args__ = {"polymorphic_identity": "clerk"}  # noqa: RUF012

    body: dict[str, Any] = {"__tablename__": f"{prefix}follows"}
    if own_columns:
        body["note"] = mapped_column(String(20))
        body["weight"] = mapped_column(Integer, nullable=False, default=7)
    if not mixins:
        for name in ("follower_id", "following_id"):
            body[name] = mapped_column(ForeignKey(Person.id, ondelete="CASCADE"), primary_key=True)
        body["follower"] = relationship(Person, foreign_keys=[body["follower_id"]])
        body["timestamp"] = mapped_column(DateTime(timezone=True), default=now)
    follow = type("Follow", follows, body)

    class Note(Base):
        __tablename__ = f"{prefix}notes"
        id = mapped_column(Integer, primary_key=True)
        person_id = mapped_column(Integer)

    if not mixins:
        return Town(Base.metadata, Person, Robot, Clerk, follow, Note)

    class FollowCount(FollowCountMixin, Base):
        __tablename__ = f"{prefix}counts"

    class FollowEvent(FollowEventMixin, Base):
        __tablename__ = f"{prefix}events"

    return Town(Base.metadata, Person, Robot, Clerk, follow, Note, FollowCount, FollowEvent)


def settle(connection: Connection, town: Town) -> None:
    """Make the tables of *town* and fill them, as if by its verbs."""
    town.metadata.create_all(connection)
    for table in reversed(town.metadata.sorted_tables):
        connection.execute(delete(table))
    people, clerks = town.person.__table__, town.clerk.__table__
    connection.execute(
        insert(people),
        [
            {"id": i, "kind": k, "district": d, "name": n, "maker": f"m{i}" if k == "robot" else None}
            for i, k, d, n in PEOPLE
        ],
    )
    connection.execute(insert(clerks), [{"id": i, "desk": f"d{i}"} for i, kind, _, _ in PEOPLE if kind == "clerk"])
    connection.execute(insert(town.note.__table__), [{"person_id": person} for person in NOTED])
    own = {"note": "new", "weight": 7} if "note" in town.follow.__table__.c else {}
    connection.execute(
        insert(town.follow.__table__),
        [{"follower_id": a, "following_id": b, "timestamp": LONG_AGO, **own} for a, b in EDGES],
    )
    if town.count is not None and town.event is not None:
        connection.execute(
            insert(town.count.__table__), [{"user_id": i, "slot": 0, **tally(EDGES, i)} for i, *_ in PEOPLE]
        )
        connection.execute(
            insert(town.event.__table__),
            [
                {"follower_id": a, "following_id": b, "id": new_id(), "kind": "followed", "timestamp": LONG_AGO}
                for a, b in EDGES
            ],
        )


def tally(edges: list[tuple[int, int]], person: int) -> dict[str, int]:
    return {"followers": sum(b == person for _, b in edges), "following": sum(a == person for a, _ in edges)}


Rows = dict[str, Any]


def rows_of(connection: Connection, town: Town) -> Rows:
    """Return what is in the tables that both have."""
    follow = town.follow.__table__.c
    own = [follow.note, follow.weight] if "note" in follow else []
    lists = {
        "people": select(town.person.__table__.c.id, town.person.__table__.c.name),
        "clerks": select(town.clerk.__table__.c.id),
        "follows": select(follow.follower_id, follow.following_id, *own),
    }
    return {name: sorted(map(tuple, connection.execute(rows))) for name, rows in lists.items()}


def audit(connection: Connection, town: Town) -> None:
    """Compare the counts and the history with the rows."""
    models: tuple[Any, ...] = (town.follow, town.count, town.event)
    follow, count, event_ = (model.__table__.c for model in models)
    edges = [(a, b) for a, b in connection.execute(select(follow.follower_id, follow.following_id))]
    people = set(connection.execute(select(town.person.__table__.c.id)).scalars())
    sums = select(count.user_id, func.sum(count.followers), func.sum(count.following)).group_by(count.user_id)
    counted = {user: {"followers": int(a), "following": int(b)} for user, a, b in connection.execute(sums)}
    assert counted == {user: tally(edges, user) for user in counted}
    assert counted.keys() <= people
    there: set[tuple[int, int]] = set()
    history = select(event_.kind, event_.follower_id, event_.following_id).order_by(event_.id)
    for kind, a, b in connection.execute(history):
        if kind == "removed":
            there = {pair for pair in there if a not in pair}
        elif kind == "unfollowed":
            there.remove((a, b))
        else:
            assert (a, b) not in there
            there.add((a, b))
    assert there == set(edges)


class Tenant(Session):
    """A session of an application whose own event, which comes after any of the library, narrows every statement."""

    town: Town


@event.listens_for(Tenant, "do_orm_execute")
def _narrow(state: Any) -> None:
    everybody = state.execution_options.get("everybody") or state.is_column_load or state.is_relationship_load
    if state.is_orm_statement and not everybody:
        town = state.session.town
        state.statement = state.statement.options(
            with_loader_criteria(town.person, lambda cls: cls.district == 2, include_aliases=True),
            with_loader_criteria(town.follow, lambda cls: cls.follower_id != 2, include_aliases=True),
        )
