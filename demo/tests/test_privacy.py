"""Privacy and safety in the demo, as two people meet them who click through it without JavaScript."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from demo.tests.conftest import Answer, Site
from retinue import Graph, LimitError
from retinue.flask.wording import lately
from retinue_demo.models import Block, Mute, Notification


@pytest.fixture
def pair(site: Site) -> tuple[str, str]:
    """Give two people who are public, active and strangers, keep nobody away, and have nothing to read."""
    ann, bob, *_ = [name for name in site.people if name not in site.names("requests", name)][2:]
    for one, other in ((ann, bob), (bob, ann)):
        site.set(one, locked=False, hide_followers=False, hide_following=False, active=True)
        site.do("unfollow", one, other)
        site.do("reject_all", one)
        site.do("mark_read", one)
        for asked in site.names("sent_requests", one):
            site.do("unfollow", one, asked)
        for verb, kept_away in (("unblock", "blocks"), ("unmute", "mutes")):
            for person in site.names(kept_away, one):
                site.do(verb, one, person)
    return ann, bob


def badge(page: Answer) -> int:
    """Return the number of unread notifications that the bar shows; 0 for none."""
    found = re.search(r'<b class="retinue-unread"[^>]*>(\d+)<', page.text)
    return int(found[1]) if found else 0


def said(page: Answer) -> str:
    """Return the last message on a page; empty for none."""
    found = re.findall(r'<p class="flash".*?</svg>\s*(.*?)\s*</p>', page.text, re.DOTALL)
    return found[-1].replace("&#39;", "'") if found else ""


def offers(page: Answer) -> set[str]:
    """Return where the page's own forms lead; that in the bar, to log out, is on every page."""
    return set(re.findall(r'\b(?:form)?action="([^"]+)"', page.text.partition("<main")[2]))


# --- Asking --------------------------------------------------------------------------------------


def test_asking_waiting_and_taking_it_back(site: Site, pair: tuple[str, str]) -> None:
    """The button of a private profile asks; pressed again it withdraws; twice is as good as once."""
    ann, bob = pair
    site.set(bob, locked=True)
    visitor = site.visitor_as(ann)
    assert ">Ask</span>" in visitor.get(f"/@{bob}").text

    for _ in range(2):
        visitor.post(f"/@{bob}/follow")
        page = visitor.get(f"/@{bob}")
        assert said(page) == f"You asked to follow {site.user(bob).name}."
    assert "<span>Requested</span>" in page.text
    assert visitor.get("/requests/sent").rows == [bob]
    assert not site.is_following(ann, bob)

    visitor.post(f"/@{bob}/unfollow", next="/requests/sent")
    page = visitor.get("/requests/sent")
    assert said(page) == f"You withdrew your request to follow {site.user(bob).name}."
    assert page.rows == []
    assert not site.relationship(ann, bob).requested


@pytest.mark.parametrize(("answer", "follows"), [("accept", True), ("reject", False)])
def test_an_answer_to_a_request(site: Site, pair: tuple[str, str], answer: str, follows: bool) -> None:
    """Who is asked says yes or no, on the profile or in the list; who asked is told of a yes."""
    ann, bob = pair
    site.set(bob, locked=True)
    asker, asked = site.visitor_as(ann), site.visitor_as(bob)
    asker.post(f"/@{bob}/follow")

    assert asked.get("/requests").rows == [ann]
    assert f"/@{ann}/{answer}" in offers(asked.get("/requests")) & offers(asked.get(f"/@{ann}"))
    assert asked.post(f"/@{ann}/{answer}", next="/requests").place == "/requests"

    assert asked.get("/requests").rows == []
    assert site.is_following(ann, bob) is follows
    assert badge(asker.get("/")) == int(follows)
    asked.post(f"/@{ann}/{answer}")
    assert said(asked.get("/requests")) == f"There is no request from {site.user(ann).name} to answer any more."
    assert site.is_following(ann, bob) is follows
    site.assert_counts_are_right()


def test_nobody_answers_their_own_request(site: Site, pair: tuple[str, str]) -> None:
    """Who asks can press whatever they like: only the other one's answer counts."""
    ann, bob = pair
    site.set(bob, locked=True)
    visitor = site.visitor_as(ann)
    for form in (f"/@{bob}/follow", f"/@{bob}/accept", "/requests/accept", f"/@{bob}/follow", f"/@{bob}/remove"):
        assert visitor.post(form).status == 303

    assert not site.is_following(ann, bob)
    assert site.relationship(ann, bob).requested
    assert visitor.post(f"/@{ann}/accept").status == 400


