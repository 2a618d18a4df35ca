"""`AsyncGraph` and `transact()` in async code, on every async driver; and what is said where nobody awaits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest
from sqlalchemy import URL, Connection, Engine, event, select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import Session, mapped_column, sessionmaker
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlalchemy.types import String

from retinue import (
    AsyncGraph,
    AsyncSessionError,
    BlockedError,
    Event,
    Followed,
    Graph,
    NotVisibleError,
    Only,
    Outcome,
    Settings,
    UnknownUserError,
    fanout,
    listen,
    prepare_engine,
    retry,
    transact,
)
from retinue.doctor import examine, recount
from retinue.insight import statistics
from retinue.models import now
from retinue.suggesting import suggest_to_all
from retinue.testing import audited, count_statements, make_users
from retinue.transfer import export_follows, import_follows
from tests.database.graph_models import HUNG, ONE, audit, find_deadlocks_at_once
from tests.models import FLAGS, MIXINS, declare, posts_with_authors

T = TypeVar("T")
Sessions = async_sessionmaker[AsyncSession]

DRIVERS: Final = {
    "aiosqlite": "sqlite",
    "asyncpg": "postgresql",
    "psycopg": "postgresql",
    "asyncmy": "mariadb",
    "aiomysql": "mariadb",
}

WHOLE = declare(
    *MIXINS,
    flags=tuple(FLAGS),
    settings=Settings(name="name"),
    columns={"name": mapped_column(String(64))},
    posts=posts_with_authors,
)


PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "async.md"


def on(*drivers: str, in_long_runs: tuple[str, ...] = ()) -> pytest.MarkDecorator:
    """Run a test with each of *drivers*, on its database; with those *in_long_runs* then."""
    marks = dict.fromkeys(in_long_runs, pytest.mark.long)
    pairs = [
        pytest.param(DRIVERS[driver], driver, id=driver, marks=marks.get(driver, ()))
        for driver in (*drivers, *in_long_runs)
    ]
    return pytest.mark.parametrize(("database", "driver"), pairs, indirect=["database"])


everywhere = on(*DRIVERS)
#: With the more common driver of each engine, and with the others in long runs.
mostly = on("aiosqlite", "asyncpg", "asyncmy", in_long_runs=("psycopg", "aiomysql"))


@asynccontextmanager
async def sessions_on(database: URL, driver: str) -> AsyncIterator[tuple[AsyncEngine, Sessions]]:
    """Give a prepared engine for *driver*, with sessions as SQLAlchemy recommends them for async code."""
    url = database.set(drivername=f"{database.get_backend_name()}+{driver}")
    engine = prepare_engine(create_async_engine(url, poolclass=AsyncAdaptedQueuePool, pool_size=20))
    try:
        yield engine, async_sessionmaker(engine, expire_on_commit=False)
    finally:
        await engine.dispose()


def run(work: Callable[[AsyncEngine, Sessions], Awaitable[T]], database: URL, driver: str) -> T:
    """Run *work* in an event loop of its own, at most a minute long; nothing of it keeps a connection."""

    async def main() -> T:
        async with asyncio.timeout(HUNG), sessions_on(database, driver) as (engine, sessions):
            result = await work(engine, sessions)
            assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
            return result

    return asyncio.run(main())


async def people(sessions: Sessions, user: type[Any], number: int) -> list[Any]:
    """Make so many users, and commit."""

    async def make(session: AsyncSession) -> list[Any]:
        return await session.run_sync(lambda s: make_users(s, user, number))

    return await transact(sessions, make)


# --- The graph -----------------------------------------------------------------------------------


@mostly
@pytest.mark.tables(WHOLE.metadata)
def test_what_sync_code_does_async_code_does_awaited(database: URL, driver: str) -> None:
    """Every method once or more; and all that they return is loaded."""
    awaited: set[str] = set()

    class Noting(AsyncGraph[Any]):
        async def _run(self, method: Callable[..., T], *args: Any, **kwargs: Any) -> T:
            awaited.add(method.__name__)
            return await super()._run(method, *args, **kwargs)

    async def work(_engine: AsyncEngine, sessions: Sessions) -> None:
        everybody = await people(sessions, WHOLE.user, 5)
        async with sessions() as session:
            session.add_all(everybody)
            graph = Noting(session, WHOLE.user)
            await verbs(session, graph, *everybody)
            await session.commit()
            await reads(session, graph, *everybody)
            await the_rest(session, graph, *everybody)
            await session.commit()
        assert awaited == {name for name in vars(Graph) if not name.startswith("_")}

    async def verbs(
        session: AsyncSession, graph: AsyncGraph[Any], ann: Any, bob: Any, cleo: Any, dan: Any, eve: Any
    ) -> None:
        assert await graph.follow(ann, bob) is Outcome.FOLLOWED
        assert await graph.follow(ann, bob) is Outcome.UNCHANGED
        for follower in (ann, bob, dan):
            assert await graph.follow(follower, cleo)
        assert await graph.follow(cleo, ann)
        eve.locked = True
        assert await graph.follow(ann, eve) is Outcome.REQUESTED
        assert [person.user for person in await graph.requests(eve)] == [ann]
        assert await graph.accept(eve, ann)
        assert await graph.unfollow(ann, eve)
        assert await graph.mute(ann, dan)
        assert await graph.block(eve, dan, until=now() + timedelta(days=1))
        assert await graph.mark_active(ann)
        session.add_all(WHOLE.post(author_id=author.id, made_at=now()) for author in (bob, cleo, eve))

    async def reads(
        session: AsyncSession, graph: AsyncGraph[Any], ann: Any, bob: Any, cleo: Any, dan: Any, eve: Any
    ) -> None:
        first = await graph.followers(cleo, viewer=ann, limit=2)
        second = await graph.followers(cleo, viewer=ann, limit=2, cursor=first.next)
        assert {person.user.name for person in (*first, *second)} == {ann.name, bob.name, dan.name}
        assert second.next is None
        assert [person.user for person in await graph.followers(cleo, only=Only.MUTUAL)] == [ann]
        assert (await graph.counts([cleo]))[cleo.id].followers == 3
        assert (await graph.relationships(ann, [bob, cleo]))[cleo.id].followed_by
        assert [post.author for post in await graph.home_timeline(ann)] == [cleo, bob]
        assert {one.user for one in await graph.suggestions(bob)} == {ann}
        assert {notice.user for notice in await graph.notifications(cleo)} == {ann, bob, dan}
        assert len((await graph.history(ann, eve)).items) == 3
        visible = select(WHOLE.user).where(await graph.visible_to(dan))
        assert eve not in (await session.scalars(visible)).all()
        for refused, call in (
            (BlockedError, graph.follow(dan, eve)),
            (UnknownUserError, graph.follow(ann, 2**31 - 1)),
            (NotVisibleError, graph.blocks(eve, viewer=ann)),
        ):
            with pytest.raises(refused):
                await call
        assert await graph.is_following(ann, bob)

    async def the_rest(
        session: AsyncSession, graph: AsyncGraph[Any], ann: Any, bob: Any, cleo: Any, dan: Any, eve: Any
    ) -> None:
        for asking in (ann, bob, cleo):
            assert await graph.follow(asking, eve) is Outcome.REQUESTED
        assert [person.user for person in await graph.sent_requests(bob)] == [eve]
        assert await graph.reject(eve, bob)
        assert await graph.reject_all(eve) == 2
        assert await graph.follow(ann, eve) is Outcome.REQUESTED
        assert await graph.accept_all(eve) == 1
        assert await graph.unlock(eve) == 0
        assert await graph.remove_follower(eve, ann)
        assert [person.user for person in await graph.blocks(eve)] == [dan]
        assert await graph.unblock(eve, dan, restore=True)
        assert [person.user for person in await graph.mutes(ann)] == [dan]
        assert await graph.unmute(ann, dan)
        assert [person.user for person in await graph.following(cleo)] == [ann]
        assert [person.user for person in await graph.mutuals(cleo)] == [ann]
        assert [person.user for person in await graph.followers_you_know(ann, cleo)] == [bob]
        assert [one.user for one in await graph.suggested_keys(bob)] == [ann.id]
        assert await graph.dismiss(bob, ann)
        assert await graph.undismiss(bob, ann)
        assert await graph.unread_notifications(cleo) == await graph.mark_read(cleo) == 3
        await graph.note_posts((await session.scalars(select(WHOLE.post.id))).all())
        assert await graph.erase_history(eve) > 3
        assert (await graph.expire()).blocks == 0

    run(work, database, driver)


@mostly
@pytest.mark.tables(ONE.metadata)
def test_events_are_told_after_the_commit_of_an_async_session(database: URL, driver: str) -> None:
    """And never of what was rolled back, be it a savepoint or all."""
    heard: list[Event] = []

    async def work(engine: AsyncEngine, sessions: Sessions) -> None:
        ann, bob, cleo, dan = await people(sessions, ONE.user, 4)
        async with sessions() as session:
            graph = AsyncGraph(session, ONE.user)
            with audited(engine), count_statements(engine) as sent:
                await graph.follow(ann.id, bob.id)
            assert sent
            async with session.begin_nested() as savepoint:
                await graph.follow(ann.id, cleo.id)
                await savepoint.rollback()
            assert heard == []
            await session.commit()
            await graph.follow(ann.id, dan.id)
            await session.rollback()
        assert [(type(one), one.followed_id) for one in heard] == [(Followed, bob.id)]  # type: ignore[attr-defined]

    stop = listen(ONE.user, Event, heard.append)
    try:
        run(work, database, driver)
    finally:
        stop()


@everywhere
@pytest.mark.tables(ONE.metadata)
def test_many_tasks_follow_the_same_user_at_once(database: URL, driver: str, engine: Engine) -> None:
    """Each in a session of its own: nobody is lost, and the count is right."""

    async def work(_engine: AsyncEngine, sessions: Sessions) -> list[int]:
        star, *fans = [user.id for user in await people(sessions, ONE.user, 13)]

        def following(fan: int) -> Callable[[AsyncSession], Awaitable[Outcome]]:
            async def follow(session: AsyncSession) -> Outcome:
                return await AsyncGraph(session, ONE.user).follow(fan, star)

            return follow

        outcomes = await asyncio.gather(*(transact(sessions, following(fan)) for fan in fans * 2))
        assert outcomes.count(Outcome.FOLLOWED) == outcomes.count(Outcome.UNCHANGED) == len(fans)
        async with sessions() as session:
            assert (await AsyncGraph(session, ONE.user).counts([star]))[star].followers == len(fans)
        return [star, *fans]

    assert len(audit(engine, ONE, counted=run(work, database, driver))) == 12


# --- Units of work -------------------------------------------------------------------------------


@on("asyncpg", "psycopg", "asyncmy", "aiomysql")
@pytest.mark.tables(ONE.metadata)
def test_a_deadlock_between_tasks_is_tried_again(database: URL, driver: str, engine: Engine) -> None:
    """The error of each driver says what it is; of two tasks that deadlock one runs again, and both are done."""
    runs = 0

    async def work(_engine: AsyncEngine, sessions: Sessions) -> None:
        a, b, c, d = [user.id for user in await people(sessions, ONE.user, 4)]
        met = asyncio.Barrier(2)

        def both(*pairs: tuple[int, int]) -> Callable[[AsyncSession], Awaitable[None]]:
            attempts = 0

            async def follow(session: AsyncSession) -> None:
                nonlocal attempts, runs
                attempts, runs = attempts + 1, runs + 1
                graph = AsyncGraph(session, ONE.user)
                await graph.follow(*pairs[0])
                if attempts == 1:
                    await met.wait()
                await graph.follow(*pairs[1])

            return follow

        await asyncio.gather(
            transact(sessions, both((a, b), (c, d))),
            transact(sessions, both((c, d), (a, b))),
        )

    if engine.dialect.name == "postgresql":
        find_deadlocks_at_once(engine)
    run(work, database, driver)
    assert runs >= 3
    assert len(audit(engine, ONE)) == 2


@on("aiosqlite")
@pytest.mark.tables(ONE.metadata)
def test_a_unit_of_work_is_as_async_as_its_sessions(database: URL, driver: str) -> None:
    """What nobody can await, or would await, and a session in use are refused, and nothing is done; its own are closed."""

    async def work(engine: AsyncEngine, sessions: Sessions) -> None:
        async def add(session: AsyncSession | Session) -> None:
            session.add(ONE.user(name="nobody"))

        def add_at_once(session: AsyncSession) -> Any:
            session.add(ONE.user(name="nobody"))

        with pytest.raises(TypeError, match="needs a coroutine function"):
            await transact(sessions, add_at_once)
        sync = sessionmaker(engine.sync_engine)
        with pytest.raises(TypeError, match="async_sessionmaker"):
            _ = transact(sync, add)
        async with sessions() as session:
            await session.execute(select(1))
            with pytest.raises(ValueError, match="in use"):
                await transact(lambda: session, add)
            assert session.in_transaction()
            assert (await session.scalars(select(ONE.user))).all() == []

        somebody, used = ONE.user(name="somebody"), sessions()

        async def keep(session: AsyncSession) -> None:
            session.add(somebody)

        await transact(lambda: used, keep)
        assert somebody not in used

    run(work, database, driver)


@mostly
@pytest.mark.tables(WHOLE.metadata)
def test_what_works_in_transactions_of_its_own_works_in_run_sync(database: URL, driver: str, tmp_path: Path) -> None:
    """Jobs take the sync side of the engine; given the async one, they say so. While they pause, other tasks go on."""

    async def work(engine: AsyncEngine, sessions: Sessions) -> None:
        ann, bob = [user.id for user in await people(sessions, WHOLE.user, 2)]
        for given in (engine, sessions):
            with pytest.raises(TypeError, match=r"engine\.sync_engine.*run_sync"):
                recount(given, WHOLE.user)  # type: ignore[arg-type]
        async with sessions() as session:
            await AsyncGraph(session, WHOLE.user).mark_active(ann)
            session.add(WHOLE.post(author_id=bob, made_at=now()))
            await session.commit()
            jobs: list[Callable[[Session], Any]] = [
                lambda _: import_follows(engine.sync_engine, WHOLE.user, [(ann, bob)]),
                lambda _: export_follows(engine.sync_engine, WHOLE.user, tmp_path / "follows.csv"),
                lambda _: recount(engine.sync_engine, WHOLE.user),
                lambda _: examine(engine.sync_engine, WHOLE.user),
                lambda _: suggest_to_all(engine.sync_engine, WHOLE.user, lambda *_: None),
                lambda _: fanout.work(engine.sync_engine, WHOLE.user),
                lambda session: statistics(session, WHOLE.user),
            ]
            for job in jobs:
                await session.run_sync(job)
            assert await AsyncGraph(session, WHOLE.user).is_following(ann, bob)
            assert len((await AsyncGraph(session, WHOLE.user).home_timeline(ann)).items) == 1
            await session.rollback()
            other = asyncio.create_task(asyncio.sleep(0, "went on"))
            await session.run_sync(lambda _: retry._pause(0.001))
            assert other.done()

    run(work, database, driver)


# --- Cancelled -----------------------------------------------------------------------------------


@asynccontextmanager
async def cancelled_at(engine: AsyncEngine, part: str) -> AsyncIterator[None]:
    """Let the task be cancelled that sends a statement with *part* in it, while it waits for the answer."""

    def cancel(_connection: Connection, _cursor: Any, statement: str, *_context: Any) -> None:
        task = asyncio.current_task()
        if part in statement and task is not None:
            task.cancel()

    event.listen(engine.sync_engine, "before_cursor_execute", cancel)
    yield
    event.remove(engine.sync_engine, "before_cursor_execute", cancel)


@everywhere
@pytest.mark.tables(ONE.metadata)
def test_a_verb_that_is_cancelled_half_way_commits_nothing(database: URL, driver: str, engine: Engine) -> None:
    """Whoever catches that cannot commit either; rolled back, the session is as good as new."""

    async def work(async_engine: AsyncEngine, sessions: Sessions) -> None:
        ann, bob = [user.id for user in await people(sessions, ONE.user, 2)]

        async def stubborn() -> None:
            async with sessions() as session:
                graph = AsyncGraph(session, ONE.user)
                async with cancelled_at(async_engine, "follow_counts"):
                    with pytest.raises(asyncio.CancelledError):
                        await graph.follow(ann, bob)
                with pytest.raises(InvalidRequestError):
                    await session.commit()
                await session.rollback()
                assert not await graph.is_following(ann, bob)

        await asyncio.create_task(stubborn())

        async def follow(session: AsyncSession) -> Outcome:
            return await AsyncGraph(session, ONE.user).follow(ann, bob)

        async with cancelled_at(async_engine, "follow_counts"):
            with pytest.raises(asyncio.CancelledError):
                await asyncio.create_task(transact(sessions, follow))
        async with sessions() as session:
            assert not await AsyncGraph(session, ONE.user).is_following(ann, bob)
        assert await transact(sessions, follow) is Outcome.FOLLOWED

    run(work, database, driver)
    assert len(audit(engine, ONE, counted=[])) == 1


# --- Nobody awaits -------------------------------------------------------------------------------


#: What is called on two users of an async session, without await.
UNAWAITED: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "follow": lambda a, b: a.follow(b),
    "unfollow": lambda a, b: a.unfollow(b),
    "is_following": lambda a, b: a.is_following(b),
    "is_a_follower": lambda a, b: a.is_a_follower(b),
    "follows": lambda a, _b: a.follows,
    "followed_by": lambda a, _b: a.followed_by,
    "graph.followers": lambda a, b: a.graph.followers(b),
    "graph.counts": lambda a, b: a.graph.counts([a, b]),
    "graph.visible_to": lambda a, b: a.graph.visible_to(b),
    "graph.expire": lambda a, _b: a.graph.expire(),
}


@on("aiosqlite")
@pytest.mark.parametrize("call", UNAWAITED)
@pytest.mark.parametrize("begun", [False, True], ids=["idle", "begun"])
@pytest.mark.tables(ONE.metadata)
def test_a_call_that_nobody_awaits_says_what_to_write(database: URL, driver: str, call: str, begun: bool) -> None:
    """Before anything is sent: what the session holds back is still there, and it works on; and so does ``run_sync()``."""

    async def work(_engine: AsyncEngine, sessions: Sessions) -> None:
        ann, bob = await people(sessions, ONE.user, 2)
        async with sessions() as session:
            session.add_all((ann, bob))
            if begun:
                await AsyncGraph(session, ONE.user).follow(bob, ann)
            session.add(cleo := ONE.user(name="cleo"))
            with pytest.raises(AsyncSessionError, match=r"AsyncGraph\(session, User\)"):
                UNAWAITED[call](ann, bob)
            assert cleo in session.new
            await session.run_sync(lambda _session: UNAWAITED[call](ann, bob))
            await session.commit()
            assert await AsyncGraph(session, ONE.user).follow(cleo, ann)

    run(work, database, driver)


# --- The page ------------------------------------------------------------------------------------


def test_the_page_about_async_code_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Word for word, from top to bottom: and what it prints stands beside it."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {"__name__": "app"}
    for block in blocks:
        exec(compile(block, "async.md", "exec", dont_inherit=True), names)
    printed = capsys.readouterr().out
    promised = re.findall(r"print\(.*\) +# ([A-Z{2].*)$", "".join(blocks), re.MULTILINE)
    assert len(promised) == 3
    assert [line for line in promised if line not in printed.splitlines()] == []
    assert "users=2, follows=2" in printed
