"""Everything that is one's own, to take along: one JSON file, written while it is read, page by page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from heapq import merge
from typing import Any

from flask import Blueprint, Response, stream_with_context
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from retinue import Graph, HistoryKind, Page, Person
from retinue.flask import somebody
from retinue_demo.models import FollowEvent, Post, User, db

#: Rows of a page.
ROWS = 100

#: What one does to others, and to those who follow one or ask to. What others do is theirs to tell.
_DONE_BY_FOLLOWER = (HistoryKind.FOLLOWED, HistoryKind.UNFOLLOWED, HistoryKind.REQUESTED)
_DONE_BY_FOLLOWED = (HistoryKind.REQUEST_ACCEPTED, HistoryKind.REQUEST_REJECTED, HistoryKind.FOLLOWER_REMOVED)

Row = dict[str, Any]

export = Blueprint("export", __name__)


@export.get("/settings/export.json")
def download() -> Response:
    """
    Send what is one's own, and what one sees of others on one's own lists. A statement or two for each page of 100 rows.

    Each page has a session of its own: a slow connection holds none of the database.
    """
    viewer = somebody()
    key, name, profile = viewer.id, f"retinue-{viewer.username}.json", _profile(viewer)
    db.session.remove()
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(stream_with_context(_text(profile, _lists(key))), mimetype="application/json", headers=headers)


def _text(profile: Row, lists: dict[str, Iterator[Row]]) -> Iterator[str]:
    yield f'{{\n"exported_at": {_json(_time(datetime.now(UTC)))},\n"profile": {_json(profile)}'
    for name, rows in lists.items():
        yield f',\n"{name}": ['
        between = "\n"
        for row in rows:
            yield between + _json(row)
            between = ",\n"
        yield "\n]"
    yield "\n}\n"


def _lists(key: int) -> dict[str, Iterator[Row]]:
    """Return each list of the user with that *key*; nothing is read before it is asked for."""
    return {
        "following": _walk(Graph.following, key, _person),
        "followers": _walk(Graph.followers, key, _person),
        "requests_received": _walk(Graph.requests, key, _person),
        "requests_sent": _walk(Graph.sent_requests, key, _person),
        "blocked": _walk(Graph.blocks, key, lambda row: {**_person(row), "until": _time(row.until)}),
        "muted": _walk(Graph.mutes, key, lambda row: {**_person(row), "until": _time(row.until)}),
        "posts": _posts(key),
        "notifications": _walk(Graph.notifications, key, _notice),
        "history": _history(key),
    }


def _walk(read: Callable[..., Page[Any]], key: int, shown: Callable[[Any], Row]) -> Iterator[Row]:
    """Yield every row of a list of the graph, as its owner sees it."""
    cursor = None
    while True:
        with _session() as session:
            page = read(Graph(session, User), key, viewer=key, limit=ROWS, cursor=cursor)
            rows = [shown(item) for item in page]
        yield from rows
        cursor = page.next
        if cursor is None:
            return


def _posts(key: int) -> Iterator[Row]:
    """Yield what they have posted, the oldest first."""
    place: tuple[datetime, int] | None = None
    while True:
        query = select(Post.created_at, Post.id, Post.body).where(Post.author_id == key)
        query = query.where(*_after(Post.created_at, Post.id, place)).order_by(Post.created_at, Post.id)
        with _session() as session:
            found = session.execute(query.limit(ROWS)).all()
        yield from ({"at": _time(at), "body": body} for at, _, body in found)
        if len(found) < ROWS:
            return
        place = found[-1][:2]


def _history(key: int) -> Iterator[Row]:
    """Yield what they have done, the oldest first."""
    event = FollowEvent
    as_follower = _events(key, event.follower_id, event.following_id, _DONE_BY_FOLLOWER)
    as_followed = _events(key, event.following_id, event.follower_id, _DONE_BY_FOLLOWED)
    yield from merge(as_follower, as_followed, key=lambda row: row["at"])


def _events(
    key: int, own: InstrumentedAttribute[Any], others: InstrumentedAttribute[Any], kinds: tuple[HistoryKind, ...]
) -> Iterator[Row]:
    """Yield the events of those *kinds* with the user of that *key* on their *own* side, the oldest first."""
    place: tuple[datetime, int] | None = None
    while True:
        with _session() as session:
            viewer = session.get(User, key)
            if viewer is None:  # deleted meanwhile
                return
            # A key that somebody had before them: what is older than its owner is about somebody else.
            at = FollowEvent.timestamp
            own_time = and_(at >= viewer.joined_at, at >= User.joined_at)
            query = (
                select(at, FollowEvent.id, FollowEvent.kind, User.username, User.name)
                .join(User, User.id == others)
                .where(own == key, FollowEvent.kind.in_([kind.value for kind in kinds]))
                .where(own_time, Graph(session, User).visible_to(viewer), *_after(at, FollowEvent.id, place))
                .order_by(at, FollowEvent.id)
            )
            found = session.execute(query.limit(ROWS)).all()
        for time, _, kind, username, name in found:
            yield {"at": _time(time), "what": kind, "username": username, "name": name}
        if len(found) < ROWS:
            return
        place = found[-1][:2]


def _after(
    time: InstrumentedAttribute[Any], number: InstrumentedAttribute[Any], place: tuple[datetime, int] | None
) -> tuple[ColumnElement[bool], ...]:
    """Return what holds for the rows that come after *place*, which is a row's (time, number)."""
    if place is None:
        return ()
    return time >= place[0], or_(time > place[0], number > place[1])


def _session() -> Session:
    session: Session = db.session.session_factory()
    return session


def _profile(user: User) -> Row:
    return {
        "username": user.username,
        "name": user.name,
        "bio": user.bio,
        "circle": user.circle,
        "joined_at": _time(user.joined_at),
        "private": user.locked,
        "hide_followers": user.hide_followers,
        "hide_following": user.hide_following,
        "taking_a_break": not user.active,
    }


def _person(person: Person[User]) -> Row:
    return {"username": person.user.username, "name": person.user.name, "since": _time(person.since)}


def _notice(notice: Any) -> Row:
    who = {"username": notice.user.username, "name": notice.user.name}
    return {"at": _time(notice.at), "what": notice.kind.value, **who, "read": notice.read}


def _time(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).isoformat(timespec="microseconds")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