@pytest.mark.parametrize("answer", ["accept", "reject"])
def test_the_same_answer_for_everybody(site: Site, pair: tuple[str, str], answer: str) -> None:
    """One press answers all who wait, and says how many that were."""
    _, bob = pair
    site.set(bob, locked=True)
    askers = [name for name in site.people if name != bob and not site.is_following(name, bob)][:5]
    for asker in askers:
        site.do("follow", asker, bob)
    visitor = site.visitor_as(bob)
    visitor.get("/requests")

    assert visitor.post(f"/requests/{answer}").place == "/requests"

    page = visitor.get("/requests")
    assert said(page) == f"You {answer}ed 5 requests."
    assert page.rows == []
    assert {site.is_following(asker, bob) for asker in askers} == {answer == "accept"}
    visitor.post(f"/requests/{answer}")
    assert said(visitor.get("/requests")) == ""
    site.assert_counts_are_right()


def test_going_public_says_yes_to_all_who_wait(site: Site, pair: tuple[str, str]) -> None:
    """The switch does by itself what else had to be pressed for each."""
    ann, bob = pair
    site.set(bob, locked=True)
    site.do("follow", ann, bob)
    visitor = site.visitor_as(bob)
    assert re.search(r'name="locked" checked', visitor.get("/settings").text)

    assert visitor.post("/settings").place == "/settings"

    page = visitor.get("/settings")
    assert said(page) == "Saved. 1 request accepted."
    assert not re.search(r"name=\"locked\" checked", page.text)
    assert site.is_following(ann, bob)
    assert site.names("requests", bob) == []
    assert badge(site.visitor_as(ann).get("/")) == 1


# --- What others see -----------------------------------------------------------------------------

SWITCHES = {
    "locked": "locked",
    "hide_followers": "hide_followers",
    "hide_following": "hide_following",
    "away": "active",
}


@pytest.mark.parametrize("switch", SWITCHES)
def test_each_switch_is_saved_and_shown(site: Site, pair: tuple[str, str], switch: str) -> None:
    """A switch alone changes its own column alone, and stands as it was left."""
    ann, _ = pair
    visitor = site.visitor_as(ann)
    visitor.get("/settings")

    visitor.post("/settings", **{switch: "on"})

    page = visitor.get("/settings")
    assert re.findall(r'name="(\w+)" checked', page.text) == [switch]
    user = site.user(ann)
    changed = [column for column in SWITCHES.values() if getattr(user, column) is not (column == "active")]
    assert changed == [SWITCHES[switch]]
    visitor.post("/settings")
    assert re.findall(r'name="(\w+)" checked', visitor.get("/settings").text) == []


#: Columns of the owner; which lists a stranger may see then, and which a follower.
KEPT = [
    ({}, "followers following mutuals", "followers following mutuals"),
    ({"locked": True}, "", "followers following mutuals"),
    ({"hide_followers": True}, "following", "following"),
    ({"hide_following": True}, "followers", "followers"),
    ({"locked": True, "hide_following": True}, "", "followers"),
]


@pytest.mark.parametrize(("columns", "stranger", "follower"), KEPT)
def test_who_sees_which_list(
    site: Site, pair: tuple[str, str], columns: dict[str, Any], stranger: str, follower: str
) -> None:
    """A closed list is a 404 that says that it is private and never why; the profile stays; the owner sees all."""
    ann, bob = pair
    other = next(name for name in site.people if name not in pair)
    site.set(other, active=True)
    site.do("follow", other, bob)
    if columns:
        site.set(bob, **columns)
    nobody, strange, trusted, owner = site.visitor(), *map(site.visitor_as, (ann, other, bob))

    for visitor, seen in ((nobody, stranger), (strange, stranger), (trusted, follower), (owner, "all")):
        profile = visitor.get(f"/@{bob}")
        assert profile.status == 200
        assert f">{len(site.names('followers', bob))}</b> follower" in profile.text
        closed = re.search(r"</bdi>’s followers\.|</bdi> keeps this private\.", profile.text)
        assert bool(closed) is (seen != "all" and "followers" not in seen)
        for kind in ("followers", "following", "mutuals"):
            page = visitor.get(f"/@{bob}/{kind}")
            if seen == "all" or kind in seen:
                assert page.status == 200
                assert page.rows
            else:
                assert (page.status, page.rows) == (404, [])
                assert "This list is private." in page.text


