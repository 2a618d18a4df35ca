"""
Pages as their users feel them: followers, forty to a page, and a follow click, by Retinue and by the lesson's code.

    python3 dev.py bench --only pages --databases sqlite

Two Flask apps with Flask-SQLAlchemy and Flask-Login show the same people of the same graph with the same words. Each is
served by waitress, with eight threads, in a process of its own; another process has eight people look at pages and press
buttons, each on a connection that stays open. The apps take turns in short rounds, and the ratio is taken in each round.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import repeat

import numpy as np

from benchmarks.databases import Place
from benchmarks.pages import apps
from benchmarks.pages.apps import App
from benchmarks.pages.browser import Browser
from benchmarks.pages.serving import served
from benchmarks.pages.visits import PEOPLE, Plan, Visitor, compare_clicks, compare_pages, plan
from benchmarks.results import RETINUE, Row, Stated
from benchmarks.runner import figures, quarters, ratios, take_turns

GOAL = 2.0
LESSON, INDEXED = "lesson", "lesson, with an index"

APPS = {RETINUE: apps.RETINUE, LESSON: apps.LESSON, INDEXED: apps.INDEXED}

#: Each operation: by name of who takes part, the app and what is repeated there.
OPERATIONS: dict[str, dict[str, tuple[str, Callable[[Visitor], None]]]] = {
    "page of 40 followers": {name: (name, Visitor.look) for name in APPS},
    "follow click, as its user feels it": {
        RETINUE: (RETINUE, Visitor.press_with_script),
        "Retinue without its script": (RETINUE, Visitor.press),
        LESSON: (LESSON, Visitor.press),
        INDEXED: (INDEXED, Visitor.press),
    },
}


def measure(here: Place, rounds: int, seconds: float) -> Iterator[Row]:
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
            list(people.map(compare_pages, crews[RETINUE], crews[other]))
            compare_clicks(crews[RETINUE][0], crews[other][0])
        for operation, sides in OPERATIONS.items():
            busy = os.getloadavg()[0]
            turns = {name: partial(_turn, people, crews[app], do, seconds) for name, (app, do) in sides.items()}
            for crew in crews.values():
                for visitor in crew:
                    visitor.took.clear()
            found = take_turns(turns, rounds)
            ahead = quarters(ratios(found[RETINUE], found[INDEXED]))[0]
            stated = [Stated("ahead of the lesson with an index, times", ahead, GOAL, at_least=True)]
            stated += [Stated(f"{app}: p99 of a request, us", _p99(crew)) for app, crew in crews.items()]
            if len(sides) == len(APPS):
                stated += [Stated(f"{name}: bytes of a page", _weight(crew[0])) for name, crew in crews.items()]
            yield Row(
                operation,
                here.kind,
                len(here.data.times),
                figures(found, floor=LESSON, throughput=True),
                goal=GOAL,
                throughput=True,
                note=f"{PEOPLE} people at once, waitress with {PEOPLE} threads; the ratio is to the lesson's code as it "
                f"stands. The machine's load was {busy:.1f} on {os.cpu_count()} cores when it began.",
                stated=tuple(stated),
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
        crew.append(Visitor(browser, app, viewer, pages))
        crew[-1].log_in()
    return crew


def _turn(
    people: ThreadPoolExecutor, crew: list[Visitor], do: Callable[[Visitor], None], seconds: float, _number: int
) -> list[float]:
    """Let a crew work, after a tenth of the time to warm up; return how often all do that in a second."""
    for part in (seconds / 10, seconds):
        rates = list(people.map(_rate, crew, repeat(do), repeat(part)))
    return [sum(rates)]


def _rate(visitor: Visitor, do: Callable[[Visitor], None], seconds: float) -> float:
    """Return how often in a second a visitor can *do* that; what has begun is ended, and counts."""
    start = before = time.perf_counter()
    done = 0
    while before - start < seconds:
        do(visitor)
        after = time.perf_counter()
        visitor.took.append(after - before)
        before, done = after, done + 1
    return done / (before - start)


def _p99(crew: list[Visitor]) -> float:
    return float(np.percentile([took * 1e6 for visitor in crew for took in visitor.took], 99))


def _weight(visitor: Visitor) -> float:
    return float(len(visitor.page(visitor.pages[0]).encode()))
