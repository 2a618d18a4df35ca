"""What is the matter of a phone: little room, and what must be seen all the same."""

from __future__ import annotations

import pytest

from demo.tests.browser.community import Cast
from demo.tests.browser.windows import DESKTOP, PHONE, Desk


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


_NOT_SQUARE = """() => [...document.querySelectorAll(".portrait")]
    .map(portrait => portrait.getBoundingClientRect())
    .filter(box => Math.abs(box.width - box.height) > 1)
    .map(box => `${box.width} x ${box.height} at ${box.x}, ${box.y}`)"""
