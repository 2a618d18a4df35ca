"""Filling a new database with a community, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from retinue import HistoryKind, NotificationKind
from retinue.demo.community import Member, invent_follows, invent_members, invent_requests
from retinue.demo.models import Follow, FollowCount, FollowEvent, FollowRequest, Notification, User
from retinue.demo.passwords import public_hash

#: What lies further back than this, nobody is told any more; and what lies this far back, everybody has read.
NEWS_LASTS = timedelta(days=30)
NEWS_UNREAD = timedelta(days=4)

#: Rows of one statement.
_ROWS = 5_000

#: (who, whom, when).
Happened = tuple[int, int, datetime]


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
            users = [User(**asdict(member), password_hash=public_hash()) for member in members]
            session.add_all(users)
            session.flush()
        except IntegrityError:
            # Another process was faster between the question and here; it holds the same people.
            session.rollback()
            return Found(_people(session), 0, made=False)
        follows = _add_past(session, [user.id for user in users], members, until)
        session.commit()
        return Found(number, follows, made=True)


def _people(session: Session) -> int:
    return session.scalars(select(func.count()).select_from(User)).one()


def _add_past(session: Session, ids: list[int], members: list[Member], until: datetime) -> int:
    """
    Write down who follows whom and who asks to, with what comes of it; return how many follow.

    Into the tables: what the graph's verbs do, they do now, and this is the past.
    """
    follows, news = list(invent_follows(members, until)), until - NEWS_LASTS
    requests = list(invent_requests(members, follows, until))
    edges = [(ids[follower], ids[followed], since) for follower, followed, since in follows]
    asked = [(ids[follower], ids[followed], since) for follower, followed, since in requests]
    _add(session, Follow, _of_pairs(edges))
    _add(session, FollowRequest, _of_pairs(asked))
    _add(session, FollowCount, _counts(ids, edges))
    for happened, kind in ((edges, HistoryKind.FOLLOWED), (asked, HistoryKind.REQUESTED)):
        _add(session, FollowEvent, [{**row, "kind": kind.value} for row in _of_pairs(happened)])
    for happened, told in ((edges, NotificationKind.FOLLOW), (asked, NotificationKind.FOLLOW_REQUEST)):
        lately = [one for one in happened if one[2] > news]
        _add(session, Notification, _notifications(lately, told, read_before=until - NEWS_UNREAD))
    return len(edges)


def _add(session: Session, model: Any, rows: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(rows), _ROWS):
        session.execute(insert(model.__table__), rows[start : start + _ROWS])


def _of_pairs(happened: Iterable[Happened]) -> list[dict[str, Any]]:
    return [{"follower_id": who, "following_id": whom, "timestamp": at} for who, whom, at in happened]


def _counts(ids: Iterable[int], edges: Sequence[Happened]) -> list[dict[str, Any]]:
    """Return everybody's counts, so that nobody's page has to count."""
    followers, following = Counter(edge[1] for edge in edges), Counter(edge[0] for edge in edges)
    return [{"user_id": key, "slot": 0, "followers": followers[key], "following": following[key]} for key in ids]


def _notifications(happened: Iterable[Happened], kind: NotificationKind, read_before: datetime) -> list[dict[str, Any]]:
    return [
        {
            "recipient_id": whom,
            "actor_id": who,
            "kind": kind.value,
            "timestamp": at,
            "read_at": at + timedelta(hours=1) if at < read_before else None,
        }
        for who, whom, at in happened
    ]
