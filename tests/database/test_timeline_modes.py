"""Pull, push and hybrid: one history, the same pages, whatever has been written to timelines and what has not."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, delete, insert, select
from sqlalchemy.orm import Session, sessionmaker

from retinue import BlockedError, Graph, Settings, TimelineWork, fanout, listen
from tests.database.clock import START, Clock, stopped_clock
from tests.database.kept_timelines import own_engine
from tests.database.models_timeline import declare_posting

if TYPE_CHECKING:
    from tests.servers import Server

USERS = range(1, 7)

#: What each way of making pages says of itself, and whether timelines are kept at all.
MODES: dict[str, tuple[bool, dict[str, Any]]] = {
    "pull": (False, {}),
    "push, short timelines": (True, {"fan_out_most": None, "timeline_length": 3}),
    "hybrid": (True, {"fan_out_most": 2}),
}


class World:
    """One database, in which things happen."""

    clock: Clock

    def __init__(self, engine: Engine, *, kept: bool, choices: dict[str, Any]) -> None:
        self.models = declare_posting(Settings(active="active", **choices), kept=kept)
        self.kept = kept
        self.sessions = sessionmaker(engine)
        self.queue: list[str] = []
        listen(self.models.user, TimelineWork, lambda work: self.queue.append(work.unit))
        self.models.metadata.create_all(engine)

    def begin(self, clock: Clock) -> None:
        """Start again: nobody follows anybody. What happens goes by *clock*."""
        self.clock = clock
        self.queue.clear()
        with self.sessions.begin() as session:
            for table in reversed(self.models.metadata.sorted_tables):
                session.execute(delete(table))
            session.add_all(self.models.user(id=number) for number in USERS)

    def do(self, what: str, one: int, other: int, number: int) -> None:
        """Let something happen, in a transaction of its own."""
        if what in {"work", "lose", "sweep", "repeat"}:
            getattr(self, what)(number)
            return
        with self.sessions.begin() as session:
            getattr(self, what)(session, Graph(session, self.models.user), one, other, number)

    # --- What users do ---

    def post(self, session: Session, _graph: Any, one: int, _other: int, number: int) -> None:
        made = self.clock.time - timedelta(seconds=number % 4)
        session.add(self.models.post(id=number, author_id=one, made_at=made))

    def post_for_a_while(self, session: Session, _graph: Any, one: int, _other: int, number: int) -> None:
        until = self.clock.time + timedelta(seconds=number % 5)
        session.add(self.models.post(id=number, author_id=one, made_at=self.clock.time, gone_at=until))

    def post_of_long_ago(self, session: Session, _graph: Any, one: int, _other: int, number: int) -> None:
        session.add(self.models.post(id=number, author_id=one, made_at=START - timedelta(seconds=number % 20)))

    def post_in_bulk(self, session: Session, _graph: Any, one: int, other: int, number: int) -> None:
        rows = [
            {"id": number, "author_id": one, "made_at": self.clock.time},
            {"id": number + 500_000, "author_id": other, "made_at": self.clock.time},
        ]
        session.execute(insert(self.models.post), rows)

    def delete_post(self, session: Session, _graph: Any, _one: int, _other: int, number: int) -> None:
        posts = session.scalars(select(self.models.post).order_by(self.models.post.id)).all()
        if posts:
            session.delete(posts[number % len(posts)])

    def follow(self, _session: Session, graph: Any, one: int, other: int, _number: int) -> None:
        if one != other:
            with suppress(BlockedError):
                graph.follow(one, other)

    def unfollow(self, _session: Session, graph: Any, one: int, other: int, _number: int) -> None:
        if one != other:
            graph.unfollow(one, other)

    def remove_follower(self, _session: Session, graph: Any, one: int, other: int, _number: int) -> None:
        if one != other:
            graph.remove_follower(one, other)

    def block(self, _session: Session, graph: Any, one: int, other: int, _number: int) -> None:
        if one != other:
            graph.block(one, other)

    def unblock(self, _session: Session, graph: Any, one: int, other: int, number: int) -> None:
        if one != other:
            graph.unblock(one, other, restore=bool(number % 2))

    def mute(self, _session: Session, graph: Any, one: int, other: int, number: int) -> None:
        if one != other:
            graph.mute(one, other, until=self.clock.time + timedelta(seconds=number % 9) if number % 3 else None)

    def unmute(self, _session: Session, graph: Any, one: int, other: int, _number: int) -> None:
        if one != other:
            graph.unmute(one, other)

    def suspend(self, session: Session, _graph: Any, one: int, _other: int, number: int) -> None:
        session.get(self.models.user, one).active = bool(number % 2)  # type: ignore[union-attr]

    def leave(self, session: Session, _graph: Any, one: int, _other: int, _number: int) -> None:
        session.delete(session.get(self.models.user, one))
        session.flush()
        session.add(self.models.user(id=one))  # somebody else gets the key

    def mark_active(self, _session: Session, graph: Any, one: int, _other: int, _number: int) -> None:
        if self.kept:
            graph.mark_active(one)

    def expire(self, _session: Session, graph: Any, _one: int, _other: int, _number: int) -> None:
        graph.expire()

    # --- What is done for timelines ---

    def work(self, number: int) -> None:
        if self.queue:
            unit: str | None = self.queue.pop(number % len(self.queue))
            unit = fanout.run(self.sessions, self.models.user, unit)  # type: ignore[arg-type]
            if unit is not None:
                self.queue.append(unit)

    def repeat(self, number: int) -> None:
        if self.queue:
            fanout.run(self.sessions, self.models.user, self.queue[number % len(self.queue)])

    def lose(self, number: int) -> None:
        if self.queue:
            self.queue.pop(number % len(self.queue))

    def sweep(self, _number: int) -> None:
        if self.kept:
            fanout.work(self.sessions, self.models.user)

    # --- What is seen ---

    def seen(self, reader: int, *, limit: int) -> list[list[int]]:
        """Return the home timeline of *reader*, page by page of so many posts: forth, then back again."""
        with self.sessions() as session:
            graph = Graph(session, self.models.user)
            page = graph.home_timeline(reader, limit=limit)
            seen = [[post.id for post in page]]
            back = None
            while page.next:
                page = graph.home_timeline(reader, limit=limit, cursor=page.next)
                seen.append([post.id for post in page])
                back = page.prev
            while back:
                page = graph.home_timeline(reader, limit=limit, cursor=back)
                seen.append([post.id for post in page])
                back = page.prev
            return seen


DOINGS = [
    *("post", "post", "post", "post_for_a_while", "post_of_long_ago", "post_in_bulk", "delete_post"),
    *("follow", "follow", "follow", "follow", "unfollow", "remove_follower", "block", "unblock", "mute", "unmute"),
    *("suspend", "leave", "mark_active", "mark_active", "expire"),
    *("work", "work", "work", "work", "lose", "repeat", "sweep"),
    *("wait", "wait a week"),
]

#: What happens first, so that there is something to lose.
OPENING = ["follow", "follow", "follow", "mark_active"]

#: Some are there more often than others: more than one batch follows them.
WEIGHTS = [5, 3, 2, 2, 1, 1]

#: Things that happen in one history.
STEPS = 60

#: One in so many times a timeline is read in short pages, forth and back.
WALK_EVERY = 6

#: How many histories there are on each engine.
HISTORIES = {"sqlite": 7, "postgresql": 4, "mariadb": 4}

#: How many of them are played in every run.
FEW = {"sqlite": 2, "postgresql": 1, "mariadb": 0}


@pytest.fixture(scope="module")
def worlds(
    request: pytest.FixtureRequest, server: Callable[[str], Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, World]]:
    """Give one world for each mode, each in a database of its own."""
    with ExitStack() as engines:
        yield {
            mode: World(
                engines.enter_context(own_engine(request.param, server, tmp_path_factory.mktemp("world"))),
                kept=kept,
                choices=choices,
            )
            for mode, (kept, choices) in MODES.items()
        }


@pytest.mark.parametrize(
    ("worlds", "seed"),
    [
        pytest.param(kind, seed, marks=() if seed < FEW[kind] else pytest.mark.long)
        for kind, histories in HISTORIES.items()
        for seed in range(histories)
    ],
    indirect=["worlds"],
    scope="module",
)
def test_all_modes_give_the_same_pages(worlds: dict[str, World], seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """After every step of a history, for those whom it is about; now and then page by page, forth and back."""
    monkeypatch.setattr(fanout, "BATCH", 2)
    chance = random.Random(seed)
    numbers = iter(chance.sample(range(1, 400_000), STEPS))
    with stopped_clock() as clock:
        for world in worlds.values():
            world.begin(clock)
        for step in range(STEPS):
            what = chance.choice(OPENING if step < len(USERS) * 2 else DOINGS)
            one, other = chance.choices(USERS, WEIGHTS, k=2)
            number = next(numbers)
            clock.move(timedelta(seconds=1))
            if what.startswith("wait"):
                clock.move(timedelta(days=8) if what.endswith("week") else timedelta(seconds=5))
            else:
                for world in worlds.values():
                    world.do(what, one, other, number)
            for reader in {one, other}:
                limit = 3 if (step + reader) % WALK_EVERY == 0 else 100
                truth = worlds["pull"].seen(reader, limit=limit)
                for mode, world in worlds.items():
                    assert world.seen(reader, limit=limit) == truth, (mode, reader, what, step)
