"""Where an application is, and whatever its users are called: every link leads to a place that is there."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urljoin, urlsplit

import pytest
from flask import url_for
from flask.testing import FlaskClient
from sqlalchemy import URL
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import TestResponse

from tests.flask.library import HERE, MODELS, Library, library

pytestmark = [
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
    pytest.mark.tables(MODELS.metadata),
]

Open = Callable[..., Library]

LISTS = ("/people/@2/followers?q=zz", "/people/requests", "/people/notifications", "/people/suggestions")


def below(client: FlaskClient, path: str, **more: Any) -> TestResponse:
    """Ask for a page where the app is mounted below /club."""
    return client.open(path, environ_overrides={"SCRIPT_NAME": "/club"}, **more)


def links(page: TestResponse) -> list[str]:
    """Return where a page leads, and where it leads back to."""
    found = re.findall(r'(?:href|action|formaction|src|name="next" value)="([^"#]*)"', page.text)
    return [html.unescape(link) for link in found if link]


def test_every_link_stays_below_the_prefix(open_library: Open) -> None:
    """Also of a page that found nobody, and where the button leads back to."""
    shelf = open_library("ada", "ben")
    shelf.do("follow", 2, 1)
    visitor = shelf.visitor(1)
    for path in ("/readers", *LISTS):
        places = links(below(visitor, path))
        assert places
        assert [place for place in places if not place.startswith("/club/")] == []


def test_a_button_leads_back_below_the_prefix(open_library: Open) -> None:
    """Without the script, to the page that it was on: rayluo/identity#39."""
    visitor = open_library("ada", "ben").visitor(1)
    (back,) = set(re.findall(r'name="next" value="([^"]*)"', below(visitor, "/readers?page=2").text))
    answer = below(visitor, "/people/@2/follow", method="POST", data={"next": back}, headers=HERE)
    assert answer.headers["Location"] == "/club/readers?page=2"


def test_logging_in_leads_back_below_the_prefix(open_library: Open) -> None:
    """To the page that asked who one is, or to the front page."""
    shelf = open_library("ada")
    stranger = shelf.visitor()
    place = below(stranger, "/people/notifications?limit=5").headers["Location"]
    assert place == "/club/enter?next=/club/people/notifications%3Flimit%3D5"
    assert below(shelf.visitor(1), "/people/log-in").headers["Location"] == "/club/"


def test_behind_a_proxy_that_says_the_prefix(open_library: Open) -> None:
    """``X-Forwarded-Prefix``, as werkzeug's ProxyFix understands it."""
    shelf = open_library("ada", "ben")
    shelf.app.wsgi_app = ProxyFix(shelf.app.wsgi_app, x_prefix=1, x_host=1)  # type: ignore[method-assign]
    page = shelf.visitor().get(
        "/readers", headers={"X-Forwarded-Prefix": "/club/north", "X-Forwarded-Host": "club.example"}
    )
    found = {link for link in links(page) if not link.startswith("/club/north/people/static/retinue/")}
    assert found == {f"/club/north/people/log-in?next=/club/north/readers%23user-{reader}" for reader in (1, 2)}


def test_an_application_root_and_a_prefix_with_parts(database: URL) -> None:
    """``APPLICATION_ROOT`` is for addresses made outside of a request; the prefix of the pages is a rule like any other."""
    with library(database, APPLICATION_ROOT="/club", SERVER_NAME="localhost", RETINUE_URL_PREFIX="/<city>/fans") as one:
        one.app.url_value_preprocessor(lambda _endpoint, values: (values or {}).pop("city", None))
        one.app.url_defaults(lambda endpoint, values: values.update(city="rome") if endpoint[:4] == "reti" else None)
        one.open("ada", "ben")
        with one.app.app_context():
            assert (
                url_for("retinue.people", slug=2, kind="followers", _external=False) == "/club/rome/fans/@2/followers"
            )
        visitor = one.visitor(1)
        assert visitor.get("/rome/fans/@2/followers?limit=1").status_code == 200
        pressed = visitor.post("/rome/fans/@2/follow", headers=HERE)
        assert pressed.headers["Location"] == "/club/rome/fans/@2"