@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_followers_whom_one_knows(site: Site, pair: tuple[str, str], number: int) -> None:
    """A profile names whom one came to follow last among its followers, and leads to the whole list."""
    ann, bob = pair
    for name in site.names("following", ann):
        site.do("unfollow", ann, name)
    friends = [name for name in site.names("followers", bob) if site.user(name).active][:number]
    for friend in friends:
        site.set(friend, locked=False)
        site.do("follow", ann, friend)
    visitor = site.visitor_as(ann)

    page = visitor.get(f"/@{bob}")

    friends.reverse()
    first, second = (site.user(name).name for name in (friends * 2)[:2])
    words = {1: f"{first}", 2: f"{first} and {second}", 3: f"{first}, {second} and 1 other you follow"}
    sentence = f"Followed by {words.get(number, f'{first}, {second} and 3 others you follow')}"
    assert re.findall("Followed by [^<]*", page.text.replace("&#39;", "'")) == [sentence]
    assert visitor.get(f"/@{bob}/known").rows == friends
    site.set(bob, hide_followers=True)
    assert "Followed by" not in visitor.get(f"/@{bob}").text
    assert visitor.get(f"/@{bob}/known").status == 404


def test_taking_a_break(site: Site, pair: tuple[str, str]) -> None:
    """Who is away is found nowhere but at the door, and finds everything as it was when they are back."""
    ann, bob = pair
    site.do("follow", bob, ann)
    visitor, resting = site.visitor_as(ann), site.visitor_as(bob)
    before = site.all_rows()
    resting.get("/settings")

    resting.post("/settings", away="on")

    assert "You’re taking a break" in resting.get(f"/@{bob}").text
    assert visitor.get(f"/@{bob}").status == site.visitor().get(f"/@{bob}").status == 404
    assert visitor.post(f"/@{bob}/follow").status == 404
    for page in (f"/@{ann}/followers?limit=100", "/people?limit=100", "/notifications?limit=100", "/"):
        assert f"/@{bob}" not in visitor.get(page).text
    assert "taking a break" in visitor.get(f"/@{ann}/followers?limit=100").text
    assert "taking a break" not in site.visitor().get(f"/@{ann}/followers?limit=100").text
    resting.become(bob)
    resting.post("/settings")
    assert site.all_rows() == before


# --- Keeping away --------------------------------------------------------------------------------


@pytest.mark.parametrize("restore", [True, False])
def test_blocking_and_unblocking(site: Site, pair: tuple[str, str], restore: bool) -> None:
    """A block ends what was between the two; who blocks may bring it back, from the profile or not at all."""
    ann, bob = pair
    site.do("follow", ann, bob)
    site.do("follow", bob, ann)
    visitor = site.visitor_as(ann)
    assert f"/@{bob}/block" in offers(visitor.get(f"/@{bob}"))

    visitor.post(f"/@{bob}/block")

    page = visitor.get(f"/@{bob}")
    assert said(page) == f"You blocked {site.user(bob).name}."
    assert offers(page) == {f"/@{bob}/unblock", f"/@{bob}/mute"}
    assert "so you can’t see each other’s followers." in page.text
    assert "keeps this private" not in page.text
    assert not site.is_following(ann, bob)
    assert not site.is_following(bob, ann)
    assert visitor.get("/blocked").rows == [bob]
    assert site.visitor_as(bob).get(f"/@{ann}").status == 404
    visitor.post(f"/@{bob}/unblock", **({"restore": "on"} if restore else {}))
    assert visitor.get("/blocked").rows == []
    assert (site.is_following(ann, bob), site.is_following(bob, ann)) == (restore, restore)
    site.assert_counts_are_right()


def test_who_blocks_cannot_follow_and_reads_why_not(site: Site, pair: tuple[str, str]) -> None:
    """An old page's button does no harm: a sentence, and nothing is changed."""
    ann, bob = pair
    visitor = site.visitor_as(ann)
    visitor.post(f"/@{bob}/block")
    before = site.all_rows()

    visitor.post(f"/@{bob}/follow")

    page = visitor.get(f"/@{bob}")
    assert said(page) == f"You can’t follow {site.user(bob).name}."
    assert '<p class="flash" role="alert">' in page.text
    assert not site.is_following(ann, bob)
    assert site.all_rows() == before


def test_a_mute_is_for_the_muter_alone(site: Site, pair: tuple[str, str]) -> None:
    """Nothing of the muted is told any more, and nothing else changes for anybody."""
    ann, bob = pair
    muter, muted = site.visitor_as(ann), site.visitor_as(bob)
    muter.get(f"/@{bob}")

    muter.post(f"/@{bob}/mute")

    assert '<span class="retinue-badge retinue-plain">Muted</span>' in muter.get(f"/@{bob}").text
    assert muter.get("/muted").rows == [bob]
    assert "Muted" not in muted.get(f"/@{ann}").text
    muted.post(f"/@{ann}/follow")
    assert badge(muter.get("/")) == 0
    assert f"/@{bob}" not in muter.get("/notifications").text.partition("<main")[2]
    muter.post(f"/@{bob}/unmute", next="/muted")
    page = muter.get("/muted")
    assert (page.rows, said(page)) == ([], f"You unmuted {site.user(bob).name}.")
    assert site.is_following(bob, ann)


