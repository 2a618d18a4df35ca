"""
A crawler in the demo: several people who follow every link, and send every form, as it is and as it is not meant.

Nothing may break, nobody may come to know what is not theirs to know, and nobody may change what is another's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from demo.tests.addresses import addresses
from demo.tests.conftest import Site, copy_of
from demo.tests.crawling import Crawler
from demo.tests.judging import EVIL, Secrets
from demo.tests.reading import Form
from retinue_demo.models import Notification, Post, User, db
from tests.long import few_or_many

VIEWERS = ["public", "private", "away", "nobody"]

#: Who keeps what from whom; the usernames are these with "zz_" before.
ROLES = ["public", "private", "away", "blocker", "absent", "hider", "member", "locked"]

everybody = pytest.mark.parametrize("role", VIEWERS)

#: Whoever is private has every form that anybody has: some ask to follow them.
most_forms = pytest.mark.parametrize(
    "role", [role if role in {"private", "nobody"} else pytest.param(role, marks=pytest.mark.long) for role in VIEWERS]
)

#: What anybody may put where anything else is expected.
HOSTILE = [
    "",
    EVIL,
    "a\0b",
    "%00",
    "' OR 1=1 --",
    "{{7*7}}${7*7}",
    "../../../etc/passwd",
    "-1",
    "0",
    "1",
    "99999999999999999999999999",
    "1e999",
    "NaN",
    "\N{ARABIC-INDIC DIGIT THREE}",
    "\N{RIGHT-TO-LEFT OVERRIDE}\N{ZERO WIDTH JOINER}\N{FOX FACE}" * 20,
    "\r\nSet-Cookie: a=b\r\n\r\n",
    "a" * 9_000,
    "https://example.org/",
    "//example.org",
    "/\\example.org",
]

#: Some of them, for what is tried very often.
MOST_HOSTILE = ["", EVIL, "a\0b", "99999999999999999999999999"]


@pytest.fixture(scope="module")
def made_village(town: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a community in which some keep something from others, under names that nobody else has."""
    with copy_of(town, tmp_path_factory.mktemp("village") / "demo.sqlite3") as site:
        arrange(site, [name for name in site.people if site.user(name).active])
        yield site


@pytest.fixture
def village(made_village: Site, tmp_path: Path) -> Iterator[Site]:
    """Give the same to one test alone."""
    with copy_of(made_village, tmp_path / "village.sqlite3") as site:
        site.app.config["RATELIMIT_ENABLED"] = False  # whoever sends all forms guesses a password with many
        yield site


def arrange(site: Site, names: list[str]) -> None:
    """Give people roles, and let them do what they keep from others."""
    with site.session() as session:
        for role, old in zip(ROLES, names[5:], strict=False):
            user = session.scalars(select(User).where(User.username == old)).one()
            user.username, user.name, user.bio = f"zz_{role}", f"Zz {role.title()}", f"Zz-bio-of-{role}."
            user.locked = role in {"private", "locked"}
            # Both, as what somebody shows is on their side of it no secret.
            user.hide_followers = user.hide_following = role in {"hider", "member"}
        session.commit()
    site.people = names[:5]
    for viewer in ("zz_public", "zz_private", "zz_away"):
        for kept_from in ("zz_locked", "zz_private", "zz_hider"):
            if viewer != kept_from:
                site.do("unfollow", viewer, kept_from)
        site.do("follow", viewer, "zz_member")
        site.do("follow", names[0], viewer)
        site.do("block", "zz_blocker", viewer)
        site.do("mute", viewer, names[1])
        site.do("block", viewer, names[2])
    for owner in ("zz_hider", "zz_locked"):
        site.do("follow", "zz_member", owner)
        site.do("follow", owner, "zz_member")
    site.do("accept", "zz_locked", "zz_member")
    for gone in ("zz_away", "zz_absent"):
        site.set(gone, active=False)
    with site.session() as session:
        for role in ROLES:
            author = site.user(f"zz_{role}").id
            session.add(Post(author_id=author, body=f"Zz-post-of-{role}.", created_at=datetime.now(UTC)))
        session.commit()