@pytest.mark.parametrize(
    ("flask", "config", "host"),
    [
        (
            {"subdomain_matching": True},
            {"SERVER_NAME": "club.example", "RETINUE_SUBDOMAIN": "fans"},
            "fans.club.example",
        ),
        ({"host_matching": True, "static_host": "fans.example"}, {"RETINUE_HOST": "fans.example"}, "fans.example"),
    ],
    ids=["subdomain", "host"],
)
def test_pages_on_a_host_of_their_own(database: URL, flask: dict[str, Any], config: dict[str, Any], host: str) -> None:
    """The pages are there, and lead to each other; the log-in page elsewhere leads back to them."""
    with library(database, flask=flask, **config) as one:
        one.open("ada", "ben")
        place = f"http://{host}"
        stranger = one.visitor()
        assert stranger.get("/people/@2/followers", base_url=place).status_code == 200
        led = stranger.get("/people/suggestions", base_url=place).headers["Location"]
        back = parse_qs(urlsplit(led).query)["next"][0]
        assert urljoin(urljoin(place, led), back) == f"{place}/people/suggestions"


def test_a_host_must_be_named_where_hosts_are_matched(database: URL) -> None:
    """Pages on no host would be pages that nobody finds."""
    hosts = {"host_matching": True, "static_host": "club.example"}
    with library(database, flask=hosts) as one, pytest.raises(ValueError, match="RETINUE_HOST"):
        one.open()


NAMES = [
    *(
        "a/b",
        "/",
        "a//b",
        "..",
        "../../ben",
        "a/./b",
        "a/..",
        ".",
        "100%",
        "%2F",
        "%25",
        "a%b/c",
        "what?",
        "who?q=1&limit=0",
    ),
    *("#1", "a b", " ", "a;b", "a&b", "a+b", "a=b", 'say "hi"', "<b>", "\\", "a\\b", "http://x.example", "//x.example"),
    *(
        "followers",
        "a/followers",
        "@ada",
        "ada@x.example",
        "ünal",
        "李四",
        "علي",
        "דוד",
        "Ωμέγα",
        "किरण",
        "\U0001f600",
        "e\u0301",
    ),
    *("\u202eevil", "a\nb", "{{ 7 * 7 }}", "a" * 255),
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", NAMES)
def test_whatever_somebody_is_called(open_library: Open, name: str) -> None:
    """Their pages are found, a press does what it says, and leads back: as a browser would follow the links."""
    shelf = open_library("ada", name, RETINUE_USER_SLUG="name")
    visitor = shelf.visitor(1)
    with shelf.app.test_request_context():
        place = url_for("retinue.people", slug=name, kind="followers")
        own_page = url_for("retinue.person", slug=name)

    assert f"<title>{name}</title>" in html.unescape(visitor.get(seen_by_a_browser(own_page)).text)
    page = visitor.get(place)
    assert page.status_code == 200
    assert visitor.get(f"{place}?limit=1&sort=name").status_code == 200
    (press,) = set(re.findall(r'formaction="([^"]*/follow)"', visitor.get("/readers").text))
    pressed = visitor.post(html.unescape(press), data={"next": seen_by_a_browser(place), "anchored": "1"}, headers=HERE)
    assert pressed.status_code == 303
    assert visitor.get(urlsplit(pressed.headers["Location"]).path).status_code == 200
    assert "ada" in visitor.get(place).text
    # Where the page leads back to is the page itself.
    stranger = shelf.visitor()
    offers = (urlsplit(link).query for link in links(stranger.get("/readers")) if "log-in" in link)
    places = {urlsplit(parse_qs(query)["next"][0]) for query in offers}
    assert {(place.path, unquote(place.fragment)) for place in places} == {
        ("/readers", "user-ada"),
        ("/readers", f"user-{name}"),
    }
    led = parse_qs(urlsplit(stranger.get(place.replace("/followers", "/known")).headers["Location"]).query)["next"][0]
    assert visitor.get(seen_by_a_browser(led)).status_code == 200
    assert name in html.unescape(visitor.get(seen_by_a_browser(led)).text)


def seen_by_a_browser(place: str) -> str:
    """Return the path as a browser asks for it: it goes up at dots, also at those that are quoted."""
    dots = re.sub(
        r"(?<=/)(\.|%2e){1,2}(?=/|$)", lambda found: found[0].lower().replace("%2e", "."), place, flags=re.IGNORECASE
    )
    return urljoin("http://localhost/", dots).removeprefix("http://localhost")
