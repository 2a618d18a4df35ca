"""The button to follow: in place where there is JavaScript, with a new page where there is none; never in between."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Request, Route, expect

from demo.tests.browser.windows import PHONE, Desk, Window
from retinue_demo.passwords import PASSWORD


@pytest.fixture
def stranger(desk: Desk) -> tuple[str, str, str]:
    """Give the usernames of somebody and of a stranger to them who is not private, and the stranger's name."""
    me, other = desk.site.people[3], desk.site.people[4]
    for name in (me, other):
        desk.site.set(name, active=True, locked=False)
    for pair in ((me, other), (other, me)):
        desk.site.do("unfollow", *pair)
    return me, other, desk.site.user(other).name


def on_the_profile(desk: Desk, stranger: tuple[str, str, str], **options: object) -> Window:
    """Return a window on the stranger's profile."""
    window = desk.window(stranger[0], **options)
    window.open(f"/@{stranger[1]}")
    return window


def posts(window: Window) -> list[Request]:
    """Return the list to which every form is added that the window sends from now on."""
    sent: list[Request] = []
    window.page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    return sent


def moves(window: Window) -> list[str]:
    """Return the list to which every page is added to which the window moves from now on."""
    moved: list[str] = []
    window.page.on("framenavigated", lambda frame: moved.append(frame.url))
    return moved


def test_without_javascript(desk: Desk, stranger: tuple[str, str, str]) -> None:
    """Each press loads the page anew, at the place where it was, with the button as it is now."""
    me, other, name = stranger
    window = desk.window(me, java_script_enabled=False)
    window.open(f"/people?q={name.partition(' ')[0]}")
    before = window.path

    window.follow_button(name).click()
    expect(window.follow_button(name)).to_have_accessible_name(f"Following {name}; press to unfollow")
    assert desk.site.is_following(me, other)
    assert window.path.partition("#")[0] == before
    window.follow_button(name).click()
    expect(window.follow_button(name)).to_have_accessible_name(f"Follow {name}")
    assert not desk.site.is_following(me, other)


def test_with_javascript_it_changes_in_place(desk: Desk, stranger: tuple[str, str, str]) -> None:
    """The page stays; the button, the number of followers and what is said change, the focus stays; both ways."""
    me, other, name = stranger
    window = on_the_profile(desk, stranger)
    moved = moves(window)
    number = window.page.locator(f"[data-retinue-follower-count={other}] b")
    before = int(number.inner_text())

    window.follow_button(name).click()
    expect(window.follow_button(name)).to_have_accessible_name(f"Following {name}; press to unfollow")
    expect(window.said).to_contain_text(f"You follow {name}")
    expect(window.follow_button(name)).to_be_focused()
    expect(number).to_have_text(str(before + 1))
    assert desk.site.is_following(me, other)
    window.rest()
    window.follow_button(name).click()
    expect(window.follow_button(name)).to_have_accessible_name(f"Follow {name}")
    expect(window.said).to_contain_text(f"You no longer follow {name}")
    expect(number).to_have_text(str(before))

    assert not desk.site.is_following(me, other)
    assert moved == []


@pytest.mark.long
def test_it_does_not_wait_for_the_answer(desk: Desk, stranger: tuple[str, str, str]) -> None:
    """While the answer is on its way the button says already what will be."""
    window = on_the_profile(desk, stranger)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    window.page.route("**/follow", hold)

    window.follow_button(stranger[2]).click()

    expect(window.main.get_by_role("button", name=re.compile("^Following")).first).to_be_visible()
    assert not desk.site.is_following(*stranger[:2])
    held[0].continue_()
    expect(window.said).to_contain_text("You follow")
    assert desk.site.is_following(*stranger[:2])


