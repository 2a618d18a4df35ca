"""Filling a new database with a community, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Protocol, TypeVar

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from retinue import HistoryKind, NotificationKind
from retinue_demo.community import (
    FOLLOWS_EACH,
    Member,
    invent_follows,
    invent_kept_away,
    invent_members,
    invent_posts,
    invent_requests,
)
from retinue_demo.models import (
    Block,
    Follow,
    FollowCount,
    FollowEvent,
    FollowRequest,
    Mute,
    Notification,
    Post,
    SearchText,
    User,
)
from retinue_demo.passwords import public_hash
from retinue_demo.people import texts_of

#: What lies further back than this, nobody is told any more; and what lies this far back, everybody has read.
NEWS_LASTS = timedelta(days=30)
NEWS_UNREAD = timedelta(days=4)

#: Rows of one statement.
_ROWS = 5_000

#: (who, whom, when).
Happened = tuple[int, int, datetime]

T = TypeVar("T")


class Watch(Protocol):
    """Sees long work go on."""

    def __call__(self, what: str, rows: Iterable[T], length: int, /) -> Iterable[T]:
        """Yield *rows*, about *length* of them; *what* says what is done with them."""
        ...


def unwatched(_what: str, rows: Iterable[T], _length: int, /) -> Iterable[T]:
    """Yield *rows*, and tell nobody."""
    return rows


@dataclass(frozen=True, slots=True)
class Found:
    """The community that is in the database after `seed()`."""

    people: int
    #: Follows that were made; 0 for a community that was there before.
    follows: int
    #: Posts that were written; likewise.
    posts: int
    made: bool


def seed(
    session_factory: Callable[[], Session],
    number: int,
    *,
    until: datetime,
    follows: int | None = None,
    watch: Watch = unwatched,
) -> Found:
    """
    Give an empty database a community of *number* people, who followed each other until *until*.

    In one transaction: it is there as a whole or not at all, whenever this is
    stopped. A database with people in it is left as it is. What it takes grows with the follows and the
    posts: some seconds and 150 MB of memory for every 100,000 of them.

    Args:
        session_factory: Gives a session on the database.
        number: People.
        until: The end of the story: now.
        follows: How many follows in all; None: what comes of so many people.
        watch: Sees each long part of the work go on.
    """
    with session_factory() as session:
        if there := _people(session):
            return Found(there, 0, 0, made=False)
        try:
            members = invent_members(number, until)
            users = [User(**asdict(member) | {"password_hash": public_hash()}) for member in members]
            session.add_all(users)
            session.flush()
        except IntegrityError:
            # Another process was faster between the question and here; it holds the same people.
            session.rollback()
            return Found(_people(session), 0, 0, made=False)
        session.execute(insert(SearchText), [text for user in users for text in texts_of(user)])
        past = _Past(session, watch, [user.id for user in users], members, until)
        followers = past.add_follows(follows)
        posted = past.add_posts(followers)
        session.commit()
        return Found(number, followers.total(), posted, made=True)


def _people(session: Session) -> int:
    return session.scalars(select(func.count()).select_from(User)).one()


@dataclass(frozen=True, slots=True)
class _Past:
    """
    Writes down what has happened to the people of these *ids*, who are *members* in the same order.

    Into the tables: what the graph's verbs do, they do now, and this is the past.
    """

    session: Session
    watch: Watch
    ids: list[int]
    members: list[Member]
    until: datetime

    def add_follows(self, number: int | None) -> Counter[int]:
        """Write down who follows whom and who asks to, with what comes of it; return how many follow each place."""
        about = number or len(self.members) * FOLLOWS_EACH * 5 // 4
        invented = list(self.watch("Who follows whom", invent_follows(self.members, self.until, number), about))
        requests = list(invent_requests(self.members, invented, self.until))
        self._add_kept_away([(who, whom) for who, whom, _ in (*invented, *requests)])
        asked, edges = self._by_key(requests), self._by_key(invented)
        followers = Counter(followed for _, followed, _ in invented)
        del invented
        self._add("Follows", Follow, _of_pairs(edges), len(edges))
        self._add("Requests", FollowRequest, _of_pairs(asked), len(asked))
        self._add("Counts", FollowCount, _counts(self.ids, edges), len(self.ids))
        for happened, kind in ((edges, HistoryKind.FOLLOWED), (asked, HistoryKind.REQUESTED)):
            history = ({**row, "kind": kind.value} for row in _of_pairs(happened))
            self._add("History", FollowEvent, history, len(happened))
        for happened, told in ((edges, NotificationKind.FOLLOW), (asked, NotificationKind.FOLLOW_REQUEST)):
            lately = [one for one in happened if one[2] > self.until - NEWS_LASTS]
            news = _notifications(lately, told, read_before=self.until - NEWS_UNREAD)
            self._add("Notifications", Notification, news, len(lately))
        return followers

    def _add_kept_away(self, met: list[tuple[int, int]]) -> None:
        """Write down who blocks or mutes whom; *met* have those who know each other by their follows."""
        kept_away = invent_kept_away(self.members, met, self.until)
        for blocked, model, who, whom in (
            (True, Block, "blocker_id", "blocked_id"),
            (False, Mute, "muter_id", "muted_id"),
        ):
            rows = [
                {who: self.ids[one.who], whom: self.ids[one.whom], "timestamp": one.at}
                for one in kept_away
                if one.blocked is blocked
            ]
            self._add("Blocks and mutes", model, iter(rows), len(rows))

    def add_posts(self, followers: Counter[int]) -> int:
        """Write down what they have written, whom so many follow; return how many posts that is."""
        heard_by = [followers[place] for place in range(len(self.members))]
        posts = invent_posts(self.members, heard_by, self.until)
        rows = ({"author_id": self.ids[author], "body": text, "created_at": at} for author, text, at in posts)
        self._add("Posts", Post, rows, len(posts))
        return len(posts)

    def _by_key(self, happened: Iterable[Happened]) -> list[Happened]:
        return [(self.ids[who], self.ids[whom], at) for who, whom, at in happened]

    def _add(self, what: str, model: Any, rows: Iterable[dict[str, Any]], length: int) -> None:
        """Insert *rows*, some thousand at a time."""
        coming = iter(self.watch(what, rows, length))
        while batch := list(islice(coming, _ROWS)):
            self.session.connection().execute(insert(model.__table__), batch)


def _of_pairs(happened: Iterable[Happened]) -> Iterator[dict[str, Any]]:
    return ({"follower_id": who, "following_id": whom, "timestamp": at} for who, whom, at in happened)


def _counts(ids: Iterable[int], edges: Sequence[Happened]) -> list[dict[str, Any]]:
    """Return everybody's counts, so that nobody's page has to count."""
    followers, following = Counter(edge[1] for edge in edges), Counter(edge[0] for edge in edges)
    return [{"user_id": key, "slot": 0, "followers": followers[key], "following": following[key]} for key in ids]


def _notifications(
    happened: Iterable[Happened], kind: NotificationKind, read_before: datetime
) -> Iterator[dict[str, Any]]:
    return (
        {
            "recipient_id": whom,
            "actor_id": who,
            "kind": kind.value,
            "timestamp": at,
            "read_at": at + timedelta(hours=1) if at < read_before else None,
        }
        for who, whom, at in happened
    )
