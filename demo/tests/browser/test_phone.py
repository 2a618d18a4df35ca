"""What is the matter of a phone: little room, and what must be seen all the same."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from demo.tests.browser.community import Cast
from demo.tests.browser.windows import DESKTOP, PHONE, Desk
from retinue_demo.models import User


@pytest.mark.sampled(3)
@pytest.mark.parametrize("page", ["/", "/people?limit=5", "/@{followed}/followers?limit=5", "/requests"])
def test_who_has_the_same_name_is_told_apart(lively_desk: Desk, cast: Cast, page: str) -> None:
    """Every row of people shows the handle, which nobody else has."""
    window = lively_desk.window(cast.me, viewport=PHONE)
    window.open(page.format(followed=cast.followed))

    rows = window.main.locator(".retinue-person").all()

    assert rows
    assert [row.inner_text() for row in rows if "@" not in row.inner_text()] == []


def test_portraits_are_round(lively_desk: Desk, cast: Cast) -> None:
    """Nobody's portrait is wider than high, wherever it stands: in a row, in a heap, at the head of a page."""
    window = lively_desk.window(cast.me)
    for path in ("/", f"/@{cast.followed}", f"/@{cast.stranger}", "/people?limit=5", "/notifications"):
        window.open(path)
        for size in (PHONE, DESKTOP):
            window.page.set_viewport_size(size)
            assert window.page.evaluate(_NOT_SQUARE) == [], (path, size)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("page", ["/settings", "/requests", "/muted", "/blocked"])
def test_the_tab_of_the_page_is_seen(lively_desk: Desk, cast: Cast, page: str) -> None:
    """Whole, and without scrolling aside, on the narrowest phone."""
    window = lively_desk.window(cast.me, viewport={"width": 320, "height": 640})
    window.open(page)

    box = window.main.locator(".retinue-tabs [aria-current]").first.bounding_box()

    assert box
    assert 0 <= box["x"] <= box["x"] + box["width"] <= 320


def test_the_longest_names_stay_in_their_card(desk: Desk) -> None:
    """Sixty-four of the widest letters: on a profile and in a list, beside the button and not below it."""
    me, other = desk.site.people[3], desk.site.people[4]
    long = "w" * 64
    names = {"username": long, "name": long.upper(), "active": True, "locked": False}
    with desk.site.session() as session:
        session.execute(update(User).where(User.username == other).values(names))
        session.commit()
    window = desk.window(me, viewport=PHONE)
    for path in (f"/@{long}", f"/people?q={long}"):
        window.open(path)
        assert window.page.evaluate(_OUT_OF_THE_CARD) == [], path


_OUT_OF_THE_CARD = """() => {
    const words = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT), found = [];
    while (words.nextNode()) {
        const word = words.currentNode, card = word.parentElement.closest(".card");
        const row = word.parentElement.closest(".retinue-person");
        const button = word.parentElement.closest(".retinue-place") ? null : row?.querySelector(".retinue-place button");
        const range = document.createRange();
        range.selectNodeContents(word);
        for (const box of range.getClientRects()) {
            const other = button?.getBoundingClientRect();
            const over = other && box.right > other.left + 1 && box.bottom > other.top + 1 && box.top < other.bottom - 1;
            const unseen = word.parentElement.closest(".retinue-unseen, [popover]");
            if (card && !unseen && (box.right > card.getBoundingClientRect().right + 1 || over)) found.push(word.data);
        }
    }
    return found;
}"""

_NOT_SQUARE = """() => [...document.querySelectorAll(".portrait")]
    .map(portrait => portrait.getBoundingClientRect())
    .filter(box => Math.abs(box.width - box.height) > 1)
    .map(box => `${box.width} x ${box.height} at ${box.x}, ${box.y}`)"""
