"""The two sides of a mix of operations: Retinue, and the bare driver with Retinue's statements."""

# ruff: noqa: D102 - what a method does is said once, by `Side`

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import pymysql
from sqlalchemy import URL, create_engine
from sqlalchemy.orm import Session

from benchmarks.loads.bare import Bare
from benchmarks.loads.models import User
from benchmarks.loads.recording import Change, Statements
from retinue import Graph, prepare_engine


@dataclass(frozen=True)
class PlaceInList:
    """Where a second page begins: behind *key*, at *at*; and Retinue's own word for that."""

    user: int
    at: datetime
    key: int
    cursor: str


class Side(Protocol):
    """What the operations of a mix are done with. A change is committed."""

    def followers(self, user: int) -> int:
        """Read the first page, and return how many are on it."""

    def following(self, user: int) -> int:
        """Read the first page, and return how many are on it."""

    def older_followers(self, place: PlaceInList) -> int:
        """Read a second page, and return how many are on it."""

    def older_following(self, place: PlaceInList) -> int:
        """Read a second page, and return how many are on it."""

    def count(self, user: int) -> tuple[int, int]:
        """Return how many follow *user*, and how many they follow."""

    def is_following(self, follower: int, followed: int) -> bool:
        """Return whether there is an edge."""

    def relationships(self, viewer: int, users: Sequence[int]) -> int:
        """Return how many edges lead from *viewer* to three *users* and back."""

    def follow(self, follower: int, followed: int) -> bool:
        """Follow; return whether that is new."""

    def unfollow(self, follower: int, followed: int) -> bool:
        """Unfollow; return whether that changed anything."""

    def close(self) -> None:
        """Give back the connection."""


class RetinueSide:
    """Retinue, on one session: what it reads is in a transaction that the next change ends."""

    def __init__(self, url: URL) -> None:
        self._engine = prepare_engine(create_engine(url))
        self._session = Session(self._engine)
        self._graph = Graph(self._session, User)

    def followers(self, user: int) -> int:
        return len(self._graph.followers(user).items)

    def following(self, user: int) -> int:
        return len(self._graph.following(user).items)

    def older_followers(self, place: PlaceInList) -> int:
        return len(self._graph.followers(place.user, cursor=place.cursor).items)

    def older_following(self, place: PlaceInList) -> int:
        return len(self._graph.following(place.user, cursor=place.cursor).items)

    def count(self, user: int) -> tuple[int, int]:
        counts = self._graph.counts([user])[user]
        return counts.followers, counts.following

    def is_following(self, follower: int, followed: int) -> bool:
        return self._graph.is_following(follower, followed)

    def relationships(self, viewer: int, users: Sequence[int]) -> int:
        found = self._graph.relationships(viewer, users)
        return sum(one.following + one.followed_by for one in found.values())

    def follow(self, follower: int, followed: int) -> bool:
        new = bool(self._graph.follow(follower, followed))
        self._session.commit()
        return new

    def unfollow(self, follower: int, followed: int) -> bool:
        gone = self._graph.unfollow(follower, followed)
        self._session.commit()
        return gone

    def close(self) -> None:
        self._session.close()
        self._engine.dispose()


class BareSide:
    """The same statements on the bare driver."""

    def __init__(self, url: URL, statements: Statements) -> None:
        self._bare = Bare(url)
        self._say = statements

    def followers(self, user: int) -> int:
        return self._page(self._say.followers, user=user)

    def following(self, user: int) -> int:
        return self._page(self._say.following, user=user)

    def older_followers(self, place: PlaceInList) -> int:
        return self._page(self._say.older_followers, user=place.user, at=self._time(place.at), key=place.key)

    def older_following(self, place: PlaceInList) -> int:
        return self._page(self._say.older_following, user=place.user, at=self._time(place.at), key=place.key)

    def count(self, user: int) -> tuple[int, int]:
        ((_, followers, following),) = self._bare.run(self._say.count, user=user)
        return followers, following

    def is_following(self, follower: int, followed: int) -> bool:
        return bool(self._bare.run(self._say.is_following, follower=follower, followed=followed))

    def relationships(self, viewer: int, users: Sequence[int]) -> int:
        return len(self._bare.run(self._say.relationships, viewer=viewer, **dict(zip("abc", users, strict=True))))

    def follow(self, follower: int, followed: int) -> bool:
        return self._change(self._say.follow, follower, followed)

    def unfollow(self, follower: int, followed: int) -> bool:
        return self._change(self._say.unfollow, follower, followed)

    def close(self) -> None:
        self._bare.close()

    def _page(self, text: str, **values: Any) -> int:
        # Retinue asks for one row more, to know whether there is another page.
        return len(self._bare.run(text, **values)[:20])

    def _change(self, change: Change, follower: int, followed: int) -> bool:
        values = {"follower": follower, "followed": followed, "now": self._time(datetime.now(UTC))}
        self._bare.begin()
        try:
            first = change.first[follower < followed]
            if change.is_single:
                changed = bool(self._bare.run(first, **values)[0][0])
            else:
                changed = self._bare.changed(first, **values) > 0
        except pymysql.err.IntegrityError:  # MariaDB says so that the edge was there
            changed = False
        for text in change.then[follower < followed] if changed else change.otherwise:
            self._bare.run(text, **values)
        self._bare.commit()
        return changed

    def _time(self, at: datetime) -> Any:
        if self._bare.kind == "postgresql":
            return at
        return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
