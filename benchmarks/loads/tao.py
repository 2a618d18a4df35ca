"""
TAO's mix: what Facebook's cache of its graph is asked for, nearly all of it reads.

As the paper of its makers says, of the operations on edges: 99.8 reads in a hundred (of these 57.5 ranges,
22.1 look-ups, 16.5 counts, 3.9 ranges of time), and 0.2 writes (of these 85 new edges, 13.5 deletions,
1.5 that change an edge, which here are follows of whom one follows). Half of the lists are followers, half are
following; half of the look-ups find an edge. Eight connections at a time.
"""

from __future__ import annotations

from benchmarks.databases import Place
from benchmarks.loads.taking_turns import take_turns
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
    blocks, seconds = (3, 0.7) if place.quick else (5, 5)
    found = take_turns(place, WEIGHTS, CONNECTIONS, blocks=blocks, seconds=seconds, warm_up=0.5)
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
