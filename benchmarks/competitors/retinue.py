"""Retinue, by its public names: as an application has it, and with every model that there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import numpy as np
from sqlalchemy import URL, create_engine
from sqlalchemy.orm import Session

from benchmarks.competitor import Competitor, Shown
from benchmarks.competitors.models import declare
from benchmarks.data import Data
from benchmarks.filling import filling, moments, texts, tidy
from benchmarks.results import EVERY_MODEL, RETINUE
from retinue import (
    BlockMixin,
    Counts,
    DismissedSuggestionMixin,
    FollowEventMixin,
    FollowRequestMixin,
    Graph,
    MuteMixin,
    NotificationMixin,
    Relationship,
    Settings,
    prepare_engine,
)
from retinue.transfer import import_follows

#: Whatever else there is.
MIXINS = FollowRequestMixin, BlockMixin, MuteMixin, FollowEventMixin, NotificationMixin, DismissedSuggestionMixin

_START = datetime(1970, 1, 1, tzinfo=UTC)


class Retinue(Competitor):
    """`User`, `Follow` and `FollowCount`; and posts. Its lists are rows of what a page shows."""

    name = RETINUE
    models = declare()

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        self.engine = prepare_engine(create_engine(url))
        self.session = Session(self.engine)
        self.graph = Graph(self.session, self.models.user)
        user, post = self.models.user, self.models.post
        #: What a page shows of each person, and of each post; None: whole objects.
        self.person: Any = (user.id, user.username)
        self.entry: Any = (post.id, post.created_at, post.body, post.author_id, user.username)

    def create(self) -> None:
        self.models.metadata.create_all(self.engine)

    def load(self, data: Data) -> None:
        with filling(self.url) as filler:
            filler.users("users", data.users)
        report = import_follows(self.engine, self.models.user, edges(data))
        if report.added != len(data.times):
            raise AssertionError(report)
        self._loaded()

    def load_posts(self, authors: Sequence[int], times: Sequence[int], first: int = 1) -> None:
        keys = np.arange(first, first + len(authors))
        with filling(self.url) as filler:
            created = moments(times)
            filler.fill("posts", id=keys, author_id=np.array(authors), created_at=created, body=texts(keys, "post "))
        self._loaded()

    def _loaded(self) -> None:
        self.session.close()
        tidy(self.url)
        self.engine.dispose()  # new connections know what the tables hold

    def close(self) -> None:
        self.session.close()
        self.engine.dispose()

    # --- Reads -----------------------------------------------------------------------------------

    def is_following(self, follower: int, followed: int) -> bool:
        return self.graph.is_following(follower, followed)

    def relationships(self, viewer: int, users: Sequence[int]) -> set[tuple[str, int]]:
        found = cast("Mapping[int, Relationship]", self.graph.relationships(viewer, users))
        following = {("following", key) for key, one in found.items() if one.following}
        return following | {("followed_by", key) for key, one in found.items() if one.followed_by}

    def first_page(self, user: int) -> list[Shown]:
        return _shown(self.graph.followers(user, columns=self.person))

    def place_at(self, user: int, depth: int) -> Any:
        cursor, limit = None, 100
        for start in range(0, depth, limit):
            cursor = self.graph.followers(user, limit=min(limit, depth - start), cursor=cursor).next
        return cursor

    def page_from(self, user: int, place: Any) -> list[Shown]:
        return _shown(self.graph.followers(user, cursor=place, columns=self.person))

    def counts(self, users: Sequence[int]) -> dict[int, tuple[int, int]]:
        found = cast("Mapping[int, Counts]", self.graph.counts(users))
        return {key: (one.followers, one.following) for key, one in found.items()}

    def mutuals(self, user: int) -> list[Shown]:
        return _shown(self.graph.mutuals(user, columns=self.person))

    def followers_you_know(self, viewer: int, user: int) -> tuple[int, list[Shown]]:
        page = self.graph.followers_you_know(viewer, user, columns=self.person)
        return page.total or 0, _shown(page)

    def suggestions(self, user: int) -> list[int]:
        return [suggestion.user.id for suggestion in self.graph.suggestions(user, columns=self.person)]

    def home_timeline(self, user: int) -> list[int]:
        return [post.id for post in self.graph.home_timeline(user, columns=self.entry)]

    # --- Writes ----------------------------------------------------------------------------------

    def follow(self, follower: int, followed: int) -> bool:
        new = bool(self.graph.follow(follower, followed))
        self.session.commit()
        return new

    def unfollow(self, follower: int, followed: int) -> bool:
        ended = self.graph.unfollow(follower, followed)
        self.session.commit()
        return ended

    def post(self, author: int, key: int) -> None:
        post = self.models.post(id=key, author_id=author, created_at=datetime.now(UTC), body=f"post {key}")
        self.session.add(post)
        self.session.commit()

    def delete_user(self, user: int) -> None:
        self.session.delete(self.session.get_one(self.models.user, user))
        self.session.commit()


class RetinueEveryModel(Retinue):
    """With requests, blocks, mutes, history, notifications and dismissed suggestions."""

    name = EVERY_MODEL
    models = declare(*MIXINS)


class RetinueSixteenSlots(Retinue):
    """For celebrities: whoever has many followers is counted in 16 rows."""

    models = declare(settings=Settings(counter_slots=16))


def _shown(page: Any) -> list[Shown]:
    return [(person.user.id, person.user.username) for person in page]


def edges(data: Data) -> Iterator[tuple[int, int, datetime]]:
    """Yield the edges, some at a time: as Python's objects all of them would fill the memory."""
    for start in range(0, len(data.times), 100_000):
        part = slice(start, start + 100_000)
        columns = (column[part].tolist() for column in (data.followers, data.followed, data.times))
        for follower, followed, at in zip(*columns, strict=True):
            yield follower, followed, _START + timedelta(microseconds=at)