@pytest.mark.parametrize(("verb", "model"), [("mute", Mute), ("block", Block)])
def test_for_a_time(site: Site, pair: tuple[str, str], verb: str, model: Any) -> None:
    """The menu's periods are as long as they say; what is none of them is refused and changes nothing."""
    ann, bob = pair
    visitor = site.visitor_as(ann)
    for period in ("for ever", "", "-1"):
        assert visitor.post(f"/@{bob}/{verb}", period=period).status == 400
    assert not site.relationship(ann, bob).blocking
    assert not site.relationship(ann, bob).muting

    for period, days in (("for a day", 1), ("for a week", 7), ("for a month", 30), ("for good", None)):
        visitor.post(f"/@{bob}/{verb}", period=period)
        with site.session() as session:
            until = session.scalars(select(model.until).order_by(model.timestamp.desc())).first()
        left = None if until is None else until - datetime.now(UTC)
        assert (left is None) is (days is None)
        assert left is None or days is None or timedelta(0) <= timedelta(days=days) - left < timedelta(minutes=1)
        page = visitor.get({"mute": "/muted", "block": "/blocked"}[verb])
        assert (", until" in page.text) is (days is not None)


def test_removing_a_follower(site: Site, pair: tuple[str, str]) -> None:
    """They no longer follow, may again, and are not told."""
    ann, bob = pair
    site.do("follow", bob, ann)
    visitor = site.visitor_as(ann)
    assert f"/@{bob}/remove" in offers(visitor.get(f"/@{bob}"))

    for _ in range(2):
        visitor.post(f"/@{bob}/remove")
    page = visitor.get(f"/@{bob}")
    assert said(page) == f"{site.user(bob).name} no longer follows you."
    assert f"/@{bob}/remove" not in offers(page)
    assert badge(site.visitor_as(bob).get("/")) == 0
    assert not site.is_following(bob, ann)
    site.assert_counts_are_right()


# --- Notifications -------------------------------------------------------------------------------


def test_a_notification_is_unread_until_it_is_marked(site: Site, pair: tuple[str, str]) -> None:
    """The bar counts what is unread; opening the page marks nothing; one button marks one, another all."""
    ann, bob = pair
    fans = [name for name in site.people if name not in pair and not site.is_following(name, ann)][:3]
    visitor = site.visitor_as(ann)
    for fan in fans:
        site.do("follow", fan, ann)

    page = visitor.get("/notifications")
    assert badge(page) == badge(visitor.get("/notifications")) == 3
    ids = re.findall(r'name="id" value="(\d+)"', page.text)
    assert len(ids) == 3
    assert f"/@{fans[2]}" in page.text.split('<li class="retinue-person')[1]
    assert site.visitor_as(bob).post("/notifications/read", id=ids[0]).status == 303  # somebody else's: nothing
    assert badge(visitor.get("/")) == 3
    assert visitor.post("/notifications/read", id=ids[0], next="/notifications?limit=50").place.endswith("limit=50")
    assert badge(visitor.get("/")) == 2
    visitor.post("/notifications/read")
    page = visitor.get("/notifications")
    assert (badge(page), said(page)) == (0, "Everything is marked as read.")
    for nonsense in ("", "x", "-1", "9" * 19, "9" * 30, "\N{ARABIC-INDIC DIGIT ONE}"):
        assert visitor.post("/notifications/read", id=nonsense).status == 400


def test_notifications_of_each_kind(site: Site, pair: tuple[str, str]) -> None:
    """Who follows, who asks, who said yes; whoever waits can be answered there and then."""
    ann, bob = pair
    carol = next(name for name in site.people if name not in pair and not site.user(name).locked)
    site.do("unfollow", carol, ann)
    site.do("unfollow", ann, carol)
    site.do("follow", bob, ann)
    site.set(ann, locked=True)
    site.set(bob, locked=True)
    site.do("follow", ann, bob)
    site.do("accept", bob, ann)
    site.do("follow", carol, ann)

    page = site.visitor_as(ann).get("/notifications")

    texts = [re.sub(r"<[^>]+>|\s+", " ", row) for row in page.text.split('<li class="retinue-person')[1:]]
    assert "asked to follow you" in texts[0]
    assert "accepted your request" in texts[1]
    assert "followed you" in texts[2]
    assert f"/@{carol}/accept" in offers(page)
    assert 'href="/requests"' in page.text


