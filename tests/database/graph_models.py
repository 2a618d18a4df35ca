"""
Two small graphs, and what a test of them needs: people, simultaneous sessions, an audit.

`ONE` keeps a user's counters in one row, `MANY` spreads them over sixteen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any, TypeVar

from sqlalchemy import Engine, String, delete, func, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, mapped_column, sessionmaker

from retinue import Graph, Settings, transact
from retinue.models import now
from retinue.retry import is_retriable
from tests.models import Models, declare

T = TypeVar("T")

#: Seconds after which a session that should have finished has hung.
HUNG = 60.0

#: From a follower to a followed.
Pair = tuple[int, int]


def _declare(settings: Settings) -> Models:
    return declare("Follow", "FollowCount", settings=settings, columns={"name": mapped_column(String(64))})


ONE = _declare(Settings())
MANY = _declare(Settings(counter_slots=16))


def populate(engine: Engine, models: Models, people: int) -> list[int]:
    """Make the tables, or empty them, and so many people; return their keys."""
    if engine.dialect.name == "postgresql":
        find_deadlocks_at_once(engine)
    ids = list(range(1, people + 1))
    with engine.begin() as connection:
        models.metadata.create_all(connection)
        for table in reversed(models.metadata.sorted_tables):
            connection.execute(delete(table))
        connection.execute(insert(models.user.__table__), [{"id": i, "name": f"user {i}"} for i in ids])
    return ids


def find_deadlocks_at_once(engine: Engine) -> None:
    """Let PostgreSQL look for a deadlock before the usual second is over: tests make some on purpose."""
    with engine.begin() as connection:
        if connection.exec_driver_sql("SHOW deadlock_timeout").scalar() == "20ms":
            return
        connection.exec_driver_sql(f"ALTER DATABASE {engine.url.database} SET deadlock_timeout = '20ms'")
    engine.dispose()


def befriend(engine: Engine, models: Models, pairs: Iterable[Pair]) -> None:
    """Let *pairs* follow each other as if from before there were counters: edges without count rows."""
    rows = [{"follower_id": a, "following_id": b, "timestamp": now()} for a, b in pairs]
    with engine.begin() as connection:
        connection.execute(insert(models.follow.__table__), rows)


# --- What is there -------------------------------------------------------------------------------


def edges(engine: Engine, models: Models) -> set[Pair]:
    """Return every edge."""
    table = models.follow.__table__
    with engine.connect() as connection:
        return {(a, b) for a, b in connection.execute(select(table.c.follower_id, table.c.following_id))}


def audit(engine: Engine, models: Models, counted: Iterable[int] = ()) -> set[Pair]:
    """
    Compare the counters with the edges, and return the edges.

    Each user who has a count row must have the right one; those of *counted* must have one.
    """
    row = models.count.__table__.c
    sums = select(row.user_id, func.sum(row.followers), func.sum(row.following)).group_by(row.user_id)
    zero = select(row.user_id).where(row.slot == 0)
    there = edges(engine, models)
    with engine.connect() as connection:
        counts = {user: (int(a), int(b)) for user, a, b in connection.execute(sums)}
        started = set(connection.execute(zero).scalars())
        people = set(connection.execute(select(models.user.__table__.c.id)).scalars())
    real = {user: (sum(b == user for _, b in there), sum(a == user for a, _ in there)) for user in people}
    assert {user for pair in there for user in pair} <= people, "an edge of nobody"
    assert counts == {user: real.get(user) for user in counts}, "counters (left) are not the edges (right)"
    assert started == set(counts), "the slots of a user must include slot 0"
    assert set(counted) & people <= set(counts), "somebody is not counted"
    return there


# --- Sessions that meet --------------------------------------------------------------------------


class Crowd:
    """
    Sessions on connections of their own that do something at the same moment.

    Each reads *readers* first, as a web request reads who is logged in; where that
    begins a snapshot, the snapshot is older than all that the others do.
    """

    def __init__(self, engine: Engine, models: Models, pool: ThreadPoolExecutor) -> None:
        self.engine = engine
        self.models = models
        self.sessions = sessionmaker(engine)
        self._pool = pool

    def race(
        self,
        jobs: Sequence[Callable[[Session], T]],
        reads: Iterable[int] = (),
        *,
        loads: Iterable[Pair] = (),
        patient: bool = False,
    ) -> list[T | DBAPIError]:
        """
        Run each of *jobs* in a transaction of its own, begun before any of them acts.

        Before that it reads the users *reads*, and loads the `Follow` rows of *loads*.
        With *patient* in `transact()`. Returns what each job returned, or the
        database's error that ended it; raises what else one of them raised.
        """
        barrier = Barrier(len(jobs))
        first = [(self.models.user, user) for user in reads] + [(self.models.follow, pair) for pair in loads]

        def run(job: Callable[[Session], T]) -> T | DBAPIError:
            met = False

            def work(session: Session) -> T:
                nonlocal met
                held = [session.get(kind, key) for kind, key in first]
                if not met:
                    met = True
                    barrier.wait(HUNG)
                result = job(session)
                del held  # until here: a session lets go of what nobody holds
                return result

            if patient:
                return transact(self.sessions, work)
            with self.sessions() as session:
                try:
                    result = work(session)
                    session.commit()
                except DBAPIError as error:
                    return error
                return result

        return [future.result(HUNG) for future in [self._pool.submit(run, job) for job in jobs]]

    def graph(self, session: Session) -> Graph[Any]:
        return self.models.graph(session)

    def follow(self, pair: Pair) -> Callable[[Session], object]:
        """Return the job of following."""
        return lambda session: self.graph(session).follow(*pair)

    def unfollow(self, pair: Pair) -> Callable[[Session], object]:
        """Return the job of unfollowing."""
        return lambda session: self.graph(session).unfollow(*pair)

    def audit(self, counted: Iterable[int] = ()) -> set[Pair]:
        return audit(self.engine, self.models, counted)


@contextmanager
def crowd(engine: Engine, models: Models, threads: int) -> Iterator[Crowd]:
    """Give a `Crowd` of up to so many sessions at once."""
    with ThreadPoolExecutor(threads) as pool:
        yield Crowd(engine, models, pool)


def errors(results: Iterable[object]) -> list[DBAPIError]:
    """Return the database's errors among *results*."""
    return [result for result in results if isinstance(result, DBAPIError)]


def refuse_but_retriable(results: Iterable[object]) -> None:
    """Fail if there is an error among *results* that the engine does not call retriable."""
    assert [error for error in errors(results) if not is_retriable(error)] == []
