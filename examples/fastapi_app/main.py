"""The application: ``uvicorn examples.fastapi_app.main:app``, on the database that ``DATABASE_URL`` names."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from examples.fastapi_app import accounts, own, people
from examples.fastapi_app.models import Base
from retinue import prepare_engine
from retinue.fastapi import add_error_handlers


def make_app(database: str | URL) -> FastAPI:
    """Return the application on a database, such as ``postgresql+asyncpg://localhost/app``."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = prepare_engine(create_async_engine(database))
        # So that it starts by one command: an application that lives has migrations.
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        # What an answer shows is not asked for again after the commit.
        app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
        try:
            yield
        finally:
            await engine.dispose()

    app = FastAPI(title="Followers", lifespan=lifespan, generate_unique_id_function=_name_of)
    add_error_handlers(app)
    for part in (accounts, people, own):
        app.include_router(part.router)
    return app


def _name_of(route: APIRoute) -> str:
    """Return what a generated client calls this: ``follow()``, and not ``follow_users__user_id__follow_post()``."""
    return route.name


app = make_app(os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///fastapi_app.sqlite3"))
