"""
TAO's mix: what Facebook's cache of its graph is asked for, nearly all of it reads.

As the paper of its makers says, of the operations on edges: 99.8 reads in a hundred (of these 57.5 ranges,
22.1 look-ups, 16.5 counts, 3.9 ranges of time), and 0.2 writes (of these 85 new edges, 13.5 deletions,
1.5 that change an edge, which here are follows of whom one follows). Half of the lists are followers, half are
following; half of the look-ups find an edge. Eight connections at a time.
"""

from __future__ import annotations

from contextlib import ExitStack

from benchmarks.databases import Place
from benchmarks.loads.comparing import FLOOR, OURS
from benchmarks.loads.crew import Crew
from benchmarks.loads.filling import check, fill
from benchmarks.loads.mix import compare, draw, member
from benchmarks.loads.models import Base
from benchmarks.loads.recording import record
from benchmarks.loads.throughput import contest
from benchmarks.results import Row

CONNECTIONS = 8
GOAL = 0.7

#: In a hundred thousand.
WEIGHTS = {
    "followers": 28_692,
    "following": 28_692,
    "get one": 11_028,
    "get none": 11_028,
    "count": 16_468,
    "older followers": 1_946,
    "older following": 1_946,
    "add": 170,
    "delete": 27,
    "update": 3,
}


def measure(place: Place) -> list[Row]:
    """Let both sides work in turns, each on a graph of its own."""
    ours, theirs = place.fresh(), place.fresh()
    for url in (ours, theirs):
        fill(url, Base.metadata, place.data)
    statements, drawn = record(theirs), draw(theirs, place.data)
    compare(theirs, statements, drawn)
    blocks, seconds = (3, 0.7) if place.quick else (5, 5)
    with ExitStack() as stack:
        bare = stack.enter_context(Crew(CONNECTIONS, member, theirs, statements, drawn, WEIGHTS))
        retinue = stack.enter_context(Crew(CONNECTIONS, member, ours, None, drawn, WEIGHTS))
        found = contest({FLOOR: bare, OURS: retinue}, blocks=blocks, seconds=seconds, warm_up=0.5)
    for url in (ours, theirs):
        check(url)
        place.drop(url)
    return [
        Row(
            "TAO's mix of operations on edges (99.8% reads), 8 connections",
            place.kind,
            len(place.data.times),
            found.figures,
            goal=GOAL,
            throughput=True,
            note="The floor is the bare driver with the statements that Retinue sends; each connection is a process."
            " Counters are compared with the edges at the end.",
            stated=found.stated,
        )
    ]
