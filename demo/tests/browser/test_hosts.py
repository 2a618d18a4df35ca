"""The extension on pages of somebody else's: it can be read on each of them, and leaves what is theirs alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page

from demo.tests.browser.hosts import LOOKS, host
from demo.tests.browser.serving import serving
from demo.tests.browser.test_pages import axe_finds
from demo.tests.browser.windows import DESKTOP

Scheme = Literal["light", "dark"]

#: Of the page on which is nothing of the extension's: every element, with every property that it has in the end.
_COMPUTED = """() => [...document.querySelectorAll("html, body, body *")].map(element => {
  const style = getComputedStyle(element);
  return element.tagName + [...style].map(name => `${name}: ${style.getPropertyValue(name)}`).join("; ");
})"""

_GROUND = "element => getComputedStyle(element).backgroundColor"

#: The ground of a button to follow, in each theme.
ON_LIGHT, ON_DARK = "rgb(33, 28, 22)", "rgb(245, 239, 230)"


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Page]:
    """Give a window on the application."""
    with (
        serving(host()) as address,
        browser.new_context(base_url=address, reduced_motion="reduce", viewport=DESKTOP) as context,
    ):
        yield context.new_page()


@pytest.fixture
def visit(window: Page) -> Callable[..., Page]:
    """Give what opens a page of the application in this look, for a visitor whose system is light or dark."""

    def open_page(look: str, system: Scheme, path: str) -> Page:
        window.emulate_media(color_scheme=system)
        window.set_extra_http_headers({"Look": look})
        answer = window.goto(path)
        assert answer is not None
        assert answer.ok
        return window

    return open_page


@pytest.mark.sampled(2)
@pytest.mark.parametrize("look", LOOKS)
def test_it_can_be_read(visit: Callable[..., Page], look: str) -> None:
    """The buttons in each state, and a list, have enough contrast, whatever the visitor's system and the page are."""
    found = []
    options: Any = {"runOnly": ["color-contrast"]}
    for path in ("/people.html", "/people/@followed/followers"):
        page = visit(look, "light", path)
        assert page.locator(".retinue-button").count() > 2
        found += axe_finds(page, (DESKTOP, "light"), (DESKTOP, "dark"), options=options)

    assert found == []


@pytest.mark.sampled(2)
@pytest.mark.parametrize("look", LOOKS)
def test_what_is_theirs_stays_as_it_is(visit: Callable[..., Page], look: str) -> None:
    """No element of theirs has another value of any property for the style sheet, and no name of ours is on `window`."""
    seen: dict[str, dict[str, object]] = {"/own.html": {}, "/own.html?styled": {}}
    for path, found in seen.items():
        page = visit(look, "light", path)
        assert page.locator("link[rel=stylesheet]").count() == ("styled" in path)
        found["names"] = page.evaluate("() => Object.getOwnPropertyNames(window).sort()")
        found["light"] = page.evaluate(_COMPUTED)
        page.emulate_media(color_scheme="dark")
        found["dark"] = page.evaluate(_COMPUTED)
    without, with_it = seen.values()

    assert with_it["names"] == without["names"]
    for system in ("light", "dark"):
        pairs = zip(without[system], with_it[system], strict=True)  # type: ignore[call-overload]
        assert [pair for pair in pairs if pair[0] != pair[1]] == []


@pytest.mark.sampled(2)
@pytest.mark.parametrize("look", LOOKS)
def test_it_is_dark_only_where_they_ask(visit: Callable[..., Page], look: str) -> None:
    """A button has the theme that the page asks for: light without a word, that of the system for "auto"."""
    theme = LOOKS[look].theme or "light"
    page = visit(look, "light", "/people.html")
    button = page.locator(".retinue-button:not(.retinue-on)").first
    in_light = button.evaluate(_GROUND)
    page.emulate_media(color_scheme="dark")

    assert in_light == (ON_DARK if theme == "dark" else ON_LIGHT)
    assert button.evaluate(_GROUND) == (ON_LIGHT if theme == "light" else ON_DARK)


@pytest.mark.parametrize(
    ("themes", "is_dark"),
    [(["dark"], True), (["dark", "light"], False), (["light", "dark", "auto"], True), ([], False)],
)
def test_the_nearest_theme_wins(visit: Callable[..., Page], themes: list[str], is_dark: bool) -> None:
    """Of themes in each other, a button has the innermost; one outside of them has that of the page."""
    page = visit("bare", "dark", "/nested.html?" + "&".join(f"theme={theme}" for theme in themes))

    outside, inside = (page.locator(where).evaluate(_GROUND) for where in ("main > form button", "#inner button"))

    assert outside == ON_LIGHT
    assert inside == (ON_DARK if is_dark else ON_LIGHT)


def test_the_readmes_line_is_enough(visit: Callable[..., Page]) -> None:
    """Without a word in the head, the first button of a page brings style sheet and scripts, once; a press works in place."""
    page = visit("bare", "light", "/people.html")

    assert (page.locator("link[rel=stylesheet]").count(), page.locator("script").count()) == (1, 3)
    button = page.locator("[data-retinue-user=stranger] button")
    assert page.locator(".retinue-unseen").first.bounding_box()["width"] <= 1  # type: ignore[index]
    button.click()
    page.get_by_role("status").get_by_text("You follow stranger.").wait_for()
    page.wait_for_timeout(700)
    button.click()
    page.get_by_role("status").get_by_text("You no longer follow stranger.").wait_for()
