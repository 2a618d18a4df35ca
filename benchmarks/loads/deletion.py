"""The user with the most followers goes, and the counts of all others are right: each time in a new copy of the graph."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks.competitor import Competitor
from benchmarks.competitors import floor_of
from benchmarks.competitors.retinue import Retinue
from benchmarks.databases import Place
from benchmarks.loads.load import Measured, check, copies
from benchmarks.results import Stated
from benchmarks.runner import take_turns


def measure(place: Place) -> Measured:
    """Let both sides delete the same user in turns."""
    data, user = place.data, place.data.celebrity
    lost = int(np.count_nonzero((data.followers == user) | (data.followed == user)))
    made = {kind.name: copies(place, kind) for kind in (floor_of(place.kind), Retinue)}
    turns = {name: partial(_delete, one, user, len(data.times), lost) for name, one in made.items()}
    return Measured(take_turns(turns, 3 if place.quick else 5), (Stated("edges that go", lost),))


def _delete(made: Iterator[Competitor], user: int, edges: int, lost: int, _number: int) -> list[float]:
    competitor = next(made)
    check(competitor, edges)  # which warms up: it reads all
    competitor.counts([user])
    start = time.perf_counter()
    competitor.delete_user(user)
    taken = time.perf_counter() - start
    check(competitor, edges - lost)
    return [taken * 1e6]
