"""What people read is in their language, where Flask-Babel is set up and there is a catalog; else in English."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from flask_babel import Babel, force_locale  # type: ignore[import-untyped]
from markupsafe import Markup
from sqlalchemy import URL
from werkzeug.test import TestResponse

from retinue import LimitError, Suggestion, SuggestionReason
from retinue.flask import wording
from retinue.flask.language import gettext, language, ngettext, pgettext
from retinue.flask.periods import PERIODS
from tests.flask.catalogs import TEMPLATE, extracted, read, shipped, text_of
from tests.flask.library import HERE, MODELS, Library, library

pytestmark = [
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
    pytest.mark.tables(MODELS.metadata),
]

AT = datetime(2019, 5, 3, 9, 5, tzinfo=UTC)

#: What encloses each word of the language of tests: it is long, and written from right to left.
OPEN, SHUT = "\N{MATHEMATICAL LEFT WHITE SQUARE BRACKET}", "\N{MATHEMATICAL RIGHT WHITE SQUARE BRACKET}"
PADDING = " \N{ARABIC LETTER ALEF}\N{ARABIC LETTER LAM}"


@pytest.fixture
def shelf(database: URL, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Library]:
    """Give a library in the language that the test names, and in the zone of Berlin, if it names that."""
    options = getattr(request, "param", {})
    with library(database, BABEL_TRANSLATION_DIRECTORIES=str(tmp_path), **options) as one:
        write_pseudo(tmp_path)
        Babel(one.app)
        yield one


def in_language(code: str, **config: Any) -> pytest.MarkDecorator:
    """Run a test in a library in this language."""
    return pytest.mark.parametrize("shelf", [{"BABEL_DEFAULT_LOCALE": code, **config}], indirect=True, ids=[code])


# --- The catalogs --------------------------------------------------------------------------------


def test_the_template_has_everything_that_is_marked(database: URL) -> None:
    """``python -m tests.flask.catalogs`` writes it."""
    assert TEMPLATE.read_text() == text_of(extracted())


@pytest.mark.parametrize("code", shipped())
def test_a_catalog_is_complete(database: URL, code: str) -> None:
    """Each text and each plural has its translation, with the same values in it; and there is nothing else."""
    catalog = read(shipped()[code])
    assert [message.id for message in extracted() if (message.id, message.context) not in keys(catalog)] == []
    assert len(catalog) == len(extracted())
    for message in catalog:
        if not message.id:
            continue
        said: Any = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(said), message.id
        assert not message.fuzzy, message.id
        assert list(message.check(catalog)) == [], message.id
        wanted = values_in(text_in(message))
        assert all(values_in(text or "") == wanted for text in said), message.id


def keys(catalog: Catalog) -> set[Any]:
    return {(message.id, message.context) for message in catalog}


def text_in(message: Any) -> str:
    return str(message.id if isinstance(message.id, str) else message.id[1])


def values_in(text: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)s", text))


# --- Words ---------------------------------------------------------------------------------------


def test_without_flask_babel_it_is_english(database: URL) -> None:
    """As it always was; numbers, dates and lists too."""
    with library(database) as one:
        one.open()
        with one.app.test_request_context():
            assert gettext("You follow %(name)s.", name="Ben") == "You follow Ben."
            assert ngettext("%(number)s follower", "%(number)s followers", 1204) == "1,204 followers"
            assert pgettext("list", "Following") == "Following"
            assert [wording.day(AT, AT), wording.day(AT)] == ["3 May", "3 May 2019"]
            assert wording.names(["Ann", "Bo", "Cy"]) == "Ann, Bo and Cy"
            assert (language().code, language().direction) == ("en", "ltr")


@in_language("de_AT", BABEL_DEFAULT_TIMEZONE="Europe/Vienna")
def test_in_german(shelf: Library) -> None:
    """Austria's readers get the German catalog, and numbers and days as they write them, in their zone."""
    shelf.open("ada", "ben")
    with shelf.app.test_request_context():
        assert gettext("You follow %(name)s.", name="Ben") == "Du folgst Ben."
        assert ngettext("You accepted %(number)s request.", "You accepted %(number)s requests.", 2) == (
            "Du hast 2 Anfragen angenommen."
        )
        assert ngettext("%(number)s follower", "%(number)s followers", 12_345) == "12.345 Follower"
        assert pgettext("list", "Following") == "Gefolgt"
        assert wording.day(datetime(2019, 5, 3, 23, tzinfo=UTC)) == "4. Mai 2019"
        assert [wording.time_of(AT), wording.names(["Ann", "Bo", "Cy"])] == ["11:05", "Ann, Bo und Cy"]
        assert wording.lately(AT, AT + timedelta(minutes=5)) == "vor 5 Min."
        assert wording.limit_reached(LimitError("request_cooldown", 1, 1, AT), "Ben") == (
            "Du hast Ben kürzlich schon gefragt. Du kannst nach 11:05 am 3. Mai 2019 wieder fragen."
        )
        suggestion = Suggestion("Cy", SuggestionReason.FRIENDS_OF_FRIENDS, 1.0, known=("Ann", "Bo"), known_total=5)
        assert wording.why_suggested(suggestion, str) == "Follower, denen du folgst: Ann, Bo und 3 weitere Personen"
        assert gettext("for a day") == "für einen Tag"
        assert all(gettext(period) != period for period in PERIODS)
    page = shelf.visitor(1).get("/people/@2/followers?q=x").text
    assert '<html lang="de-AT" dir="ltr">' in page
    assert "Neueste zuerst" in page


