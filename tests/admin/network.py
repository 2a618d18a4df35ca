"""What the admin screens show: models, a network with a celebrity, what pages load, and the set-ups of docs/admin.md."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import anyio
import httpx
import pytest
from sqlalchemy import Engine, NullPool, String, event, insert
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from retinue import (
    BlockMixin,
    FollowCountMixin,
    FollowerMixin,
    FollowMixin,
    FollowRequestMixin,
    MuteMixin,
    NotificationMixin,
    prepare_engine,
)
from retinue.doctor import examine

PAGE: Final = (Path(__file__).resolve().parents[2] / "docs" / "admin.md").read_text()

#: How many follow the celebrity, who is user 1.
MANY: Final = 2_000


#: What an engine may do otherwise, and what it may not.
ON_EVERY_ENGINE: Final = pytest.mark.parametrize(
    "database", ["sqlite", "postgresql", pytest.param("mariadb", marks=pytest.mark.long)], indirect=True
)
ON_SQLITE: Final = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Base(DeclarativeBase):
    pass


class User(FollowerMixin, Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    locked: Mapped[bool] = mapped_column(default=False)

    def __str__(self) -> str:
        return self.username


class Follow(FollowMixin, Base):
    __tablename__ = "follows"


class FollowCount(FollowCountMixin, Base):
    __tablename__ = "follow_counts"


class FollowRequest(FollowRequestMixin, Base):
    __tablename__ = "follow_requests"


class Block(BlockMixin, Base):
    __tablename__ = "blocks"


class Mute(MuteMixin, Base):
    __tablename__ = "mutes"


class Notification(NotificationMixin, Base):
    __tablename__ = "notifications"


def set_up(package: str, **names: Any) -> Any:
    """Run what docs/admin.md says of *package*, word for word, with these *names*; return its ``admin``."""
    (code,) = re.findall(rf"^## {package}$.*?^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    models = ModuleType("models")
    vars(models).update(User=User, Follow=Follow, FollowRequest=FollowRequest, Block=Block, Mute=Mute)
    before = sys.modules.get("models")
    sys.modules["models"] = models
    try:
        exec(code, names)
    finally:
        del sys.modules["models"]
        if before is not None:
            sys.modules["models"] = before
    return names["admin"]


def populate(engine: Engine, followers: int = MANY) -> None:
    """Let so many users follow user 1, who follows 2 to 4; 5 blocks 6, 7 mutes 8, and 9 and 11 have asked 10."""
    everybody = range(1, followers + 2)
    with Session(engine) as session:
        users = [{"id": user, "username": f"user {user}", "locked": user == 10} for user in everybody]
        session.execute(insert(User), users)
        session.execute(insert(Follow), [{"follower_id": user, "following_id": 1} for user in everybody[1:]])
        graph = session.get_one(User, 1).graph
        for followed in (2, 3, 4):
            graph.follow(1, followed)
        graph.block(5, 6)
        graph.mute(7, 8)
        graph.follow(9, 10)
        graph.follow(11, 10)
        session.commit()


def wrong(engine: Engine) -> list[object]:
    """Return what is wrong with the counts and rows of the network."""
    return list(examine(engine, User))


def rows(engine: Engine, model: type[Any]) -> set[tuple[int, int]]:
    """Return the two users of each row of *model*."""
    with Session(engine) as session:
        return {tuple(row) for row in session.query(*model.__table__.primary_key)}


def told(engine: Engine) -> set[tuple[int, int]]:
    """Return who is told of whom."""
    with Session(engine) as session:
        return {(row.recipient_id, row.actor_id) for row in session.query(Notification)}


def counts(engine: Engine, user: int) -> tuple[int, int]:
    """Return how many follow *user*, and how many *user* follows."""
    with Session(engine) as session:
        found = session.get_one(User, 1).graph.counts([user])[user]
    return found.followers, found.following


@contextmanager
def loading(engine: Engine) -> Iterator[Counter[str]]:
    """Count the objects that the block loads, by class, and its ``statements``."""
    loaded: Counter[str] = Counter()

    def load(state: Any, _context: object) -> None:
        loaded[type(state).__name__] += 1

    def execute(*_arguments: object) -> None:
        loaded["statements"] += 1

    event.listen(Base, "load", load, propagate=True)
    event.listen(engine, "before_cursor_execute", execute)
    try:
        yield loaded
    finally:
        event.remove(Base, "load", load)
        event.remove(engine, "before_cursor_execute", execute)


def assert_light(ask: Browser, used: Engine, pages: dict[str, str], *, statements: int) -> None:
    """See that each of *pages* opens, has its text, and loads no more users and follows by *used* than it shows."""
    for page, text in pages.items():
        with loading(used) as loaded:
            answer = ask("GET", f"/admin/{page}")
        assert (page, answer.status_code) == (page, 200)
        assert text in answer.text, page
        assert loaded["statements"] <= statements, (page, loaded)
        assert loaded["User"] <= 20, (page, loaded)
        assert loaded["Follow"] <= (10 if page.startswith("follow/") else 0), (page, loaded)


def assert_deleted(engine: Engine) -> None:
    """See what is left of `populate(engine, 12)`, counted, without three follows, all requests, blocks, mutes, and 5 and 11."""
    assert (counts(engine, 1), counts(engine, 2), counts(engine, 4)) == ((8, 1), (1, 0), (0, 1))
    assert [rows(engine, model) for model in (FollowRequest, Block, Mute)] == [set(), set(), set()]
    assert (10, 9) not in told(engine)
    assert wrong(engine) == []


#: The asynchronous driver for each kind of database.
ASYNC: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "mariadb": "mariadb+asyncmy"}


def sessions_of(engine: Engine, kind: str) -> tuple[Any, Engine]:
    """Return what makes sessions on the database of *engine*, sync or async as *kind* says, and the engine of those."""
    if kind == "sync":
        return sessionmaker(engine), engine
    # Each request has an event loop of its own here, so no connection may outlive it.
    url = engine.url.set(drivername=ASYNC[engine.dialect.name])
    aengine = create_async_engine(url, poolclass=NullPool)
    prepare_engine(aengine.sync_engine)
    return async_sessionmaker(aengine, expire_on_commit=False), aengine.sync_engine


class Browser:
    """Asks an ASGI app, keeps its cookies, and follows no redirect; what the app raises, it raises."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.cookies = httpx.Cookies()

    def __call__(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        return anyio.run(self._ask, method, path, arguments)

    async def _ask(self, method: str, path: str, arguments: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://admin.test", cookies=self.cookies) as client:
            response = await client.request(method, path, **arguments)
            self.cookies = client.cookies
            return response
