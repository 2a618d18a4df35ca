"""
LinkBench's mix: what Facebook's database is asked for where its cache does not know.

Only the operations on links, as the benchmark's makers publish them (config/FBWorkload.properties
of facebookarchive/linkbench), which make up 87% of all: 66.6 lists in a hundred (30% of these ask for
older history), 11.8 new links, 10.5 that are there already, 6.4 counts, 3.9 deletions, 0.7 look-ups.
Half of the lists are followers, half are following. Eight connections at a time.
"""

from __future__ import annotations

from functools import partial

from benchmarks.databases import Place
from benchmarks.loads.pgbench import PgBench
from benchmarks.loads.taking_turns import take_turns
from benchmarks.results import Row

CONNECTIONS = 8
GOAL = 0.6

#: In a thousand.
WEIGHTS = {
    "followers": 233,
    "following": 233,
    "older followers": 100,
    "older following": 100,
    "add": 118,
    "update": 105,
    "count": 64,
    "delete": 39,
    "get three": 7,
}


def measure(place: Place) -> list[Row]:
    """Let both sides work in turns, each on a graph of its own."""
    blocks, seconds = (3, 1) if place.quick else (5, 8)
    note, floor = "The floor is the bare driver.", None
    if place.kind == "postgresql":
        note = "The floor is pgbench, with prepared statements."
        floor = partial(PgBench, weights=WEIGHTS, clients=CONNECTIONS)
    found = take_turns(place, WEIGHTS, CONNECTIONS, blocks=blocks, seconds=seconds, warm_up=1, floor=floor)
    return [
        Row(
            "LinkBench's mix of link operations, 8 connections",
            place.kind,
            len(place.data.times),
            found.figures,
            goal=GOAL,
            throughput=True,
            note=f"{note} It runs the statements that Retinue sends, in the same transactions, on a graph of its own."
            " Python's connections are a process each. Counters are compared with the edges at the end.",
            stated=found.stated,
        )
    ]
