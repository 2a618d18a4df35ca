"""FastAPI-Users: docs/frameworks.md has an app with its user model; people register, log in, follow and leave."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi_users.db import SQLAlchemyBaseUserTableUUID  # type: ignore[import-not-found]
from sqlalchemy import URL, Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from retinue import BlockMixin, FollowCountMixin, FollowerMixin, FollowMixin, FollowRequestMixin, Settings
from retinue.testing import GraphContract, make_users
from tests.pages import do

ASYNC = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "mariadb": "mariadb+asyncmy"}


class Base(DeclarativeBase):
    pass


class User(FollowerMixin, SQLAlchemyBaseUserTableUUID, Base):  # type: ignore[misc]
    __retinue__ = Settings(active="is_active")

    locked: Mapped[bool] = mapped_column(default=False)


class Follow(FollowMixin, Base):
    __tablename__ = "follow"


class FollowCount(FollowCountMixin, Base):
    __tablename__ = "follow_count"


class FollowRequest(FollowRequestMixin, Base):
    __tablename__ = "follow_request"


class Block(BlockMixin, Base):
    __tablename__ = "block"


@pytest.mark.tables(Base.metadata)
class TestFastAPIUsers(GraphContract):
    """The contract, with keys that are text to one database and a UUID to the other."""

    @pytest.fixture
    def users(self, engine: Engine) -> Iterator[list[Any]]:
        with Session(engine) as session:
            yield make_users(session, User, 6)


@pytest.fixture
def page(database: URL, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Give the names of the page's section, on a new database."""
    address = database.set(drivername=ASYNC[database.get_backend_name()])
    monkeypatch.setenv("DATABASE_URL", address.render_as_string(hide_password=False))
    monkeypatch.setenv("SECRET", "a secret that is long enough for a signature")
    names: dict[str, Any] = {"__name__": __name__}
    do("frameworks.md", names, "With FastAPI-Users")
    return SimpleNamespace(**names)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_people_register_log_in_and_follow(page: SimpleNamespace) -> None:
    """By the routes of FastAPI-Users and those of the page; who is deleted is in no list and no count."""

    async def scene() -> None:
        async with page.engine.begin() as connection:
            await connection.run_sync(page.Base.metadata.create_all)
        transport = httpx.ASGITransport(page.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            ids = {}
            for name in ("ada", "bo", "cy"):
                known = {"email": f"{name}@example.com", "password": f"a password of {name}"}
                ids[name] = (await client.post("/auth/register", json=known)).raise_for_status().json()["id"]

            async def logged_in(name: str) -> dict[str, str]:
                form = {"username": f"{name}@example.com", "password": f"a password of {name}"}
                token = (await client.post("/auth/jwt/login", data=form)).raise_for_status().json()["access_token"]
                return {"Authorization": f"Bearer {token}"}

            ada, bo = await logged_in("ada"), await logged_in("bo")
            follow = f"/users/{ids['cy']}/follow"
            assert [(await client.put(follow, headers=who)).json() for who in (ada, ada, bo)] == [
                "followed",
                "unchanged",
                "followed",
            ]
            assert (await client.put(follow)).status_code == 401
            assert (await client.put(f"/users/{uuid.uuid4()}/follow", headers=ada)).status_code == 404
            assert (await client.put(f"/users/{ids['ada']}/follow", headers=ada)).status_code == 403

            async def followers(viewer: dict[str, str]) -> list[str]:
                answer = await client.get(f"/users/{ids['cy']}/followers", headers=viewer)
                return [person["user"]["id"] for person in answer.raise_for_status().json()["items"]]

            assert await followers(ada) == [ids["bo"], ids["ada"]]

            async with page.sessions() as session:
                user_db = page.SQLAlchemyUserDatabase(session, page.User)
                manager = page.UserManager(user_db)
                await manager.delete(await manager.get(uuid.UUID(ids["bo"])))
            assert await followers(ada) == [ids["ada"]]
            async with page.sessions() as session:
                graph = page.AsyncGraph(session, page.User)
                counts = await graph.counts([uuid.UUID(ids["cy"])])
                assert [one.followers for one in counts.values()] == [1]

            async with page.sessions() as session:
                user = await session.get(page.User, uuid.UUID(ids["ada"]))
                user.is_active = False
                await session.commit()
            assert await followers(await logged_in("cy")) == []
        await page.engine.dispose()

    asyncio.run(scene())
