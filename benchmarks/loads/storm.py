"""
Sixteen connections follow one celebrity, as fast as they can.

With exact counters every follow adds to the celebrity's row, for which all wait; Retinue spreads
it over 16. The floor only inserts the edge. Beside it, the bare driver with one counter row,
and with 16. Each of the sixteen is a process.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime

from sqlalchemy import URL, create_engine
from sqlalchemy.orm import Session

from benchmarks.databases import Place
from benchmarks.loads.bare import Bare
from benchmarks.loads.comparing import FLOOR, OURS
from benchmarks.loads.crew import Call, Crew
from benchmarks.loads.filling import check, fill_users, tidy
from benchmarks.loads.models import StormBase, StormUser
from benchmarks.loads.throughput import contest
from benchmarks.results import Row
from retinue import Graph, prepare_engine

CONNECTIONS = 16
SLOTS = 16
CELEBRITY = 1
GOAL = 0.7

_ADD = (
    "UPDATE follow_counts SET followers = followers + :followers, following = following + :following"
    " WHERE user_id = :user AND slot = :slot"
)


def measure(place: Place) -> list[Row]:
    """Let all sides work in turns, each in a database of its own."""
    users = 100_000 if place.quick else 400_000
    sides: dict[str, tuple[Callable[..., Call], int]] = {
        FLOOR: (_bare, 0),
        OURS: (_retinue, SLOTS),
        "bare driver, one counter row": (_bare, 1),
        "bare driver, 16 counter rows": (_bare, SLOTS),
    }
    with ExitStack() as stack:
        crews, urls = {}, {}
        for name, (make, slots) in sides.items():
            urls[name] = _prepared(place, users, slots)
            crews[name] = stack.enter_context(Crew(CONNECTIONS, make, urls[name], users, slots))
        blocks, seconds = (3, 0.7) if place.quick else (7, 2.0)
        found = contest(crews, blocks=blocks, seconds=seconds, warm_up=0.5)
    for name, url in urls.items():
        check(url, found.calls[name], counts=name != FLOOR)
        place.drop(url)
    return [
        Row(
            "16 connections following one celebrity",
            place.kind,
            len(place.data.times),
            found.figures,
            goal=GOAL,
            throughput=True,
            note="Each connection is a process. The floor is the bare driver that only inserts the edge into the same"
            " table, and counts nothing; all others keep exact counters, which are compared with the edges at the end."
            " Nobody follows anybody at the beginning.",
            stated=found.stated,
        )
    ]


def _prepared(place: Place, users: int, slots: int) -> URL:
    """Make a database of users who were counted before, the celebrity in all slots."""
    url = place.fresh()
    engine = create_engine(url)
    StormBase.metadata.create_all(engine)
    engine.dispose()
    fill_users(url, users)
    with closing(Bare(url)) as bare:
        if slots:
            bare.run("INSERT INTO follow_counts (user_id, slot, followers, following) SELECT id, 0, 0, 0 FROM users")
        for slot in range(1, slots):
            bare.insert("follow_counts", user_id=CELEBRITY, slot=slot, followers=0, following=0)
        tidy(bare)
    return url


def _follower(number: int, done: int, users: int) -> int:
    follower = 2 + number + CONNECTIONS * done
    if follower > users:
        raise AssertionError(f"{users} users are too few")
    return follower


def _retinue(number: int, url: URL, users: int, _slots: int) -> Call:
    session = Session(prepare_engine(create_engine(url)))
    graph = Graph(session, StormUser)

    def follow(done: int) -> None:
        graph.follow(_follower(number, done, users), CELEBRITY)
        session.commit()

    return follow


def _bare(number: int, url: URL, users: int, slots: int) -> Call:
    bare, dice = Bare(url), random.Random(number)

    def follow(done: int) -> None:
        follower = _follower(number, done, users)
        now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
        at = now + "+00" * (bare.kind == "postgresql")
        bare.begin()
        new = bare.insert("follows", follower_id=follower, following_id=CELEBRITY, timestamp=at)
        if new and slots:
            bare.run(_ADD, user=CELEBRITY, slot=dice.randrange(slots), followers=1, following=0)
            bare.run(_ADD, user=follower, slot=0, followers=0, following=1)
        bare.commit()

    return follow
