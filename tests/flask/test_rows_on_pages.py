"""The lists on the extension's pages read rows where nothing of the application's reads whole users."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, event

from retinue.flask import Attempt
from tests.flask.library import MODELS, READER, Library, library

pytestmark = [
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
    pytest.mark.tables(MODELS.metadata),
]

READERS = [f"reader {number}" for number in range(1, 9)]
PAGES = [
    "/people/@1/followers",
    "/people/@1/following?sort=name",
    "/people/@2/known",
    "/people/@1/mutuals",
    "/people/@2",
    "/people/requests",
    "/people/requests/sent",
    "/people/blocked",
    "/people/muted",
    "/people/notifications",
    "/people/suggestions",
]


@contextmanager
def loaded() -> Iterator[set[Any]]:
    """Give the keys of users who are loaded as objects meanwhile."""
    keys: set[Any] = set()

    def note(user: Any, _context: Any) -> None:
        keys.add(user.id)

    event.listen(READER, "load", note)
    try:
        yield keys
    finally:
        event.remove(READER, "load", note)


def opened(shelf: Library, **given: Any) -> Library:
    """Return a library in which reader 1 has somebody on every list."""
    shelf.open(*READERS, **given)
    for other in (2, 3, 4):
        shelf.do("follow", other, 1)
        shelf.do("follow", 1, other)
    shelf.do("follow", 3, 2)
    shelf.do("follow", 3, 5)
    shelf.change(1, locked=True)
    shelf.change(7, locked=True)
    shelf.do("follow", 6, 1)
    shelf.do("follow", 1, 7)
    shelf.do("block", 1, 8)
    shelf.do("mute", 1, 2)
    return shelf


def test_a_page_of_rows_is_that_of_users(database: URL) -> None:
    """Word for word; and only the viewer, and whose page it is, are loaded."""
    pages: list[list[str]] = []
    for given in ({}, {"may": lambda _attempt: True}):
        with library(database) as shelf:
            visitor = opened(shelf, **given).visitor(1) if not pages else _again(shelf, given)
            with loaded() as keys:
                pages.append([_text(visitor, page) for page in PAGES])
        assert (keys <= {1, 2}) == (not given)
    rows, users = pages
    for page, one, other in zip(PAGES, rows, users, strict=True):
        assert one == other, page
        assert "reader " in one.partition("<main")[2], page


def _again(shelf: Library, given: dict[str, Any]) -> Any:
    shelf.open(**given)
    return shelf.visitor(1)


def _text(visitor: Any, page: str) -> str:
    response = visitor.get(page)
    assert response.status_code == 200, page
    return str(response.text)


def test_what_the_application_names_its_own_functions_get(database: URL) -> None:
    """A row with that, for an address and a permission; and nothing else."""
    attempts: list[Attempt] = []

    def may(attempt: Attempt) -> bool:
        attempts.append(attempt)
        return True

    with library(database, RETINUE_USER_COLUMNS=["shelf"]) as shelf:
        opened(shelf, may=may, user_url=lambda user: f"/shelves/{user.shelf}/{user.id}")
        shelf.change(3, shelf="history")
        visitor = shelf.visitor(1)
        attempts.clear()
        assert "/shelves/history/3" in _text(visitor, "/people/@1/followers")
        targets: list[Any] = [one.target for one in attempts]
        target = next(one for one in targets if one.id == 3)
        assert (target.name, target.shelf, target.locked) == ("reader 3", "history", False)
        assert not hasattr(target, "active")


def test_a_template_of_the_applications_gets_users(database: URL, tmp_path: Path) -> None:
    """Unless it says what it reads; a layout of its own changes nothing."""
    for name, kind in (("layout", False), ("_picture", True)):
        folder = tmp_path / name / "retinue"
        folder.mkdir(parents=True)
        (folder / f"{name}.html").write_text("{% block retinue_content %}{% endblock %}{{ person.user.shelf }}")
        with library(database, flask={"template_folder": str(tmp_path / name)}) as shelf:
            visitor = opened(shelf).visitor(1) if name == "layout" else _again(shelf, {})
            with loaded() as keys:
                _text(visitor, "/people/@1/followers")
        assert (3 in keys) is kind


@pytest.mark.parametrize("names", [["nobody"], ["followers"], "shelf", [7]])
def test_a_column_that_is_none_is_refused(database: URL, names: Any) -> None:
    """With the key's name."""
    with library(database, RETINUE_USER_COLUMNS=names) as shelf:
        shelf.app.config["PROPAGATE_EXCEPTIONS"] = True
        with pytest.raises(ValueError, match="RETINUE_USER_COLUMNS"):
            opened(shelf).visitor(1).get("/people/@1/followers")
