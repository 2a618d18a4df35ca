"""The demo against those who do not use it as it was meant."""

from __future__ import annotations

import logging
import re
from urllib.parse import quote

import pytest
from sqlalchemy import update

from demo.tests.conftest import Site
from demo.tests.test_pages import PAGES
from retinue.flask import local_path
from retinue_demo.models import User
from retinue_demo.passwords import PASSWORD


@pytest.mark.parametrize("form", ["/@{0}/follow", "/@{0}/unfollow", "/login", "/logout"])
@pytest.mark.parametrize("token", ["none", "empty", "invented", "of somebody else"])
def test_no_form_without_its_token(town: Site, famous: str, form: str, token: str) -> None:
    """A form from another site is refused with a page, and changes neither the graph nor who one is."""
    me, other = town.people[2], town.stranger_of(town.people[2])
    visitor = town.visitor_as(me)
    stranger = town.visitor_as(famous)
    tokens = {"empty": "", "invented": "IjEyMyI.x.y", "of somebody else": stranger.token}
    fields = {"username": other, "password": PASSWORD, **({} if token == "none" else {"csrf_token": tokens[token]})}
    before = town.all_rows()

    with visitor.client.post(form.format(other), data=fields) as response:
        assert response.status_code == 400
        assert "This form has expired" in response.get_data(as_text=True)

    assert town.all_rows() == before
    assert f'href="/@{me}"' in visitor.get("/").text


def test_reading_changes_nothing(town: Site, famous: str) -> None:
    """Following every link from page to page, as a crawler does, leaves every row as it was."""
    visitor = town.visitor_as(famous)
    before = town.all_rows()
    seen, todo = set[str](), ["/"]

    while todo and len(seen) < 60:
        path = todo.pop()
        seen.add(path)
        page = visitor.get(path)
        assert page.status == 200 or "This list is private." in page.text, path
        links = {link.partition("#")[0] for link in page.links}
        todo += sorted(link for link in links if link and link not in seen and link not in todo)

    assert len(seen) == 60
    assert town.all_rows() == before
    assert "Hello" in visitor.get("/").text


@pytest.mark.parametrize("verb", ["follow", "unfollow"])
def test_a_verb_is_not_done_by_get(town: Site, famous: str, verb: str) -> None:
    """A link or a picture cannot follow: GET on a form's address is refused."""
    other = town.stranger_of(famous) if verb == "follow" else town.people[1]
    visitor = town.visitor_as(famous)
    before = town.all_rows()

    answer = visitor.get(f"/@{other}/{verb}")

    assert answer.status == 405
    assert answer.headers["Allow"] in {"POST, OPTIONS", "OPTIONS, POST"}
    assert town.all_rows() == before


ELSEWHERE = [
    "https://example.org/",
    "//example.org/",
    "///example.org/",
    "/\\example.org",
    "\\\\example.org",
    "/\t/example.org",
    "/\n/example.org",
    " //example.org",
    "http:/example.org",
    "javascript:alert(1)",
    "example.org",
    "/%0d%0aSet-Cookie:x=1\r\nX: y",
    "",
]


def test_no_form_leads_to_another_site(site: Site, famous: str) -> None:
    """Where a form says it came from is believed only if it is a path on this site."""
    other = site.people[1]
    visitor = site.visitor_as(famous)

    for target in ELSEWHERE:
        assert visitor.post(f"/@{other}/follow", next=target).place == f"/@{other}", target
        assert 'name="next"' not in visitor.get(f"/login?next={quote(target)}").text, target
        fields = {"username": famous, "password": PASSWORD, "next": target}
        assert visitor.post("/login", **fields).place == "/", target
        visitor.get("/login")


@pytest.mark.parametrize("target", ["/", "/people?q=a&after=3", "/@ada/followers?cursor=x_-#bo", "/@zoë"])
def test_a_path_on_this_site_is_believed(target: str) -> None:
    """What the pages themselves send is let through as it is."""
    assert local_path(target) == target


