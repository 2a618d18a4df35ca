"""Home timelines that are kept ready where users and posts have other keys, and posts other times."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import DateTime, Engine, ForeignKey, Integer, String, Uuid
from sqlalchemy.orm import mapped_column, sessionmaker

from retinue import Graph, Settings, TimelineWork, UTCDateTime, declare_posts, fanout, listen
from tests import models
from tests.database.kept_timelines import at
from tests.models import Models
from tests.own_types import PortableUuid, Prefixed


def declare(user_key: Any, post_key: Any, time: Any) -> Models:
    """Declare users and posts with keys and times of these types."""

    def posts(base: Any, _user: type[Any]) -> type[Any]:
        class Post(base):  # type: ignore[misc]
            __tablename__ = "posts"
            id = mapped_column(post_key, primary_key=True, autoincrement=False)
            author_id = mapped_column(user_key, ForeignKey("users.id", ondelete="CASCADE"))
            made_at = mapped_column(time, nullable=False)

        return declare_posts(Post, author="author_id", time="made_at")

    settings = Settings(timeline_length=3)
    return models.declare("Follow", "TimelineEntry", settings=settings, key=user_key, posts=posts)


def as_uuid(number: int) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_OID, str(number))


def as_text(number: int) -> str:
    return ["Zoë", "zoe", "a'b\"c\\", "%s :x", "ключ"][number % 5] + str(number)


def as_prefixed(number: int) -> str:
    return f"user_{number}"


def aware(second: int) -> datetime:
    return at(second)


def bare(second: int) -> datetime:
    return at(second).replace(tzinfo=None)


KINDS: dict[str, tuple[Any, Callable[[int], Any], Any, Callable[[int], Any], Any, Callable[[int], datetime]]] = {
    "uuid": (Uuid, as_uuid, Uuid, as_uuid, UTCDateTime, aware),
    "text": (String(40), as_text, String(40), as_text, UTCDateTime, aware),
    "number and uuid": (Integer, int, Uuid, as_uuid, UTCDateTime, aware),
    "text and number": (String(40), as_text, Integer, int, UTCDateTime, aware),
    "types of the application's": (PortableUuid, as_uuid, Prefixed, as_prefixed, UTCDateTime, aware),
    "numbers with a prefix": (Prefixed, as_prefixed, PortableUuid, as_uuid, UTCDateTime, aware),
    "times without a zone": (Integer, int, Integer, int, DateTime, bare),
}


@pytest.mark.parametrize("kind", KINDS)
def test_posts_reach_timelines_whatever_the_keys(engine: Engine, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chains, fills and what is looked up beside them."""
    monkeypatch.setattr(fanout, "BATCH", 2)
    user_key, user, post_key, post, time, when = KINDS[kind]
    kept = declare(user_key, post_key, time)
    User, Post = kept.user, kept.post  # noqa: N806 - classes
    kept.metadata.create_all(engine)
    sessions = sessionmaker(engine)
    told: list[str] = []
    listen(User, TimelineWork, lambda work: told.append(work.unit))
    fans, stars = [user(number) for number in range(1, 6)], [user(number) for number in (6, 7)]
    with sessions.begin() as session:
        session.add_all(User(id=key) for key in (*fans, *stars))
        graph: Graph[Any] = Graph(session, User)
        for fan in fans:
            graph.mark_active(fan)
            graph.follow(fan, stars[0])
    for number in range(1, 8):
        with sessions.begin() as session:
            session.add(Post(id=post(number), author_id=stars[number % 2], made_at=when(number)))
            if number == 5:
                Graph(session, User).follow(fans[0], stars[1])
        units = [json.loads(json.dumps(unit)) for unit in told]
        told.clear()
        for unit in units if number % 2 else ():
            left: str | None = unit
            while left is not None:
                left = fanout.run(sessions, User, left)
        _check(sessions, User, fans, lambda number=number: [post(one) for one in range(number, 0, -1)], post)  # type: ignore[misc]
    fanout.work(sessions, User)
    _check(sessions, User, fans, lambda: [post(one) for one in range(7, 0, -1)], post)
    with sessions() as session:
        assert fanout.pending(session, User, older_than=-1) == []


def _check(
    sessions: Any, user: Any, fans: list[Any], newest: Callable[[], list[Any]], post: Callable[[int], Any]
) -> None:
    """Fail unless the first of *fans* sees what both stars have posted since they are followed, the others one's."""
    even = {post(number) for number in range(2, 8, 2)}
    with sessions() as session:
        graph: Graph[Any] = Graph(session, user)
        for fan in fans:
            seen, cursor = [], None
            while True:
                page = graph.home_timeline(fan, limit=2, cursor=cursor)
                seen += [one.id for one in page]
                cursor = page.next
                if cursor is None:
                    break
            both = fan == fans[0] and len(newest()) >= 5
            assert seen == [key for key in newest() if both or key in even]


@pytest.mark.parametrize("kind", ["uuid", "text"])
def test_units_about_keys_of_another_type_are_refused(engine: Engine, kind: str) -> None:
    user_key, user, post_key, _, time, _ = KINDS[kind]
    kept = declare(user_key, post_key, time)
    User = kept.user  # noqa: N806 - a class
    others: list[Any] = [1, None, True, [], "not a uuid" if kind == "uuid" else 1.5]
    for wrong in others:
        unit = json.dumps({"task": "send", "user": wrong, "version": 1, "after": None})
        with pytest.raises(ValueError, match="no unit of work"):
            fanout.run(engine, User, unit)
    after = json.dumps({"task": "send", "user": str(user(1)), "version": 1, "after": [5, 7]})
    with pytest.raises(ValueError, match="no unit of work"):
        fanout.run(engine, User, after)
