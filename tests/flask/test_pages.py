"""The default pages as a set: each leads on, says who is who, and stands in whatever layout there is."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import render_template_string
from flask.testing import FlaskClient
from sqlalchemy import URL

from retinue.testing import count_statements
from tests.flask.library import HERE, MODELS, READER, Library, library

pytestmark = [
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
    pytest.mark.tables(MODELS.metadata),
]

Open = Callable[..., Library]

OWN = ["requests", "requests/sent", "blocked", "muted", "notifications", "suggestions"]
OF_SOMEBODY = ["", "/followers", "/following", "/mutuals", "/known"]


def words(text: str) -> str:
    """Return what is read of a page."""
    body = re.sub(r"<(style|script|title)\b.*?</\1>", " ", text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", re.sub("</?bdi>", "", body))).split())


def addresses(text: str) -> set[str]:
    """Return where the links of a page lead to."""
    return {html.unescape(link) for link in re.findall(r'<a\b[^>]*?href="([^"]+)"', text)}


def full(open_library: Open, *names: str) -> Library:
    """Return a library in which everything stands about Ada, reader 1, who is locked."""
    shelf = open_library("ada", "ben", "eve", "gus", "ida", "kay", *names, RETINUE_USER_SLUG="name")
    shelf.do("follow", 2, 1)
    shelf.do("follow", 1, 2)
    shelf.do("follow", 3, 2)
    shelf.do("follow", 1, 3)
    shelf.change(1, locked=True)
    shelf.do("follow", 3, 1)
    shelf.do("follow", 4, 1)
    shelf.do("block", 1, 5)
    shelf.do("mute", 1, 6)
    return shelf


# --- From one to the next ------------------------------------------------------------------------


def test_every_page_leads_to_all_others(open_library: Open) -> None:
    """Whatever page somebody is on, with people or without: their own pages are a link away, and say how many wait."""
    shelf = full(open_library, "newcomer")
    for reader, waiting in ((1, "Requests 2 waiting"), (7, "Requests Suggestions")):
        visitor = shelf.visitor(reader)
        for path in [*OWN, *(f"@{name}{page}" for name in ("ada", "ida") for page in OF_SOMEBODY)]:
            page = visitor.get(f"/people/{path}").text
            assert addresses(page) >= {f"/people/{own}" for own in OWN if "/" not in own}, path
            assert waiting in words(page), path
    stranger = shelf.visitor().get("/people/@ben/followers").text
    assert not any(link.endswith(("/requests", "/blocked")) for link in addresses(stranger))


def test_nobody_there_is_no_dead_end(open_library: Open) -> None:
    """An empty list says so in a sentence, leads on, and has nothing to filter; a search without a match leads back."""
    shelf = open_library("ada", "ben")
    visitor = shelf.visitor(1)
    empty = r'<p class="retinue-empty">[^<]*(?:<bdi>[^<]*</bdi>[^<]*)?<br><a class="retinue-button retinue-quiet" href="([^"]+)">'
    lists = [f"@{number}/{kind}" for number in (1, 2) for kind in ("followers", "following", "mutuals")]
    for path in [*OWN, *lists, "@2/known"]:
        page = visitor.get(f"/people/{path}").text
        (way,) = re.findall(empty, page)
        assert visitor.get(way).status_code == 200, path
        assert 'role="search"' not in page, path
    shelf.do("follow", 2, 1)
    assert 'role="search"' in visitor.get("/people/@1/followers").text
    searched = visitor.get("/people/@1/followers?q=zz").text
    assert re.findall(empty, searched) == ["/people/@1/followers"]
    assert ("Nobody on this list matches “zz”." in words(searched), 'role="search"' in searched) == (True, True)


def test_pages_cost_the_same_for_one_and_for_many(open_library: Open) -> None:
    """However many are on them; who is looking is one of the statements."""
    shelf = open_library(*(f"reader{number}" for number in range(30)))
    shelf.change(1, locked=True)
    counted = []
    for fans in (range(3, 5), range(5, 30)):
        for fan in fans:
            shelf.do("follow", fan, 1)
            shelf.do("follow", fan, 2)
            shelf.do("mute", 1, fan)
        visitor = shelf.visitor(1)
        costs = {}
        for path in ("requests", "muted", "notifications", "@1", "@2", "@2/followers", "@2/known", "suggestions"):
            with count_statements(shelf.engine) as statements:
                assert visitor.get(f"/people/{path}").status_code == 200
            costs[path] = len(statements)
        counted.append(costs)

    assert counted[0] == counted[1]
    assert counted[0] == COSTS, counted[0]


#: Statements of each page: those of its docstring at most.
COSTS = {
    "requests": 6,
    "muted": 6,
    "notifications": 6,
    "@1": 6,
    "@2": 7,
    "@2/followers": 7,
    "@2/known": 7,
    "suggestions": 6,
}


# --- A person ------------------------------------------------------------------------------------


def test_the_page_of_a_person(open_library: Open) -> None:
    """Who they are, how they stand to the viewer, and whatever one may want to do next."""
    shelf = full(open_library)
    shelf.do("follow", 1, 4)
    visitor = shelf.visitor(1)

    ben, gus, ida = (visitor.get(f"/people/@{name}").text for name in ("ben", "gus", "ida"))

    assert all(
        phrase in words(ben) for phrase in ("ben", "Follows you", "2 followers", "Followed by eve, whom you follow")
    )
    assert addresses(ben) >= {f"/people/@ben/{page}" for page in ("followers", "following", "mutuals", "known")}
    assert "gus wants to follow you. Accept" in words(gus)
    assert "You blocked ida. You can’t follow each other" in words(ida)
    assert 'name="restore"' in ida
    assert shelf.visitor(5).get("/people/@ada").status_code == 404
    assert "/people/@ben/block" not in shelf.visitor().get("/people/@ben").text


def test_where_the_application_has_a_page_for_people(database: URL) -> None:
    """Names lead there, and there is no second one."""
    with library(database) as shelf:
        shelf.open("ada", "ben", user_url=lambda reader: f"/reader/{reader.id}")
        shelf.do("follow", 2, 1)
        assert "/reader/2" in addresses(shelf.visitor(1).get("/people/@1/followers").text)
        assert shelf.visitor(1).get("/people/@2").status_code == 404


@pytest.mark.parametrize("slug", [None, "name"])
def test_who_is_who(database: URL, slug: str | None) -> None:
    """Two people of one name are told apart wherever they stand; a primary key is nobody's handle."""
    with library(database, RETINUE_USER_SLUG=slug, RETINUE_USER_LABEL="shelf") as shelf:
        shelf.open("ada", "ben", "eve")
        for reader in (1, 2, 3):
            shelf.change(reader, shelf="Alex Doe", locked=reader == 1)
        shelf.do("follow", 1, 2)
        shelf.do("follow", 2, 1)
        shelf.do("follow", 3, 1)
        shelf.do("mute", 1, 3)
        visitor = shelf.visitor(1)
        for path in (
            "requests",
            "muted",
            "notifications",
            f"@{'ada' if slug else 1}/following",
            f"@{'ben' if slug else 2}",
        ):
            handles = set(re.findall(r"@(\w+)", words(visitor.get(f"/people/{path}").text)))
            assert handles <= {"ada", "ben", "eve"}, path
            assert bool(handles) is bool(slug), path