def test_walking_the_notifications(site: Site, famous: str) -> None:
    """Page after page, each once, newest first, like every list."""
    for fan in site.people:
        if fan != famous:
            site.do("unfollow", fan, famous)
            site.do("follow", fan, famous)
    visitor, path, seen = site.visitor_as(famous), "/notifications?limit=7", list[str]()

    while path:
        page = visitor.get(path)
        seen += re.findall(r'id="n(\d+)"', page.text)
        path = page.link("next") or ""

    with site.session() as session:
        newest_first = (Notification.timestamp.desc(), Notification.id.desc())
        ours = select(Notification.id).where(Notification.recipient_id == site.user(famous).id)
        whole = [str(number) for number in session.scalars(ours.order_by(*newest_first))]
    assert len(seen) > 50
    assert seen == [number for number in whole if number in seen]
    assert len(set(seen)) == len(seen)


def test_how_long_ago() -> None:
    """Up to a day in words, then the day."""
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    for ago, words in (
        (timedelta(seconds=3), "just now"),
        (timedelta(minutes=59, seconds=40), "59 min ago"),
        (timedelta(hours=23, minutes=50), "23 h ago"),
        (timedelta(days=2), "19 Nov"),
    ):
        assert lately(now - ago, now) == words


# --- Limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ("max_following", "You follow 7,500 people, counting pending requests. That’s the limit."),
        (
            "max_follows_per_day",
            "You can follow 7,500 people a day. You can follow more people after 09:05 UTC on 3 May 2019.",
        ),
        ("max_pending_requests", "7,500 people haven’t answered you yet. Wait, or withdraw a request."),
        ("another", "That’s more than is allowed."),
    ],
)
def test_a_limit_is_a_sentence(
    site: Site, pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch, limit: str, sentence: str
) -> None:
    """Who has reached a limit reads which, and when to go on."""
    ann, bob = pair
    retry_at = datetime(2019, 5, 3, 9, 5, tzinfo=UTC) if limit == "max_follows_per_day" else None

    def refuse(*_: object) -> None:
        raise LimitError(limit, 7500, 7500, retry_at)

    visitor = site.visitor_as(ann)
    monkeypatch.setattr(Graph, "follow", refuse)

    assert visitor.post(f"/@{bob}/follow", next="/people").place == "/people"
    page = visitor.get("/people")
    assert said(page) == sentence
    assert '<p class="flash" role="alert">' in page.text


def test_who_was_rejected_waits_a_day(site: Site, pair: tuple[str, str]) -> None:
    """Asking again at once is refused with the time after which it is not."""
    ann, bob = pair
    site.set(bob, locked=True)
    visitor = site.visitor_as(ann)
    visitor.post(f"/@{bob}/follow")
    site.do("reject", bob, ann)

    visitor.post(f"/@{bob}/follow")

    words = f"You asked {re.escape(site.user(bob).name)} not long ago. You can ask again after \\d\\d:\\d\\d UTC on "
    assert re.match(words, said(visitor.get(f"/@{bob}")))
    assert not site.relationship(ann, bob).requested


def test_fifty_requests_may_wait_and_no_more(site: Site) -> None:
    """The demo has its limits on: the fifty-first request is refused."""
    ann = site.people[-1]
    for name in site.people[:-1]:
        site.set(name, locked=True)
    for name in site.names("following", ann) + site.names("sent_requests", ann):
        site.do("unfollow", ann, name)
    for name in site.people[:50]:
        site.do("follow", ann, name)
    site.set(site.people[50], active=True)
    visitor = site.visitor_as(ann)

    visitor.post(f"/@{site.people[50]}/follow", next="/people")

    assert said(visitor.get("/people")) == "50 people haven’t answered you yet. Wait, or withdraw a request."


# --- A part of the community is private ----------------------------------------------------------


def test_the_community_has_something_to_show(town: Site) -> None:
    """Some are private, with requests that wait; some hide a list, some are away; there are things to read."""
    rows = town.all_rows()

    assert 5 <= sum(town.user(name).locked for name in town.people) <= 20
    assert any(town.names("requests", name) for name in town.people)
    assert rows["notifications"]
    assert len(rows["follow_events"]) == len(rows["follows"]) + len(rows["follow_requests"])
    for name in town.people:
        for asker in town.names("requests", name):
            assert town.user(name).locked
            assert not town.is_following(asker, name)
