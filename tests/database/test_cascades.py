"""Users and follows that the database deletes along with other rows are counted out, however these are deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import (
    Engine,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    String,
    create_engine,
    delete,
    event,
    func,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, relationship

from retinue import FollowCountMixin, FollowerMixin, FollowEventMixin, FollowMixin, Graph
from tests.database.bulk_models import Town, audit


class Base(DeclarativeBase):
    pass


class Club(Base):
    __tablename__ = "clubs"
    id = mapped_column(Integer, primary_key=True)


class Member(FollowerMixin, Base):
    __tablename__ = "club_members"
    id = mapped_column(Integer, primary_key=True)
    club_id = mapped_column(ForeignKey(Club.id, ondelete="CASCADE"))
    invited_by = mapped_column(ForeignKey("club_members.id", ondelete="CASCADE"))


class Shelf(Base):
    """A list in which a member keeps those whom they follow; its key has two columns."""

    __tablename__ = "shelves"
    owner_id = mapped_column(ForeignKey(Member.id, ondelete="CASCADE"), primary_key=True)
    name = mapped_column(String(10), primary_key=True)


class Follow(FollowMixin, Base):
    __tablename__ = "club_follows"
    shelf_owner = mapped_column(Integer)
    shelf_name = mapped_column(String(10))
    __table_args__ = (
        ForeignKeyConstraint(["shelf_owner", "shelf_name"], [Shelf.owner_id, Shelf.name], ondelete="CASCADE"),
    )


class FollowCount(FollowCountMixin, Base):
    __tablename__ = "club_counts"


class FollowEvent(FollowEventMixin, Base):
    __tablename__ = "club_events"


Club.members = relationship(Member, passive_deletes="all")
CLUB = Town(Base.metadata, Member, Member, Member, Follow, Shelf, FollowCount, FollowEvent)


def settle(session: Session) -> None:
    """Make two clubs: 1 and 2 in the first, 3 invited by 2, 4 and 5 in the second; everybody follows everybody."""
    session.add_all([Club(id=1), Club(id=2)])
    session.flush()
    for key, club, host in [(1, 1, None), (2, 1, None), (3, None, 2), (4, 2, None), (5, 2, None)]:
        session.add(Member(id=key, club_id=club, invited_by=host))
        session.flush()
    graph = Graph(session, Member)
    for follower in range(1, 6):
        for followed in range(1, 6):
            if follower != followed:
                graph.follow(follower, followed)
    session.add_all([Shelf(owner_id=2, name="near"), Shelf(owner_id=5, name="far")])
    session.flush()
    for row in session.scalars(select(Follow).where(Follow.follower_id == 4)):
        row.shelf_owner, row.shelf_name = (2, "near") if row.following_id == 5 else (5, "far")
    session.commit()


pytestmark = pytest.mark.tables(Base.metadata)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        settle(session)
        yield session
        session.commit()
    with engine.connect() as connection:
        audit(connection, CLUB)


def left(session: Session) -> tuple[list[int], int]:
    """Return the keys of the members that are left, and how many follow how many of them."""
    return list(session.scalars(select(Member.id).order_by(Member.id))), session.scalars(
        select(func.count()).select_from(Follow)
    ).one()


def by_flush(session: Session, model: type[Any], *key: Any) -> None:
    session.delete(session.get_one(model, key))
    session.flush()


def in_bulk(session: Session, model: type[Any], *key: Any) -> None:
    session.execute(
        delete(model).where(*(column == one for column, one in zip(model.__table__.primary_key, key, strict=True)))
    )


WAYS = pytest.mark.parametrize("way", [by_flush, in_bulk])
Way = Callable[..., None]


@WAYS
def test_members_go_with_their_club_and_guests_with_their_host(session: Session, way: Way) -> None:
    way(session, Club, 1)
    # 4 follows 5 from a shelf of 2's.
    assert left(session) == ([4, 5], 1)


@WAYS
def test_a_guest_and_what_lies_on_a_shelf_go_with_a_member(session: Session, way: Way) -> None:
    way(session, Member, 2)
    assert left(session) == ([1, 4, 5], 5)


def test_follows_go_with_the_shelf_on_which_they_lie(session: Session) -> None:
    by_flush(session, Shelf, 5, "far")
    assert left(session) == ([1, 2, 3, 4, 5], 17)


def test_who_is_deleted_beside_those_that_go_along_goes_once(session: Session) -> None:
    for model, key in [(Member, 3), (Member, 2), (Club, 1)]:
        session.delete(session.get_one(model, key))
    session.flush()
    assert left(session) == ([4, 5], 1)
    marks = session.scalars(select(FollowEvent.follower_id).where(FollowEvent.kind == "removed")).all()
    assert sorted(marks) == [1, 2, 3]


def test_a_rolled_back_deletion_changes_nothing(session: Session) -> None:
    by_flush(session, Club, 1)
    session.rollback()
    assert left(session) == ([1, 2, 3, 4, 5], 20)


@WAYS
def test_where_foreign_keys_are_not_enforced_nobody_goes(way: Way) -> None:
    """As with SQLAlchemy alone, on a SQLite that is told nothing."""
    engine = create_engine("sqlite://")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys = OFF"))
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        settle(session)
        way(session, Club, 1)
        session.commit()
        assert left(session) == ([1, 2, 3, 4, 5], 20)
    with engine.connect() as connection:
        audit(connection, CLUB)
