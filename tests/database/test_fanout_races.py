"""
Home timelines that are kept ready, while posters, followers, readers and workers meet.

Some tests stop one session at a place and let another go on; the others let many loose, while
judges look: each in one snapshot, in which a page must be what a search through the posts finds.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from retinue import BlockedError, Settings, UnknownUserError, fanout, transact
from tests.database.graph_models import HUNG
from tests.database.kept_timelines import Kept, before, own_engine, truth, walk
from tests.database.kept_writers import hang
from tests.database.test_kill import wait_until_the_server_knows
from tests.database.writers import PROCESSES

if TYPE_CHECKING:
    from tests.servers import Server

KEPT = Kept(Settings(active="active", fan_out_most=None))
SHORT = Kept(Settings(active="active", fan_out_most=None, timeline_length=2))
HYBRID = Kept(Settings(active="active", fan_out_most=4, timeline_length=4))


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mariadb"])
def engine(
    request: pytest.FixtureRequest, server: Callable[[str], Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    with own_engine(request.param, server, tmp_path_factory.mktemp("races")) as engine:
        yield engine


@contextmanager
def beside(*others: Callable[[], object]) -> Iterator[None]:
    """
    Let *others* begin within the block, which has a transaction open, and end after it.

    The block goes on when all of them are done or wait for it; whether they waited, no test depends on.
    """
    failed: list[BaseException] = []

    def run(other: Callable[[], object]) -> None:
        try:
            other()
        except BaseException as error:  # noqa: BLE001 - raised below, in the thread of the test
            failed.append(error)

    threads = [threading.Thread(target=run, args=(other,)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(0.25)
    yield
    for thread in threads:
        thread.join(HUNG)
    assert not any(thread.is_alive() for thread in threads)
    if failed:
        raise failed[0]


# --- One stops, the other goes on ----------------------------------------------------------------


def test_a_follow_that_commits_while_a_post_is_sent(engine: Engine) -> None:
    """The followers were read before it; it is filled after that."""
    place = KEPT.begin(engine, 3, readers=[1, 3])
    place.follow((3, 2))
    place.work()
    place.post(2, 1)
    unit = place.told.pop()
    with before(engine, "send", lambda: place.follow((1, 2))):
        place.chain(unit)
    assert place.size(place.senders) == 0
    place.check(1, 3)
    for unit in list(place.told):
        place.chain(unit)
    assert place.kept(1) == [1]
    place.check(1, 3)


def test_a_follow_that_was_begun_before_a_post_is_sent(engine: Engine) -> None:
    """Nobody else sees it until it commits, and then it is filled."""
    place = KEPT.begin(engine, 3, readers=[1, 3])
    place.post(2, 1)
    unit = place.told.pop()

    def send_and_fill() -> None:
        place.chain(unit)
        place.work()

    with place.sessions() as session, beside(send_and_fill):
        place.graph(session).follow(1, 2)
        session.flush()
        with beside(send_and_fill):
            session.commit()
    place.check(1, 3)
    place.work()
    assert place.kept(1) == [1]


def test_a_post_that_commits_while_the_last_unit_ends(engine: Engine) -> None:
    """The unit has sent what it saw, and must not say that all is sent."""
    place = KEPT.begin(engine, 2, readers=[1])
    place.follow((1, 2))
    place.work()
    place.post(2, 1)
    # SQLite: the unit has written, so a post at this moment waits for it.
    statement = "send" if engine.dialect.name == "sqlite" else "delete_sender"
    with before(engine, statement, lambda: place.post(2, 2)):
        place.chain(place.told.pop())
    assert place.size(place.senders) == 1
    place.check(1, 2)
    place.chain(place.told.pop())
    assert (place.kept(1), place.size(place.senders)) == ([2, 1], 0)
    place.check(1, 2)


def test_a_post_that_commits_after_the_last_unit_has_ended(engine: Engine) -> None:
    """It was begun before, and waits for the row or makes a new one."""
    place = KEPT.begin(engine, 2, readers=[1])
    place.follow((1, 2))
    place.work()
    place.post(2, 1)
    unit = place.told.pop()
    with place.sessions() as session:
        session.add(place.made(2, 2))
        session.flush()
        with beside(lambda: place.chain(unit)):
            session.commit()
    place.check(1, 2)
    place.work()
    assert place.kept(1) == [2, 1]
    place.check(1, 2)


def test_a_follow_that_commits_during_a_fill(engine: Engine) -> None:
    """The fill has not seen the new posts, and must not say that all is there."""
    place = KEPT.begin(engine, 3, readers=[1])
    place.post(3, 1)
    place.work()
    place.follow((1, 2))
    with before(engine, "keep", lambda: place.follow((1, 3))):
        place.run(place.told.pop())
    assert place.complete_after(1) is None
    place.check(1)
    place.work()
    assert place.kept(1) == [1]


def test_a_fill_that_ends_while_a_follow_is_open(engine: Engine) -> None:
    """The follow has noted it, or will."""
    place = KEPT.begin(engine, 3, readers=[1])
    place.post(3, 1)
    place.work()
    place.follow((1, 2))
    unit = place.told.pop()
    with place.sessions() as session:
        place.graph(session).follow(1, 3)
        with beside(lambda: place.run(unit)):
            session.commit()
    assert place.complete_after(1) is None
    place.check(1)


def test_a_post_that_commits_during_a_fill(engine: Engine) -> None:
    """The fill has not seen it; but it is sent to whoever has a timeline, also one that is being filled."""
    place = KEPT.begin(engine, 3, readers=[1])
    place.post(2, 1)
    place.work()
    place.follow((1, 2))
    fill = place.told.pop()

    def post_and_send() -> None:
        place.post(2, 2)
        place.check(1)
        place.chain(place.told.pop())

    with before(engine, "keep", post_and_send):
        place.run(fill)
    assert (place.kept(1), place.size(place.senders)) == ([2, 1], 0)
    assert place.complete_after(1) is not None
    place.check(1)


def test_two_fills_of_one_timeline(engine: Engine) -> None:
    """The later one has let go of what was not needed: the earlier one must not ask for more."""
    place = SHORT.begin(engine, 3, readers=[1])
    place.follow((1, 2))
    place.work()
    for number in (10, 20, 30):
        place.post(2, number)
        place.work()
    place.follow((1, 3))
    fill = place.told.pop()

    def meanwhile() -> None:
        # One that is late, then two that push it out.
        for number in (25, 40, 50):
            place.post(2, number)
            place.chain(place.told.pop())
        place.run(fill)
        assert place.kept(1) == [50, 40]

    with before(engine, "keep", meanwhile):
        place.run(fill)
    place.check(1, limit=3)
    place.work()
    place.check(1, limit=3)


def test_who_comes_while_their_follow_is_open(engine: Engine) -> None:
    """Nobody keeps a timeline for them yet that the follow could mark."""
    place = KEPT.begin(engine, 3)
    place.post(2, 1)
    place.work()

    def come() -> None:
        place.act(lambda graph: graph.mark_active(1))
        place.work()

    with place.sessions() as session:
        place.graph(session).follow(1, 2)
        with beside(come):
            session.commit()
    place.check(1)
    place.work()
    place.check(1)
    assert place.kept(1) == [1]


def test_who_comes_while_a_post_is_sent(engine: Engine) -> None:
    """The unit did not see them; their fill sees the post."""
    place = KEPT.begin(engine, 3, readers=[3])
    place.follow((1, 2), (3, 2))
    place.work()
    place.post(2, 1)
    unit = place.told.pop()
    with before(engine, "send", lambda: place.act(lambda graph: graph.mark_active(1))):
        place.chain(unit)
    place.check(1, 3)
    with place.sessions() as session:
        place.post(2, 2)
        unit = place.told.pop()
        place.graph(session).mark_active(2)
        with beside(lambda: place.chain(unit)):
            session.commit()
    place.check(1, 2, 3)
    place.work()
    assert [place.kept(key) for key in (1, 2, 3)] == [[2, 1]] * 3
    place.check(1, 2, 3)


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def lapse(place: Kept, user: int) -> None:
    """Let it be long since *user* was here."""
    row = place.readers
    lapsed = row.update().where(row.c.user_id == user).values(active_at=LONG_AGO)
    transact(place.sessions, lambda session: session.execute(lapsed))


@pytest.mark.parametrize("step", ["reset_lapsed", "delete_lapsed_entries", "delete_lapsed"])
def test_who_comes_back_while_they_are_dropped(engine: Engine, step: str) -> None:
    """Either they are dropped, and then begin anew, or they stay with all that is kept."""
    place = KEPT.begin(engine, 2, readers=[1])
    place.follow((1, 2))
    place.work()
    place.post(2, 1)
    place.work()
    lapse(place, 1)
    come = threading.Thread(target=lambda: place.act(lambda graph: graph.mark_active(1)))

    def start() -> None:
        come.start()
        come.join(0.2)

    with before(engine, step, start):
        place.act(lambda graph: graph.expire())
    come.join(HUNG)
    assert place.size(place.readers) == 1
    place.check(1)
    place.work()
    assert place.kept(1) == [1]
    place.check(1)


def test_who_is_dropped_while_they_come_back(engine: Engine) -> None:
    place = KEPT.begin(engine, 2, readers=[1])
    place.follow((1, 2))
    place.work()
    place.post(2, 1)
    place.work()
    lapse(place, 1)
    with place.sessions() as session:
        place.graph(session).mark_active(1)
        with beside(lambda: place.act(lambda graph: graph.expire())):
            session.commit()
    place.check(1)
    place.work()
    assert place.kept(1) == [1]


def test_who_leaves_and_returns_while_a_post_is_sent(engine: Engine) -> None:
    """What the unit writes after the edge has gone is not seen, and does no harm when it is back."""
    place = KEPT.begin(engine, 3, readers=[1, 3])
    place.follow((1, 2), (3, 2))
    place.work()
    place.post(2, 1)
    place.work()
    place.post(2, 2)
    unit = place.told.pop()
    with before(engine, "send", lambda: place.act(lambda graph: graph.unfollow(1, 2))):
        place.chain(unit)
    assert place.pages(1) == []
    place.check(1, 3)
    place.follow((1, 2))
    place.check(1, 3)
    place.work()
    assert place.kept(1) == [2, 1]
    place.post(2, 3)
    unit = place.told.pop()

    def leave_and_return() -> None:
        place.act(lambda graph: graph.unfollow(1, 2))
        place.follow((1, 2))

    with before(engine, "send", leave_and_return):
        place.chain(unit)
    place.check(1, 3)
    place.work()
    assert place.kept(1) == [3, 2, 1]
    place.check(1, 3)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("what", ["a post", "a reader", "the author"])
def test_what_is_deleted_while_a_post_is_sent(engine: Engine, what: str) -> None:
    """A worker meets no error: what is gone is not written to, nor of."""
    place = KEPT.begin(engine, 4, readers=[1, 3])
    place.follow((1, 2), (3, 2), (4, 2))
    place.work()
    place.post(2, 1, 2)
    send = place.told.pop()
    place.act(lambda graph: graph.mark_active(4))
    fill = place.told.pop()
    with place.sessions() as session:
        kind, key = {"a post": ("post", 1), "a reader": ("user", 4), "the author": ("user", 2)}[what]
        session.delete(session.get(getattr(place.models, kind), key))
        session.flush()
        with beside(lambda: place.chain(send), lambda: place.chain(fill)):
            session.commit()
    place.check(1, 3)
    place.work()
    assert place.pending() == []
    assert place.kept(1) == place.kept(3) == {"a post": [2], "a reader": [2, 1], "the author": []}[what]
    assert place.kept(4) == ([2] if what == "a post" else [])


def test_many_who_do_the_same_for_one_user_meet_no_error(engine: Engine) -> None:
    """Outside `transact()`: who comes in many windows at once, follows, leaves, posts."""
    place = KEPT.begin(engine, 10)
    barrier = threading.Barrier(8)

    def run(verb: Callable[[Any, Session, int], object], number: int) -> object:
        try:
            with place.sessions() as session:
                session.get(place.models.user, 1)  # begins a snapshot where there are snapshots
                barrier.wait(HUNG)
                result = verb(place.graph(session), session, number)
                session.commit()
                return result
        except DBAPIError as error:
            return error

    verbs: list[Callable[[Any, Session, int], object]] = [
        lambda graph, _session, _number: graph.mark_active(1),
        lambda graph, _session, _number: graph.follow(1, 2),
        lambda _graph, session, number: session.add(place.made(1, number)),
        lambda graph, _session, _number: graph.unfollow(1, 2),
        lambda graph, _session, number: graph.follow(1, 2 + number % 8),
    ]
    with ThreadPoolExecutor(8) as pool:
        for turn, verb in enumerate(verbs * 2, 1):
            results = list(pool.map(lambda number, verb=verb, turn=turn: run(verb, turn * 8 + number), range(8)))
            assert [result for result in results if isinstance(result, DBAPIError)] == []
            if turn == 1:
                assert sorted(results) == [False] * 7 + [True]  # type: ignore[type-var]
    place.work()
    place.check(1, 2)


# --- Many are let loose --------------------------------------------------------------------------


class Crowd:
    """Users and workers who all act at once, each transaction in `transact()`; and judges."""

    def __init__(self, place: Kept, people: int, seconds: float) -> None:
        self.place, self.people = place, people
        self.until = time.monotonic() + seconds
        self.number = iter(range(1, 1_000_000))
        self.lock = threading.Lock()
        self.judged = 0
        self.units: list[str] = []

    def going(self) -> bool:
        return time.monotonic() < self.until

    def users(self, seed: int) -> None:
        """Post, follow, leave, come: one after the other."""
        chance, place = random.Random(seed), self.place
        while self.going():
            a, b = chance.sample(range(1, self.people + 1), 2)
            what = chance.choice(VERBS)
            with self.lock:
                number = next(self.number)

            def act(session: Session, what: str = what, a: int = a, b: int = b, number: int = number) -> None:
                session.get(place.models.user, a)
                if what == "post":
                    session.add(place.made(a, number))
                elif what == "late":
                    session.add(place.made(a, number, ago=chance.choice([5, 20])))
                elif what == "expire":
                    place.graph(session).expire()
                elif what == "mark_active":
                    place.graph(session).mark_active(a)
                else:
                    getattr(place.graph(session), what)(a, b)

            with suppress(BlockedError, UnknownUserError):
                transact(place.sessions, act)
            if what == "mark_active" and chance.random() < 0.3:
                lapse(place, a)

    def work(self, seed: int) -> None:
        """Do units that others are told of; some twice, some late, some never; sweep at times."""
        chance, place = random.Random(seed), self.place
        while self.going():
            try:
                self.units.append(place.told.popleft())
            except IndexError:
                time.sleep(0.001)
            with self.lock:
                unit = (
                    self.units[chance.randrange(max(0, len(self.units) - 12), len(self.units))] if self.units else None
                )
            if unit is not None:
                following = place.run(unit)
                if following is not None and chance.random() < 0.9:
                    self.units.append(following)
            if chance.random() < 0.02:
                fanout.work(place.sessions, place.models.user)

    def judge(self, seed: int) -> None:
        """Look at pages, each time in one snapshot."""
        chance, place = random.Random(seed), self.place
        engine = snapshots_of(place.engine)
        while self.going():
            with engine.connect() as connection:
                if engine.dialect.name == "sqlite":
                    connection.exec_driver_sql("BEGIN")
                with Session(connection) as session:
                    for reader in chance.sample(range(1, self.people + 1), 3):
                        limit = chance.choice([2, 5, 100])
                        seen = walk(place.graph(session), reader, limit)
                        wanted = truth(connection, place.models, reader)
                        assert seen == wanted, (reader, limit, set(seen) ^ set(wanted))
                        self.judged += 1
        engine.dispose()


VERBS = [
    *["post"] * 5,
    *["late", "follow", "follow", "follow", "follow", "unfollow", "unfollow", "remove_follower", "block", "unblock"],
    *["mark_active", "mark_active", "mark_active", "expire", "mute", "unmute"],
]


def snapshots_of(engine: Engine) -> Engine:
    """Return an engine on the same database whose transactions each see one moment."""
    if engine.dialect.name == "sqlite":
        return create_engine(engine.url, connect_args={"isolation_level": None})
    return create_engine(engine.url, isolation_level="REPEATABLE READ")


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "place",
    [
        pytest.param(KEPT, id="push", marks=pytest.mark.long),
        pytest.param(SHORT, id="short", marks=pytest.mark.long),
        pytest.param(HYBRID, id="hybrid"),
    ],
)
def test_a_page_is_right_at_every_moment(engine: Engine, place: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever users and workers do at once; and when they have stopped, nothing is left to be done."""
    monkeypatch.setattr(fanout, "BATCH", 2)
    people = 6
    place.begin(engine, people, readers=range(1, people))
    crowd = Crowd(place, people, seconds=1.2)
    with ThreadPoolExecutor(8) as pool:
        jobs = [
            pool.submit(job, seed) for seed, job in enumerate([crowd.users] * 3 + [crowd.work] * 3 + [crowd.judge] * 2)
        ]
        for job in jobs:
            job.result(HUNG)
    assert crowd.judged
    place.check(*range(1, people + 1), limit=3)
    place.work()
    assert place.pending() == []
    place.check(*range(1, people + 1), limit=3)


