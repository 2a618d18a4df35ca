"""The pages that are timed: both apps show the same people with the same words, and their buttons do what they say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import URL, text
from sqlalchemy.engine import create_engine

from benchmarks.data import GAP, START, Data
from benchmarks.pages import apps
from benchmarks.pages.apps import ROWS
from benchmarks.pages.browser import Browser
from benchmarks.pages.serving import served
from benchmarks.pages.visits import PAGES, PEOPLE, Visitor, compare_clicks, compare_pages, plan, rows_of

VIEWER = 1


def _dense(users: int) -> Data:
    """Return a graph in which everybody has followers for more than a page, and does not follow all of them."""
    pairs = [(one, other) for one in range(1, users + 1) for other in range(1, users + 1) if (one * 7 + other * 3) % 5]
    edges = np.array([pair for pair in pairs if pair[0] != pair[1]])
    times = START + np.arange(len(edges)) * GAP
    return Data("dense", users, edges[:, 0], edges[:, 1], times, celebrity=users)


DATA = _dense(60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def both(folder: Path) -> Iterator[tuple[Visitor, Visitor]]:
    """Give the same person at Retinue's app and at the lesson's, whose index changes no answer."""
    with ExitStack() as stack:
        visitors = []
        for number, app in enumerate((apps.RETINUE, apps.INDEXED)):
            url = URL.create("sqlite", database=str(folder / f"{number}.sqlite3"))
            app.fill(url, DATA)
            browser = Browser(stack.enter_context(served(app.create, url)))
            stack.callback(browser.close)
            visitors.append(Visitor(browser, app, VIEWER, pages=(2, 3)))
            visitors[-1].log_in()
        yield visitors[0], visitors[1]


def test_a_row_is_read_with_all_its_words(both: tuple[Visitor, Visitor]) -> None:
    for visitor in both:
        rows = rows_of(visitor.page(2))
        assert len(rows) == ROWS
        newest = DATA.followers[DATA.followed == 2][::-1].tolist()
        assert list(rows) == newest[:ROWS]
        assert rows[newest[0]].startswith(f"U user{newest[0]} ")
        assert "followers Follows you Follower since " in " ".join(rows.values())


def test_both_apps_show_the_same_before_and_after_a_click(both: tuple[Visitor, Visitor], folder: Path) -> None:
    mine, other = both
    mine.buttons = other.buttons = mine.find_buttons()
    assert other.find_buttons() == mine.buttons
    assert mine.buttons

    compare_pages(mine, other)
    compare_clicks(mine, other)

    # A difference in one row is one too many: here, somebody's number of followers.
    page, user = mine.buttons[0]
    engine = create_engine(URL.create("sqlite", database=str(folder / "1.sqlite3")))
    with engine.begin() as connection:
        connection.execute(text(f"DELETE FROM follows WHERE following_id = {user} AND follower_id != {page}"))
    engine.dispose()
    with pytest.raises(AssertionError, match=f"user{user} 48 followers.*user{user} 1 follower "):
        compare_pages(mine, other)


def test_the_plan_is_about_people_whose_lists_are_long() -> None:
    data = _dense(210)
    chosen = plan(data)
    assert len(set(chosen.viewers)) == PEOPLE
    looked_at = {page for pages in chosen.pages for page in pages}
    assert all(len(pages) == PAGES for pages in chosen.pages)
    assert data.celebrity not in looked_at
    assert looked_at.isdisjoint(chosen.viewers)
