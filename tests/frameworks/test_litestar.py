"""Litestar with its SQLAlchemy plugin: docs/frameworks.md has an app on Advanced Alchemy's bases."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import URL

from retinue import Counts
from tests.frameworks.alchemy import AsyncTestClient, bases_of_ones_own
from tests.pages import do

#: What Advanced Alchemy uses itself: of SQLAlchemy, and of its own.
pytestmark = pytest.mark.filterwarnings(
    "ignore:The declarative_mixin decorator:sqlalchemy.exc.SADeprecationWarning",
    "ignore:Call to deprecated function 'set_async_context':DeprecationWarning",
)


@pytest.fixture
def page(database: URL, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Give the names of the page's section, on a new database."""
    monkeypatch.setenv("DATABASE_URL", str(database.set(drivername="sqlite+aiosqlite")))
    bases = bases_of_ones_own()
    for name in ("DefaultBase", "UUIDAuditBase"):
        monkeypatch.setattr(f"advanced_alchemy.base.{name}", getattr(bases, name))
    names: dict[str, Any] = {"__name__": __name__}
    do("frameworks.md", names, "With Advanced Alchemy and Litestar")
    return SimpleNamespace(**names, metadata=bases.metadata)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # its client has a loop of its own, as no server has
def test_people_follow_and_leave(page: SimpleNamespace) -> None:
    """By the routes of the page, whose session the plugin gives and commits."""

    async def scene() -> None:
        async with AsyncTestClient(page.app) as client:
            # The plugin made the tables of the one registry that applications have, and this is another one.
            async with page.alchemy.get_engine().begin() as connection:
                await connection.run_sync(page.metadata.create_all)
            joined = [(await client.post("/users", params={"name": name})).json() for name in ("ada", "bo", "cy")]
            assert [user.keys() for user in joined] == [{"id", "name"}] * 3
            ada, bo, cy = (user["id"] for user in joined)

            async def follow(who: str, whom: str) -> Any:
                answer = await client.put(f"/users/{whom}/follow", headers={"x-user": who})
                return answer.json()["outcome"] if answer.is_success else answer.status_code

            asked = [(bo, ada), (cy, ada), (cy, ada), (ada, bo), (ada, str(uuid4()))]
            assert [await follow(*pair) for pair in asked] == ["followed", "followed", "unchanged", "followed", 404]
            assert (await client.get(f"/users/{ada}/followers")).json() == ["cy", "bo"]

            assert (await client.delete(f"/users/{bo}")).status_code == 204
            assert (await client.get(f"/users/{ada}/followers")).json() == ["cy"]
            async with page.alchemy.get_session() as session:
                counts = await page.AsyncGraph(session, page.User).counts([UUID(ada)])
            assert list(counts.values()) == [Counts(followers=1, following=0)]

    asyncio.run(scene())
