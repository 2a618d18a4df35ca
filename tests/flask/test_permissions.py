"""What the application lets its users do, and whom it lets in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import URL, select

from retinue.flask import Attempt
from tests.flask.library import HERE, MODELS, Library, library

pytestmark = [
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
    pytest.mark.tables(MODELS.metadata),
]

VERBS = [
    "follow",
    "unfollow",
    "remove",
    "accept",
    "reject",
    "block",
    "unblock",
    "mute",
    "unmute",
    "dismiss",
    "undismiss",
]
JSON = {**HERE, "Accept": "application/json"}


class Asked(list[Attempt]):
    """Remembers what the application was asked, and says no to some of it."""

    def __init__(self, answers: dict[str, Any]) -> None:
        super().__init__()
        self.answers = answers

    def __call__(self, attempt: Attempt) -> bool | str:
        self.append(attempt)
        answer: bool | str = self.answers.get(attempt.verb, True)
        return answer


@pytest.fixture
def shelf(database: URL) -> Iterator[Library]:
    """Give a library that is not open yet."""
    with library(database) as one:
        yield one


def edges(shelf: Library) -> int:
    with shelf.app.app_context():
        return len(shelf.session.scalars(select(MODELS.follow)).all())


@pytest.mark.parametrize("verb", VERBS)
def test_the_application_is_asked_before_every_verb(shelf: Library, verb: str) -> None:
    """With who and to whom; and its no is a 403, with its own sentence if it gives one."""
    may = Asked({verb: "Confirm your address first."})
    shelf.open("ada", "ben", may=may)
    visitor = shelf.visitor(1)
    refused = visitor.post(f"/people/@2/{verb}", headers=HERE)
    assert (refused.status_code, "Confirm your address first." in refused.text) == (403, True)
    by_script = visitor.post(f"/people/@2/{verb}", headers=JSON)
    assert (by_script.status_code, by_script.json) == (403, {"message": "Confirm your address first."})
    assert {(one.verb, one.actor.id, one.target and one.target.id) for one in may} == {(verb, 1, 2)}
    assert edges(shelf) == 0
    with pytest.raises(FrozenInstanceError):
        may[0].verb = "follow"  # type: ignore[misc]


@pytest.mark.parametrize("answer", ["accept", "reject"])
def test_an_answer_to_everybody_has_no_target(shelf: Library, answer: str) -> None:
    """It is one attempt, and not one for each who asked."""
    may = Asked({f"{answer}_all": False})
    shelf.open("ada", "ben", may=may)
    assert shelf.visitor(1).post(f"/people/requests/{answer}", headers=HERE).status_code == 403
    assert [(one.verb, one.actor.id, one.target) for one in may] == [(f"{answer}_all", 1, None)]


def test_what_is_allowed_is_done(shelf: Library) -> None:
    """True, and whatever else is true, as a flag in the database is."""
    shelf.open("ada", "ben", may=lambda _attempt: 1)
    assert shelf.visitor(1).post("/people/@2/follow", headers=HERE).status_code == 303
    assert edges(shelf) == 1


def test_no_button_for_a_plain_no(shelf: Library) -> None:
    """What is so is still said; and a sentence keeps the button, to be said to whoever presses it."""
    may = Asked({"follow": False})
    shelf.open("ada", "ben", "eve", may=may)
    shelf.do("follow", 1, 3)
    visitor = shelf.visitor(1)
    assert "<button" in (page := visitor.get("/readers").text)
    assert "/@2/follow" not in page
    may.answers |= {"follow": "Not before noon.", "unfollow": False}
    page = visitor.get("/readers").text
    assert ("/@2/follow" in page, "/@3/unfollow" in page, "Following" in page) == (True, False, True)
    assert "/log-in" in shelf.visitor().get("/readers").text


def test_forgetting_to_answer_is_a_no(shelf: Library) -> None:
    """A function that returns nothing lets nobody do anything."""
    shelf.open("ada", "ben", may=lambda _attempt: None)
    assert shelf.visitor(1).post("/people/@2/follow", headers=HERE).status_code == 403
    assert "/follow" not in shelf.visitor(1).get("/readers").text


# --- RETINUE_LOGIN_REQUIRED ----------------------------------------------------------------------

PATHS = [
    *("/people/@1/followers", "/people/@1/following?sort=oldest", "/people/@9/mutuals", "/people/@1/known"),
    *("/people/requests", "/people/blocked", "/people/notifications", "/people/suggestions"),
]


@pytest.mark.parametrize("path", PATHS)
def test_where_everything_needs_a_log_in(database: URL, path: str) -> None:
    """Strangers are led to the log-in page and back, whether or not there is such a person; scripts get a 401."""
    with library(database, RETINUE_LOGIN_REQUIRED=True) as shelf:
        shelf.open("ada", "ben")
        stranger = shelf.visitor()
        led = stranger.get(path)
        assert (led.status_code, led.location) == (303, f"/enter?next={quote(path, safe='/:@')}")
        for headers in (
            {"Accept": "application/json"},
            {"Sec-Fetch-Dest": "empty", "Accept": "*/*"},
            {"X-Requested-With": "XMLHttpRequest"},
        ):
            refused = stranger.get(path, headers=headers)
            assert (refused.status_code, refused.json["location"]) == (401, led.location)  # type: ignore[index]
        assert stranger.get(path, headers={"Sec-Fetch-Dest": "empty", "Accept": "text/html"}).status_code == 303
        assert stranger.post("/people/@2/follow", data={"next": "/readers"}, headers=HERE).location == (
            "/enter?next=/readers%23user-2"
        )
        with stranger.get("/people/static/retinue/retinue.css") as style:
            assert style.status_code == 200
        assert stranger.get("/people/log-in?next=/readers").location == "/enter?next=/readers"
        assert stranger.get("/readers").status_code == 200
        assert shelf.visitor(1).get("/people/@2/followers").status_code == 200


def test_without_it_lists_are_there_for_everybody(shelf: Library) -> None:
    """As before: who wants to hide a list says so."""
    shelf.open("ada")
    assert shelf.visitor().get("/people/@1/followers").status_code == 200


@pytest.mark.parametrize("key", ["RETINUE_LOGIN_REQUIRED", "RETINUE_PAGES"])
def test_a_word_is_neither_true_nor_false(database: URL, key: str) -> None:
    """As it would come from the environment: ``"0"`` is not False."""
    with library(database, **{key: "0"}) as shelf, pytest.raises(ValueError, match=key):
        shelf.open()
