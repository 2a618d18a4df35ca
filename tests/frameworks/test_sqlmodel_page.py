"""docs/sqlmodel.md does what it says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import sqlmodel
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import registry

from retinue import prepare_engine
from tests.fastapi.client import Client
from tests.pages import do


def test_the_page_works_to_the_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who types what the page shows sees what it shows, with an async session too."""

    class SQLModel(sqlmodel.SQLModel, registry=registry()):
        """The base of the page alone: other tests have other tables."""

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sqlmodel, "SQLModel", SQLModel)
    names: dict[str, Any] = {"__name__": __name__}

    do("sqlmodel.md", names)
    names["session"].close()
    names["engine"].dispose()

    async def follow() -> tuple[str, int]:
        engine = prepare_engine(create_async_engine("sqlite+aiosqlite:///people.db"))
        async with names["AsyncSession"](engine) as session:
            user = names["User"]
            dee, eli = user(name="dee"), user(name="eli")
            session.add_all([dee, eli])
            await session.commit()
            followed: int = eli.id
            outcome: str = await names["follow"](session, dee.id, followed)
        await engine.dispose()
        return outcome, followed

    outcome, eli = asyncio.run(follow())
    assert outcome == "followed"
    with Client(names["app"]) as client:
        (person,) = client.get(f"/users/{eli}/followers").json()["items"]
        assert person["user"] == {"id": eli - 1, "name": "dee"}
        assert client.get("/users/999/followers").json()["items"] == []
    names["engine"].dispose()