def secrets_of(role: str) -> Secrets:
    """Return what somebody in that *role* must not come to know."""
    secret = {"zz_absent", "Zz Absent", "Zz-bio-of-absent", "Zz-post-of-absent", "Zz-post-of-locked"}
    secret |= {"zz_away", "Zz Away", "Zz-post-of-away"} if role != "away" else set()
    secret |= {"Zz-post-of-private"} if role != "private" else set()
    # Who is not logged in is blocked by nobody.
    secret |= {"zz_blocker", "Zz Blocker", "Zz-post-of-blocker"} if role != "nobody" else set()
    return Secrets(frozenset(secret), (("zz_hider", "Zz Member"), ("zz_locked", "Zz Member")))


def crawler(village: Site, role: str) -> Crawler:
    """Return somebody in that *role*."""
    return Crawler(village, None if role == "nobody" else f"zz_{role}", secrets_of(role))


def parts(village: Site) -> dict[str, list[str]]:
    """Return what may stand for the parts of an address: all kinds of people."""
    with village.session() as session:
        written = {user.username: post for post, user in session.execute(select(Post.id, User).join(User)).all()}
    names = [*(f"zz_{role}" for role in ROLES), village.people[0], "nobody_here"]
    return {
        "username": names,
        "slug": names,
        "number": [*(str(written[f"zz_{role}"]) for role in ROLES), "2147483647"],
    }


def some_parts(village: Site) -> dict[str, list[str]]:
    """Return the same about two: somebody well known to most, and somebody whom nobody may know."""
    return {
        name: [values[ROLES.index("member")], values[ROLES.index("absent")]] for name, values in parts(village).items()
    }


def starts(village: Site) -> list[str]:
    """Return every page, about all kinds of people."""
    return addresses(village.app, "GET", parts(village))


def rows_of_others(site: Site, role: str) -> dict[str, list[Any]]:
    """Return every row that has nothing to do with somebody in that *role*, and that nothing else is counted into."""
    me = None if role == "nobody" else site.user(f"zz_{role}").id
    with site.session() as session:
        people = {key for (key,) in session.query(User.id)}
    found, rows = dict[str, list[Any]](), site.all_rows()
    for table in db.metadata.sorted_tables:
        if table.name.endswith("_counts") or table.name not in rows:
            continue
        mine = [
            place
            for place, column in enumerate(table.columns)
            if column is User.__table__.c.id or any(key.column is User.__table__.c.id for key in column.foreign_keys)
        ]
        found[table.name] = [row for row in rows[table.name] if me not in {row[place] for place in mine}]
    found["people"] = sorted(people - {me})
    return found


@most_forms
def test_every_link_leads_somewhere_and_tells_nothing(village: Site, role: str) -> None:
    """Whoever follows every link meets no error and no secret, and changes nothing by looking."""
    visitor = crawler(village, role)
    before = village.all_rows()

    seen, forms = visitor.crawl(starts(village))

    assert visitor.faults == []
    assert village.all_rows() == before
    assert len(seen) > 40
    assert role == "nobody" or len(forms) > 12


@few_or_many("hostile", MOST_HOSTILE[:2], HOSTILE)
@most_forms
def test_every_form_does_only_what_is_ones_own_to_do(village: Site, role: str, hostile: list[str]) -> None:
    """Each form, sent as it is and with whatever else, breaks nothing, tells nothing, and changes nothing of others."""
    visitor = crawler(village, role)
    _, forms = visitor.crawl(starts(village))
    before, ids = rows_of_others(village, role), ids_of_others(village)

    for form in two_of_each(forms):
        for fields in variations(form, [*hostile, *ids]):
            visitor.stay()
            if form.method == "POST":
                visitor.send(form.action, fields)
            else:
                visitor.ask("GET", form.action, query_string=fields)
    for path in addresses(village.app, "POST", parts(village)):
        visitor.stay()
        visitor.send(path, [])
    for form in forms:
        visitor.stay()
        visitor.send(form.action, [(name, EVIL) for name in form.names])
    visitor.stay()
    visitor.crawl(starts(village))

    assert visitor.faults == []
    after = rows_of_others(village, role)
    assert {name: [row for row in rows if row not in after[name]] for name, rows in before.items()} == {
        name: [] for name in before
    }