# --- Workers that are killed ---------------------------------------------------------------------


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("statement", "times"), [("send", 2), ("delete_sender", 1), ("keep", 1), ("set_complete", 1)])
def test_a_worker_that_is_killed_leaves_nothing_wrong(engine: Engine, statement: str, times: int) -> None:
    """In the middle of a chain, and of a transaction: its posts and whom it filled are seen, and done by `work()`."""
    place = KEPT.begin(engine, 8, readers=range(1, 6))
    place.follow(*((key, 8) for key in range(1, 6)))
    place.work()
    place.post(8, 1)
    send = place.told.pop()
    place.follow((6, 8))
    place.act(lambda graph: graph.mark_active(6))
    fill = place.told.pop()
    reached = PROCESSES.Event()
    url = engine.url.render_as_string(hide_password=False)
    unit = send if "send" in statement else fill
    worker = PROCESSES.Process(target=hang, args=(url, unit, statement, times, reached))
    worker.start()
    assert reached.wait(HUNG)
    worker.kill()
    worker.join(HUNG)
    wait_until_the_server_knows(engine)
    if statement == "send":
        assert [key for key in range(1, 7) if place.kept(key)] == [1, 2]  # the first unit's, as the second was not over
    place.check(*range(1, 9))
    place.work()
    assert place.pending() == []
    assert [place.kept(key) for key in range(1, 7)] == [[1]] * 6
    place.check(*range(1, 9))
