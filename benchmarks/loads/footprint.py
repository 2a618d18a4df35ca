"""What Retinue adds to an application: time to import it, and memory that a page takes."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

import numpy as np
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from benchmarks.databases import Place
from benchmarks.loads.bare import Bare
from benchmarks.loads.comparing import FLOOR, OURS, compared
from benchmarks.loads.filling import fill
from benchmarks.loads.models import Base, User
from benchmarks.results import Row
from retinue import Graph, Person, prepare_engine

_PAGE = (
    "SELECT u.id, u.username, page.timestamp FROM (SELECT follower_id, timestamp FROM follows WHERE following_id = :user"
    " ORDER BY timestamp DESC, follower_id DESC LIMIT {limit}) page JOIN users u ON u.id = page.follower_id"
    " ORDER BY page.timestamp DESC, page.follower_id DESC"
)


def measure(place: Place) -> list[Row]:
    """Import in fresh processes, in turns; then read pages of both sizes."""
    return [_importing(place), *_pages(place)]


# --- Import -----------------------------------------------------------------------------------------


def _importing(place: Place) -> Row:
    taken: dict[str, list[float]] = {FLOOR: [], OURS: []}
    _import("retinue")  # compiles what was not
    for _ in range(5 if place.quick else 15):
        taken[FLOOR].append(_import("sqlalchemy.orm"))
        taken[OURS].append(_import("retinue"))
    floor, ours = (float(np.median(times)) / 1000 for times in taken.values())
    return Row(
        "import retinue",
        place.kind,
        len(place.data.times),
        compared(taken),
        note="In a fresh process each time. The floor is `import sqlalchemy.orm`, which Retinue imports too.",
        stated={"beyond SQLAlchemy, ms": ours - floor},
    )


def _import(module: str) -> float:
    """Return how many microseconds a fresh process takes to import *module*."""
    program = f"import time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"
    # Installed packages are compiled once; so may these be.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return float(ended.stdout) * 1e6


# --- Memory -----------------------------------------------------------------------------------------


def _pages(place: Place) -> list[Row]:
    url, user = place.fresh(), place.data.celebrity
    fill(url, Base.metadata, place.data)
    engine = prepare_engine(create_engine(url))
    rows = []
    with Session(engine) as session, closing(Bare(url)) as bare:
        for limit in (20, 100):
            ours, theirs = partial(_people, session, user, limit), partial(_tuples, bare, user, limit)
            if [(person.user.id, person.user.username) for person in ours()] != [row[:2] for row in theirs()]:
                raise AssertionError(f"the pages of {limit} differ")
            rows.append(_page(place, limit, theirs, ours))
    engine.dispose()
    place.drop(url)
    return rows


def _people(session: Session, user: int, limit: int) -> tuple[Person[User], ...]:
    session.expunge_all()
    return tuple(Graph(session, User).followers(user, limit=limit).items)


def _tuples(bare: Bare, user: int, limit: int) -> list[tuple[Any, ...]]:
    return bare.run(_PAGE.format(limit=limit), user=user)


def _page(place: Place, limit: int, theirs: Callable[[], object], ours: Callable[[], object]) -> Row:
    taken: dict[str, list[float]] = {FLOOR: [], OURS: []}
    peaks: dict[str, list[float]] = {FLOOR: [], OURS: []}
    for _ in range(5):
        for name, call in ((FLOOR, theirs), (OURS, ours)):
            held, peak = _memory(call)
            taken[name].append(held)
            peaks[name].append(peak)
    return Row(
        f"memory of a page of {limit} followers",
        place.kind,
        len(place.data.times),
        compared(taken),
        unit="bytes",
        note="What is held while the page is: of Retinue users of the session, of the floor tuples of the bare driver.",
        stated={f"{name}: at most while it was read, bytes": float(np.median(most)) for name, most in peaks.items()},
    )


def _memory(call: Callable[[], object]) -> tuple[float, float]:
    """Return how many bytes of Python what *call* returns takes, and how many it needed at most."""
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept = call()
        gc.collect()
        after, peak = tracemalloc.get_traced_memory()
        del kept
    finally:
        tracemalloc.stop()
    return float(after - before), float(peak - before)
