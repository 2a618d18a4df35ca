"""What changes in a page that is open: by a press, by another tab, and by others."""

from __future__ import annotations

import re
from time import sleep

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from sqlalchemy import text

from demo.tests.browser.test_follow_button import moves, posts
from demo.tests.browser.windows import Desk, Window
from demo.tests.conftest import Site
from retinue_demo.passwords import PASSWORD


@pytest.fixture
def five(desk: Desk) -> list[str]:
    """Give five people who have nothing to do with each other yet; none is private."""
    names = desk.site.people[3:8]
    for name in names:
        desk.site.set(name, active=True, locked=False)
        for other in names:
            if name != other:
                desk.site.do("unfollow", name, other)
    return names


def name_of(site: Site, username: str) -> str:
    return site.user(username).name


def row(page: Page, username: str) -> Locator:
    """Return the row of somebody in a list."""
    return page.locator(f'[data-retinue-row="{username}"]')


def look_again(page: Page) -> None:
    """Come back to a tab that was in the background for a while."""
    page.wait_for_timeout(1100)
    with page.expect_response(re.compile("/state")):
        page.evaluate("() => dispatchEvent(new Event('focus'))")


def beside(window: Window, path: str) -> Page:
    """Return another tab of the same browser."""
    page = window.page.context.new_page()
    page.goto(path)
    return page


def test_everything_that_a_follow_changes(desk: Desk, five: list[str]) -> None:
    """Here at once: numbers of both, since when, the badge of who follows back; in another tab when one looks again, in one request."""
    me, other = five[:2]
    desk.site.do("follow", other, me)
    window = desk.window(me)
    mine = beside(window, f"/@{me}")
    asked: list[str] = []
    mine.on("request", lambda request: asked.append(request.url) if "/state" in request.url else None)
    window.open(f"/@{other}")
    moved = moves(window)
    following = mine.locator(f'[data-retinue-following-count="{me}"] b')
    before = int(following.inner_text())

    window.follow_button(name_of(desk.site, other)).click()
    expect(window.main.locator(f'[data-retinue-since="{other}"]')).to_contain_text("Following since")
    assert asked == []
    look_again(mine)
    expect(following).to_have_text(str(before + 1))
    assert len(asked) == 1

    desk.site.do("unfollow", other, me)
    desk.site.do("unfollow", me, other)
    look_again(window.page)
    expect(window.main.locator(f'[data-retinue-standing="{other}"]').first).to_be_empty()
    expect(window.main.locator(f'[data-retinue-since="{other}"]')).to_be_empty()
    expect(window.follow_button(name_of(desk.site, other))).to_have_accessible_name(
        f"Follow {name_of(desk.site, other)}"
    )
    assert moved == []


def test_going_back_shows_what_is_so_now(desk: Desk, five: list[str]) -> None:
    """From a list to a person who is followed there, and back."""
    me, other = five[:2]
    name = name_of(desk.site, other)
    window = desk.window(me)
    window.open(f"/people?q={name.replace(' ', '+')}")
    expect(window.follow_button(name)).to_have_accessible_name(f"Follow {name}")
    window.main.get_by_role("link", name=name).first.click()
    window.follow_button(name).click()
    expect(window.said).to_contain_text("You follow")
    window.page.go_back()

    expect(window.follow_button(name)).to_have_accessible_name(f"Following {name}; press to unfollow")


#: Presses what is at a place as soon as a row has gone.
_PRESS_WHEN_GONE = """([x, y]) => {
  const observer = new MutationObserver(() => {
    observer.disconnect();
    requestAnimationFrame(() => document.elementFromPoint(x, y).closest("button").click());
  });
  observer.observe(document.querySelector(".retinue-people"), { childList: true });
}"""


def test_a_row_goes_and_comes_back(desk: Desk, five: list[str]) -> None:
    """Unmuted: gone in place, by mouse and by keyboard; a double click takes one; Undo brings it back where it was."""
    me, *others = five
    for other in others:
        desk.site.do("mute", me, other)
    window = desk.window(me, viewport={"width": 800, "height": 460})
    window.open("/muted")
    moved, sent = moves(window), posts(window)
    rows = window.main.locator("[data-retinue-row]")
    order = [one.get_attribute("data-retinue-row") for one in rows.all()]
    second = rows.nth(1).get_by_role("button", name=re.compile("^Unmute"))
    window.page.evaluate("() => scrollTo(0, 60)")
    scrolled = window.page.evaluate("() => scrollY")

    box = second.bounding_box()
    assert box
    place = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    # The second half of a slow double click, when the next row is already under the pointer.
    window.page.evaluate(_PRESS_WHEN_GONE, place)
    window.page.mouse.click(*place)
    expect(window.said).to_contain_text("You unmuted")
    expect(rows).to_have_count(3)
    window.page.wait_for_timeout(300)
    assert len(sent) == 1
    assert window.page.evaluate("() => scrollY") == scrolled
    undo = window.button("Undo")
    expect(undo).to_be_focused()
    window.page.keyboard.press("Enter")
    expect(rows).to_have_count(4)
    assert [one.get_attribute("data-retinue-row") for one in rows.all()] == order
    expect(rows.nth(1).get_by_role("button", name=re.compile("^Unmute"))).to_be_focused()
    expect(window.said).to_contain_text("You muted")

    window.rest()
    window.page.route("**/mute", lambda route: route.abort("connectionreset"))
    window.page.keyboard.press("Enter")
    expect(rows).to_have_count(3)
    window.button("Undo").click()
    expect(window.said).to_contain_text("That did not work")
    expect(rows).to_have_count(3)
    window.watch.expect("Failed to load resource")
    assert moved == []


