"""What people do in an application with every model: each thing in a session of its own, as a request does it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks.competitors.models import declare
from benchmarks.competitors.retinue import MIXINS, Retinue
from retinue import Graph, RetinueError, Settings
from retinue.transfer import import_follows

MODELS = declare(*MIXINS, settings=Settings(secret="of a benchmark"), private=True)

#: What is done, and how often, in a thousand. As many edges come as go, so that the graph keeps its size.
READS = {"followers": 250, "following": 100, "deep": 30, "counts": 120, "relationships": 120, "is_following": 120}
READS |= {"mutuals": 40, "known": 40, "timeline": 50, "notifications": 30, "requests": 15, "suggestions": 5}
WRITES = {"follow": 30, "unfollow": 28, "block": 4, "unblock": 4, "mute": 2, "unmute": 2, "answer": 5, "post": 5}
WRITES |= {"join": 1, "leave": 1}
#: Of a hundred users so many approve their followers.
PRIVATE = 10


class Service(Retinue):
    """The application, with a tenth of its accounts private."""

    models = MODELS

    def load_users(self, users: int, edges: Iterable[Sequence[Any]]) -> None:
        """Make users, and take over a graph."""
        user = self.models.user
        with self.engine.begin() as connection:
            rows = [{"id": key, "username": f"user{key}", "locked": key % 100 < PRIVATE} for key in range(1, users + 1)]
            connection.execute(user.__table__.insert(), rows)
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.setval(func.pg_get_serial_sequence("users", "id"), users)))
        import_follows(self.engine, user, edges)
        self._loaded()


class Person:
    """Does one thing after the other, each about somebody drawn by chance."""

    session: Session
    graph: Graph[Any]

    def __init__(self, users: int, seed: int) -> None:
        self.dice, self.users = Random(seed), users

    def do(self, what: str, session: Session) -> None:
        """Do *what* in that session; that somebody may not see or do it is an answer like any other."""
        self.session, self.graph = session, Graph(session, MODELS.user)
        done: Callable[[], object] = getattr(self, what)
        try:
            done()
        except RetinueError:
            session.rollback()

    def anybody(self) -> int:
        """Draw a user: half of the time one of a hundred whom all look at; some have left."""
        return self.dice.randint(1, 100 if self.dice.random() < 0.5 else self.users)

    def two(self) -> tuple[int, int]:
        """Draw two different users."""
        one = self.dice.randint(1, self.users)
        other = self.anybody()
        return (one, other) if one != other else self.two()

    # --- Reads ---

    def followers(self) -> object:
        viewer, user = self.two()
        return [person.user.username for person in self.graph.followers(user, viewer=viewer)]

    def following(self) -> object:
        viewer, user = self.two()
        return [person.user.username for person in self.graph.following(user, viewer=viewer)]

    def deep(self) -> object:
        user, cursor = self.dice.randint(1, 100), None
        for _ in range(3):
            cursor = self.graph.followers(user, cursor=cursor).next
        return cursor

    def counts(self) -> object:
        return self.graph.counts([self.anybody() for _ in range(20)])

    def relationships(self) -> object:
        viewer, _ = self.two()
        return self.graph.relationships(viewer, {self.anybody() for _ in range(20)})

    def is_following(self) -> object:
        return self.graph.is_following(*self.two())

    def mutuals(self) -> object:
        return list(self.graph.mutuals(self.anybody()))

    def known(self) -> object:
        return self.graph.followers_you_know(*self.two()).total

    def timeline(self) -> object:
        return [post.author.username for post in self.graph.home_timeline(self.anybody())]

    def notifications(self) -> object:
        return list(self.graph.notifications(self.anybody()))

    def requests(self) -> object:
        return list(self.graph.requests(self.anybody()))

    def suggestions(self) -> object:
        return self.graph.suggestions(self.dice.randint(1, self.users))

    # --- Writes ---

    def follow(self) -> object:
        return self.graph.follow(*self.two())

    def unfollow(self) -> object:
        follower, _ = self.two()
        return [self.graph.unfollow(follower, person.user) for person in self.graph.following(follower, limit=1)]

    def block(self) -> object:
        return self.graph.block(*self.two())

    def unblock(self) -> object:
        # Of those who block anybody, somebody.
        blocker = self.session.scalar(select(func.max(MODELS.metadata.tables["blockmixin"].c.blocker_id)))
        return blocker and [self.graph.unblock(blocker, person.user) for person in self.graph.blocks(blocker, limit=1)]

    def mute(self) -> object:
        return self.graph.mute(*self.two())

    def unmute(self) -> object:
        muter = self.session.scalar(select(func.max(MODELS.metadata.tables["mutemixin"].c.muter_id)))
        return muter and [self.graph.unmute(muter, person.user) for person in self.graph.mutes(muter, limit=1)]

    def answer(self) -> object:
        user = self.session.scalar(select(func.max(MODELS.metadata.tables["followrequestmixin"].c.following_id)))
        asked = self.graph.requests(user, limit=1) if user else ()
        return [(self.graph.accept if self.dice.random() < 0.5 else self.graph.reject)(user, one.user) for one in asked]

    def post(self) -> object:
        author = self.session.get(MODELS.user, self.anybody())
        if author:
            self.session.add(MODELS.post(author=author, created_at=datetime.now(UTC), body="a post"))
        return author

    def join(self) -> object:
        user = MODELS.user(username="somebody new")
        self.session.add(user)
        return user

    def leave(self) -> object:
        user = self.session.get(MODELS.user, self.dice.randint(101, self.users))
        if user:
            self.session.delete(user)
        return user