def test_a_name_is_text_wherever_it_is_shown(site: Site, famous: str) -> None:
    """Names and sentences that look like HTML are shown, not obeyed: in lists, titles, messages and attributes."""
    evil = "\"'><script>alert(1)</script><b x=&amp;"
    with site.session() as session:
        session.execute(update(User).values(name=evil, bio=evil, circle=evil[:32]))
        session.commit()
    visitor = site.visitor()
    visitor.get("/login")
    visitor.post("/login", username=famous, password=PASSWORD)

    texts = [visitor.get(page.format(famous)).text for page in PAGES]
    texts += [visitor.get(f"/people?q={quote(evil)}").text, visitor.get(f"/{quote(evil)}").text]

    for text in texts:
        assert "<script>" not in text
        assert "<b x" not in text
    assert "Welcome back, &#34;&#39;&gt;&lt;script&gt;" in texts[0]


@pytest.mark.parametrize(
    "path",
    [
        "/@nobody_here",
        "/@Nobody",
        "/@",
        "/@a b",
        "/@a%00b",
        "/@" + "a" * 65,
        "/@%F0%9F%A6%8A",
        "/@../people",
        "/@1/fans",
        "/nowhere",
        "/@nobody_here/followers",
        "/static/../app.py",
        "/static/..%2fapp.py",
    ],
)
def test_what_is_not_there_is_not_found(town: Site, path: str) -> None:
    """An unknown name, or what cannot be one, is a friendly 404."""
    answer = town.visitor().get(path)

    assert answer.status == 404
    assert "Page not found" in answer.text


def test_a_verb_on_somebody_unknown_or_on_oneself(town: Site, famous: str) -> None:
    """Neither changes anything; each has its own answer."""
    visitor = town.visitor_as(famous)
    before = town.all_rows()

    assert visitor.post("/@nobody_here/follow").status == 404
    oneself = visitor.post(f"/@{famous}/follow")
    assert (oneself.status, "block yourself" in oneself.text) == (400, True)
    assert visitor.post("/login", username="a" * 20_000).status == 413
    assert town.all_rows() == before


def test_a_cursor_that_is_not_of_this_list(town: Site, famous: str) -> None:
    """A cursor altered, cut, of another list, user or visitor: a friendly 400 that leads to the list's start."""
    visitor, other = town.visitor_as(famous), town.people[1]
    path = f"/@{famous}/followers"
    cursor = (visitor.get(f"{path}?limit=3").link("next") or "").partition("cursor=")[2]
    foreign = (visitor.get(f"/@{other}/followers?limit=3").link("next") or "").partition("cursor=")[2]
    assert visitor.get(f"{path}?cursor={cursor}").status == 200
    middle = len(cursor) // 2
    altered = cursor[:middle] + ("A" if cursor[middle] != "A" else "B") + cursor[middle + 1 :]

    for bad in (cursor[:-1], cursor + "A", altered, foreign, "", "x", "é", "%00", "A" * 5000, "' OR 1=1 --"):
        answer = visitor.get(f"{path}?cursor={bad}")
        assert answer.status == 400, bad
        assert "This link leads nowhere" in answer.text
        assert path in answer.links
    assert visitor.get(f"/@{famous}/following?cursor={cursor}").status == 400
    assert town.visitor().get(f"{path}?cursor={cursor}").status == 400


@pytest.mark.parametrize("value", ["0", "-1", "101", "1000000000", "99999999999999999999", "x", "", "1.5", "٣", "1e1"])
@pytest.mark.parametrize("page", ["/people", "/@{0}/followers"])
def test_a_limit_that_makes_no_sense(town: Site, famous: str, page: str, value: str) -> None:
    """A page has 1 to 100 rows; any other wish is a friendly 400."""
    answer = town.visitor().get(f"{page.format(famous)}?limit={value}")

    assert answer.status == 400
    assert "That didn’t work" in answer.text


@pytest.mark.parametrize("value", ["-1", "x", "", "1e3", "9999999999999999999999"])
@pytest.mark.parametrize("place", ["after", "before"])
def test_a_place_in_the_directory_that_makes_no_sense(town: Site, place: str, value: str) -> None:
    """The directory's places are numbers; anything else is a 400."""
    assert town.visitor().get(f"/people?{place}={value}").status == 400