FAILURES: dict[str, Callable[[Route], None]] = {
    "the server breaks": lambda route: route.fulfill(status=500, body="<h1>Something broke</h1>"),
    "the connection breaks": lambda route: route.abort("connectionreset"),
    "there is no JSON": lambda route: route.fulfill(
        status=200, body="<p>Log in to this wireless network", content_type="text/html"
    ),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("failure", FAILURES)
def test_it_goes_back_when(desk: Desk, stranger: tuple[str, str, str], failure: str) -> None:
    """Then the button is as before, the page says so, and pressed again it works."""
    me, other, name = stranger
    window = on_the_profile(desk, stranger)
    moved = moves(window)
    window.page.route("**/follow", FAILURES[failure])

    window.follow_button(name).click()
    expect(window.said).to_contain_text("did not work")
    expect(window.follow_button(name)).to_have_accessible_name(f"Follow {name}")
    expect(window.follow_button(name)).to_be_enabled()
    assert not desk.site.is_following(me, other)

    window.page.unroute("**/follow")
    window.follow_button(name).click()
    expect(window.follow_button(name)).to_have_accessible_name(f"Following {name}; press to unfollow")
    expect(window.said).to_contain_text(f"You follow {name}")
    assert desk.site.is_following(me, other)
    assert moved == []
    if failure != "there is no JSON":
        window.watch.expect("Failed to load resource|answer 500")


@pytest.mark.long
def test_it_goes_back_when_offline(desk: Desk, stranger: tuple[str, str, str]) -> None:
    """Without a connection nothing is lost: the page stays, says that it did not work, and works again later."""
    me, other, name = stranger
    window = on_the_profile(desk, stranger)
    window.page.context.set_offline(True)

    window.follow_button(name).click()
    expect(window.said).to_contain_text("did not work")
    expect(window.follow_button(name)).to_have_accessible_name(f"Follow {name}")

    window.page.context.set_offline(False)
    window.follow_button(name).click()
    expect(window.said).to_contain_text(f"You follow {name}")
    assert desk.site.is_following(me, other)
    window.watch.expect("ERR_INTERNET_DISCONNECTED")


def test_it_says_what_the_server_refuses(desk: Desk, stranger: tuple[str, str, str]) -> None:
    """Whoever is gone, or keeps one away since the page was opened, is not followed; the page does not say who blocks."""
    me, other, name = stranger
    window = on_the_profile(desk, stranger)
    desk.site.do("block", other, me)

    window.follow_button(name).click()

    expect(window.said).to_be_visible()
    expect(window.said).not_to_contain_text(re.compile("block", re.IGNORECASE))
    expect(window.follow_button(name)).to_have_accessible_name(f"Follow {name}")
    assert not desk.site.is_following(me, other)


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_it_leads_to_the_door_when_one_was_logged_out(
    desk: Desk, stranger: tuple[str, str, str], javascript: bool
) -> None:
    """Logged out in another tab, somebody who presses is led to log in, and back to the page; nothing is done as nobody."""
    window = on_the_profile(desk, stranger, java_script_enabled=javascript)
    before = window.path
    window.page.context.clear_cookies()

    window.follow_button(stranger[2]).click()
    if javascript:
        expect(window.said).to_contain_text("You are logged out.")
        assert window.path == before
        window.page.get_by_role("link", name="Log in again").click()
    window.page.get_by_label("Username").fill(stranger[0])
    window.page.get_by_label("Password").fill(PASSWORD)
    window.button("Log in").click()

    window.page.wait_for_url(f"**{before}#user-*")
    assert not desk.site.is_following(*stranger[:2])


def test_it_says_when_a_page_is_too_old(desk: Desk, stranger: tuple[str, str, str]) -> None:
    """Whoever has logged in anew meanwhile is told to load the page again, and can: then a press works."""
    window = on_the_profile(desk, stranger)
    window.page.locator("[name=csrf_token]").evaluate_all("fields => fields.forEach(field => (field.value = 'old'))")

    window.follow_button(stranger[2]).click()
    expect(window.said).to_contain_text("open for too long")
    assert not desk.site.is_following(*stranger[:2])
    with window.page.expect_navigation():
        window.page.get_by_role("link", name="Load it again").click()
    window.follow_button(stranger[2]).click()

    expect(window.said).to_contain_text("You follow")
    assert desk.site.is_following(*stranger[:2])


@pytest.mark.long
@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_two_presses_are_harmless(desk: Desk, stranger: tuple[str, str, str], javascript: bool) -> None:
    """An impatient double click follows once, and does not unfollow by its second half."""
    window = on_the_profile(desk, stranger, java_script_enabled=javascript)
    sent = posts(window)

    window.follow_button(stranger[2]).dblclick()
    window.page.wait_for_load_state("networkidle")

    assert {request.url.rpartition("/")[2] for request in sent} == {"follow"}
    if javascript:
        assert len(sent) == 1
        expect(window.follow_button(stranger[2])).to_have_accessible_name(f"Following {stranger[2]}; press to unfollow")
    assert desk.site.is_following(*stranger[:2])


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("by", "milliseconds"),
    [
        pytest.param("mouse", 60, marks=pytest.mark.long),
        pytest.param("mouse", 120, marks=pytest.mark.long),
        ("mouse", 200),
        ("keyboard", 120),
        pytest.param("touch", 120, marks=pytest.mark.long),
    ],
)
def test_a_press_is_a_press(desk: Desk, stranger: tuple[str, str, str], by: str, milliseconds: int) -> None:
    """A second press so soon after the first does nothing, also after the answer to the first; a later one does."""
    window = on_the_profile(desk, stranger, has_touch=by == "touch")
    button = window.follow_button(stranger[2])
    sent = posts(window)
    box = button.bounding_box()
    assert box is not None
    place = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    button.focus()
    ways: dict[str, Callable[[], None]] = {
        "mouse": lambda: window.page.mouse.click(*place),
        "keyboard": lambda: window.page.keyboard.press("Enter"),
        "touch": lambda: window.page.touchscreen.tap(*place),
    }
    press = ways[by]

    press()
    window.page.wait_for_timeout(milliseconds)
    press()
    expect(window.said).to_contain_text("You follow")
    press()
    window.page.wait_for_load_state("networkidle")
    assert [request.url.rpartition("/")[2] for request in sent] == ["follow"]
    assert desk.site.is_following(*stranger[:2])

    window.rest()
    press()
    expect(window.said).to_contain_text("You no longer follow")