def test_only_the_blocker_reads_why_a_list_is_closed(open_library: Open) -> None:
    """The reason is theirs; the blocked one finds nobody of that name, and others a list or its owner's wish."""
    shelf = full(open_library)
    closed = shelf.visitor(1).get("/people/@ida/followers")
    assert (closed.status_code, "You blocked ida, so you can’t see each other’s lists." in words(closed.text)) == (
        404,
        True,
    )
    assert shelf.visitor(5).get("/people/@ada/followers").text == shelf.visitor(5).get("/people/@ad/followers").text
    private = words(shelf.visitor(6).get("/people/@ada/followers").text)
    assert "This list is private. Only followers whom ada has accepted can see it." in private
    assert "blocked" not in private.partition("ada")[2]


# --- The menu ------------------------------------------------------------------------------------


def menus(shelf: Library, reader: int | None, target: int) -> str:
    """Return the menu of *target* in a page of the application's own."""
    with shelf.app.test_client() as client:
        if reader is not None:
            client.post(f"/enter/{reader}")
        found: str = client.get(f"/menu/{target}").text
        return found


def with_menus(shelf: Library) -> Library:
    @shelf.app.get("/menu/<int:number>")
    def menu(number: int) -> str:
        return render_template_string("{{ person_menu(reader) }}", reader=shelf.session.get_one(READER, number))

    return shelf


