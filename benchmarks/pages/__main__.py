"""
Pages as their users feel them: followers, forty to a page, and a follow click, by Retinue and by the lesson's code.

    python -m benchmarks.pages                          on SQLite
    python -m benchmarks.pages sqlite postgresql
    python -m benchmarks.pages --json pages.json        for `python -m benchmarks.report`

Two Flask apps with Flask-SQLAlchemy and Flask-Login show the same people of the same graph with the same words. Each is
served by waitress, with eight threads, in a process of its own; another process has eight people look at pages and press
buttons, each on a connection that is kept. The apps take turns in short blocks, and the ratio is taken in each block.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

from flask import Flask
from sqlalchemy import URL

from benchmarks.data import Data, generate
from benchmarks.databases import Place, place
from benchmarks.loads.comparing import ratios, spread
from benchmarks.pages import lesson, ours, visits
from benchmarks.pages.browser import Browser
from benchmarks.pages.serving import served
from benchmarks.pages.visits import PEOPLE, Addresses, Plan, Visitor, compare_clicks, compare_pages, plan
from benchmarks.results import Figure, Row
from benchmarks.runs import keep, run_here, server_version

EDGES = 100_000
GOAL = 2.0
LESSON, INDEXED = "lesson", "lesson, with an index"


class App(NamedTuple):
    """One of those who are compared."""

    create: Callable[[URL], Flask]
    #: Makes its tables, and takes over the graph.
    fill: Callable[[URL, Data], None]
    addresses: Addresses


APPS = {
    "Retinue": App(ours.create_app, ours.fill, visits.RETINUE),
    LESSON: App(lesson.create_app, lesson.fill, visits.LESSON),
    INDEXED: App(lesson.create_app, lesson.fill_and_index, visits.LESSON),
}

#: Each operation: by name of who takes part, the app and what is repeated there.
OPERATIONS: dict[str, dict[str, tuple[str, Callable[[Visitor], None]]]] = {
    "page of 40 followers": {
        "Retinue": ("Retinue", Visitor.look),
        LESSON: (LESSON, Visitor.look),
        INDEXED: (INDEXED, Visitor.look),
    },
    "follow click, as its user feels it": {
        "Retinue": ("Retinue", Visitor.press_with_script),
        "Retinue without its script": ("Retinue", Visitor.press),
        LESSON: (LESSON, Visitor.press),
        INDEXED: (INDEXED, Visitor.press),
    },
}


def main() -> None:
    """Measure, print, and keep what was found."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pages", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("databases", nargs="*", default=["sqlite"], metavar="sqlite, postgresql")
    parser.add_argument("--blocks", type=int, default=15, help="how often the apps take turns")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a turn is")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to keep the figures")
    wanted = parser.parse_args()
    if not set(wanted.databases) <= {"sqlite", "postgresql"}:
        parser.error("the lesson's code is measured on sqlite and postgresql")
    rows: list[Row] = []
    servers: dict[str, str] = {}
    data = generate(EDGES)
    for kind in wanted.databases:
        with place(kind, data) as here:
            if kind != "sqlite":
                servers[kind] = server_version(here.engine())
            for row in measure(here, wanted.blocks, wanted.seconds):
                rows.append(row)
                print(in_words(row), flush=True)
    if wanted.json:
        keep(run_here(rows, servers), wanted.json)


def measure(here: Place, blocks: int, seconds: float) -> Iterator[Row]:
    """Compare the apps' answers, then yield what each does in a second."""
    chosen = plan(here.data)
    with ExitStack() as stack:
        people = stack.enter_context(ThreadPoolExecutor(PEOPLE))
        crews = {name: _crew(stack, here, app, chosen) for name, app in APPS.items()}
        for visitors in zip(*crews.values(), strict=True):
            buttons = visitors[0].find_buttons()
            for visitor in visitors:
                visitor.buttons = buttons
        for other in (LESSON, INDEXED):
            list(people.map(compare_pages, crews["Retinue"], crews[other]))
            compare_clicks(crews["Retinue"][0], crews[other][0])
        for operation, teams in OPERATIONS.items():
            busy = os.getloadavg()[0]
            reached = _take_turns(people, crews, teams, blocks, seconds)
            stated = {"ahead of the lesson with an index, times (goal 2.0)": _ahead(reached)}
            if len(teams) == len(APPS):
                stated |= {f"{name}: bytes of a page": _weight(crew[0]) for name, crew in crews.items()}
            yield Row(
                operation,
                here.kind,
                len(here.data.times),
                tuple(_figure(name, reached) for name in teams),
                goal=GOAL,
                throughput=True,
                note=f"{PEOPLE} people at once, waitress with {PEOPLE} threads; the ratio is to the lesson's code as it "
                f"stands. The machine's load was {busy:.1f} on {os.cpu_count()} cores when it began.",
                stated=stated,
            )


def _crew(stack: ExitStack, here: Place, app: App, chosen: Plan) -> list[Visitor]:
    """Return people who are logged in at the *app*, which has a database of its own."""
    url = here.fresh()
    app.fill(url, here.data)
    port = stack.enter_context(served(app.create, url))
    crew = []
    for viewer, pages in zip(chosen.viewers, chosen.pages, strict=True):
        browser = Browser(port)
        stack.callback(browser.close)
        crew.append(Visitor(browser, app.addresses, viewer, pages))
        crew[-1].log_in()
    return crew


def _take_turns(
    people: ThreadPoolExecutor,
    crews: dict[str, list[Visitor]],
    teams: dict[str, tuple[str, Callable[[Visitor], None]]],
    blocks: int,
    seconds: float,
) -> dict[str, list[float]]:
    """Let the teams work block by block; who begins changes. Return what each reached in a second, in each block."""
    reached: dict[str, list[float]] = {name: [] for name in teams}
    order = list(teams)
    # A turn to warm up counts for nothing.
    for block in range(blocks + 1):
        for name in (*order[block % len(order) :], *order[: block % len(order)]):
            app, do = teams[name]
            reached[name].append(sum(people.map(_rate, crews[app], repeat(do), repeat(seconds))))
    return {name: rates[1:] for name, rates in reached.items()}


def _rate(visitor: Visitor, do: Callable[[Visitor], None], seconds: float) -> float:
    """Return how often in a second a visitor can *do* that; what has begun is ended, and counts."""
    start, done = time.perf_counter(), 0
    while (passed := time.perf_counter() - start) < seconds:
        do(visitor)
        done += 1
    return done / passed


def _figure(name: str, reached: dict[str, list[float]]) -> Figure:
    rates = reached[name]
    ratio = () if name == LESSON else spread(ratios(rates, reached[LESSON]))
    return Figure(name, statistics.median(rates), min(rates), *ratio)


def _ahead(reached: dict[str, list[float]]) -> float:
    return spread(ratios(reached["Retinue"], reached[INDEXED]))[0]


def _weight(visitor: Visitor) -> float:
    return float(len(visitor.page(visitor.pages[0]).encode()))


def in_words(row: Row) -> str:
    """Return a row for the terminal."""
    lines = [f"{row.operation}, {row.database} (goal: {row.goal:g} times the lesson's)"]
    for one in row.figures:
        ratio = "" if one.ratio is None else f"{one.ratio:8.2f} times  ({one.low:.2f} to {one.high:.2f})"
        lines.append(f"    {one.contestant:28} {one.p50:8.1f}/s{ratio}")
    lines += [f"    {name}: {value:,.2f}" for name, value in row.stated.items()]
    return "\n".join([*lines, f"    {row.note}"])


if __name__ == "__main__":
    main()
