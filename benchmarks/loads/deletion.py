"""The user with the most followers goes, and the counts of all others are right: each time in a new copy of the graph."""

from __future__ import annotations

import time
from functools import partial

import numpy as np

from benchmarks.competitor import Competitor
from benchmarks.competitors import floor_of
from benchmarks.competitors.retinue import Retinue
from benchmarks.databases import Place
from benchmarks.loads.load import Measured, check, copied, loaded
from benchmarks.results import Stated
from benchmarks.runner import take_turns


def measure(place: Place) -> Measured:
    """Let both sides delete the same user in turns."""
    data = place.data
    lost = int(np.count_nonzero((data.followers == data.celebrity) | (data.followed == data.celebrity)))
    sides = {kind.name: loaded(place, kind) for kind in (floor_of(place.kind), Retinue)}
    for side in sides.values():
        side.close()
    turns = {name: partial(_delete, place, side, lost) for name, side in sides.items()}
    found = take_turns(turns, 3 if place.quick else 5)
    for side in sides.values():
        place.drop(side.url)
    return Measured(found, (Stated("edges that go", lost),))


def _delete(place: Place, original: Competitor, lost: int, _number: int) -> list[float]:
    user, edges = place.data.celebrity, len(place.data.times)
    with copied(place, original) as competitor:
        check(competitor, edges)  # which warms up: it reads all
        competitor.counts([user])
        start = time.perf_counter()
        competitor.delete_user(user)
        taken = time.perf_counter() - start
        check(competitor, edges - lost)
    return [taken * 1e6]