def test_the_menu_of_a_person(open_library: Open) -> None:
    """It has what can be done now and its way back; for oneself, and for strangers, there is none."""
    shelf = with_menus(full(open_library))

    def verbs(target: int) -> set[str]:
        return set(re.findall(r'formaction="/people/@\w+/(\w+)"', menus(shelf, 1, target)))

    assert [verbs(target) for target in (1, 2, 3, 5, 6)] == [
        set(),
        {"mute", "remove", "block"},
        {"mute", "block"},
        {"mute", "unblock"},
        {"unmute", "block"},
    ]
    assert "<form" not in menus(shelf, None, 2) + menus(shelf, 1, 1)


def test_the_menu_works_without_a_script(open_library: Open) -> None:
    """A press is a form of its page; a block lies one step behind the others; its end can bring the follows back."""
    shelf = with_menus(full(open_library))
    visitor = shelf.visitor(1)
    opened = menus(shelf, 1, 2)
    assert opened.index("<details") < opened.index("/block") < opened.index("</details>", opened.index("/block"))

    visitor.post("/people/@ben/mute", data={"next": "/readers", "period": "for a day"}, headers=HERE)
    muted = words(visitor.get("/people/muted").text)
    visitor.post("/people/@ben/block", data={"next": "/readers", "period": "for good"}, headers=HERE)
    visitor.post("/people/@ben/unblock", data={"restore": "1"}, headers=HERE)

    assert ", until tomorrow, " in muted
    assert "Follows you" in words(visitor.get("/people/@ben").text)


def test_a_row_leads_to_the_menu_as_a_page(open_library: Open) -> None:
    """It goes back to the row that it came from, if that is of this site."""
    visitor = full(open_library).visitor(1)
    assert "/people/@ben/menu" in addresses(visitor.get("/people/@ada/followers").text)
    place = {"/people/@ada/followers?sort=name": True, "http://else.example/x": False, "http://[": False}
    for came_from, ours in place.items():
        referrer = f"http://localhost{came_from}" if ours else came_from
        page = visitor.get("/people/@ben/menu", headers={"Referer": referrer}).text
        assert {f"/people/@ben/{verb}" in page for verb in ("mute", "remove", "block")} == {True}
        assert (f'name="next" value="{came_from}"' in page) is ours
        assert (came_from if ours else "/people/@ben") in addresses(page)
    assert visitor.get("/people/@ben/menu").status_code == 200


def test_the_menu_asks_what_the_application_allows(database: URL) -> None:
    """What it says no to is not offered; where nothing is left, there is no menu."""
    with library(database) as shelf:
        allowed = {"mute"}
        shelf.open("ada", "ben", may=lambda attempt: attempt.verb in allowed)
        with_menus(shelf)
        assert ("/mute" in menus(shelf, 1, 2), "/block" in menus(shelf, 1, 2)) == (True, False)
        allowed.clear()
        assert "popover" not in menus(shelf, 1, 2)
        assert "popover" not in shelf.visitor(1).get("/people/@2").text


