"""
What a user says of themselves decides as it is committed, wherever it is said: never by what a transaction has read before.

Each verb here runs in a session that has read both users, as a web request does, before another session says something else.
"""

from __future__ import annotations

from operator import methodcaller
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from retinue import Graph, MappingError, Outcome, transact
from tests.database.graph_models import crowd
from tests.database.models_flags import (
    Saying,
    hybrids,
    joined,
    joined_numbers,
    numbers,
    plain,
    subqueries,
    synonyms,
    twice_joined,
)
from tests.long import few_or_many
from tests.models import Models

SAYINGS: dict[str, Saying] = {
    kind.__name__: kind(f"race_{kind.__name__}")
    for kind in (plain, synonyms, hybrids, subqueries, joined, twice_joined, numbers, joined_numbers)
}

_OPEN = {"active": True, "hide_followers": False, "hide_following": False, "discoverable": True}


pytestmark = pytest.mark.tables(*(saying.metadata for saying in SAYINGS.values()))


@pytest.fixture(params=SAYINGS)
def saying(engine: Engine, request: pytest.FixtureRequest) -> Saying:
    """Give a graph whose users say what they say in one of many ways."""
    found = SAYINGS[request.param]
    found.metadata.create_all(engine)
    return found


def two(engine: Engine, saying: Saying, *, locked: bool) -> tuple[Any, Any]:
    """Return the keys of two users, of whom the second is *locked* or not."""
    with Session(engine) as session:
        users = [saying.user(), saying.user()]
        session.add_all(users)
        for user, private in zip(users, (False, locked), strict=True):
            saying.say(session, user, {**_OPEN, "username": "some", "locked": private})
        session.commit()
        return getattr(users[0], saying.key), getattr(users[1], saying.key)


def read(session: Session, saying: Saying, key: Any) -> Any:
    """Return the user *key*."""
    return session.get(saying.user, key)


def say_in_another(engine: Engine, saying: Saying, key: Any, *, locked: bool) -> None:
    """Say in another session, and commit, that the user *key* is *locked* or not."""
    with Session(engine) as session:
        saying.say(session, session.get(saying.user, key), {**_OPEN, "username": "some", "locked": locked})
        session.commit()


@pytest.mark.parametrize("becomes", [True, False], ids=["private", "public"])
def test_what_is_committed_decides(engine: Engine, saying: Saying, *, becomes: bool) -> None:
    """Whoever became private is asked, and whoever became public is followed."""
    one, other = two(engine, saying, locked=not becomes)
    tries: list[int] = []

    def follow(session: Session) -> Outcome:
        # Both users are read, and with them what they said until now.
        found = session.scalars(select(saying.user).where(getattr(saying.user, saying.key).in_([one, other]))).all()
        assert len(found) == 2
        if not tries:
            assert bool(read(session, saying, other).locked) is not becomes
            say_in_another(engine, saying, other, locked=becomes)
        tries.append(1)
        return Graph(session, saying.user).follow(one, other)

    # On SQLite nobody writes by an older snapshot: it is tried again.
    outcome = transact(lambda: Session(engine), follow)

    assert outcome is (Outcome.REQUESTED if becomes else Outcome.FOLLOWED)
    assert len(tries) == 1 or engine.dialect.name == "sqlite"


def _unlocks(saying: Saying) -> bool:
    return saying is not SAYINGS["subqueries"]


@few_or_many("rounds", 2, 6)
@pytest.mark.parametrize("kind", [kind for kind, saying in SAYINGS.items() if _unlocks(saying)])
def test_going_public_beside_those_who_ask(engine: Engine, kind: str, rounds: int) -> None:
    """Nobody is left waiting for somebody who is public: asked before or after, they follow."""
    saying = SAYINGS[kind]
    models = Models(saying.metadata, saying.user, {})
    saying.metadata.create_all(engine)
    for _ in range(rounds):
        star, *fans = (two(engine, saying, locked=False)[0] for _ in range(5))
        say_in_another(engine, saying, star, locked=True)
        verbs = [methodcaller("unlock", star), *(methodcaller("follow", fan, star) for fan in fans)]

        with crowd(engine, models, len(verbs)) as them:
            jobs = [lambda session, verb=verb: verb(models.graph(session)) for verb in verbs]
            them.race(jobs, [star], patient=True)

        with Session(engine) as session:
            graph: Graph[Any] = models.graph(session)
            assert not read(session, saying, star).locked
            assert list(graph.requests(star)) == []
            assert {getattr(p.user, saying.key) for p in graph.followers(star)} == set(fans)


def test_unlock_writes_what_decides(engine: Engine, saying: Saying) -> None:
    """Also where its session knows an older value; and what can only be read is refused before anything changes."""
    one, other = two(engine, saying, locked=False)
    with Session(engine) as session:
        user = read(session, saying, other)
        assert not user.locked
        if engine.dialect.name == "sqlite":
            # Its snapshot would be too old to write by: it ends, and what was loaded stays.
            session.expire_on_commit = False
            session.commit()
        say_in_another(engine, saying, other, locked=True)
        with Session(engine) as asking:
            assert Graph(asking, saying.user).follow(one, other) is Outcome.REQUESTED
            asking.commit()
        graph: Graph[Any] = Graph(session, saying.user)
        if _unlocks(saying):
            assert graph.unlock(user) == 1
        else:
            with pytest.raises(MappingError, match="can only be read"):
                graph.unlock(user)
        session.commit()
    with Session(engine) as session:
        graph = Graph(session, saying.user)
        assert bool(read(session, saying, other).locked) is not _unlocks(saying)
        assert graph.is_following(one, other) is _unlocks(saying)
        assert len(graph.requests(other)) == (not _unlocks(saying))
