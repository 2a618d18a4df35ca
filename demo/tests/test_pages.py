"""The demo, page by page, as somebody sees it who clicks through it without JavaScript."""

from __future__ import annotations

import gzip
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, before_render_template, template_rendered
from sqlalchemy import URL, ColumnElement, select

from demo.tests.conftest import UNTIL, Answer, Site, Visitor, by_fame, copy_of, running
from retinue import Graph, search_texts
from retinue.testing import count_statements
from retinue_demo.models import User, db
from retinue_demo.passwords import PASSWORD
from retinue_demo.seed import seed
from retinue_demo.timelines import FEW

KINDS = ["followers", "following", "mutuals"]
#: What is one's own: whoever is nobody logs in first.
OWN_PAGES = [
    "/notifications",
    "/requests",
    "/requests/sent",
    "/settings",
    "/settings/profile",
    "/settings/account",
    "/settings/password",
    "/settings/delete",
    "/blocked",
    "/muted",
]
PAGES = [
    "/",
    "/people",
    "/login",
    "/signup",
    "/public",
    "/@{0}",
    *(f"/@{{0}}/{kind}" for kind in (*KINDS, "known", "posts", "neighbourhood")),
    *OWN_PAGES,
    "/growth",
]


def test_a_newcomer_finds_the_ways_in(town: Site) -> None:
    """The first page says what this is, and leads to where one signs up, logs in, and looks around."""
    page = town.visitor().get("/")

    assert page.status == 200
    assert {"/signup", "/login", "/people", "/public"} <= set(page.links)


def test_logging_in_leads_home_and_logging_out_leads_back(town: Site, famous: str) -> None:
    """Somebody who logged in is greeted by name until they log out."""
    visitor = town.visitor()
    visitor.get("/login")

    assert visitor.post("/login", username=famous, password=PASSWORD).place == "/"
    assert f"Hello, {town.user(famous).name}".replace("'", "&#39;") in visitor.get("/").text
    assert visitor.post("/logout").place == "/"
    assert "Hello" not in visitor.get("/").text
    assert visitor.get("/notifications").place == "/login?next=/notifications"


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("known", [True, False], ids=["logged in", "nobody"])
def test_every_page_is_a_whole_page(town: Site, famous: str, page: str, known: bool) -> None:
    """Each page has a title, one heading, one main part, and every id once; for somebody and for nobody."""
    visitor = town.visitor_as(town.people[3]) if known else town.visitor()

    answer = visitor.get(page.format(famous))

    if answer.status in {302, 303}:
        assert not known
        assert answer.place == f"/login?next={page.format(famous)}"
        return
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert re.search(r"<title>\S.* · Retinue</title>", answer.text)
    assert [answer.text.count(tag) for tag in ("<h1", "<main ", '<html lang="en"')] == [1, 1, 1]
    ids = re.findall(r'\bid="([^"]*)"', answer.text)
    assert len(ids) == len(set(ids))


def away(site: Site) -> list[str]:
    """Return the usernames of those who take a break."""
    with site.session() as session:
        return list(session.scalars(select(User.username).where(~User.active)))


def suggested_on(page: Answer) -> dict[str, str]:
    """Return the usernames of those whom the first page suggests, each with the reason."""
    rows = page.text.split('id="discover"')[1].split("</section>")[0].split('<li class="retinue-person"')[1:]
    found = {}
    for row in rows:
        name = re.search(r'<a class="retinue-name" href="/@([^"]*)"', row)
        why = re.search(r'<p class="retinue-since">([^<]+)</p>', row)
        assert name
        assert why
        found[name[1]] = why[1]
    return found


