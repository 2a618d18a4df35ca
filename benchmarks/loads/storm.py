"""
Sixteen connections follow one celebrity, as fast as they can.

With exact counters every follow adds to the celebrity's row, for which all wait; with sixteen slots Retinue spreads it over as
many rows. The floor is a plain session of SQLAlchemy's that sends the same statements: what is left is Retinue's own. Beside
it are the bare driver, which counts in one row, and one that counts nothing. Each of the sixteen is a process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial

import numpy as np
from sqlalchemy import URL

from benchmarks.competitor import Competitor
from benchmarks.competitors import floor_of
from benchmarks.competitors.retinue import Retinue, RetinueSixteenSlots
from benchmarks.competitors.same import SameStatementsInASession
from benchmarks.data import Data, Keys
from benchmarks.databases import Place
from benchmarks.filling import filling
from benchmarks.loads.crew import Call, Crew, stated
from benchmarks.loads.load import Measured, check
from benchmarks.results import RETINUE
from benchmarks.runner import take_turns

CONNECTIONS, SLOTS, CELEBRITY = 16, 16, 1

PLAIN = "SQLAlchemy session, same statements"


def sixteen_slots(place: Place) -> Measured:
    """With sixteen slots, beside bare drivers, too."""
    by_hand = floor_of(place.kind)
    others = {
        "bare driver, one counter row": (by_hand, "follow"),
        "bare driver, no counter": (by_hand, "follow_uncounted"),
    }
    return _measured(place, RetinueSixteenSlots, others)


def one_slot(place: Place) -> Measured:
    """With one slot."""
    return _measured(place, Retinue, {})


def _measured(place: Place, ours: type[Retinue], others: Mapping[str, tuple[type[Competitor], str]]) -> Measured:
    """Let all sides work in turns, each in a database of its own with users who were counted before."""
    users, rounds, seconds = (100_000, 3, 0.7) if place.quick else (400_000, 7, 2.0)
    sides = {PLAIN: (ours, "follow"), RETINUE: (ours, "follow"), **others}
    urls = {name: _filled(kind(place.fresh()), users) for name, (kind, _) in sides.items()}
    with ExitStack() as stack:
        crews = {}
        for name, (kind, method) in sides.items():
            make = plain_member if name == PLAIN else member
            crews[name] = stack.enter_context(Crew(CONNECTIONS, make, kind, urls[name], method, users))
        turns = {name: partial(lambda crew, _: [crew.work(seconds)], crew) for name, crew in crews.items()}
        found = take_turns(turns, rounds)
    for name, (kind, method) in sides.items():
        side = kind(urls[name])
        check(side, crews[name].calls, counts=method == "follow")
        side.close()
        place.drop(side.url)
    return Measured(found, stated(crews))


def _filled(side: Competitor, users: int) -> URL:
    """Make users whom nobody follows, let go of the connection, and return where they are."""
    nobody: Keys = np.empty(0, dtype=np.int64)
    side.create()
    side.load(Data("nobody", users, nobody, nobody, nobody, CELEBRITY))
    if isinstance(side, Retinue):
        more = SLOTS - 1 if isinstance(side, RetinueSixteenSlots) else 0
        users_and_slots = np.concatenate([np.arange(1, users + 1), np.full(more, CELEBRITY)])
        slots = np.concatenate([np.zeros(users, dtype=np.int64), np.arange(1, more + 1)])
        with filling(side.url) as filler:
            filler.fill("follow_counts", user_id=users_and_slots, slot=slots, followers=0, following=0)
    side.close()
    return side.url


def plain_member(number: int, kind: type[Retinue], url: URL, method: str, users: int) -> Call:
    """As `member()`, by a session that sends the statements which Retinue sends."""
    del method
    # The last of the users follow nobody, and their keys are found nowhere else in a statement.
    return _following(SameStatementsInASession(kind(url), users - number, CELEBRITY).follow, number, users)


def member(number: int, kind: type[Competitor], url: URL, method: str, users: int) -> Call:
    """Return what a member of a crew repeats: the next follower follows the celebrity."""
    return _following(getattr(kind(url), method), number, users)


def _following(call: Callable[[int, int], object], number: int, users: int) -> Call:
    def follow(done: int) -> None:
        follower = 2 + number + CONNECTIONS * done
        if follower > users:
            raise AssertionError(f"{users} users are too few")
        call(follower, CELEBRITY)

    return follow
