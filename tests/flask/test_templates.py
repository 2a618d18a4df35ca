"""The templates in applications whose Jinja is set up in another way: strict about names, or asynchronous."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import StrictUndefined, Template, nodes
from sqlalchemy import URL

import retinue.flask
from retinue.flask import card_of, unread
from tests.flask.library import HERE, MODELS, READER, Library, library

pytestmark = [
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
    pytest.mark.tables(MODELS.metadata),
]

FOLDER = Path(retinue.flask.__file__).parent / "templates" / "retinue"
PAGES = ["requests", "requests/sent", "blocked", "muted", "notifications", "suggestions"]
LISTS = ["page", "followers", "followers?q=zz", "followers?limit=1", "following", "mutuals", "known"]


def strict(shelf: Library) -> None:
    shelf.app.jinja_env.undefined = StrictUndefined


def asynchronous(shelf: Library) -> None:
    shelf.app.jinja_options = {"enable_async": True}


def both(shelf: Library) -> None:
    shelf.app.jinja_options = {"enable_async": True, "undefined": StrictUndefined}


KINDS: dict[str, Callable[[Library], None]] = {"strict": strict, "asynchronous": asynchronous, "both": both}


@pytest.mark.parametrize("kind", KINDS)
def test_every_page_in_every_state(database: URL, kind: str) -> None:
    """Strangers, followers, requests, blocks and mutes, with people and without: pallets-eco/flask-admin#2522."""
    with library(database) as shelf:
        KINDS[kind](shelf)
        shelf.open("ada", "ben", "eve", "gus", "ida")
        for number in (1, 3):
            shelf.change(number, locked=True)
        for fan in (2, 4):
            shelf.do("follow", fan, 1)
        shelf.do("accept", 1, 4)
        shelf.do("follow", 1, 3)
        shelf.do("follow", 1, 4)
        shelf.do("block", 1, 5)
        shelf.do("mute", 1, 4, until=datetime.now(UTC) + timedelta(days=1))
        for visitor in (shelf.visitor(), *(shelf.visitor(number) for number in range(1, 6))):
            got = {path: visitor.get(path).status_code for path in paths()}
            assert {path: status for path, status in got.items() if status not in (200, 303, 404)} == {}
        owner = shelf.visitor(1)
        assert {owner.get(path).status_code for path in paths() if "@3" not in path and "@5" not in path} == {200}
        pressed = owner.post("/people/@4/unfollow", headers={**HERE, "Accept": "application/json"})
        assert ">Follow" in pressed.json["people"]["4"]["pieces"]["user"]  # type: ignore[index]


def paths() -> list[str]:
    return [
        "/readers",
        *(f"/people/{page}" for page in PAGES),
        *(f"/people/@{n}/{p}" for n in range(1, 6) for p in LISTS),
    ]


def macros() -> list[tuple[str, str, int]]:
    """Return each macro of the templates that are imported: its file, its name, and how many arguments it must have."""
    parse = Template("").environment.parse
    return [
        (file.name, macro.name, len(macro.args) - len(macro.defaults))
        for file in sorted(FOLDER.glob("_*.html"))
        for macro in parse(file.read_text()).find_all(nodes.Macro)
    ]


def test_every_macro_needs_no_more_than_it_asks_for(database: URL) -> None:
    """With the arguments that have no default, and nothing of the page around it."""
    with library(database) as shelf:
        strict(shelf)
        shelf.open("ada", "ben")
        with shelf.app.test_request_context("/readers"):
            ben = replace(card_of(shelf.session.get_one(READER, 2)), since=datetime.now(UTC))
            assert len(macros()) > 12
            for file, name, required in macros():
                arguments = [ARGUMENTS.get((name, place), ARGUMENTS.get(place, ben)) for place in range(required)]
                module: Any = shelf.app.jinja_env.get_template(f"retinue/{file}").module
                getattr(module, name)(*arguments)
            assert unread() == 0


#: What a macro is given, by its name and the place of an argument; else the card of somebody, and texts.
ARGUMENTS: dict[Any, Any] = {
    **dict.fromkeys(range(1, 7), "unfollow"),
    ("tabs", 0): [("/", "Here")],
    ("beside", 0): SimpleNamespace(length=1),
    ("number_in_words", 0): 3,
    ("badge", 0): 3,
    ("own_tabs", 1): {"notifications": True, "requests": True, "mutes": True, "blocks": True},
    ("when", 1): "Since %(day)s",
}


#: Names that some layout may have, and a macro of some page, too.
NAMES = (
    "title news row name verb label facts empty tools pager tabs received sent since place unseen follow_button heading"
)

LAYOUT = (
    "".join(f"{{% set {name} = 'mine' %}}" for name in NAMES.split())
    + "{{ _('Menu') }} {{ title }} {{ since }}{% block content %}{% endblock %}"
)


def test_the_names_of_a_layout_are_its_own(database: URL, tmp_path: Path) -> None:
    """The pages take none of them, and leave them what they are: its gettext, its title, its rows."""
    folder = tmp_path / "templates" / "retinue"
    folder.mkdir(parents=True)
    (folder / "layout.html").write_text(LAYOUT)
    with library(database, flask={"template_folder": str(tmp_path / "templates")}) as shelf:
        shelf.open("ada", "ben", "eve", "gus", "ida")
        shelf.app.jinja_env.globals["_"] = lambda text: f"[{text}]"
        for fan in (2, 3):
            shelf.do("follow", fan, 1)
        visitor = shelf.visitor(1)
        for path in paths():
            if path != "/readers" and "limit" not in path:
                assert visitor.get(path).text.strip().startswith("[Menu] mine mine"), path