@in_language("fr")
def test_a_language_without_a_catalog_is_english_throughout(shelf: Library) -> None:
    """Its numbers and days too: half of a sentence in another language helps nobody."""
    shelf.open("ada", "ben")
    with shelf.app.test_request_context():
        assert [wording.count(1204, "follower"), wording.day(AT)] == ["1,204 followers", "3 May 2019"]
    assert '<html lang="en" dir="ltr">' in shelf.visitor(1).get("/people/suggestions").text


@in_language("en_GB")
def test_english_with_flask_babel(shelf: Library) -> None:
    """It needs no catalog; days and times are as there."""
    shelf.open()
    with shelf.app.test_request_context():
        assert [language().code, wording.day(AT), wording.time_of(AT)] == ["en-GB", "3 May 2019", "09:05 UTC"]


@in_language("de")
def test_the_language_is_that_of_each_moment(shelf: Library) -> None:
    """A letter in another language, written in the middle of a request."""
    shelf.open()
    with shelf.app.test_request_context():
        with force_locale("en"):
            assert gettext("Follow back") == "Follow back"
        assert gettext("Follow back") == "Zurückfolgen"


@in_language("de")
def test_an_application_says_things_in_its_own_words(shelf: Library, tmp_path: Path) -> None:
    """A catalog of its own goes first; what it does not have comes from the one that is shipped."""
    catalog = Catalog(locale="de")
    catalog.add("Follow", "Abonnieren")
    write(catalog, tmp_path / "de")
    shelf.open()
    with shelf.app.test_request_context():
        assert [gettext("Follow"), gettext("Follow back")] == ["Abonnieren", "Zurückfolgen"]


@in_language("de")
def test_markup_in_a_sentence(shelf: Library) -> None:
    """A link stays one; what is none is escaped, in the text as well."""
    shelf.open()
    with shelf.app.test_request_context():
        link = Markup("<a>%s</a>") % "<Ben>"
        assert gettext("%(person)s followed you", person=link) == "<a>&lt;Ben&gt;</a> folgt dir jetzt"
        assert gettext("%(a)s & %(b)s", a=link, b="<i>") == "<a>&lt;Ben&gt;</a> &amp; &lt;i&gt;"
        assert gettext("%(person)s followed you", person="<Ben>") == "<Ben> folgt dir jetzt"


# --- All that is read ----------------------------------------------------------------------------


