"""What Retinue adds to an application: time to import it, and memory that a page takes."""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import tracemalloc
from collections.abc import Callable

from benchmarks.competitors import floor_of
from benchmarks.competitors.retinue import Retinue
from benchmarks.databases import Place
from benchmarks.loads.load import Measured, loaded
from benchmarks.results import FLOOR, RETINUE, Stated
from benchmarks.runner import take_turns


def importing(place: Place) -> Measured:
    """Import in fresh processes, in turns: SQLAlchemy's ORM, which Retinue imports too, and Retinue."""
    _import("retinue")  # compiles what was not
    modules = {FLOOR: "sqlalchemy.orm", RETINUE: "retinue"}
    turns = {name: lambda _number, module=module: [_import(module)] for name, module in modules.items()}
    found = take_turns(turns, 5 if place.quick else 15)
    floor_us, retinue_us = (statistics.median([turn[0] for turn in found[name]]) for name in (FLOOR, RETINUE))
    return Measured(found, (Stated("beyond SQLAlchemy, ms", (retinue_us - floor_us) / 1e3),))


def _import(module: str) -> float:
    """Return how many microseconds a fresh process takes to import *module*."""
    program = f"import time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"
    # Installed packages are compiled once; so may these be.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return float(ended.stdout) * 1e6


def page(place: Place) -> Measured:
    """Read a page of followers, and look at what is held while the page is."""
    by_hand, retinue, user = loaded(place, floor_of(place.kind)), Retinue(place.fresh()), place.data.celebrity
    retinue.create()
    retinue.load(place.data)
    if retinue.first_page(user) != by_hand.first_page(user):
        raise AssertionError("the pages differ")

    def people() -> object:
        retinue.session.expunge_all()
        return retinue.graph.followers(user).items

    sides: dict[str, Callable[[], object]] = {FLOOR: lambda: by_hand.first_page(user), RETINUE: people}
    turns = {name: lambda _number, call=call: [_memory(call)] for name, call in sides.items()}
    found = take_turns(turns, 5)
    for side in (by_hand, retinue):
        side.close()
        place.drop(side.url)
    return Measured(found)


def _memory(call: Callable[[], object]) -> float:
    """Return how many bytes of Python what *call* returns takes."""
    call()
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        held = call()
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
        del held
    finally:
        tracemalloc.stop()
    return float(after - before)
