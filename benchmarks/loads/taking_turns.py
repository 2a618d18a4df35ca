"""A mix of operations on a graph of each side's own: Retinue beside the bare driver that sends the same statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import TypeAlias

from sqlalchemy import URL

from benchmarks.databases import Place
from benchmarks.loads.comparing import FLOOR, OURS
from benchmarks.loads.crew import Crew
from benchmarks.loads.filling import check, fill
from benchmarks.loads.mix import Drawn, compare, draw, member
from benchmarks.loads.models import Base
from benchmarks.loads.recording import Statements, record
from benchmarks.loads.throughput import Contest, Team, contest

#: Makes a floor that takes the bare driver's place.
OtherFloor: TypeAlias = Callable[[URL, Statements, Drawn], AbstractContextManager[Team]]


def take_turns(
    place: Place,
    weights: Mapping[str, int],
    connections: int,
    *,
    blocks: int,
    seconds: float,
    warm_up: float,
    floor: OtherFloor | None = None,
) -> Contest:
    """Let all sides work in turns; the answers are compared before, the counters with the edges at the end."""
    ours, theirs = place.fresh(), place.fresh()
    for url in (ours, theirs):
        fill(url, Base.metadata, place.data)
    statements, drawn = record(theirs), draw(theirs, place.data)
    compare(theirs, statements, drawn)
    with ExitStack() as stack:
        bare = stack.enter_context(Crew(connections, member, theirs, statements, drawn, weights))
        retinue = stack.enter_context(Crew(connections, member, ours, None, drawn, weights))
        teams: dict[str, Team] = {FLOOR: bare, OURS: retinue}
        if floor is not None:
            other = stack.enter_context(floor(theirs, statements, drawn))
            teams = {FLOOR: other, OURS: retinue, "bare driver, in Python": bare}
        found = contest(teams, blocks=blocks, seconds=seconds, warm_up=warm_up)
    for url in (ours, theirs):
        check(url)
        place.drop(url)
    return found
