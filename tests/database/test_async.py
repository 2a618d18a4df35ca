"""Async sessions run the same graph, inside `run_sync`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import URL, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from retinue import Event, Followed, Graph, Outcome, Unfollowed, listen, prepare_engine
from retinue.testing import audited, make_users
from tests.database.models_plain import Base, Follow, User
from tests.servers import Server

DRIVERS = ("sqlite+aiosqlite", "postgresql+asyncpg", "postgresql+psycopg")


@pytest.fixture(params=DRIVERS)
def address(request: pytest.FixtureRequest, tmp_path: object, server: Callable[[str], Server]) -> URL:
    """Give the address of an empty database for each async driver."""
    if request.param.startswith("sqlite"):
        return URL.create(request.param, database=f"{tmp_path}/retinue.sqlite3")
    return server("postgresql").create_database().set(drivername=request.param)


@asynccontextmanager
async def opened(address: URL) -> AsyncIterator[AsyncEngine]:
    """Give a prepared engine, with the tables."""
    engine = prepare_engine(create_async_engine(address))
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield engine
    await engine.dispose()


def test_the_whole_graph_works_in_run_sync(address: URL) -> None:
    """Verbs, lists, counts and rollbacks, with their statements and events, as from sync code."""

    async def run() -> None:
        async with opened(address) as engine, AsyncSession(engine, expire_on_commit=False) as session:
            users = await session.run_sync(lambda s: make_users(s, User, 4))
            a, b, c, d = users
            await session.commit()

            def work(s: Session) -> None:
                graph = Graph(s, User)
                assert graph.follow(a, b) is Outcome.FOLLOWED
                assert graph.follow(a, b) is Outcome.UNCHANGED
                assert c.follow(a)
                with s.begin_nested() as savepoint:
                    graph.follow(b, a)
                    savepoint.rollback()
                d.follow(a)
                assert graph.unfollow(d, a)

            with audited(engine):
                await session.run_sync(work)
            assert heard == []
            await session.commit()
            assert [type(event) for event in heard] == [Followed, Followed, Followed, Unfollowed]

            def look(s: Session) -> None:
                graph = Graph(s, User)
                assert [person.user for person in graph.followers(a)] == [c]
                assert graph.counts([a])[a.id].following == 1
                assert a.follows.all() == [b]
                assert graph.relationships(a, [b, c])[c.id].followed_by

            await session.run_sync(look)

            await session.delete(b)
            await session.commit()
            assert (await session.scalars(select(Follow.follower_id))).all() == [c.id]
            await session.rollback()

    heard: list[Event] = []
    stop = listen(User, Event, heard.append)
    try:
        asyncio.run(run())
    finally:
        stop()


def test_many_tasks_follow_the_same_user_at_once(address: URL) -> None:
    """Each in a session of its own, on a prepared engine: nobody is lost, and the count is right."""

    async def run() -> None:
        async with opened(address) as engine:
            async with AsyncSession(engine) as session:
                users = await session.run_sync(lambda s: make_users(s, User, 9))
                star, *fans = [user.id for user in users]
                await session.commit()

            async def follow(fan: int) -> None:
                async with AsyncSession(engine) as session:
                    await session.run_sync(lambda s: Graph(s, User).follow(fan, star))
                    await session.commit()

            await asyncio.gather(*(follow(fan) for fan in fans * 2))
            async with AsyncSession(engine) as session:
                counts = await session.run_sync(lambda s: Graph(s, User).counts([star]))
            assert counts[star].followers == len(fans)

    asyncio.run(run())


def test_an_async_session_is_refused_with_the_way_to_go() -> None:
    """The mistake that everybody makes once gets a sentence."""
    for session in (AsyncSession(), None):
        with pytest.raises(TypeError) as error:
            Graph(session, User)  # type: ignore[arg-type]
        assert ("run_sync" in str(error.value)) == (session is not None)