@pytest.mark.long
def test_suggestions_go_at_once(desk: Desk, five: list[str]) -> None:
    """Dismissed, on the page of suggestions and on the first page; Undo brings it back."""
    window = desk.window(five[0])
    for path in ("/", "/suggestions"):
        window.open(path)
        moved = moves(window)
        gone = window.main.locator("[data-retinue-row]").first
        username = gone.get_attribute("data-retinue-row")
        assert username
        gone.get_by_role("button", name=re.compile("^Dismiss")).click()
        expect(row(window.page, username)).to_have_count(0)
        window.rest()
        window.button("Undo").click()
        expect(row(window.page, username)).to_have_count(1)
        assert moved == []


@pytest.mark.long
def test_requests_are_answered_in_place(desk: Desk, five: list[str]) -> None:
    """Accepted, the row says so; to reject is asked first; in another tab both are so when one looks again."""
    me, yes, no, later, _ = five
    desk.site.set(me, locked=True)
    for other in (yes, no, later):
        desk.site.do("follow", other, me)
    window = desk.window(me)
    window.open("/requests")
    tab = beside(window, "/requests")
    moved = moves(window)

    window.button(f"Accept {name_of(desk.site, yes)}").click()
    expect(row(window.page, yes)).to_contain_text("You accepted")
    expect(row(window.page, yes)).to_contain_text("Follows you")
    reject = window.button(f"Reject {name_of(desk.site, no)}")
    reject.click()
    dialog = window.page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Reject the request from {name_of(desk.site, no)}?")
    window.page.keyboard.press("Escape")
    expect(reject).to_be_focused()
    assert desk.site.relationship(no, me).requested
    reject.click()
    dialog.get_by_role("button", name="Reject").click()
    expect(row(window.page, no)).to_have_count(0)
    expect(window.said).to_contain_text("You rejected the request")

    look_again(tab)
    expect(row(tab, yes)).to_contain_text("You accepted")
    expect(row(tab, no)).to_have_count(0)
    expect(tab.get_by_role("button", name=f"Accept {name_of(desk.site, later)}")).to_be_visible()
    assert moved == []


@pytest.mark.long
def test_unfollowing_somebody_private_is_asked_first(desk: Desk, five: list[str]) -> None:
    """As it cannot be undone: they would have to say yes again."""
    me, other = five[:2]
    name = name_of(desk.site, other)
    desk.site.do("follow", me, other)
    desk.site.set(other, locked=True)
    window = desk.window(me)
    window.open(f"/@{other}")
    window.follow_button(name).click()
    dialog = window.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel").click()
    assert desk.site.is_following(me, other)
    window.follow_button(name).click()
    dialog.get_by_role("button", name="Unfollow").click()
    expect(window.said).to_contain_text("You no longer follow")
    expect(window.page.get_by_role("button", name="Undo")).to_have_count(0)
    assert not desk.site.is_following(me, other)


def test_the_badge_and_the_title_follow(desk: Desk, five: list[str]) -> None:
    """Within half a minute, and not while nobody looks; without an answer less often, and logged out not at all."""
    me, *others = five
    desk.site.do("mark_read", me)
    window = desk.window(me)
    window.page.clock.install()
    window.open("/people")
    asked: list[int] = []
    window.page.on("response", lambda answer: asked.append(answer.status) if answer.url.endswith("unread") else None)
    badge = window.page.locator("[data-retinue-unread]")
    title = window.page.title()
    expect(badge).to_be_hidden()
    for number, other in enumerate(others[:2], 1):
        desk.site.do("follow", other, me)
        with window.page.expect_response("**/unread"):
            window.page.clock.fast_forward(30_000)
        expect(badge).to_have_text(f"{number} unread")
        expect(window.page).to_have_title(f"({number}) {title}")
    with window.page.expect_response("**/unread"):
        window.page.clock.fast_forward(30_000)
    assert asked == [200, 200, 304]

    window.page.route("**/unread", lambda route: route.abort("connectionreset"))
    for milliseconds in (30_000, 60_000):
        with window.page.expect_request("**/unread"):
            window.page.clock.fast_forward(milliseconds)
        window.page.wait_for_timeout(100)
    window.page.unroute("**/unread")
    window.page.clock.fast_forward(90_000)
    window.page.wait_for_timeout(200)
    assert len(asked) == 3
    window.page.context.clear_cookies()
    with window.page.expect_response("**/unread"):
        window.page.clock.fast_forward(90_000)
    assert asked[-1] == 401
    window.page.clock.fast_forward(600_000)
    window.page.wait_for_timeout(200)
    assert len(asked) == 4
    window.watch.expect("Failed to load resource")


