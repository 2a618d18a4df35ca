"""What pages learn after they were loaded: by a press, when they are looked at again, and as time goes by."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import URL

from retinue import NotificationMixin
from retinue.testing import count_statements
from tests.flask.library import HERE, MODELS, Library, library
from tests.flask.plain_apps import plain_app

pytestmark = [
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
    pytest.mark.tables(MODELS.metadata),
]

Open = Callable[..., Library]
JSON = {"Accept": "application/json"}


def press(visitor: FlaskClient, verb: str, number: int, **fields: str) -> Any:
    """Return what the script is told after it sent *verb*."""
    answer = visitor.post(f"/people/@{number}/{verb}", data=fields, headers={**HERE, **JSON})
    assert answer.status_code == 200, answer.text
    return answer.json


def now(visitor: FlaskClient, *numbers: int, **more: str) -> Any:
    """Return what is so of these readers, as the script asks for it."""
    query = "&".join([*(f"user={number}" for number in numbers), *(f"{name}={value}" for name, value in more.items())])
    answer = visitor.get(f"/people/state?{query}", headers=JSON)
    return answer.json if answer.status_code == 200 else answer.status_code


def statements(shelf: Library, visitor: FlaskClient, address: str, **headers: str) -> int:
    """Return how many statements a page takes, without the one for who is looking."""
    with count_statements(shelf.engine) as sent:
        visitor.get(address, headers={**JSON, **headers})
    return len(sent) - 1


# --- After a press -------------------------------------------------------------------------------


def test_a_press_tells_what_is_so_of_both(open_library: Open) -> None:
    """The one and the other: buttons, counts, how they stand, since when; as the pages show it."""
    shelf = open_library("ada", "ben")
    shelf.do("follow", 2, 1)
    said = press(shelf.visitor(1), "follow", 2, next="/readers")

    ada, ben = (said["people"][number]["pieces"] for number in "12")
    assert (ada["following"], ada["followers"], ben["following"], ben["followers"]) == ("1", "1", "1", "1")
    assert re.sub("<.*?>", "", ben["follower-count"]) == "1 follower"
    assert "Follows you" in ben["standing"]
    assert "Following since" in ben["since"]
    assert (ada["since"], ada["standing"]) == ("", "")
    assert set(said["people"]["2"]["how"]) == {"following", "followed_by"}
    gone = press(shelf.visitor(1), "unfollow", 2)
    assert (gone["people"]["2"]["pieces"]["since"], gone["people"]["1"]["pieces"]["following"]) == ("", "0")


def test_an_answer_says_so_and_is_read(open_library: Open) -> None:
    """Yes and no: the place of the buttons says which it was, and the badge has one less."""
    shelf = open_library("ada", "ben", "eve")
    shelf.change(1, locked=True)
    for number in (2, 3):
        shelf.do("follow", number, 1)
    visitor = shelf.visitor(1)
    assert "2<" in now(visitor)["unread"]

    yes, no = press(visitor, "accept", 2), press(visitor, "reject", 3)

    assert "You accepted" in yes["people"]["2"]["pieces"]["answers"]
    assert "followed_by" in yes["people"]["2"]["how"]
    assert "1<" in yes["unread"]
    assert "You rejected this request" in no["people"]["3"]["pieces"]["answers"]
    assert no["people"]["3"]["how"] == []
    assert no["unread"] == ""
    assert "asked to follow" not in visitor.get("/people/notifications").text


def in_a_week() -> datetime:
    return datetime.now(UTC) + timedelta(days=7)


#: What there is before a verb that can be taken back: reader 1 about reader 2.
BEFORE: dict[str, Callable[[Library], None]] = {
    "unfollow": lambda shelf: shelf.do("follow", 1, 2),
    "dismiss": lambda shelf: shelf.do("follow", 3, 2),
    "unmute": lambda shelf: shelf.do("mute", 1, 2, until=in_a_week()),
    "block": lambda shelf: shelf.do("follow", 2, 1),
}


def of_both(shelf: Library, visitor: FlaskClient) -> Any:
    """Return how the two stand, until when one mutes the other, and who is suggested."""
    with shelf.app.app_context():
        ends = [one.until for one in shelf.retinue.graph.mutes(1)]
        suggested = sorted(one.user.id for one in shelf.retinue.graph.suggestions(1))
    return now(visitor, 2)["people"]["2"]["how"], ends, suggested


@pytest.mark.parametrize("verb", BEFORE)
def test_what_removes_can_be_taken_back(open_library: Open, verb: str) -> None:
    """The answer says by which form; then all is as before, and pressed twice it does no harm."""
    shelf, visitor = open_library("ada", "ben", "eve"), None
    shelf.do("follow", 1, 3)
    BEFORE[verb](shelf)
    visitor = shelf.visitor(1)
    before = of_both(shelf, visitor)

    said = press(visitor, verb, 2)
    assert of_both(shelf, visitor) != before
    assert said.get("gone") == ("2" if verb == "dismiss" else None)
    for _ in range(2):
        back = visitor.post(said["undo"]["address"], data=said["undo"]["fields"], headers={**HERE, **JSON})
        assert back.status_code == 200

    assert of_both(shelf, visitor) == before


def test_what_cannot_be_taken_back_offers_nothing(open_library: Open) -> None:
    """Who is private is asked anew; who was no follower is none again; and what changed nothing has nothing to undo."""
    shelf = open_library("ada", "ben", "eve", "gus")
    shelf.do("follow", 1, 2)
    shelf.do("follow", 3, 1)
    shelf.change(2, locked=True)
    shelf.do("mute", 1, 4, notifications=False)
    visitor = shelf.visitor(1)
    assert 'data-ask="Unfollow ben? To follow them again, you have to ask."' in visitor.get("/readers").text
    for verb, number in (("unfollow", 2), ("remove", 3), ("unfollow", 4), ("unmute", 4), ("unmute", 3)):
        assert "undo" not in press(visitor, verb, number), verb


@pytest.mark.parametrize("until", ["tomorrow", "2030-01-01T00:00:00", "", "0001-13-01"])
def test_an_end_must_be_a_time(open_library: Open, until: str) -> None:
    """With its zone: what is taken back ends when it would have."""
    visitor = open_library("ada", "ben").visitor(1)
    answer = visitor.post("/people/@2/mute", data={"until": until}, headers={**HERE, **JSON})
    assert answer.status_code == 400


def test_a_press_costs_the_same_for_anybody(open_library: Open) -> None:
    """Three selects after the verb, whoever the two are: how they stand, their counts, and the badge."""
    shelf = open_library("ada", "ben", "eve")
    visitor = shelf.visitor(1)
    shelf.do("follow", 3, 1)
    for number in (2, 3):
        press(visitor, "mute", number)
        with count_statements(shelf.engine) as by_script:
            press(visitor, "mute", number)
        with count_statements(shelf.engine) as by_form:
            visitor.post(f"/people/@{number}/mute", headers=HERE)
        assert len(by_script) - len(by_form) == 3


def test_it_leads_back_to_the_row_or_the_one_beside_it(open_library: Open) -> None:
    """Without the script: where a row goes, its button names another one."""
    shelf = open_library("ada", "ben", "eve")
    for number in (2, 3):
        shelf.do("mute", 1, number)
    visitor = shelf.visitor(1)
    page = visitor.get("/people/muted").text
    rows = re.findall(r'id="(user-\d)".*?name="near" value="(user-\d)"', page, re.DOTALL)
    assert sorted(rows) == [("user-2", "user-3"), ("user-3", "user-2")]
    form = {"next": "/people/muted", "anchored": "1", "near": "user-3"}
    answer = visitor.post("/people/@2/unmute", data=form, headers=HERE)
    assert answer.location == "/people/muted#user-3"
    assert 'id="user-3"' in visitor.get(answer.location).text
    assert 'name="near"' not in visitor.get("/people/muted").text
    del form["near"]
    assert visitor.post("/people/@3/follow", data=form, headers=HERE).location == "/people/muted#user-3"


# --- Looked at again -----------------------------------------------------------------------------


def test_what_others_did_meanwhile(open_library: Open) -> None:
    """The same pieces as after a press, for each who is asked for; and the badge."""
    shelf = open_library("ada", "ben", "eve")
    visitor = shelf.visitor(1)
    shelf.do("follow", 2, 1)
    shelf.do("follow", 1, 3)
    said = now(visitor, 1, 2, 3)
    assert set(said["people"]) == {"1", "2", "3"}
    assert "Follow back" in said["people"]["2"]["pieces"]["user"]
    assert "Following" in said["people"]["3"]["pieces"]["user"]
    assert said["people"]["1"]["pieces"]["followers"] == "1"
    assert "1<" in said["unread"]
    assert "token" not in said


def test_nobody_learns_what_they_may_not(open_library: Open) -> None:
    """Who blocks the viewer, who is away, who never was, and what is no name: each is left out alike."""
    shelf = open_library("ada", "ben", "eve", "gus", "ida")
    shelf.do("follow", 2, 4)
    shelf.do("block", 2, 1)
    shelf.change(3, active=False)
    shelf.do("block", 1, 5)
    visitor = shelf.visitor(1)
    for nobody in (2, 3, 99, "x", "%00", "2%2F"):
        assert now(visitor, nobody)["people"] == {}, nobody  # type: ignore[arg-type]
    assert set(now(visitor, 2, 3, 4, 5, 99)["people"]) == {"4", "5"}
    assert "blocked_by" not in str(now(visitor, 4, 5))
    stranger = now(shelf.visitor(), 2, 3, next="/readers%3Fx=1")
    assert list(stranger["people"]) == ["2"]
    assert "unread" not in stranger
    assert "log-in?next=/readers?x%3D1" in stranger["people"]["2"]["pieces"]["user"]
    assert "https" not in str(now(shelf.visitor(), 2, next="https://x.example/"))


def test_it_costs_the_same_for_one_and_for_fifty(open_library: Open) -> None:
    """Four selects; more than fifty are refused before any."""
    shelf = open_library(*(f"reader{number}" for number in range(60)))
    visitor = shelf.visitor(1)
    for most in (2, 50):
        query = "&".join(f"user={number}" for number in range(2, most + 2))
        assert statements(shelf, visitor, f"/people/state?{query}") == 4, most
    assert now(visitor, *range(1, 52)) == 400
    assert statements(shelf, visitor, "/people/state?user=x") == 1


def test_who_looked_may_be_gone(open_library: Open) -> None:
    """The page of somebody who is logged out since leads to the log-in, and back; that of another is loaded again."""
    shelf = open_library("ada", "ben")
    said = shelf.visitor().get("/people/state?as=1&user=2&next=/readers", headers=JSON)
    assert (said.status_code, said.json["location"]) == (401, "/enter?next=/readers")  # type: ignore[index]
    said = shelf.visitor(2).get("/people/state?as=1&user=2&next=/readers", headers=JSON)
    assert (said.status_code, said.json["location"]) == (409, "/readers")  # type: ignore[index]
    assert list(now(shelf.visitor(1), 2, **{"as": "1"})["people"]) == ["2"]
    assert 'data-retinue-viewer="1"' in shelf.visitor(1).get("/readers").text
    assert "data-retinue-viewer" not in shelf.visitor().get("/readers").text


def test_where_everything_needs_a_log_in(database: URL) -> None:
    """A stranger learns nothing, and is led back to the page, not to what its script asks."""
    with library(database, RETINUE_LOGIN_REQUIRED=True) as shelf:
        shelf.open("ada", "ben")
        said = shelf.visitor().get("/people/state?user=1&next=/readers", headers=JSON)
        assert (said.status_code, said.json["location"]) == (401, "/enter?next=/readers")  # type: ignore[index]


def test_a_token_that_is_good_now(database: URL) -> None:
    """With Flask-WTF, the page gets one: its own may be of a session that has ended; a stranger gets none."""
    with library(database) as shelf:
        CSRFProtect(shelf.app)
        shelf.open("ada", "ben")
        shelf.app.view_functions["entered"] = shelf.app.extensions["csrf"].exempt(shelf.app.view_functions["entered"])
        visitor = shelf.visitor(1)
        fields = {"csrf_token": now(visitor, 2)["token"]}
        assert press(visitor, "follow", 2, **fields)["message"] == "You follow ben."
        assert "token" not in now(shelf.visitor(), 2)


# --- Unread notifications ------------------------------------------------------------------------


def test_the_number_of_unread_notifications(open_library: Open) -> None:
    """Asked with the tag of the answer before, it is a 304 until it changes; one select, either way."""
    shelf = open_library("ada", "ben", "eve")
    visitor, address = shelf.visitor(1), "/people/notifications/unread"
    first = visitor.get(address, headers=JSON)
    assert first.json == {"unread": ""}
    assert first.headers["Cache-Control"] == "private, no-cache"
    tag = {"If-None-Match": first.headers["ETag"]}
    again = visitor.get(address, headers={**JSON, **tag})
    assert (again.status_code, again.data) == (304, b"")
    shelf.do("follow", 2, 1)
    changed = visitor.get(address, headers={**JSON, **tag})
    assert changed.json["unread"].startswith("1<")  # type: ignore[index]
    assert statements(shelf, visitor, address) == 1
    assert statements(shelf, visitor, address, **{"If-None-Match": changed.headers["ETag"]}) == 1
    assert shelf.visitor().get(address, headers=JSON).status_code == 401


def test_the_badge(open_library: Open) -> None:
    """The number, and for whoever does not see it what it counts; hidden at zero; nothing for a stranger."""
    shelf = open_library("ada", *(f"reader{number}" for number in range(101)))
    shelf.app.add_url_rule("/bell", view_func=lambda: shelf.app.jinja_env.from_string("{{ unread_badge() }}").render())
    visitor = shelf.visitor(1)
    assert re.search(r"<b [^>]* hidden></b>", visitor.get("/bell").text)
    shelf.do("follow", 2, 1)
    page = visitor.get("/bell").text
    assert re.sub("<.*?>", "", page) == "1 unread"
    assert "hidden" not in page
    for number in range(3, 103):
        shelf.do("follow", number, 1)
    assert re.sub("<.*?>", "", visitor.get("/bell").text) == "99+ unread"
    assert shelf.visitor().get("/bell").text == ""


@pytest.mark.usefixtures("database")
def test_without_notifications_there_is_no_badge() -> None:
    """And nowhere to ask for its number: a page without the model is not there."""
    plain = plain_app("flask-sqlalchemy", "sqlite://")
    plain.app.add_url_rule("/bell", view_func=lambda: plain.app.jinja_env.from_string("{{ unread_badge() }}").render())
    with plain.app.app_context():
        plain.session().add(plain.user(username="ann"))
        plain.session().commit()
    visitor = plain.app.test_client()
    visitor.post("/be/ann")
    with plain.app.test_request_context():
        assert NotificationMixin not in plain.app.extensions["retinue"].schema.models
    assert visitor.get("/people/notifications/unread", headers=JSON).status_code == 404
    assert visitor.get("/people/state?user=1").json.keys() == {"people"}  # type: ignore[union-attr]
    assert visitor.get("/bell").text == ""


def test_several_are_read_at_once(open_library: Open) -> None:
    """Those that were seen, and no others; somebody else's stay as they are. A page opened changes nothing."""
    shelf = open_library("ada", "ben", "eve", "gus")
    for number in (2, 3, 4):
        shelf.do("follow", number, 1)
    visitor = shelf.visitor(1)
    ids = re.findall(r'name="id" value="(\d+)"', visitor.get("/people/notifications").text)
    assert len(ids) == len(set(ids)) == 3
    other = shelf.visitor(2).post("/people/notifications/read", data={"id": ids}, headers={**HERE, **JSON})
    assert other.json == {"unread": ""}
    assert now(visitor)["unread"].startswith("3<")
    said = visitor.post("/people/notifications/read", data={"id": ids[:2]}, headers={**HERE, **JSON})
    assert said.json["unread"].startswith("1<")  # type: ignore[index]
    for wrong in (["x"], [ids[2], "-1"], ids[:1] * 101):
        answer = visitor.post("/people/notifications/read", data={"id": wrong}, headers={**HERE, **JSON})
        assert answer.status_code == 400
    assert now(visitor)["unread"].startswith("1<")
