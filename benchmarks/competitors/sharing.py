"""What else reads in Retinue's database: Retinue in other ways of use, and SQLAlchemy's ORM without it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import URL, or_, select
from sqlalchemy.orm import Session

from benchmarks.competitor import Competitor, Shown
from benchmarks.competitors.retinue import Retinue
from benchmarks.results import ENTITIES, REQUESTS, RETINUE
from benchmarks.results import ORM as ORM_NAME
from retinue import Graph


class RetinueEntities(Retinue):
    """With users and posts as the application's own objects."""

    name = ENTITIES
    shares = RETINUE

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        self.person = self.entry = None

    def offers(self, operation: str) -> bool:
        return operation in {"first_page", "page_from", "mutuals", "followers_you_know", "suggestions", "home_timeline"}


class RetinueRequests(Retinue):
    """With a session for each call, as web applications have it: begun by it, and given back after it."""

    name = REQUESTS
    shares = RETINUE

    def offers(self, operation: str) -> bool:
        return operation in {"is_following", "first_page", "counts"}

    def operation(self, name: str) -> Callable[..., Any]:
        asked = getattr(Retinue, name)

        def request(*arguments: Any) -> Any:
            with Session(self.engine) as self.session:
                self.graph = Graph(self.session, self.models.user)
                return asked(self, *arguments)

        return request


class ORM(Competitor):
    """The select that an application writes with SQLAlchemy's ORM for the same page, on the same tables."""

    name = ORM_NAME
    shares = RETINUE

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        self._retinue = Retinue(url)
        self._session, self._user = self._retinue.session, self._retinue.models.user
        self._follow = self._retinue.models.others[0]

    def close(self) -> None:
        self._retinue.close()

    def first_page(self, user: int) -> list[Shown]:
        return self._page(user)

    def place_at(self, user: int, depth: int) -> Any:
        follow = self._follow
        place = (
            select(follow.timestamp, follow.follower_id).where(follow.following_id == user).order_by(*self._newest())
        )
        return self._session.execute(place.limit(1).offset(depth - 1)).one()

    def page_from(self, user: int, place: Any) -> list[Shown]:
        at, key = place
        follow = self._follow
        return self._page(user, follow.timestamp <= at, or_(follow.timestamp < at, follow.follower_id < key))

    def _page(self, user: int, *older: Any) -> list[Shown]:
        follow = self._follow
        page = select(self._user, follow.timestamp).join(follow, follow.follower_id == self._user.id)
        found = self._session.execute(
            page.where(follow.following_id == user, *older).order_by(*self._newest()).limit(20)
        )
        return [(one.id, one.username) for one, _ in found]

    def _newest(self) -> Sequence[Any]:
        return self._follow.timestamp.desc(), self._follow.follower_id.desc()
