"""The application on a database with empty tables, and clients who are logged in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import URL

from examples.fastapi_app.main import make_app
from examples.fastapi_app.models import User
from examples.fastapi_app.security import token_of

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}

#: What a test of the application is: it gets the town, and awaits.
Scene = Callable[["Town"], Awaitable[None]]


class Town:
    """The application, with people in it."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._clients: list[httpx.AsyncClient] = []

    def client(self, token: str | None = None) -> httpx.AsyncClient:
        """Return a client: somebody's, or nobody's."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        # What fails in the application fails in the test.
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self._app), base_url="http://testserver", headers=headers
        )
        self._clients.append(client)
        return client

    async def people(self, number: int, **of_each: Any) -> list[httpx.AsyncClient]:
        """Return clients of new people, whose ids are 1, 2 and so on; nobody waits for the hash of a password."""
        async with self._app.state.sessions() as session:
            users = [User(username=f"user_{n}", password_hash="none", **of_each) for n in range(number)]
            session.add_all(users)
            await session.commit()
            return [self.client(token_of(user.id)) for user in users]

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@asynccontextmanager
async def opened(database: URL) -> AsyncIterator[Town]:
    """Start the application, and stop it."""
    app = make_app(database.set(drivername=DRIVERS[database.get_backend_name()]))
    async with app.router.lifespan_context(app):
        town = Town(app)
        yield town
        await town.close()


@pytest.fixture
def play(database: URL) -> Callable[[Scene], None]:
    """Give what plays a scene in a new town."""

    async def played(scene: Scene) -> None:
        async with opened(database) as town:
            await scene(town)

    return lambda scene: asyncio.run(played(scene))
