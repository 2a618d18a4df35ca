"""The demo's own scripts: pictures that answer a pointer, and a composer that counts."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from demo.tests.browser.windows import Desk
from demo.tests.writing import post_of
from retinue_demo.models import POST_MOST


def test_pictures_answer_a_pointer(quiet_desk: Desk, famous: str) -> None:
    """The chart says the number of the day; the network shows one person's ties, and all of them again afterwards."""
    window = quiet_desk.window(famous)
    window.open("/growth?days=7")
    days = window.page.locator(".chart .at")
    said = days.nth(2).locator("text")
    expect(said).to_be_hidden()
    days.nth(2).locator("rect").hover()
    expect(said).to_be_visible()
    expect(said).to_have_text(re.compile(r"^\d+ \w{3}( \d{4})?: [\d,]+ followers?( \([+\u2212]\d+\))?$"))

    window.open(f"/@{famous}/neighbourhood")
    picture, far = window.page.locator(".graph svg"), window.page.locator(".graph .node:not(.near)")
    node = picture.locator(".node").nth(3)
    node.focus()
    expect(far).not_to_have_count(0)
    ties = picture.locator(".ties path")
    mine = [tie for tie in ties.all() if "3" in (tie.get_attribute("data-ends") or "").split()]
    assert 0 < len(mine) < ties.count()
    assert all("near" in (tie.get_attribute("class") or "") for tie in mine)
    expect(picture.locator(".ties .near")).to_have_count(len(mine))
    node.blur()
    expect(picture).not_to_have_class(re.compile("isolating"))


def test_a_post_that_is_too_long_is_said_to_be(quiet_desk: Desk, famous: str) -> None:
    """While one types, by how much; nothing is cut off, and nothing is sent. An emoji is one character."""
    window = quiet_desk.window(famous)
    window.open("/")
    text, room = window.page.get_by_label("Your post"), window.page.locator("#most")
    expect(room).to_have_text(f"Up to {POST_MOST} characters")

    text.fill("\N{FOX FACE}" * (POST_MOST - 20))
    expect(room).to_have_text("20 left")
    text.fill("a" * (POST_MOST + 3))
    expect(room).to_have_text("3 too many")
    window.page.get_by_role("button", name="Post", exact=True).click()

    assert window.path == "/"
    expect(text).to_have_value("a" * (POST_MOST + 3))
    assert (
        text.evaluate("text => text.validationMessage") == f"A post can have up to {POST_MOST} characters. Take out 3."
    )


def test_home_says_that_there_is_more_to_read(desk: Desk) -> None:
    """Once somebody whom one follows has posted, at the next look; the line leads to it."""
    me, other = desk.site.people[3], desk.site.people[4]
    desk.site.set(other, active=True, locked=False)
    desk.site.do("follow", me, other)
    window = desk.window(me)
    window.open("/")
    more = window.page.get_by_role("link", name="Show new posts")
    look = "() => document.dispatchEvent(new Event('visibilitychange'))"
    with window.page.expect_response("**/newest.json"):
        window.page.evaluate(look)
    expect(more).to_be_hidden()

    post_of(desk.site, other, "Fresh from the press.")
    window.page.evaluate(look)
    more.click()

    expect(window.main).to_contain_text("Fresh from the press.")
    expect(more).to_be_hidden()
