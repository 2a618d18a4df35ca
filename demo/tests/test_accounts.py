"""Signing up, logging in and out, passwords, and leaving for good."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from argon2 import PasswordHasher
from sqlalchemy import URL, func, or_, select, update

from demo.tests.conftest import UNTIL, Answer, Site, Visitor, file_url, running
from retinue.testing import count_statements
from retinue_demo import passwords
from retinue_demo.accounts import WRONG
from retinue_demo.entrance import LASTS
from retinue_demo.models import Attempt, FollowEvent, Login, Post, User, db
from retinue_demo.passwords import PASSWORD
from retinue_demo.seed import seed
from tests.long import in_every_run

NEW = {"username": "ann_new", "name": "Ann New", "password": "correct horse"}


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Site]:
    """Give the demo with nobody in it."""
    with running(file_url(tmp_path / "empty.sqlite3")) as site:
        yield site


def signed_up(site: Site, **fields: str) -> Visitor:
    """Return somebody who has just signed up."""
    visitor = site.visitor()
    visitor.get("/signup")
    answer = visitor.post("/signup", **{**NEW, **fields})
    assert (answer.status, answer.place) == (303, "/")
    visitor.get("/login")
    return visitor


def logs_in(site: Site, username: str, password: str) -> bool:
    """Tell whether that is their password."""
    visitor = site.visitor()
    visitor.get("/login")
    answer = visitor.post("/login", username=username, password=password)
    assert answer.status in {303, 422}
    return answer.status == 303


def errors(page: Answer) -> dict[str, str]:
    """Return what stands beside the fields of a form, by their names."""
    found = re.findall(r'id="(\w+)-error"><span class="retinue-unseen">Error: </span>(.*?)</p>', page.text)
    return {name: text.replace("&#39;", "'") for name, text in found}


def cookie(visitor: Visitor) -> str:
    """Return the session's cookie."""
    found = visitor.client.get_cookie("retinue_demo")
    return found.value if found else ""


# --- Signing up ----------------------------------------------------------------------------------


def test_somebody_new_is_in(site: Site) -> None:
    """They are logged in, greeted, on their own page, can log in again, and their password is in no page and no row."""
    visitor = signed_up(site)

    assert "Hello, Ann New" in visitor.get("/").text
    assert visitor.get("/@ann_new").status == 200
    user = site.user("ann_new")
    assert (user.name, user.bio, user.circle, user.locked, user.active) == ("Ann New", "", "", False, True)
    assert (user.password_hash or "").startswith("$argon2id$")
    assert NEW["password"] not in repr(site.all_rows())
    assert logs_in(site, "ann_new", NEW["password"])
    assert not logs_in(site, "ann_new", PASSWORD)