def test_the_query_cannot_steer_the_links(town: Site) -> None:
    """What Flask would take as an option of an address stays out of the addresses that a page makes."""
    page = town.visitor().get("/people?limit=3&_external=1&_scheme=ftp&_anchor=x&endpoint=y&junk=1")

    assert page.status == 200
    assert page.link("next") == "/people?limit=3&after=3"


@pytest.mark.parametrize(
    "path", ["/login", "/people", "/nowhere", "/static/demo.css", "/", "/@{0}/follow", "/people?limit=x"]
)
def test_every_answer_has_the_headers(town: Site, famous: str, path: str) -> None:
    """Pages, redirects, errors and files: no script, no frame, no other host, no guessing of types."""
    headers = town.visitor().get(path.format(famous)).headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    for part in ("form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    cached = headers["Cache-Control"]
    assert cached == ("no-cache, max-age=31536000, public" if path.startswith("/static") else "private, no-cache") or (
        path.startswith("/static") and "max-age=31536000" in cached and "no-cache" not in cached
    )


def test_what_is_ones_own_is_kept_nowhere(town: Site, famous: str) -> None:
    """No browser shows it again by going back, once somebody else sits there."""
    visitor = town.visitor_as(famous)

    for path in ("/", "/people", "/notifications", f"/@{famous}/followers", "/settings/export.json", "/nowhere"):
        assert visitor.get(path).headers["Cache-Control"] == "no-store", path


def test_the_cookie_is_for_this_site_and_no_script(town: Site, famous: str) -> None:
    """The cookie that says who one is is out of reach of scripts and of other sites' forms."""
    visitor = town.visitor()
    visitor.get("/login")

    cookie = visitor.post("/login", username=famous, password=PASSWORD).headers["Set-Cookie"]

    assert cookie.startswith("retinue_demo=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_forged_cookie_is_nobody(town: Site, famous: str) -> None:
    """Who one is stands in a signed cookie: another one is as good as none."""
    visitor = town.visitor_as(famous)
    visitor.client.set_cookie("retinue_demo", "eyJfdXNlcl9pZCI6IjEifQ.aaaa.bbbb")

    assert visitor.get("/requests").place == "/login?next=/requests"


def test_somebody_who_is_gone_has_to_log_in_again(site: Site, famous: str) -> None:
    """A cookie of a user who was deleted is a visitor who is not logged in."""
    visitor = site.visitor_as(famous)
    with site.session() as session:
        session.delete(session.get_one(User, site.user(famous).id))
        session.commit()

    assert visitor.get("/requests").place == "/login?next=/requests"
    assert visitor.get(f"/@{famous}").status == 404


def test_when_something_breaks(town: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """An error of our own is a plain page without its details, and a traceback in the log."""
    visitor = town.visitor_as(town.people[0])
    monkeypatch.setattr("retinue_demo.people.directory", lambda *_, **__: 1 / 0)

    answer = visitor.get("/people")

    assert answer.status == 500
    assert "Something broke" in answer.text
    assert "ZeroDivisionError" not in answer.text
    assert "ZeroDivisionError" in caplog.text


def test_each_request_is_one_line_in_the_log(town: Site, famous: str, caplog: pytest.LogCaptureFixture) -> None:
    """A line says what was asked, what came back and what it cost; a path cannot forge a second one."""
    visitor = town.visitor_as(famous)
    caplog.clear()

    with caplog.at_level(logging.INFO, logger="retinue_demo"):
        visitor.get(f"/@{famous}")
        visitor.get("/no%0a12:00:00%20GET%20/forged%20200")

    first, second = [record.getMessage() for record in caplog.records if record.name == "retinue_demo"]
    assert re.fullmatch(rf"GET /%40{famous} 200, \d statements, [\d.]+ ms, \d+ bytes", first)
    assert second.startswith("GET /no%0A12%3A00%3A00%20GET%20/forged%20200 404, ")