def test_home_suggests_whom_to_follow_and_shows_new_followers(town: Site, famous: str) -> None:
    """Each with a reason; whom one follows already, and oneself, are not there."""
    visitor = town.visitor_as(famous)

    page = visitor.get("/")

    with town.session() as session:
        me = town.user(famous)
        newest = [person.user.username for person in Graph(session, User).followers(me.id, limit=4)]
    assert page.rows == newest
    suggested = suggested_on(page)
    assert suggested
    assert famous not in suggested
    assert not any(town.is_following(famous, other) for other in suggested)
    assert any(why.startswith("Followed by ") for why in suggested.values())


def test_who_follows_few_finds_whom_to_follow_above_the_posts(site: Site, famous: str) -> None:
    """On a phone what is beside the posts comes below them all. Whoever follows enough reads posts first."""
    visitor = site.visitor_as(famous)
    posts = 'aria-label="Posts from people you follow"'
    assert len(site.names("following", famous)) >= FEW
    page = visitor.get("/").text
    assert page.index(posts) < page.index('id="discover"')
    for other in site.names("following", famous)[FEW - 1 :]:
        site.do("unfollow", famous, other)

    page = visitor.get("/").text

    assert page.index('id="discover"') < page.index(posts)
    assert page.count('id="discover"') == 1
    assert "/suggestions" in visitor.get("/people").links
    assert "/suggestions" not in site.visitor().get("/people").links


def test_who_is_dismissed_is_suggested_no_more(site: Site, famous: str) -> None:
    """The form is on the page, and leads back to it."""
    visitor = site.visitor_as(famous)
    other = next(iter(suggested_on(visitor.get("/"))))

    answer = visitor.post(f"/@{other}/dismiss", next="/")

    assert (answer.status, answer.place) == (303, "/")
    page = visitor.get("/")
    assert "won’t be suggested to you again." in page.text
    assert other not in suggested_on(page)
    assert not site.is_following(famous, other)


def test_following_and_no_longer_following(site: Site, famous: str) -> None:
    """A press of the button leads back to where it was, and page, counts and database agree."""
    other = site.stranger_of(famous)
    visitor = site.visitor_as(famous)
    page = visitor.get(f"/@{other}")
    before = followers_shown(page)
    assert f'action="/@{other}/follow"' in page.text

    answer = visitor.post(f"/@{other}/follow", next=f"/@{other}")

    assert (answer.status, answer.place) == (303, f"/@{other}")
    page = visitor.get(answer.place)
    assert "You follow " in page.text
    assert f'action="/@{other}/unfollow"' in page.text
    assert followers_shown(page) == before + 1
    assert site.is_following(famous, other)
    assert visitor.post(f"/@{other}/unfollow").place == f"/@{other}"
    assert followers_shown(visitor.get(f"/@{other}")) == before
    assert not site.is_following(famous, other)
    site.assert_counts_are_right()


def followers_shown(page: Answer) -> int:
    """Return the number of followers that a profile shows."""
    found = re.search(r"<b[^>]*>([\d,]+)</b> followers?<", page.text)
    assert found
    return int(found[1].replace(",", ""))


def test_sending_a_form_twice_changes_nothing_more(site: Site, famous: str) -> None:
    """A double click, or a reload of the form, is harmless."""
    other = site.stranger_of(famous)
    visitor = site.visitor_as(famous)

    for verb in ("follow", "unfollow"):
        visitor.post(f"/@{other}/{verb}")
        once = site.all_rows()
        assert visitor.post(f"/@{other}/{verb}").status == 303
        assert site.all_rows() == once