def test_what_was_seen_is_read(desk: Desk, five: list[str]) -> None:
    """The notifications in sight, after a moment; that of whoever one goes on to, at once; the badge goes with them."""
    me, *others = five
    desk.site.do("mark_read", me)
    for other in others:
        desk.site.do("follow", other, me)
    window = desk.window(me)
    window.open("/notifications")
    badge = window.page.locator("[data-retinue-unread]")
    expect(badge).to_have_text("4 unread")
    expect(badge).to_be_hidden(timeout=5000)
    expect(window.button("Mark all as read")).to_have_count(0)
    expect(window.main.get_by_role("button", name=re.compile("Mark as read"))).to_have_count(0)
    assert not window.page.title().startswith("(")
    window.page.reload()
    expect(badge).to_be_hidden()

    desk.site.do("unfollow", others[0], me)
    desk.site.set(others[0], name="Zoe Again")
    with desk.site.session() as session:
        session.execute(text("UPDATE notifications SET read_at = NULL"))
        session.commit()
    # However slow this machine is, no moment passes.
    window.page.clock.install(time=0)
    window.page.clock.pause_at(1000)
    window.open("/notifications")

    def answer_late(route: Route) -> None:
        sleep(0.3)
        route.continue_()

    window.page.route("**/notifications/read", answer_late)
    number = int(badge.inner_text().partition("\n")[0].split()[0])
    window.main.get_by_role("link", name="Zoe Again", exact=True).click()
    expect(window.page.get_by_role("heading", name="Zoe Again")).to_be_visible()
    expect(badge).to_have_text(f"{number - 1} unread")


@pytest.mark.long
@pytest.mark.parametrize("comes_back", [True, False], ids=["the same", "somebody else"])
def test_a_session_that_ended(desk: Desk, five: list[str], comes_back: bool) -> None:
    """What was written is there after the log-in, and the button has the focus; for nobody else, and not after a log-out."""
    me, other = five[:2]
    window = desk.window(me)
    window.open("/")
    draft = "Something long that nobody wants to write twice."
    window.page.get_by_label("Your post").fill(draft)
    pressed = window.main.locator("[data-retinue-row]").first
    username = pressed.get_attribute("data-retinue-row")
    assert username
    window.page.context.clear_cookies()
    follow = window.main.locator(f'[data-retinue-user="{username}"] button').first
    follow.click()
    expect(window.said).to_contain_text("You are logged out.")
    window.button("Post").click()
    expect(window.said).to_contain_text("You are logged out.")
    expect(window.page.get_by_label("Your post")).to_have_value(draft)

    window.page.get_by_role("link", name="Log in again").click()
    window.page.get_by_label("Username").fill(me if comes_back else other)
    window.page.get_by_label("Password").fill(PASSWORD)
    window.button("Log in").click()
    box = window.page.get_by_label("Your post")
    if comes_back:
        expect(box).to_have_value(draft)
        expect(window.page.locator("#retinue-said")).to_contain_text("You are logged in again.")
        window.button("Post").click()
        expect(window.main.get_by_role("article").first).to_contain_text(draft)
        expect(box).to_have_value("")
    else:
        expect(box).to_have_value("")
    assert window.page.evaluate("() => sessionStorage.length") == 0


@pytest.mark.long
def test_the_press_goes_on_after_the_log_in(desk: Desk, five: list[str]) -> None:
    """The button that was pressed has the focus; the next press does it. Who logs out leaves nothing behind."""
    me, other = five[:2]
    name = name_of(desk.site, other)
    window = desk.window(me)
    window.open(f"/@{other}")
    window.page.context.clear_cookies()
    window.follow_button(name).click()
    window.page.get_by_role("link", name="Log in again").click()
    window.page.get_by_label("Username").fill(me)
    window.page.get_by_label("Password").fill(PASSWORD)
    window.button("Log in").click()
    expect(window.follow_button(name)).to_be_focused()
    expect(window.page.locator("#retinue-said")).to_contain_text("Press the button to go on.")
    assert not desk.site.is_following(me, other)
    window.page.keyboard.press("Enter")
    expect(window.page.locator("#retinue-said")).to_contain_text("You follow")

    window.page.evaluate("() => sessionStorage.setItem('retinue.return', '{}')")
    tab = beside(window, "/people")
    tab.evaluate("() => sessionStorage.setItem('retinue.return', '{}')")
    window.page.get_by_role("button", name=re.compile("settings and log out")).click()
    window.button("Log out").click()
    window.page.wait_for_load_state()
    assert window.page.evaluate("() => sessionStorage.length") == tab.evaluate("() => sessionStorage.length") == 0
