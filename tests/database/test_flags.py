"""
What users say of themselves decides the same, whatever kind of attribute says it.

Each kind of `models_flags` plays one scene beside plain columns, in the same database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from retinue import Graph, NotVisibleError, Only, Outcome, Sort
from tests.database.models_flags import KINDS, Saying, plain
from tests.long import on_engines

NOW = datetime.now(UTC).replace(microsecond=0)
LATELY, LONG_AGO = NOW - timedelta(hours=1), NOW - timedelta(days=90)

_OPEN = {"locked": False, "active": True, "hide_followers": False, "hide_following": False, "discoverable": True}

#: What each says that differs; of `none` nothing is said at all.
PEOPLE: dict[str, dict[str, Any]] = {
    "ann": {},
    "ben": {},
    "bob": {"locked": True},
    "cat": {"active": False},
    "dan": {"hide_followers": True},
    "eve": {"hide_following": True},
    "fay": {"discoverable": False},
    "gus": {"seen_at": LONG_AGO},
    "hal": {"locked": True, "active": False},
    "ida": {"locked": True, "hide_following": True, "seen_at": LONG_AGO},
    "none": dict.fromkeys((*_OPEN, "seen_at")),
}

#: Whom each follows from the start.
FOLLOWS = {
    "ben": ["ann", "bob", "cat", "dan", "eve", "fay", "gus", "hal", "ida", "none"],
    "ann": ["ben", "eve", "cat"],
    **{name: ["ben", "ann"] for name in ("bob", "cat", "dan", "fay", "gus", "hal", "ida", "none")},
    "eve": ["dan", "gus", "fay", "bob"],
}


class Scene:
    """The people of one graph, by their names."""

    def __init__(self, session: Session, saying: Saying) -> None:
        self.session, self.saying = session, saying
        self.graph: Graph[Any] = Graph(session, saying.user)
        self.keys: dict[str, Any] = {}
        for name, facts in PEOPLE.items():
            user = saying.user()
            session.add(user)
            saying.say(session, user, {**_OPEN, "seen_at": LATELY, **facts, "username": name})
            session.flush()
            self.keys[name] = getattr(user, saying.key)
        for n, (follower, others) in enumerate(FOLLOWS.items()):
            for m, other in enumerate(others):
                at = NOW - timedelta(minutes=100 * n + m)
                session.add(saying.follow(follower_id=self.keys[follower], following_id=self.keys[other], timestamp=at))
        for n, name in enumerate(PEOPLE):
            session.add(saying.post(id=n + 1, author_id=self.keys[name], created_at=NOW - timedelta(minutes=n)))
        session.flush()
        self.names = {key: name for name, key in self.keys.items()}

    def name(self, user: Any) -> str:
        """Return the name of *user*, who is loaded."""
        found = self.names[getattr(user, self.saying.key)]
        assert user.username == found
        return found

    def page(self, read: Callable[..., Any], *users: str, **how: Any) -> Any:
        """Return the names on all pages of a list, or that nobody may see it."""
        found, cursor = [], None
        try:
            while True:
                page = read(*(self.keys[user] for user in users), limit=5, cursor=cursor, **how)
                found += [self.name(person.user) for person in page]
                cursor = page.next
                if cursor is None:
                    return found
        except NotVisibleError:
            return "not visible"


def answers(scene: Scene) -> Iterator[tuple[str, Any]]:
    """Yield whatever a graph says that may depend on what its users say."""
    graph, keys, session = scene.graph, scene.keys, scene.session
    for viewer in (None, "ann", "ida"):
        known = None if viewer is None else keys[viewer]
        for name in PEOPLE:
            for read in (graph.followers, graph.following):
                yield f"{read.__name__} of {name} for {viewer}", scene.page(read, name, viewer=known)
        seen = select(scene.saying.user).where(graph.visible_to(known))
        yield f"visible to {viewer}", sorted(map(scene.name, session.scalars(seen)))
        if viewer is not None:
            yield f"known of eve to {viewer}", scene.page(graph.followers_you_know, viewer, "fay")
    ben, following = keys["ben"], graph.following
    for look in (
        {"sort": Sort.NAME},
        {"sort": Sort.OLDEST},
        {"search": "d"},
        {"search": "B", "sort": Sort.NAME},
        {"only": Only.DORMANT},
        {"only": Only.MUTUAL, "sort": Sort.NAME},
    ):
        yield f"following {look}", scene.page(following, "ben", viewer=ben, **look)
        yield f"following for others {look}", scene.page(following, "ben", viewer=keys["ann"], **look)
    yield "left out", following(ben, viewer=ben).hidden
    for name in PEOPLE:
        suggested = graph.suggestions(keys[name], limit=20)
        yield f"suggested to {name}", [(scene.name(s.user), sorted(map(scene.name, s.known))) for s in suggested]
    yield "timeline", [scene.names[post.author_id] for post in graph.home_timeline(ben, limit=50)]
    for name in PEOPLE:
        if name != "ann":
            yield f"ann follows {name}", graph.follow(keys["ann"], keys[name])
            yield f"ann follows {name} again", graph.follow(keys["ann"], keys[name])
    yield "sent", scene.page(graph.sent_requests, "ann")
    for name in ("bob", "ida"):
        yield f"{name} is asked by", scene.page(graph.requests, name)
        yield f"{name} accepts", graph.accept(keys[name], keys["ann"])
        yield f"followers of {name} for ann", scene.page(graph.followers, name, viewer=keys["ann"])
    for name in ("cat", "hal"):
        graph.follow(keys[name], keys["dan"])
    yield "told", scene.page(graph.notifications, "dan", viewer=keys["dan"])
    yield "unread", graph.unread_notifications(keys["dan"])


PLAIN = plain("plain")
SAYINGS = {kind.__name__: kind(kind.__name__) for kind in KINDS}


def answers_of(engine: Engine, saying: Saying) -> dict[str, Any]:
    """Return all answers about a scene that is played in *engine*."""
    saying.metadata.create_all(engine)
    with Session(engine) as session:
        return dict(answers(Scene(session, saying)))


@cache
def expected_on(engine_name: str) -> dict[str, Any]:
    """Return a dictionary for the answers of plain columns on an engine, to be filled once."""
    return {}


#: Those of which each engine makes something else: numbers and words for yes and no, and rows of another table.
#: What is asked of the database is SQLAlchemy's affair: PostgreSQL is the one that takes no number for a yes.
_IN_EVERY_RUN = {
    "sqlite": {"renamed"},
    "postgresql": {"numbers", "twice_joined"},
    "mariadb": {"hybrid_subqueries"},
}


@on_engines("saying", SAYINGS, lambda engine, kind: kind in _IN_EVERY_RUN[engine])
def test_the_same_is_decided(engine: Engine, saying: Saying) -> None:
    """As where a column of the user's own table says it."""
    expected = expected_on(engine.dialect.name)
    if not expected:
        expected.update(answers_of(engine, PLAIN))
    got = answers_of(engine, saying)

    assert {k: (expected[k], got[k]) for k in expected if expected[k] != got[k]} == {}
    assert expected["ann follows bob"] is Outcome.REQUESTED
    assert expected["followers of dan for ann"] == "not visible"
    assert expected["following of ben for ida"] == ["ann", "bob", "dan", "eve", "fay", "gus", "ida", "none"]