@pytest.mark.long
def test_a_key_that_is_held_is_one_press(desk: Desk, stranger: tuple[str, str, str]) -> None:
    """However long Enter is held down, and however often the keyboard repeats it."""
    window = on_the_profile(desk, stranger)
    window.follow_button(stranger[2]).focus()
    sent = posts(window)

    for _ in range(10):
        window.page.keyboard.down("Enter")
        window.page.wait_for_timeout(100)
    window.page.keyboard.up("Enter")

    assert [request.url.rpartition("/")[2] for request in sent] == ["follow"]


@pytest.mark.long
def test_what_it_says_stands_alone_above_the_bar(desk: Desk, stranger: tuple[str, str, str]) -> None:
    """On a phone the message covers neither the bar of the page nor another message, which goes for it."""
    window = desk.window(None, viewport=PHONE)
    window.log_in(stranger[0])
    window.open(f"/@{stranger[1]}")
    flash = window.page.locator(".flash")
    desk.site.do("block", stranger[1], stranger[0])
    window.page.locator("main").evaluate("main => main.insertAdjacentHTML('afterbegin', '<p class=flash>Welcome</p>')")
    expect(flash).to_be_visible()

    window.follow_button(stranger[2]).click()

    said, bar = window.page.locator("#retinue-said"), window.page.get_by_role("navigation", name="Main")
    expect(said).to_be_visible()
    expect(flash).to_be_hidden()
    above, below = said.bounding_box(), bar.bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] + above["height"] < below["y"]


def test_everywhere_on_the_page(desk: Desk, stranger: tuple[str, str, str]) -> None:
    """Somebody who stands on a page twice has the same button twice after one press."""
    me, other, name = stranger
    desk.site.do("follow", other, me)
    desk.site.set(me, locked=False)
    window = desk.window(me)
    window.open("/")
    buttons = window.page.locator(f'[data-retinue-user="{other}"]')
    expect(buttons.first).to_be_visible()

    window.follow_button(name).click()

    for place in buttons.all():
        expect(place.get_by_role("button")).to_have_accessible_name(f"Following {name}; press to unfollow")
    assert desk.site.is_following(me, other)


def test_asking_a_private_person_in_place(desk: Desk, stranger: tuple[str, str, str]) -> None:
    """Requested, and withdrawn, without leaving the page."""
    me, other, name = stranger
    desk.site.set(other, locked=True)
    window = on_the_profile(desk, stranger)
    moved = moves(window)

    window.follow_button(name).click()
    expect(window.follow_button(name)).to_have_accessible_name(f"Requested {name}; press to withdraw")
    assert desk.site.relationship(me, other).requested
    window.rest()
    window.follow_button(name).click()
    expect(window.follow_button(name)).to_have_accessible_name(re.compile(f"^Ask.* {name}$"))

    assert not desk.site.relationship(me, other).requested
    assert moved == []