def test_many_at_once_follow_one(site: Site, famous: str) -> None:
    """Twelve people press twice at the same moment: every press is answered, and each counts once."""
    fans = [other for other in site.people if other != famous][:12]
    visitors = [site.visitor_as(fan) for fan in fans for _ in range(2)]
    start, statuses = threading.Barrier(len(visitors)), []

    def press(visitor: Visitor) -> None:
        start.wait()
        statuses.append(visitor.post(f"/@{famous}/follow").status)

    threads = [threading.Thread(target=press, args=[visitor]) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [303] * len(visitors)
    assert all(site.is_following(fan, famous) for fan in fans)
    site.assert_counts_are_right()


def test_somebody_who_is_nobody_logs_in_first_and_is_brought_back(town: Site, famous: str) -> None:
    """A follow button leads nobody to the log-in, and from there to the page they came from."""
    visitor = town.visitor()
    before = town.all_rows()
    page = visitor.get(f"/@{famous}/followers")
    assert f"/log-in?next=/@{famous}/followers%23user-{famous}" in page.links
    assert visitor.get(f"/log-in?next=/@{famous}/followers").place == f"/login?next=/@{famous}/followers"
    visitor.get("/login")

    answer = visitor.post(f"/@{famous}/follow", next=f"/@{famous}")

    assert answer.place == f"/login?next=/@{famous}%23user-{famous}"
    assert town.all_rows() == before
    visitor.get(answer.place)
    fields = {"username": page.rows[0], "password": PASSWORD, "next": f"/@{famous}"}
    assert visitor.post("/login", **fields).place == f"/@{famous}"


def test_a_badge_says_who_follows_the_viewer(town: Site, famous: str) -> None:
    """The badge is there exactly where the database has the edge back."""
    visitor = town.visitor_as(famous)
    page = visitor.get("/people?limit=60")

    rows = dict(zip(page.rows, page.text.split('<li class="retinue-person"')[1:], strict=True))
    assert set(rows) == set(town.people) - set(away(town))
    assert {name for name, row in rows.items() if "Follows you" in row} == {
        name for name in rows if name != famous and town.is_following(name, famous)
    }


@pytest.mark.parametrize("kind", KINDS)
def test_walking_the_pages_gives_the_list(town: Site, famous: str, kind: str) -> None:
    """Older after Older gives everybody who is there once, newest first; Newer after Newer the same way back."""
    visitor = town.visitor_as(famous)
    whole = [name for name in town.names(kind, famous) if name not in away(town)]
    assert len(whole) > 6

    onward = list(walk(visitor, f"/@{famous}/{kind}?limit=3", "next"))
    assert [row for page in onward for row in page.rows] == whole
    assert onward[0].link("prev") is None
    backward = list(walk(visitor, onward[-1].link("prev"), "prev"))
    assert [row for page in reversed(backward) for row in page.rows] == whole[: -len(onward[-1].rows)]


@pytest.mark.parametrize(
    ("search", "interest", "order", "column"),
    [
        ("", "", "longest", User.id),
        ("a", "", "longest", User.id),
        ("", "", "newest", User.id.desc()),
        ("", "Baking", "username", User.username),
    ],
)
def test_walking_the_directory_gives_everybody(
    town: Site, search: str, interest: str, order: str, column: ColumnElement[Any]
) -> None:
    """The directory has everybody who is there, in both directions, also where it is searched, narrowed or sorted."""
    visitor = town.visitor()
    with town.session() as session:
        there = session.scalars(select(User).where(User.active, User.circle.contains(interest)).order_by(column))
        names = [
            user.username
            for user in there
            if any(text.startswith(search) for text in search_texts(user.name, user.username)) or not search
        ]
    assert len(names) > 5

    onward = list(walk(visitor, f"/people?limit=5&q={search}&show={interest}&sort={order}", "next"))
    assert f'value="{order}" selected' in onward[-1].text
    assert [row for page in onward for row in page.rows] == names
    assert onward[0].link("prev") is None
    backward = list(walk(visitor, onward[-1].link("prev"), "prev"))
    assert [row for page in reversed(backward) for row in page.rows] == names[: -len(onward[-1].rows)]


def test_what_the_directory_does_not_offer(town: Site, famous: str) -> None:
    """An order, an interest or a place that is none is a 400; an interest of somebody's leads to those who share it."""
    visitor = town.visitor_as(famous)
    for wrong in (
        "sort=x",
        "show=x",
        "after=x",
        "sort=username&after=1-",
        "sort=newest&before=ann",
        "before=-1",
    ):
        assert visitor.get(f"/people?{wrong}").status == 400
    shared = next(link for link in visitor.get(f"/@{famous}").links if link.startswith("/people?show="))

    assert famous in visitor.get(f"{shared}&limit=100").rows
    assert len(visitor.get(f"{shared}&limit=100").rows) < len(visitor.get("/people?limit=100").rows)


def walk(visitor: Visitor, path: str | None, rel: str) -> Iterator[Answer]:
    """Yield the page at *path* and all that its links lead on to."""
    while path:
        page = visitor.get(path)
        assert page.status == 200
        yield page
        path = page.link(rel)


def test_the_search_understands_names_however_they_are_spelt(site: Site, famous: str) -> None:
    """Accents, capitals and spaces do not matter; signs that SQL reads as wildcards find nobody."""
    site.set(famous, name="Zoë Ødegård")
    visitor = site.visitor()

    for search in ("Zoë Ødegård", "ZOE", " ødeg", "zoe%20od", "Ødegård, Zoë", f"@{famous}"):
        assert famous in visitor.get(f"/people?q={search}").rows
    for search in ("%25", "_", "zo%25od", "'"):
        assert visitor.get(f"/people?q={search}").rows == []
    assert "Nobody called “<bdi>%</bdi>”." in visitor.get("/people?q=%25").text


@pytest.mark.parametrize(
    ("page", "most"),
    [
        ("/?limit={1}", 11),
        ("/people?limit={1}", 5),
        ("/login", 3),
        ("/signup", 2),
        ("/@{0}", 8),
        ("/@{0}/followers?limit={1}", 9),
        ("/@{0}/following?limit={1}", 9),
        ("/@{0}/mutuals?limit={1}", 9),
        ("/@{0}/known?limit={1}", 10),
        ("/@{2}", 11),
        ("/@{2}/known?limit={1}", 10),
        ("/notifications?limit={1}", 8),
        ("/requests?limit={1}", 8),
        ("/requests/sent?limit={1}", 8),
        ("/settings", 2),
        ("/settings/profile", 2),
        ("/settings/account", 2),
        ("/settings/password", 2),
        ("/settings/delete", 2),
        ("/blocked?limit={1}", 8),
        ("/muted?limit={1}", 8),
        ("/@nobody_at_all", 3),
        ("/@{0}/followers?cursor=x", 4),
    ],
)
def test_a_page_has_a_fixed_number_of_statements(full: Site, famous: str, page: str, most: int) -> None:
    """One row or a hundred, from the first page or deep in the list: the same few statements."""
    visitor = full.visitor_as(famous)
    numbers = set()

    for limit in (1, 7, 100):
        path: str | None = page.format(famous, limit, an_open_follower(full))
        for _ in range(4):  # the first page, and three deeper ones
            if path:
                with count_statements(full.engine) as executed:
                    path = visitor.get(path).link("next")
                numbers.add(len(executed))

    assert len(numbers) == 1
    assert numbers.pop() <= most


@pytest.fixture(scope="module")
def full(town: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a community in which the one with the most followers has every list filled, for tests that change nothing."""
    with copy_of(town, tmp_path_factory.mktemp("full") / "demo.sqlite3") as site:
        fill_every_list(site, site.people[0])
        other = an_open_follower(site)
        site.set(other, locked=False, hide_followers=False, hide_following=False, active=True)
        yield site


def an_open_follower(site: Site) -> str:
    """Return somebody who follows the one with the most followers, and whom they did nothing to."""
    return next(name for name in site.people[27:] if site.is_following(name, site.people[0]))


def fill_every_list(site: Site, username: str) -> None:
    """Give somebody rows in each of the lists that are theirs alone."""
    site.set(username, locked=True)
    others = [other for other in site.people if other != username and other not in away(site)]
    for other in others[:9]:
        site.do("mute", username, other)
    for other in others[9:18]:
        site.do("block", username, other)
    for other in others[18:27]:
        site.do("unfollow", other, username)
        site.do("follow", other, username)
    for other in others[27:36]:
        site.set(other, locked=True)
        site.do("unfollow", username, other)
        site.do("follow", username, other)


@pytest.mark.parametrize("page", PAGES)
def test_rendering_asks_the_database_nothing(full: Site, famous: str, page: str) -> None:
    """Templates and properties render what was read: no statement is executed meanwhile."""
    visitor = full.visitor_as(famous)
    counted: list[int] = []

    with count_statements(full.engine) as executed:

        def note(_sender: Flask, **_: object) -> None:
            counted.append(len(executed))

        with before_render_template.connected_to(note), template_rendered.connected_to(note):
            visitor.get(page.format(famous))

    before, after = counted
    assert before == after == len(executed)


def test_the_page_says_what_it_cost(town: Site, famous: str) -> None:
    """The number of statements at the foot of a page is the true one."""
    visitor = town.visitor_as(famous)

    with count_statements(town.engine) as executed:
        page = visitor.get(f"/@{famous}")

    assert f"{len(executed)} SQL statements for this page" in page.text


def compressed_file(visitor: Visitor, path: str) -> bytes:
    """Return a static file as it goes to a browser that takes it compressed."""
    with visitor.client.get(path, headers={"Accept-Encoding": "gzip"}) as sent:
        assert sent.headers["Content-Encoding"] == "gzip"
        return bytes(sent.data)


@pytest.mark.parametrize("page", [*PAGES, "/@{0}/followers?limit=40"])
def test_a_page_is_light(town: Site, famous: str, page: str) -> None:
    """A page weighs less than 75,000 bytes on its way, with everything it needs, and none of it comes from elsewhere."""
    visitor = town.visitor_as(famous)
    answer = visitor.get(page.format(famous))

    parts = [link for link in answer.links if link.startswith("/static/")]
    parts += re.findall(r'<script src="(/static/[^"]+)" defer[ >]', answer.text)
    assert len(parts) in {7, 8, 9, 10}
    compressed = [compressed_file(visitor, part) for part in parts]
    assert len(answer.text.encode()) + sum(map(len, compressed)) < 75_000
    assert [gzip.decompress(sent).decode() for sent in compressed] == [visitor.get(part).text for part in parts]
    assert not re.search(r"<script>|<link[^>]*//|\b(srcset|style|on\w+)=|@import|url\((?!#)", answer.text)
    assert not any(re.search(r"@import|url\(", visitor.get(part).text) for part in parts)


def test_the_demo_runs_on_every_engine(database: URL) -> None:
    """Seeding, the pages and the buttons do on each database what they do on SQLite."""
    with running(database) as site:
        with site.app.app_context():
            found = seed(db.session.session_factory, 12, until=UNTIL)
        assert (found.people, found.made) == (12, True)
        famous, *_, loner = by_fame(site)
        for name in (famous, loner):
            site.set(name, locked=False, hide_followers=False, hide_following=False, active=True)
        visitor = site.visitor_as(loner)
        for page in PAGES:
            assert visitor.get(page.format(famous)).status == 200
        assert "zoe" in visitor.get("/people?q=zoe").text
        for verb in ("unfollow", "follow", "follow"):
            assert visitor.post(f"/@{famous}/{verb}").status == 303
        assert site.is_following(loner, famous)
        for verb in ("follow", "mute", "unmute", "block", "unblock", "remove", "accept", "reject"):
            assert visitor.post(f"/@{famous}/{verb}", period="for a day").status == 303
        assert visitor.post("/settings", locked="on").place == visitor.post("/settings").place == "/settings"
        for form in ("/requests/accept", "/requests/reject", "/notifications/read"):
            assert visitor.post(form).status == 303
        site.assert_counts_are_right()