def two_of_each(forms: Iterable[Form]) -> list[Form]:
    """Return two forms of each kind: those that differ in whom they are about are alike."""
    kinds: dict[tuple[str, tuple[str, ...]], list[Form]] = {}
    for form in sorted(forms, key=lambda form: form.action):
        kinds.setdefault((re.sub(r"@\w+|[0-9]+", "*", form.action), tuple(form.names)), []).append(form)
    return [form for alike in kinds.values() for form in alike[:2]]


def ids_of_others(village: Site) -> list[str]:
    """Return keys of what belongs to somebody who is no viewer here."""
    other = village.user("zz_member").id
    with village.session() as session:
        told = session.scalars(select(Notification.id).where(Notification.recipient_id == other).limit(2))
        written = session.scalars(select(Post.id).where(Post.author_id == other))
        return [str(key) for key in (other, *told, *written)]


def variations(form: Form, hostile: list[str]) -> Iterator[tuple[tuple[str, str], ...]]:
    """Yield what is sent: everything as it stands, filled in, without each field, with each twice, with each hostile."""
    yield form.fields
    yield tuple((name, value or "Hello there") for name, value in form.fields)
    for name in form.names:
        rest = tuple((other, value) for other, value in form.fields if other != name)
        yield rest
        yield (*form.fields, (name, "1"))
        for value in hostile:
            yield (*rest, (name, value))
    yield (*form.fields, ("id", "1"), ("user_id", "1"), ("username", "zz_member"), ("next", "//example.org"))
    yield (*form.fields, ("next", "a" * 20_000))


@everybody
def test_whom_one_may_not_know_is_not_there(village: Site, role: str) -> None:
    """Every address of somebody hidden, by GET and by POST, answers as that of somebody who does not exist."""
    visitor = crawler(village, role)
    hidden = {"zz_absent", *(["zz_away"] if role != "away" else []), *(["zz_blocker"] if role != "nobody" else [])}
    unknown = {"username": ["nobody_here"], "slug": ["nobody_here"], "number": ["2147483647"]}
    found = []

    for method in ("GET", "POST"):
        for path in addresses(village.app, method, unknown):
            for name in hidden if "nobody_here" in path else ():
                answers = [
                    visitor.ask(method, there, data={"csrf_token": visitor.token} if method == "POST" else None)
                    for there in (path, path.replace("nobody_here", name))
                ]
                texts = [_plain(answer.get_data(as_text=True)).replace(name, "nobody_here") for answer in answers]
                places = [answer.headers.get("Location", "").replace(name, "nobody_here") for answer in answers]
                if texts[0] != texts[1] or answers[0].status_code != answers[1].status_code or places[0] != places[1]:
                    found.append(f"{method} {path} and of {name}: {[answer.status_code for answer in answers]}")

    assert found == []
    assert visitor.faults == []


def _plain(text: str) -> str:
    """Return a page without what differs from one visit to the next."""
    return re.sub(r'name="csrf_token" value="[^"]*"', "", text)


@pytest.mark.sampled(2)
@everybody
def test_nothing_is_done_without_ones_own_token(village: Site, role: str) -> None:
    """Every address that changes something refuses a form from elsewhere, and a cross-site script; or asks to log in."""
    visitor = crawler(village, role)
    refused = {400, 403, 401, 303} if role == "nobody" else {400, 403}
    stranger = village.visitor_as("zz_member")
    tokens: list[dict[str, str]] = [{}, {"csrf_token": stranger.token}, {"csrf_token": "IjEi.x.y"}]
    elsewhere = {"Origin": "https://example.org", "Sec-Fetch-Site": "cross-site"}
    before = village.all_rows()

    for path in addresses(village.app, "POST", some_parts(village)):
        for given in tokens:
            for headers in ({}, elsewhere, {"Accept": "application/json"}):
                response = visitor.ask("POST", path, data=given, headers=headers)
                place = response.headers.get("Location", "/login")
                if response.status_code not in refused or not place.startswith("/login"):
                    visitor.faults.append(f"{role} POST {path} {given}: {response.status_code}")

    assert visitor.faults == []
    assert village.all_rows() == before


