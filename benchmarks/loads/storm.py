"""
Sixteen connections follow one celebrity, as fast as they can.

With exact counters every follow adds to the celebrity's row, for which all wait; Retinue spreads
it over 16. The floor only inserts the edge. Beside it, the bare driver with one counter row. Each of the sixteen is a process.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

import numpy as np
from sqlalchemy import URL

from benchmarks.competitor import Competitor
from benchmarks.competitors import floor_of
from benchmarks.competitors.retinue import RetinueSixteenSlots
from benchmarks.data import Data, Keys
from benchmarks.databases import Place
from benchmarks.filling import filling
from benchmarks.loads.crew import Call, Crew, stated
from benchmarks.loads.load import Measured, check
from benchmarks.results import FLOOR, RETINUE
from benchmarks.runner import take_turns

CONNECTIONS, SLOTS, CELEBRITY = 16, 16, 1


def measure(place: Place) -> Measured:
    """Let all sides work in turns, each in a database of its own with users who were counted before."""
    users, rounds, seconds = (100_000, 3, 0.7) if place.quick else (400_000, 7, 2.0)
    sides: dict[str, tuple[Competitor, str]] = {
        FLOOR: (floor_of(place.kind)(place.fresh()), "follow_uncounted"),
        RETINUE: (RetinueSixteenSlots(place.fresh()), "follow"),
        "bare driver, one counter row": (floor_of(place.kind)(place.fresh()), "follow"),
    }
    with ExitStack() as stack:
        crews = {}
        for name, (side, method) in sides.items():
            _fill(side, users)
            crews[name] = stack.enter_context(Crew(CONNECTIONS, member, type(side), side.url, method, users))
        turns = {name: partial(lambda crew, _: [crew.work(seconds)], crew) for name, crew in crews.items()}
        found = take_turns(turns, rounds)
    for name, (side, _) in sides.items():
        check(side, crews[name].calls, counts=name != FLOOR)
        place.drop(side.url)
    return Measured(found, stated(crews))


def _fill(side: Competitor, users: int) -> None:
    """Make users whom nobody follows, and let go of the connection."""
    nobody: Keys = np.empty(0, dtype=np.int64)
    side.create()
    side.load(Data("nobody", users, nobody, nobody, nobody, CELEBRITY))
    if isinstance(side, RetinueSixteenSlots):
        users_and_slots = np.concatenate([np.arange(1, users + 1), np.full(SLOTS - 1, CELEBRITY)])
        slots = np.concatenate([np.zeros(users, dtype=np.int64), np.arange(1, SLOTS)])
        with filling(side.url) as filler:
            filler.fill("follow_counts", user_id=users_and_slots, slot=slots, followers=0, following=0)
    side.close()


def member(number: int, kind: type[Competitor], url: URL, method: str, users: int) -> Call:
    """Return what a member of a crew repeats: the next follower follows the celebrity."""
    call = getattr(kind(url), method)

    def follow(done: int) -> None:
        follower = 2 + number + CONNECTIONS * done
        if follower > users:
            raise AssertionError(f"{users} users are too few")
        call(follower, CELEBRITY)

    return follow
