"""Filling a new database with a community, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from retinue.demo.community import Member, invent_follows, invent_members
from retinue.demo.models import Follow, FollowCount, User


@dataclass(frozen=True, slots=True)
class Found:
    """The community that is in the database after `seed()`."""

    people: int
    #: Follows that were made; 0 for a community that was there before.
    follows: int
    made: bool


def seed(session_factory: Callable[[], Session], number: int, *, until: datetime) -> Found:
    """
    Give an empty database a community of *number* people, who followed each other until *until*.

    In one transaction: it is there as a whole or not at all, whenever this is
    stopped. A database with people in it is left as it is.
    """
    with session_factory() as session:
        if there := _people(session):
            return Found(there, 0, made=False)
        try:
            members = invent_members(number, until)
            users = [User(**asdict(member)) for member in members]
            session.add_all(users)
            session.flush()
            # Counted from the start, so that nobody's page has to count.
            counts = [{"user_id": user.id, "followers": 0, "following": 0} for user in users]
            session.add_all(FollowCount(**count) for count in counts)
            session.flush()
        except IntegrityError:
            # Another process was faster between the question and here; it holds the same people.
            session.rollback()
            return Found(_people(session), 0, made=False)
        follows = _add_follows(session, users, members, until)
        session.commit()
        return Found(number, follows, made=True)


def _people(session: Session) -> int:
    return session.scalars(select(func.count()).select_from(User)).one()


def _add_follows(session: Session, users: list[User], members: list[Member], until: datetime) -> int:
    ids = [user.id for user in users]
    edges = [
        {"follower_id": ids[follower], "following_id": ids[followed], "timestamp": since}
        for follower, followed, since in invent_follows(members, until)
    ]
    session.add_all(Follow(**edge) for edge in edges)
    session.flush()
    return len(edges)
