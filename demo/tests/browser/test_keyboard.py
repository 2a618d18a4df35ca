"""The demo without a mouse."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from demo.tests.browser.windows import Desk, Window
from retinue_demo.passwords import PASSWORD

#: Strokes of Tab after which somebody gives up.
PATIENCE = 120


def test_the_first_stroke_leads_past_the_bar(quiet_desk: Desk, famous: str) -> None:
    """The first Tab shows a link to the content, and what follows it is in the content."""
    window = quiet_desk.window(famous)
    window.open("/people")

    window.page.keyboard.press("Tab")
    expect(window.page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    expect(window.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    window.page.keyboard.press("Enter")
    window.page.keyboard.press("Tab")

    assert window.page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_logging_in_following_and_writing_with_the_keyboard_alone(desk: Desk) -> None:
    """From the first page to a post, and a mute from a menu: Tab, Enter, Space and letters do it all."""
    me = desk.site.people[3]
    desk.site.set(me, active=True)
    other = next(name for name in desk.site.people if not desk.site.user(name).locked and name != me)
    desk.site.do("unfollow", me, other)
    name = desk.site.user(other).name
    window = desk.window()
    keys = window.page.keyboard
    window.open("/")

    reach(window, window.page.get_by_role("banner").get_by_role("link", name="Log in"))
    keys.press("Enter")
    reach(window, window.page.get_by_label("Username"))
    keys.type(me)
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(window.said).to_contain_text("Welcome back")

    reach(window, window.page.get_by_label("Your post"))
    keys.type("Written without a mouse.")
    reach(window, window.button("Post"))
    keys.press("Space")
    expect(window.main).to_contain_text("Written without a mouse.")

    window.open(f"/@{other}")
    reach(window, window.follow_button(name))
    keys.press("Enter")
    following = window.page.get_by_role("button", name=re.compile(f"^Following {name}; press to unfollow")).first
    expect(following).to_be_visible()
    assert desk.site.is_following(me, other)

    window.open(f"/@{other}")
    reach(window, window.button(f"More about {name}"))
    keys.press("Enter")
    reach(window, window.page.get_by_role("dialog").get_by_role("button", name=f"Mute {name}"))
    keys.press("Escape")
    expect(window.page.get_by_role("dialog")).to_be_hidden()
    expect(window.button(f"More about {name}")).to_be_focused()
    assert not desk.site.relationship(me, other).muting


def reach(window: Window, wanted: Locator) -> None:
    """Press Tab until *wanted* has the focus."""
    expect(wanted).to_be_visible()
    for _ in range(PATIENCE):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        window.page.keyboard.press("Tab")
    raise AssertionError(f"{wanted} is not reached")