def test_the_first_of_all_signs_up(empty: Site) -> None:
    """Without a community every page is there all the same, and nobody is offered to be."""
    assert "retinue-demo" not in empty.visitor().get("/login").text
    assert empty.visitor().get("/").status == 200
    visitor = signed_up(empty)
    assert [visitor.get(page).status for page in ("/", "/people", "/@ann_new", "/login")] == [200] * 4


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("username", "", "Choose a username."),
        ("username", "a", "at least 2 characters"),
        ("username", "a" * 65, "up to 64 characters"),
        ("username", "a b", "Use only the letters a to z"),
        ("username", "zoë", "Use only the letters a to z"),
        ("username", "a\0b", "Use only the letters a to z"),
        ("username", "../admin", "Use only the letters a to z"),
        ("username", "a\nb", "Use only the letters a to z"),
        ("name", "", "Enter a name."),
        ("name", " \t ", "Enter a name."),
        ("name", "x" * 65, "That’s 65 characters. A name can have up to 64."),
        ("name", "…", "at least one letter or digit"),
        ("name", "\u3164", "at least one letter or digit"),
        ("name", "Ann\0", "invisible character"),
        ("name", "Ann\u202eevil", "invisible character"),
        ("password", "", "at least 8 characters"),
        ("password", "1234567", "at least 8 characters"),
        ("password", "x" * 201, "up to 200 characters"),
        ("password", PASSWORD, "everyone knows it"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(site: Site, field: str, value: str, sentence: str) -> None:
    """422; the field says so, is tied to the sentence and has the focus; the rest stays, but never the password."""
    visitor = site.visitor()
    visitor.get("/signup")
    before = site.all_rows()

    page = visitor.post("/signup", **{**NEW, field: value, "next": "/people"})

    assert page.status == 422
    assert "<title>Error: Sign up" in page.text
    assert list(errors(page)) == [field]
    assert sentence in errors(page)[field]
    (wrong,) = re.findall(r'<input[^>]* aria-invalid="true"[^>]*>', page.text)
    assert f'id="{field}"' in wrong
    assert f'aria-describedby="{field}-error' in wrong
    assert " autofocus" in wrong
    for other in {"username", "name"} - {field}:
        assert f'value="{NEW[other]}"' in page.text
    assert 'value="/people"' in page.text
    assert not value or NEW["password"] not in page.text
    assert not re.search(r'type="password"[^>]* value=', page.text)
    assert site.all_rows() == before
    assert cookie(visitor)
    assert "Hello" not in visitor.get("/").text


def test_a_form_without_its_fields_or_with_too_many(site: Site) -> None:
    """Missing fields are empty ones, the first of several counts, and what is not asked for is not read."""
    visitor = site.visitor()
    visitor.get("/signup")

    assert set(errors(visitor.post("/signup"))) == {"username", "name", "password"}
    assert set(errors(visitor.post("/login"))) == {"username", "password"}
    data: dict[str, Any] = {
        **NEW, "csrf_token": visitor.token, "username": ["ann_new", "other"], "id": "1", "locked": "on", "active": "",
        "username[]": "x", "password_hash": "x",
    }  # fmt: skip
    with visitor.client.post("/signup", data=data) as response:
        assert response.status_code == 303
    user = site.user("ann_new")
    assert (user.locked, user.active) == (False, True)
    with visitor.client.post("/signup", json=NEW) as response:
        assert response.status_code == 400


def test_names_are_tidied_up(site: Site) -> None:
    """Spaces, capitals and an @ are what telephones add; joiners belong to some scripts, and to pictures."""
    signed_up(site, username=" @Ann_New ", name="  Ann \n  \u0915\u094d\u200d\u0937 \U0001f469\u200d\U0001f33e  ")

    assert site.user("ann_new").name == "Ann \u0915\u094d\u200d\u0937 \U0001f469\u200d\U0001f33e"


def test_a_username_that_somebody_has(site: Site, famous: str) -> None:
    """Also of somebody who takes a break; and whoever has it, keeps their password."""
    site.set(famous, active=False)
    visitor = site.visitor()
    visitor.get("/signup")

    page = visitor.post("/signup", **{**NEW, "username": famous})

    assert page.status == 422
    assert errors(page) == {"username": "That username is taken. Try another."}
    assert logs_in(site, famous, PASSWORD)


def test_only_one_of_many_at_once_gets_a_username(site: Site) -> None:
    """The insert decides; the others read that it is taken."""
    visitors = [site.visitor() for _ in range(8)]
    start, statuses = threading.Barrier(len(visitors)), []

    def press(visitor: Visitor) -> None:
        visitor.get("/signup")
        start.wait()
        statuses.append(visitor.post("/signup", **NEW).status)

    threads = [threading.Thread(target=press, args=[visitor]) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [303, *[422] * 7]
    with site.session() as session:
        assert len(session.scalars(select(User).where(User.username == "ann_new")).all()) == 1


# --- Logging in and out --------------------------------------------------------------------------


def test_a_wrong_password_and_a_wrong_username_look_the_same(site: Site, famous: str) -> None:
    """The same page to the byte, but for what was typed and the token; whoever there is, and whatever they keep."""
    signed_up(site)
    site.set(site.people[1], active=False)
    site.set(site.people[2], password_hash=None)
    visitor, pages = site.visitor(), set()
    visitor.get("/login")

    for username in ("ann_new", famous, site.people[1], site.people[2], "nobody_at_all", "no such", "zoë\0", "x" * 65):
        page = visitor.post("/login", username=username, password="not this one")
        assert errors(page) == {"password": WRONG}
        text = re.sub(r'name="csrf_token" value="[^"]+"|value="[^"]*"| aria-current="true"', "", page.text)
        pages.add((page.status, re.sub(r"\d SQL statements?", "", text)))

    assert len(pages) == 1
    assert pages.pop()[0] == 422


def test_a_wrong_password_costs_as_much_as_a_wrong_username(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is asked for, one hash of full strength is tried: the time taken tells nothing."""
    signed_up(site)
    site.set(site.people[2], password_hash=None)
    site.set(site.people[3], password_hash="not a hash")
    fits, tried = passwords._fits, list[str]()

    def watched(password: str, kept: str) -> bool:
        tried.append(kept)
        return fits(password, kept)

    monkeypatch.setattr(passwords, "_fits", watched)
    for username in ("ann_new", site.people[0], site.people[2], site.people[3], "nobody_at_all", "no such"):
        tried.clear()
        assert not logs_in(site, username, "not this one")
        full = [kept for kept in tried if re.match(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$", kept)]
        assert len(full) == 1, username
    tried.clear()
    assert not logs_in(site, "ann_new", "x" * 201)
    assert not logs_in(site, "nobody_at_all", "x" * 201)
    assert tried == []


def test_a_password_is_kept_anew_when_it_was_kept_more_weakly(site: Site, famous: str) -> None:
    """Whoever logs in with what was made with less is kept safe from then on; but not who is invented."""
    signed_up(site)
    weak = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(NEW["password"])
    site.set("ann_new", password_hash=weak)

    assert logs_in(site, "ann_new", NEW["password"])
    kept = site.user("ann_new").password_hash or ""
    assert re.match(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$", kept)
    assert logs_in(site, "ann_new", NEW["password"])
    assert site.user("ann_new").password_hash == kept
    site.visitor_as(famous)
    assert site.user(famous).password_hash == passwords.public_hash()


def test_who_logged_in_with_a_weak_hash_stays_logged_in(site: Site) -> None:
    """The session is about the hash that was made a moment ago."""
    signed_up(site)
    weak = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(NEW["password"])
    site.set("ann_new", password_hash=weak)
    visitor = site.visitor()
    visitor.get("/login")

    visitor.post("/login", username="ann_new", password=NEW["password"])

    assert "Hello, Ann New" in visitor.get("/").text


@pytest.mark.parametrize("form", ["/login", "/signup"])
def test_nothing_of_a_session_before_stays(site: Site, famous: str, form: str) -> None:
    """Whoever planted a cookie before the log-in knows neither the session after it nor the token of its forms."""
    visitor = site.visitor()
    visitor.get(form)
    with visitor.client.session_transaction() as session:
        session["planted"] = "x"
    before, token = cookie(visitor), visitor.token

    fields = {"username": famous, "password": PASSWORD} if form == "/login" else NEW
    assert visitor.post(form, **fields).status == 303

    with visitor.client.session_transaction() as session:
        assert "planted" not in session
        assert "csrf_token" not in session
    visitor.get("/")
    assert cookie(visitor) != before
    with visitor.client.post("/logout", data={"csrf_token": token}) as response:
        assert response.status_code == 400
    planted = site.visitor()
    planted.client.set_cookie("retinue_demo", before)
    assert "Hello" not in planted.get("/").text


def test_logging_out_leaves_nothing(site: Site, famous: str) -> None:
    """The session is empty but for the message, and the forms of before are void."""
    visitor = site.visitor_as(famous)
    token = visitor.token

    assert visitor.post("/logout").place == "/"

    with visitor.client.session_transaction() as session:
        assert set(session) == {"_flashes"}
    assert visitor.get("/settings").place == "/login?next=/settings"
    visitor.become(famous)
    with visitor.client.post("/@nobody/follow", data={"csrf_token": token}) as response:
        assert response.status_code == 400


def test_the_log_in_page_offers_those_whose_password_is_public(site: Site) -> None:
    """Some who are invented, each at a press; nobody who chose a password, nobody away. The first have requests to answer."""
    offered = r'name="username" value="(\w+)"><input type="hidden" name="password" value="retinue-demo">'
    first = re.findall(offered, site.visitor().get("/login").text)
    assert len(first) == 3
    assert all(site.user(name).active and logs_in(site, name, PASSWORD) for name in first)
    visitor = site.visitor_as(first[0])
    requests = len(visitor.get("/requests").rows)
    assert requests
    for kept_away in ("/blocked", "/muted"):
        assert visitor.get(kept_away).rows
    assert "Unread:" in visitor.get("/notifications").text
    # Why one would be them, before one is.
    assert f">{requests} request{'s' if requests > 1 else ''} to answer, " in site.visitor().get("/login").text
    site.set(first[0], password_hash=passwords.hashed("something else"))
    site.set(first[1], active=False)

    now = re.findall(offered, site.visitor().get("/login").text)

    assert first[2] in now
    assert not {first[0], first[1]} & set(now)
    page = site.visitor().get(f"/login?username={now[0]}&next=/people")
    assert f'value="{now[0]}"' in page.text
    assert 'name="next" value="/people"' in page.text
    assert "autofocus" in page.text.split('type="password"')[1]


@pytest.mark.parametrize("username", ["a b", "\"'><script>", "x" * 5000, "\0", "%ED%A0%80"])
def test_a_username_in_the_address_is_only_text(town: Site, username: str) -> None:
    """Whatever the link says is filled in as text, and no longer than a username."""
    page = town.visitor().get(f"/login?username={quote(username)}")

    assert page.status == 200
    assert "<script>" not in page.text
    assert "x" * 65 not in page.text


@pytest.mark.parametrize("locked", [False, True])
@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize("row", [False, True], ids=["from their page", "from their row"])
def test_signing_up_from_somebodys_page_ends_with_following_them(
    site: Site, famous: str, locked: bool, wanted: bool, row: bool
) -> None:
    """A box says so, and is ticked already: whom one came for is followed, or asked, unless one unticks it."""
    place = f"/people?limit=3#user-{famous}" if row else f"/@{famous}"
    site.set(famous, locked=locked, active=True)
    visitor = site.visitor()
    page = visitor.get(f"/signup?next={quote(place)}")
    name = site.user(famous).name
    label = f'name="follow" checked> {"Ask to follow" if locked else "Follow"} <bdi>{name}</bdi></label>'
    assert label in page.text.replace("&#39;", "'")
    fields = {"username": "nora_new", "name": "Nora", "password": "a good long one", "next": place}

    answer = visitor.post("/signup", **fields, **({"follow": "on"} if wanted else {}))

    assert answer.place == place
    how = site.relationship("nora_new", famous)
    assert (how.following, how.requested) == (wanted and not locked, wanted and locked)
    said = f"asked to follow {name}." if locked else f"following {name}."
    assert (said in visitor.get(answer.place).text.replace("&#39;", "'")) is wanted


def test_signing_up_asks_nobody_to_follow_who_is_not_to_be_seen(site: Site, famous: str) -> None:
    """Whoever takes a break is as if they were not there; nor is one asked after any other page."""
    site.set(famous, active=False)
    for page in (f"/@{famous}", "/@nobody_at_all", "/people", f"/@{famous}/followers", f"/people%23user-{famous}"):
        assert 'name="follow"' not in site.visitor().get(f"/signup?next={page}").text


def test_where_one_was_on_the_way_to(site: Site, famous: str) -> None:
    """Through a wrong try, and over to signing up, one comes where one wanted to; never to another site."""
    visitor = site.visitor()
    asked = visitor.get("/requests/sent?limit=5")
    assert asked.place == "/login?next=/requests/sent%3Flimit%3D5"
    page = visitor.get(asked.place)
    assert "/signup?next=/requests/sent?limit%3D5" in page.links
    assert page.text.count('name="next" value="/requests/sent?limit=5"') == 4  # to type in, and at a press
    page = visitor.post("/login", username=famous, password="wrong", next="/requests/sent?limit=5")
    assert 'name="next" value="/requests/sent?limit=5"' in page.text
    answer = visitor.post("/login", username=famous, password=PASSWORD, next="/requests/sent?limit=5")
    assert answer.place == "/requests/sent?limit=5"
    other = site.visitor()
    other.get("/signup")
    assert other.post("/signup", **NEW, next="//example.org").place == "/"
    assert other.get("/login?next=https://example.org").text.count("example.org") == 0


# --- Too many tries ------------------------------------------------------------------------------

LIMITS = {"LOGIN_LIMIT": "3 per minute", "LOGIN_ADDRESS_LIMIT": "5 per minute", "SIGNUP_LIMIT": "2 per hour"}


@pytest.fixture
def strict(site: Site) -> Iterator[Site]:
    """Give the demo with low limits, on the community of `site`."""
    with running(site.engine.url, **LIMITS) as strict:
        strict.people = site.people
        yield strict


def test_guessing_a_password_ends(strict: Site, famous: str) -> None:
    """After some wrong ones even the right one has to wait, and is told how long; others are free meanwhile."""
    visitor = strict.visitor()
    visitor.get("/login")
    for _ in range(5):  # what is right, or empty, is no guess
        assert logs_in(strict, famous, PASSWORD)
        visitor.post("/login", username=famous)
    for spelling in (famous, famous.upper(), f" @{famous}"):
        assert visitor.post("/login", username=spelling, password="a guess").status == 422

    answer = visitor.post("/login", username=famous, password=PASSWORD)

    assert answer.status == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    assert re.search(r"[Ww]ait \d+ seconds? and try again", answer.text)
    assert visitor.get("/login").status == 200
    assert logs_in(strict, strict.people[1], PASSWORD)


def test_guessing_usernames_ends_as_well(strict: Site) -> None:
    """One address has some wrong tries for all usernames together."""
    visitor = strict.visitor()
    visitor.get("/login")
    for number in range(5):
        assert visitor.post("/login", username=f"guess_{number}", password="a guess").status == 422

    assert visitor.post("/login", username=strict.people[0], password=PASSWORD).status == 429


def test_signing_up_again_and_again_ends(strict: Site) -> None:
    """What was typed wrongly is free; what adds somebody, or finds them there, counts."""
    visitor = strict.visitor()
    visitor.get("/signup")
    for _ in range(4):
        assert visitor.post("/signup", **{**NEW, "password": "short"}).status == 422
    signed_up(strict)
    visitor.get("/signup")
    assert visitor.post("/signup", **NEW).status == 422

    answer = visitor.post("/signup", **{**NEW, "username": "bob"})

    assert answer.status == 429
    assert 3_000 < int(answer.headers["Retry-After"]) <= 3_601
    assert "minutes and try again" in answer.text
    with strict.session() as session:
        assert session.scalars(select(User).where(User.username == "bob")).first() is None


@pytest.mark.parametrize("form", ["/settings/password", "/settings/delete"])
def test_guessing_the_password_of_an_open_session_ends(strict: Site, famous: str, form: str) -> None:
    """Who sits down at somebody's browser has as few tries as at the log-in."""
    visitor = strict.visitor_as(famous)
    fields = {"password": "a guess", "new_password": "something new"}
    for _ in range(3):
        assert visitor.post(form, **fields).status == 422

    assert visitor.post(form, **{**fields, "password": PASSWORD}).status == 429
    assert strict.user(famous).password_hash == passwords.public_hash()


def test_guessing_many_at_once_ends_as_soon(database: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt is counted before its password is looked at: of sixteen at the same moment three are answered at most."""
    looked_at = []

    def look(password: str, kept: str | None) -> bool:
        looked_at.append((password, kept))
        time.sleep(0.2)
        return False

    monkeypatch.setattr(passwords, "is_right", look)
    with running(database, **LIMITS) as strict:
        visitors = [strict.visitor() for _ in range(16)]
        for visitor in visitors:
            visitor.get("/login")

        def guess(visitor: Visitor) -> int:
            return visitor.post("/login", username="ann", password="a guess").status

        with ThreadPoolExecutor(len(visitors)) as threads:
            statuses = list(threads.map(guess, visitors))

        assert len(looked_at) <= 3
        assert set(statuses) <= {422, 429}
        with strict.session() as session:
            assert session.scalar(select(func.count()).select_from(Attempt)) == 2 * len(looked_at)


@pytest.mark.parametrize("limit", ["", "3", "3 per day", "many per minute", "3 per minute, 4 per hour"])
def test_a_limit_that_says_nothing_is_no_limit_that_is_forgotten(site: Site, limit: str) -> None:
    """The demo does not start with it."""
    with pytest.raises(ValueError, match="a limit is written as"), running(site.engine.url, LOGIN_LIMIT=limit):
        pass


def test_an_attempt_of_long_ago_is_forgotten(strict: Site, famous: str) -> None:
    """It does not count, and with the next log-in it is gone."""
    visitor = strict.visitor()
    visitor.get("/login")
    for _ in range(3):
        visitor.post("/login", username=famous, password="a guess")
    with strict.session() as session:
        session.execute(update(Attempt).values(at=datetime.now(UTC) - timedelta(minutes=61)))
        session.commit()

    assert logs_in(strict, famous, PASSWORD)
    with strict.session() as session:
        assert session.scalars(select(Attempt)).all() == []


def test_the_limits_can_be_switched_off(site: Site, famous: str) -> None:
    """By one switch for all."""
    with running(site.engine.url, **LIMITS, RATELIMIT_ENABLED=False) as free:
        assert not any(logs_in(free, famous, "a guess") for _ in range(8))


# --- Where one is logged in ----------------------------------------------------------------------


def test_a_cookie_is_dead_once_its_browser_was_logged_out(site: Site, famous: str) -> None:
    """Every copy of it; who is logged in elsewhere stays so, until they log out everywhere."""
    here, elsewhere, copy = site.visitor_as(famous), site.visitor_as(famous), site.visitor()
    copy.client.set_cookie("retinue_demo", cookie(here))
    assert copy.get("/settings/account").status == 200

    here.post("/logout")

    assert copy.get("/settings/account").place == "/login?next=/settings/account"
    assert elsewhere.get("/settings/account").status == 200
    again = site.visitor_as(famous)
    stolen = cookie(elsewhere)
    assert again.post("/settings/logout-everywhere").place == "/"
    copy.client.set_cookie("retinue_demo", stolen)
    for visitor in (again, elsewhere, copy):
        assert visitor.get("/settings/account").status == 303
    with site.session() as session:
        assert session.scalars(select(Login).where(Login.user_id == site.user(famous).id)).all() == []


def test_a_login_ends_by_itself(site: Site, famous: str) -> None:
    """After thirty days; its row goes with the next one."""
    visitor = site.visitor_as(famous)
    with site.session() as session:
        session.execute(update(Login).values(at=datetime.now(UTC) - LASTS - timedelta(seconds=1)))
        session.commit()

    assert visitor.get("/settings/account").status == 303
    site.visitor_as(famous)
    with site.session() as session:
        assert len(session.scalars(select(Login).where(Login.user_id == site.user(famous).id)).all()) == 1


# --- One's own profile and password --------------------------------------------------------------


def test_editing_ones_profile(site: Site) -> None:
    """What is saved is what others read; a form that is wrong keeps what was typed and changes nothing."""
    visitor = signed_up(site)
    page = visitor.get("/settings/profile")
    assert 'value="Ann New"' in page.text

    fields = {"name": " Änne <b> ", "bio": "First line,\r\n second \U0001f41d", "circle": "Choir"}
    assert visitor.post("/settings/profile", **fields).place == "/settings/profile"

    user = site.user("ann_new")
    assert (user.name, user.bio, user.circle) == ("Änne <b>", "First line, second \U0001f41d", "Choir")
    assert "Änne &lt;b&gt;" in visitor.get("/@ann_new").text
    assert "<option selected>Choir</option>" in visitor.get("/settings/profile").text
    before = site.all_rows()
    for wrong in ({"name": ""}, {"bio": "é" * 161}, {"bio": "a\0b"}, {"circle": "Choir\0"}, {"circle": "Nonsense"}):
        page = visitor.post("/settings/profile", **{**fields, **wrong})
        assert (page.status, list(errors(page))) == (422, list(wrong))
    assert site.all_rows() == before
    assert visitor.post("/settings/profile", **{**fields, "bio": "é" * 160, "circle": ""}).status == 303


def test_changing_ones_password(site: Site) -> None:
    """It takes the present one, logs out every other browser and keeps this one."""
    here, there = signed_up(site), site.visitor()
    there.get("/login")
    there.post("/login", username="ann_new", password=NEW["password"])
    token = here.token
    wrong = here.post("/settings/password", password="not mine", new_password="something new")
    assert errors(wrong) == {"password": "That isn’t your password."}
    assert list(errors(here.post("/settings/password", password=NEW["password"], new_password="short"))) == [
        "new_password"
    ]
    assert "Hello, Ann New" in there.get("/").text

    answer = here.post("/settings/password", password=NEW["password"], new_password="something new")

    assert answer.place == "/settings/account"
    assert "Hello, Ann New" in here.get("/").text
    assert there.get("/settings").place == "/login?next=/settings"
    assert logs_in(site, "ann_new", "something new")
    assert not logs_in(site, "ann_new", NEW["password"])
    with here.client.post("/logout", data={"csrf_token": token}) as response:
        assert response.status_code == 400


# --- Leaving -------------------------------------------------------------------------------------


def test_leaving_takes_everything_along(site: Site, famous: str) -> None:
    """No row is about them any more, nobody's counts are wrong, and their sessions and name are free."""
    visitor, elsewhere = site.visitor_as(famous), site.visitor_as(famous)
    other, third, fourth = site.people[1:4]
    key = site.user(famous).id
    for verb, *who in (
        ("follow", famous, other), ("follow", other, famous), ("block", famous, third), ("block", fourth, famous),
        ("mute", famous, other), ("mute", other, famous), ("dismiss", other, famous),
    ):  # fmt: skip
        site.do(verb, *who)
    with site.session() as session:
        session.add(Post(author_id=key, body="The last words of somebody who leaves."))
        session.commit()
    wrong = visitor.post("/settings/delete", password="not mine")
    assert (wrong.status, errors(wrong)) == (422, {"password": "That isn’t your password."})
    assert site.user(famous).id == key

    answer = visitor.post("/settings/delete", password=PASSWORD)

    assert (answer.status, answer.place) == (303, "/")
    assert "Your account was deleted" in visitor.get("/").text
    assert visitor.get(f"/@{famous}").status == 404
    assert elsewhere.get("/settings").place == "/login?next=/settings"
    for table in db.metadata.sorted_tables:
        columns = [column for column in table.columns if any(True for _ in column.foreign_keys)]
        with site.session() as session:
            for column in columns:
                assert not session.execute(select(table).where(column == key)).all(), column
            assert "The last words" not in repr(session.execute(select(table)).all())
    with site.session() as session:
        about = or_(FollowEvent.follower_id == key, FollowEvent.following_id == key)
        kinds = session.scalars(select(FollowEvent.kind).where(about)).all()
    assert kinds == ["removed"]
    site.assert_counts_are_right()
    assert not logs_in(site, famous, PASSWORD)
    signed_up(site, username=famous)


def test_leaving_has_a_fixed_number_of_statements(site: Site, famous: str) -> None:
    """The most followed and somebody whom nobody follows leave at the same price."""
    numbers = set()
    for visitor, password in ((site.visitor_as(famous), PASSWORD), (signed_up(site), NEW["password"])):
        with count_statements(site.engine) as executed:
            assert visitor.post("/settings/delete", password=password).status == 303
        numbers.add(len(executed))

    assert len(numbers) == 1
    assert numbers.pop() <= 40


def test_the_number_of_somebody_who_left_is_no_way_in(empty: Site) -> None:
    """SQLite gives it to whoever comes next: the cookies of the one before are nobody's."""
    left, copy = signed_up(empty), empty.visitor()
    copy.client.set_cookie("retinue_demo", cookie(left))
    assert "Hello, Ann New" in copy.get("/").text
    key = empty.user("ann_new").id
    left.post("/settings/delete", password=NEW["password"])
    signed_up(empty, username="bob", name="Bob")
    assert empty.user("bob").id == key

    assert copy.get("/settings").place == "/login?next=/settings"


@pytest.mark.parametrize(
    ("page", "post", "most"),
    [
        ("/login", {"username": "ann_new", "password": NEW["password"]}, 8),
        ("/login", {"username": "nobody_at_all", "password": "a guess or two"}, 5),
        ("/signup", {**NEW, "username": "bob"}, 9),
        ("/signup", NEW, 3),
        ("/settings/profile", {"name": "Ann", "bio": "", "circle": ""}, 5),
        ("/settings/password", {"password": NEW["password"], "new_password": "something new"}, 12),
    ],
)
def test_a_form_has_few_statements(site: Site, page: str, post: dict[str, str], most: int) -> None:
    """As many as its docstring says."""
    visitor = signed_up(site)
    if page in {"/login", "/signup"}:
        visitor = site.visitor()
    visitor.get(page)

    with count_statements(site.engine) as executed:
        assert visitor.post(page, **post).status in {303, 422}

    assert len(executed) <= most, executed


@in_every_run("postgresql")
def test_accounts_work_on_every_engine(database: URL) -> None:
    """Signing up, being taken, editing, another password, the file of one's data, and leaving."""
    with running(database) as site:
        with site.app.app_context():
            seed(db.session.session_factory, 12, until=UNTIL)
        visitor = signed_up(site, name="Änn \U0001f41d")
        with site.session() as session:
            (other, *_) = session.scalars(select(User.username).where(User.active, User.username != "ann_new"))
            session.execute(update(User).values(locked=False))
            session.commit()
        again = site.visitor()
        again.get("/signup")
        assert again.post("/signup", **NEW).status == 422
        visitor.post(f"/@{other}/follow")
        assert visitor.post("/settings/profile", name="Änn", bio="\U0001f41d" * 160, circle="Choir").status == 303
        fields = {"password": NEW["password"], "new_password": "something new"}
        assert visitor.post("/settings/password", **fields).status == 303
        assert f'"username": "{other}"' in visitor.get("/settings/export.json").text
        visitor.get("/settings/delete")
        assert visitor.post("/settings/delete", password="something new").place == "/"
        assert visitor.get("/@ann_new").status == 404
        site.assert_counts_are_right()
