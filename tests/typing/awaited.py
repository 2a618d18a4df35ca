"""What type checkers make of async code: each ``assert_type`` is checked by mypy and pyright, and nothing is run."""

from __future__ import annotations

from typing import Any, assert_type

from sqlalchemy import ColumnElement, Row
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session, async_sessionmaker
from sqlalchemy.orm import Session, sessionmaker

from retinue import AsyncGraph, Counts, Outcome, Page, Person, transact
from retinue.values import Key
from tests.database.models_plain import User


async def graph(session: AsyncSession, scoped: async_scoped_session[AsyncSession], user: User) -> None:
    """The user class goes through to what comes back."""
    graph = assert_type(AsyncGraph(session, User), AsyncGraph[User])
    assert_type(AsyncGraph(scoped, User), AsyncGraph[User])
    assert_type(await graph.follow(user, 2), Outcome)
    assert_type(await graph.followers(user, viewer=None), Page[Person[User]])
    assert_type([person.user for person in await graph.mutuals(1)], list[User])
    assert_type(await graph.followers(user, columns=(User.id, User.username)), Page[Person[Row[Any]]])
    assert_type(await graph.counts([user, 2]), dict[Key, Counts])
    assert_type(await graph.visible_to(user), ColumnElement[bool])


async def units(sessions: async_sessionmaker[AsyncSession], sync: sessionmaker[Session]) -> None:
    """The sessions and the function are of one kind, and the result is that of the function."""

    async def follow(session: AsyncSession) -> Outcome:
        return await AsyncGraph(session, User).follow(1, 2)

    def rename(session: Session) -> str:
        return session.get_one(User, 1).username

    assert_type(await transact(sessions, follow, attempts=3), Outcome)
    assert_type(transact(sync, rename), str)
    transact(sessions, rename)  # type: ignore[misc] # pyright: ignore[reportCallIssue, reportArgumentType]
