"""
LinkBench's mix: what Facebook's database is asked for where its cache does not know.

Only the operations on links, as the benchmark's makers publish them (config/FBWorkload.properties
of facebookarchive/linkbench), which make up 87% of all: 66.6 lists in a hundred (30% of these ask for
older history), 11.8 new links, 10.5 that are there already, 6.4 counts, 3.9 deletions, 0.7 look-ups.
Half of the lists are followers, half are following. Eight connections at a time.
"""

from __future__ import annotations

from contextlib import ExitStack

from benchmarks.databases import Place
from benchmarks.loads.comparing import FLOOR, OURS
from benchmarks.loads.crew import Crew
from benchmarks.loads.filling import check, fill
from benchmarks.loads.mix import compare, draw, member
from benchmarks.loads.models import Base
from benchmarks.loads.pgbench import PgBench
from benchmarks.loads.recording import record
from benchmarks.loads.throughput import Team, contest
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
    ours, theirs = place.fresh(), place.fresh()
    for url in (ours, theirs):
        fill(url, Base.metadata, place.data)
    statements, drawn = record(theirs), draw(theirs, place.data)
    compare(theirs, statements, drawn)
    blocks, seconds = (3, 1) if place.quick else (5, 8)
    with ExitStack() as stack:
        bare = stack.enter_context(Crew(CONNECTIONS, member, theirs, statements, drawn, WEIGHTS))
        retinue = stack.enter_context(Crew(CONNECTIONS, member, ours, None, drawn, WEIGHTS))
        teams: dict[str, Team] = {FLOOR: bare, OURS: retinue}
        note = "The floor is the bare driver."
        if place.kind == "postgresql":
            pgbench = stack.enter_context(PgBench(theirs, statements, drawn, WEIGHTS, CONNECTIONS))
            teams = {FLOOR: pgbench, OURS: retinue, "bare driver, in Python": bare}
            note = "The floor is pgbench, with prepared statements."
        found = contest(teams, blocks=blocks, seconds=seconds, warm_up=1)
    for url in (ours, theirs):
        check(url)
        place.drop(url)
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