@pytest.mark.sampled(2)
@everybody
def test_nothing_is_changed_by_another_method(village: Site, role: str) -> None:
    """An address that takes forms alone refuses to be opened; nothing takes what no form sends."""
    visitor = crawler(village, role)
    both = set(addresses(village.app, "GET", some_parts(village)))
    before = village.all_rows()

    for path in both | set(addresses(village.app, "POST", some_parts(village))):
        methods = ["PUT", "DELETE", "PATCH", "TRACE", *([] if path in both else ["GET", "HEAD"])]
        for method in methods:
            response = visitor.ask(method, path, data={"csrf_token": visitor.token})
            if response.status_code not in {400, 404, 405}:
                visitor.faults.append(f"{role} {method} {path}: {response.status_code}")
        visitor.ask("OPTIONS", path)

    assert visitor.faults == []
    assert village.all_rows() == before


@few_or_many("hostile", MOST_HOSTILE, HOSTILE)
@pytest.mark.parametrize("role", ["public", "nobody"])
def test_every_address_bears_whatever_is_written_behind_it(village: Site, role: str, hostile: list[str]) -> None:
    """Whatever stands in the query of any page, and wherever it says to come from, the answer is a page or a refusal."""
    visitor = crawler(village, role)
    names = ["cursor", "limit", "q", "sort", "show", "days", "after", "before", "next"]
    known = {name: values[:1] for name, values in some_parts(village).items()}
    before = village.all_rows()

    for path in addresses(village.app, "GET", known):
        for value in hostile:
            visitor.ask("GET", path, query_string=[(name, value) for name in (*names, "id", "username", "endpoint")])
        for value in MOST_HOSTILE if hostile is HOSTILE else MOST_HOSTILE[:2]:
            for name in names:
                visitor.ask("GET", path, query_string={name: value})
    for path in (
        "/@zz_member%00",
        "/%ED%A0%80",
        "/@%FF",
        "/?q=%FF%FE",
        "/people?%00=1",
        "/posts/0",
        "/posts/99999999999999",
    ):
        visitor.ask("GET", path)
    # As a server gets it: a test client would take it for a host.
    for path in ("//example.org", "//example.org/..", "/\\example.org", "///example.org/@zz_member"):
        visitor.ask("GET", "/", environ_overrides={"PATH_INFO": path})

    assert visitor.faults == []
    assert village.all_rows() == before


@pytest.mark.sampled(2)
@everybody
def test_every_form_bears_what_is_no_form(village: Site, role: str) -> None:
    """JSON, a file, broken multipart, or bytes that are no text: a refusal, or nothing."""
    visitor = crawler(village, role)
    head = {"X-CSRFToken": visitor.token}

    for path in addresses(village.app, "POST", some_parts(village)):
        for content_type, data in (
            ("application/json", b'{"next": ["//example.org"], "body": {"a": null}, "username": 1}'),
            ("application/x-www-form-urlencoded", b"next=%FF%FE&body=%ED%A0%80&id=%00&username[]=1&=&&&"),
            (
                "multipart/form-data; boundary=x",
                b'--x\r\nContent-Disposition: form-data; name="body"; filename="a"\r\n\r\n\0\r\n--x--',
            ),
            ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
            ("multipart/form-data", b"no boundary"),
            ("text/plain", b"\xff\xfe"),
        ):
            visitor.stay()
            visitor.ask("POST", path, data=data, content_type=content_type, headers=head)

    assert visitor.faults == []
