"""The errors of the graph in views of the application's own: HTTP errors with a sentence, unless it has its own way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Blueprint, request
from flask_login import current_user
from sqlalchemy import URL
from werkzeug.exceptions import HTTPException

from retinue import InvalidCursor, NotVisibleError, RetinueError, UnknownUserError
from tests.flask.library import MODELS, READER, Library, library

pytestmark = [
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
    pytest.mark.tables(MODELS.metadata),
]


@pytest.fixture
def shelf(database: URL) -> Iterator[Library]:
    """Give a library with a list and a button of its own, which is not open yet."""
    with library(database) as one:
        graph = one.retinue

        @one.app.get("/fans")
        def fans() -> str:
            limit = request.args.get("limit", 20, int)
            page = graph.graph.followers(1, viewer=current_user, limit=limit, cursor=request.args.get("cursor"))
            return str(len(page.items))

        @one.app.post("/follow/<int:number>")
        def follow(number: int) -> str:
            return str(graph.graph.follow(current_user, number))

        @one.app.post("/befriend/<int:number>")
        def befriend(number: int) -> str:
            user: Any = current_user
            return str(user.follow(one.session.get_one(READER, number)))

        @one.app.get("/none")
        def none() -> str:
            raise ValueError

        yield one


CASES: dict[str, tuple[str, str, int, str]] = {
    "cursor": ("GET", "/fans?cursor=x", 400, "This link leads nowhere"),
    "no rows": ("GET", "/fans?limit=0", 400, "A page can have 1 to 100 rows."),
    "many rows": ("GET", "/fans?limit=101", 400, "A page can have 1 to 100 rows."),
    "oneself": ("POST", "/follow/2", 400, "You can’t follow, mute or block yourself"),
    "oneself by method": ("POST", "/befriend/2", 400, "You can’t follow, mute or block yourself"),
    "nobody": ("POST", "/follow/99", 404, "This person is no longer here."),
    "blocked": ("POST", "/follow/3", 409, "You can’t follow this person."),
}


@pytest.mark.parametrize("case", CASES)
def test_an_error_in_a_view_of_the_application(shelf: Library, case: str) -> None:
    """A bad address is not the server's fault."""
    method, path, status, text = CASES[case]
    shelf.open("ada", "ben", "eve")
    shelf.do("block", 3, 2)
    answer = shelf.visitor(2).open(path, method=method)
    assert (answer.status_code, text in answer.text) == (status, True)
    by_script = shelf.visitor(2).open(path, method=method, headers={"Accept": "application/json"})
    assert (by_script.status_code, text in by_script.json["message"]) == (status, True)  # type: ignore[index]


def test_a_list_that_one_may_not_see(shelf: Library) -> None:
    """Not there, for strangers and for whoever is not a follower; there for the followers."""
    shelf.open("ada", "ben", "eve")
    shelf.change(1, locked=True)
    shelf.do("follow", 3, 1)
    shelf.do("accept", 1, 3)
    assert [shelf.visitor(who).get("/fans").status_code for who in (None, 2, 3, 1)] == [404, 404, 200, 200]


def test_other_errors_stay_what_they_are(shelf: Library) -> None:
    """A `ValueError` of the application's own is nobody's address."""
    shelf.open("ada")
    assert shelf.visitor().get("/none").status_code == 500


def test_the_application_has_its_own_page_for_the_status(shelf: Library) -> None:
    """It gets the sentence."""
    shelf.app.register_error_handler(400, lambda error: (f"mine: {error.description}", 400))
    shelf.open("ada")
    assert shelf.visitor().get("/fans?limit=0").text == "mine: A page can have 1 to 100 rows."
    assert shelf.visitor().get("/people/@1/followers?cursor=x").text.startswith("mine: This link leads nowhere")


@pytest.mark.parametrize("kind", [InvalidCursor, RetinueError, ValueError])
@pytest.mark.parametrize("before", [True, False])
def test_the_application_has_its_own_way(shelf: Library, kind: type[Exception], before: bool) -> None:
    """Whether it says so before or after, of the error or of one above it; in the extension's pages, too."""

    def say() -> None:
        shelf.app.register_error_handler(kind, lambda error: (f"mine: {type(error).__name__}", 418))

    if before:
        say()
    shelf.open("ada")
    if not before:
        say()
    for path in ("/fans?cursor=x", "/people/@1/followers?cursor=x"):
        answer = shelf.visitor().get(path)
        assert (answer.status_code, answer.text) == (418, "mine: InvalidCursor")


def test_a_blueprint_has_its_own_way(shelf: Library) -> None:
    """As everywhere in Flask, what a blueprint says goes first."""
    club = Blueprint("club", __name__)
    club.register_error_handler(NotVisibleError, lambda _error: ("hidden", 403))

    @club.get("/secret")
    def secret() -> str:
        raise NotVisibleError(1)

    shelf.app.register_blueprint(club)
    shelf.open()
    assert (shelf.visitor().get("/secret").status_code, shelf.visitor().get("/secret").text) == (403, "hidden")


@pytest.mark.parametrize("kind", [Exception, HTTPException])
def test_what_it_does_about_any_error_is_no_way_of_its_own(shelf: Library, kind: type[Exception]) -> None:
    """A page for whatever fails is not meant for a bad address; one for all HTTP errors is."""
    handle: Callable[[Any], Any] = lambda error: ("sorry", getattr(error, "code", 500))  # noqa: E731 - a handler
    shelf.app.register_error_handler(kind, handle)
    shelf.open("ada")
    assert shelf.visitor().get("/fans?cursor=x").status_code == 400
    assert UnknownUserError([1]).user_ids == (1,)