def test_rejecting_everybody_asks_first(open_library: Open) -> None:
    """The button for it is behind a question, that for a yes is not."""
    page = full(open_library).visitor(1).get("/people/requests").text
    question = page[page.index('<details class="retinue-sure">') : page.index("</details>", page.index("retinue-sure"))]
    assert ("/requests/reject" in question, "/requests/accept" in question) == (True, False)
    assert "They won’t be told." in words(question)


# --- A log-in in between -------------------------------------------------------------------------


def follow_links(visitor: FlaskClient, path: str) -> list[str]:
    """Return where the buttons of a page lead to after a log-in."""
    ways = [link for link in addresses(visitor.get(path).text) if "/log-in" in link]
    return sorted(parse_qs(urlsplit(visitor.get(way).headers["Location"]).query)["next"][0] for way in ways)


def test_a_stranger_is_led_back_to_the_button(open_library: Open) -> None:
    """From a row as from a page of the application's: to the place, which has the button; nothing is followed meanwhile."""
    shelf = full(open_library)
    stranger = shelf.visitor()
    assert follow_links(stranger, "/people/@ben/followers?sort=oldest") == [
        f"/people/@ben/followers?sort=oldest#user-{name}" for name in ("ada", "ben", "eve")
    ]
    assert "/readers#user-gus" in follow_links(stranger, "/readers")
    arrived = shelf.visitor(4).get("/readers").text
    assert re.search(r'id="user-ben">.*?formaction="/people/@ben/follow"', arrived, re.DOTALL)
    assert arrived.count('id="user-ben"') == 1
    pressed = stranger.post("/people/@ben/follow", data={"next": "/readers"}, headers=HERE)
    assert parse_qs(urlsplit(pressed.headers["Location"]).query)["next"] == ["/readers#user-ben"]


# --- Layouts -------------------------------------------------------------------------------------

#: As Flask-Bootstrap has it: a block in the body, and the application's own within that one.
NESTED = {
    "bootstrap.html": "<title>{% block title %}{% endblock %} - Mine</title>{% block content %}{% endblock %}",
    "base.html": '{% extends "bootstrap.html" %}{% block content %}<main>{% block page %}{% endblock %}</main>{% endblock %}',
}
LAYOUTS = {
    "nested": '{% extends "base.html" %}{% block page %}{% block retinue_content %}{% endblock %}{% endblock %}',
    "plain": '{% extends "base.html" %}',
    "own": "<title>{{ retinue_title }} - Mine</title><main>{% block retinue_content %}{% endblock %}</main>",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_line_puts_the_pages_into_any_layout(database: URL, tmp_path: Path, layout: str) -> None:
    """Where the layout says, also inside another block; else in the block `content`. The title is a block, and a variable."""
    files = {**NESTED, "retinue/layout.html": LAYOUTS[layout]}
    if layout == "plain":
        files["base.html"] = files["base.html"].replace("<main>{% block page %}{% endblock %}</main>", "nothing")
    for name, text in files.items():
        file = tmp_path / "templates" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    with library(database, flask={"template_folder": str(tmp_path / "templates")}) as shelf:
        shelf.open("ada", "ben")
        shelf.do("block", 1, 2, until=datetime.now(UTC) + timedelta(days=3))
        visitor = shelf.visitor(1)
        titles = {
            "@1": "ada",
            "@1/followers": "Your followers",
            "@2/following": "People ben follows",
            "blocked": "Blocked",
        }
        titles |= {"suggestions": "Who to follow", "notifications": "Notifications", "requests": "Follow requests"}
        for path, title in titles.items():
            page = visitor.get(f"/people/{path}").text
            assert f"<title>{title} - Mine</title>" in page, path
            assert page.count('class="retinue-list"') == 1, path
            assert ("<main>" in page, "nothing" in page) == (layout != "plain", False), path