@in_language("ar", RETINUE_USER_SLUG="name")
def test_everything_that_people_read_is_marked(shelf: Library) -> None:
    """
    Every page, message and error in a language that encloses all its words: whatever stands outside is not marked.

    Names are the people's own, and a number alone has no language.
    """
    shelf.open("ADA", "BEN", "EVE", "GUS")
    for number in (2, 4):
        shelf.change(number, locked=True)
    shelf.do("follow", 3, 1)
    shelf.do("follow", 1, 3)
    shelf.do("follow", 1, 2)
    shelf.do("follow", 3, 4)
    shelf.do("follow", 1, 4)
    shelf.do("mute", 1, 3, until=datetime.now(UTC) + timedelta(hours=2))
    visitor, shy = shelf.visitor(1), shelf.visitor(4)

    answers = [
        *(visitor.get(f"/people/{page}") for page in PAGES),
        *(visitor.get(f"/people/@{name}/{kind}") for name in ("ADA", "EVE", "GUS") for kind in LISTS),
        *(shy.get(f"/people/{page}") for page in PAGES),
        shelf.visitor().get("/readers"),
        visitor.get("/readers"),
        shy.get("/readers"),
    ]
    for verb, name in (("block", "GUS"), ("unblock", "GUS"), ("follow", "GUS"), ("follow", "ADA"), ("unmute", "EVE")):
        pressed = visitor.post(f"/people/@{name}/{verb}", headers=HERE)
        answers += [pressed] if pressed.status_code >= 400 else [visitor.get("/people/suggestions")]
    answers += [
        shy.post("/people/requests/accept", headers=HERE),
        shy.get("/people/notifications"),
        visitor.post("/people/notifications/read", headers=HERE),
        visitor.get("/people/blocked"),
        visitor.post("/people/@EVE/mute", data={"period": "x"}, headers=HERE),
        visitor.post("/people/@EVE/mute"),
        visitor.get("/people/@NIL/followers"),
        visitor.get("/people/@EVE/followers?limit=0"),
        visitor.get("/people/@EVE/followers?cursor=x"),
        visitor.get("/people/@EVE/followers?sort=x"),
    ]
    assert {answer.status_code for answer in answers} >= {200, 302, 303, 400, 403, 404} - {302}
    for answer in answers:
        assert unmarked(answer) == [], answer.request.path
    assert '<html lang="ar" dir="rtl">' in answers[0].text


PAGES = ["requests", "requests/sent", "blocked", "muted", "notifications", "suggestions"]
LISTS = ["page", "followers", "followers?q=zz", "following", "mutuals", "known"]


def unmarked(answer: TestResponse) -> list[str]:
    """Return what somebody reads of a page, or hears, and that is not enclosed."""
    # A redirect is werkzeug's, and what an error is called is HTTP's.
    if answer.status_code == 303:
        return []
    texts = Texts()
    texts.feed(answer.text)
    text = "\n".join([*texts.attributes, "".join(texts.read)])
    return re.findall(".*[a-z].*", outside(text).replace(answer.status.partition(" ")[2].title(), ""))


def outside(text: str) -> str:
    """Return what is left of a text without all that is enclosed, within which other words may be."""
    before = ""
    while text != before:
        before, text = text, re.sub(f"{OPEN}[^{OPEN}{SHUT}]*{SHUT}", "", text)
    return text


class Texts(HTMLParser):
    """Collects the texts of a page, and the attributes that are read or said."""

    def __init__(self) -> None:
        super().__init__()
        #: In one, as a sentence goes on from one element to the next.
        self.read: list[str] = []
        self.attributes: list[str] = []
        self._in: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in.append(tag)
        said = ("aria-label", "placeholder", "title", "alt", "data-then", "data-ends", "data-failed")
        self.attributes += [value for name, value in attrs if name in said and value]

    def handle_endtag(self, tag: str) -> None:
        while self._in and self._in.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.read.append(data)


def write_pseudo(folder: Path) -> None:
    """Write the catalog of the language of tests, as an application's own."""
    catalog = Catalog(locale="ar")
    for message in extracted():
        if isinstance(message.id, tuple):
            catalog.add(message.id, tuple(pseudo(text_in(message)) for _ in range(catalog.num_plurals)))
        elif message.id:
            catalog.add(message.id, pseudo(text_in(message)), context=message.context)
    write(catalog, folder / "ar")


def pseudo(text: str) -> str:
    return f"{OPEN}{text}{PADDING * (len(text) // 3)}{SHUT}"


def write(catalog: Catalog, folder: Path) -> None:
    """Write a catalog where an application has its own."""
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    (folder / "LC_MESSAGES").mkdir(parents=True)
    (folder / "LC_MESSAGES" / "retinue.mo").write_bytes(compiled.getvalue())
