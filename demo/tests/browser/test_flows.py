"""What people come for, from the first page to the last, as they see it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from demo.tests.browser.windows import PHONE, Desk, Window


def test_from_signing_up_to_reading_each_other(desk: Desk) -> None:
    """Somebody new signs up, follows, is followed back, writes, and is read by who follows them."""
    other = desk.site.user(next(name for name in desk.site.people if not desk.site.user(name).locked))
    window = desk.window(viewport=PHONE)
    window.open("/")
    window.main.get_by_role("link", name="Sign up").click()
    window.page.get_by_label("Name", exact=True).fill("Nora New")
    window.page.get_by_label("Username").fill("nora_new")
    window.page.get_by_label("Password").fill("a good long one")
    window.button("Sign up").click()
    expect(window.said).to_contain_text("Welcome, Nora New")

    window.page.get_by_role("link", name="People", exact=True).click()
    window.page.get_by_label("Search by name").fill(other.name)
    window.page.keyboard.press("Enter")
    window.follow_button(other.name).click()
    expect(window.follow_button(other.name)).to_have_accessible_name(f"Following {other.name}; press to unfollow")

    theirs = desk.window(other.username)
    unread(theirs)
    theirs.page.get_by_role("link", name=re.compile("Notifications")).click()
    expect(theirs.main).to_contain_text("Nora New followed you")
    theirs.follow_button("Nora New").click()
    expect(theirs.follow_button("Nora New")).to_have_accessible_name("Following Nora New; press to unfollow")

    window.open("/")
    write(window, "Hello, this is <b>Nora</b> & I am new.\nGood to be here!")
    theirs.open("/")
    expect(theirs.main.get_by_role("article").first).to_contain_text("Hello, this is <b>Nora</b> & I am new.")
    window.open("/")
    expect(window.main.get_by_role("article").first).to_contain_text("I am new.")


@pytest.mark.long
def test_a_private_person_and_somebody_who_asks(desk: Desk) -> None:
    """One asks, the other sees it at once and says yes, and then what was private is there; nothing was before."""
    asking, private = desk.site.people[3], desk.site.people[4]
    for name in (asking, private):
        desk.site.set(name, active=True, locked=name == private)
    desk.site.do("unfollow", asking, private)
    names = {name: desk.site.user(name).name for name in (asking, private)}
    hers, his = desk.window(private), desk.window(asking)
    write(hers, "Only for those whom I let in.")

    assert his.open(f"/@{private}/followers") == 404
    assert "This list is private." in his.main.inner_text()
    his.open(f"/@{private}")
    expect(his.main).not_to_contain_text("Only for those whom I let in.")
    his.follow_button(names[private]).click()
    expect(his.follow_button(names[private])).to_have_accessible_name(f"Requested {names[private]}; press to withdraw")
    assert his.open(f"/@{private}/followers") == 404

    hers.open("/requests")
    hers.button(f"Accept {names[asking]}").click()
    expect(hers.main).not_to_contain_text(f"Accept {names[asking]}")

    assert his.open(f"/@{private}/followers") == 200
    expect(his.main).to_contain_text(names[asking])
    his.open("/")
    expect(his.main).to_contain_text("Only for those whom I let in.")
    his.open("/notifications")
    expect(his.main).to_contain_text(f"{names[private]} accepted your request")


@pytest.mark.long
def test_a_block_takes_each_from_the_others_sight(desk: Desk) -> None:
    """Who is blocked finds neither the page, nor the posts, nor the person on any list; who blocks can undo it."""
    one, other = desk.site.people[3], desk.site.people[4]
    for name in (one, other):
        desk.site.set(name, active=True, locked=False)
    for pair in ((one, other), (other, one)):
        desk.site.do("follow", *pair)
    names = {name: desk.site.user(name).name for name in (one, other)}
    hers, his = desk.window(one), desk.window(other)
    write(hers, "Words of one.")
    write(his, "Words of the other.")
    his.open("/")
    expect(his.main).to_contain_text("Words of one.")

    more(hers, other, names[other])
    hers.page.get_by_role("dialog").get_by_role("button", name=f"Block {names[other]}").click()
    expect(hers.main).to_contain_text(f"You blocked {names[other]}.")

    assert his.open(f"/@{one}") == 404
    assert hers.open(f"/@{other}/followers") == 404
    for window, word, gone in ((his, "Words of one.", names[one]), (hers, "Words of the other.", names[other])):
        for path in ("/", "/public", f"/people?q={gone}"):
            window.open(path)
            expect(window.main).not_to_contain_text(word)
            expect(window.main.locator("li").filter(has_text=gone)).to_have_count(0)
    for username in (one, other):
        assert desk.site.relationship(one, other).following is False, username

    hers.open(f"/@{other}")
    hers.page.get_by_label("Follow each other again, if you did before").check()
    hers.button(f"Unblock {names[other]}").first.click()
    expect(hers.follow_button(names[other])).to_have_accessible_name(f"Following {names[other]}; press to unfollow")
    assert his.open(f"/@{one}") == 200


@pytest.mark.long
def test_muting_for_a_week(desk: Desk) -> None:
    """Somebody is muted for a week: gone from the timeline, on the list of muted with its end, and back by a button."""
    me, other = desk.site.people[3], desk.site.people[4]
    for name in (me, other):
        desk.site.set(name, active=True, locked=False)
    desk.site.do("follow", me, other)
    name = desk.site.user(other).name
    write(desk.window(other), "Noise.")
    window = desk.window(me)
    window.open("/")
    expect(window.main).to_contain_text("Noise.")

    more(window, other, name)
    window.page.get_by_role("dialog").get_by_label("For how long").first.select_option(label="for a week")
    window.page.get_by_role("dialog").get_by_role("button", name=f"Mute {name}").click()
    expect(window.main).to_contain_text("Muted")
    window.open("/")
    expect(window.main).not_to_contain_text("Noise.")
    assert desk.site.is_following(me, other)

    window.page.get_by_role("banner").get_by_role("button", name=re.compile("settings and log out")).click()
    window.page.get_by_role("banner").get_by_role("link", name="Settings").click()
    window.main.get_by_role("link", name="Muted").click()
    expect(window.main).to_contain_text("until")
    window.button(f"Unmute {name}").click()
    expect(window.main.get_by_text("You haven’t muted anybody")).to_be_visible()
    window.open("/")
    expect(window.main).to_contain_text("Noise.")


@pytest.mark.long
def test_a_follower_is_sent_away(desk: Desk) -> None:
    """Who is removed follows no longer, and is not told."""
    me, other = desk.site.people[3], desk.site.people[4]
    for name in (me, other):
        desk.site.set(name, active=True, locked=False)
    desk.site.do("follow", other, me)
    name, own_name = desk.site.user(other).name, desk.site.user(me).name
    hers, his = desk.window(me), desk.window(other)

    more(hers, other, name)
    hers.page.get_by_role("dialog").get_by_role("button", name=f"Remove {name} from your followers").click()
    expect(hers.said).to_contain_text(f"{name} no longer follows you")

    his.open(f"/@{me}")
    expect(his.follow_button(own_name)).to_have_accessible_name(re.compile("^Follow"))
    assert desk.site.is_following(other, me) is False


def test_the_badge_counts_what_is_new(desk: Desk) -> None:
    """A follow raises the badge on the next page, on a phone too; marked as read, it is gone."""
    me, other = desk.site.people[3], desk.site.people[4]
    for name in (me, other):
        desk.site.set(name, active=True, locked=False)
    desk.site.do("unfollow", other, me)
    window = desk.window(me, viewport=PHONE)
    before = unread(window)

    desk.site.do("follow", other, me)
    window.open("/people")
    assert unread(window) == before + 1

    window.open("/notifications")
    assert unread(window) == before + 1  # looking alone marks nothing
    window.button("Mark all as read").click()
    expect(window.said).to_contain_text("Everything is marked as read")
    assert unread(window) == 0


def write(window: Window, body: str) -> None:
    """Write a post on the first page."""
    window.open("/")
    window.page.get_by_label("Your post").fill(body)
    window.button("Post").click()
    expect(window.main).to_contain_text(body.partition("\n")[0])


def more(window: Window, username: str, name: str) -> None:
    """Open the menu on somebody's profile."""
    window.open(f"/@{username}")
    window.button(f"More about {name}").click()
    expect(window.page.get_by_role("dialog")).to_be_visible()


def unread(window: Window) -> int:
    """Return the number beside the bell."""
    said = window.page.get_by_role("navigation", name="Main").get_by_role("link", name=re.compile("Notifications"))
    found = re.search(r"\d+", said.inner_text())
    return int(found[0]) if found else 0


def test_who_comes_after_a_log_out_finds_nothing_by_going_back(desk: Desk, chromium: Callable[..., Browser]) -> None:
    """Though the browser keeps pages whole, to show them again at once, as everybody's does, this one is asked for anew."""
    with chromium(without=["--disable-back-forward-cache"]) as desk.browser:
        window = desk.window(desk.site.people[0])
        window.open("/settings/account")
        window.button("Log out everywhere").click()
        expect(window.said).to_contain_text("You’re logged out everywhere.")

        # Playwright's own `go_back()` waits for a page that loads, which one that was kept does not.
        window.page.evaluate("history.back()")

        expect(window.page.get_by_role("heading", level=1)).to_have_text("Log in")
