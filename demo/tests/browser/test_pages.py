"""Every page, for somebody and for nobody: readable by everyone, on every screen, and light."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, ViewportSize

from demo.tests.browser.community import Cast, pages
from demo.tests.browser.windows import DESKTOP, PHONE, Desk, Window
from demo.tests.conftest import Site

#: How somebody sees a page.
Look = tuple[ViewportSize, Literal["light", "dark"]]

#: Bytes of a page with everything that it fetches, uncompressed.
PAGE_MOST = 64_000

#: Whoever is logged in sees all that somebody else does, but for the pages of the door.
VIEWERS = [pytest.param(True, id="somebody"), pytest.param(False, id="nobody", marks=pytest.mark.long)]

viewers = pytest.mark.parametrize("somebody", VIEWERS)

#: Who walks, and which of the pages are looked at: in every run each fourth, as looking takes long.
WALKS = [
    pytest.param((True, 4), id="some, somebody"),
    pytest.param((True, 1), id="somebody", marks=pytest.mark.long),
    pytest.param((False, 1), id="nobody", marks=pytest.mark.long),
]


#: A size changes what is there, a theme the colours alone: the two have nothing to do with each other.
LOOKS: Final[Sequence[Look]] = ((DESKTOP, "light"), (PHONE, "dark"))


def walk(
    desk: Desk, cast: Cast, somebody: bool, *, rows: int | None = None, step: int = 1
) -> Iterator[tuple[Window, str]]:
    """
    Open every page that somebody, or nobody, gets to see; each once, with at most that many *rows* in its lists.

    With a *step*, the first of so many.
    """
    # Without motion: what fades has a colour of neither theme on its way.
    window = desk.window(cast.me if somebody else None, reduced_motion="reduce")
    seen = set[str]()
    for path in pages(desk.site, cast, rows=rows)[::step]:
        window.open(path)
        arrived = window.path.partition("?next=")[0]
        if arrived not in seen:
            seen.add(arrived)
            yield window, path
    assert len(seen) > 10 / step


def axe_finds(page: Page, *looks: Look, options: Any = None) -> list[str]:
    """Return what the checker axe finds on *page*, looked at in these sizes and themes."""
    page.evaluate(AXE_SCRIPT)
    found = []
    for size, theme in looks:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=theme)
        faults = page.evaluate("options => axe.run(options)", {"resultTypes": ["violations"], **(options or {})})
        found += [
            f"{theme} {size['width']}: {one['id']}: {node['html']} {node['failureSummary']}"
            for one in faults["violations"]
            for node in one["nodes"]
        ]
    return found


def too_wide(page: Page, *widths: int) -> list[str]:
    """Return what of *page* reaches beyond a window, of these widths in pixels."""
    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 640})
        found += [f"{width} px: {one}" for one in page.evaluate(_TOO_WIDE)]
    return found


def out_of_reach(page: Page, size: ViewportSize) -> list[str]:
    """Return what of *page* Tab does not lead to, or not so that one sees it."""
    page.set_viewport_size(size)
    found = []
    # Everything that can be pressed, and as many strokes to reach it.
    for _ in range(page.evaluate(_INTERACTIVE)):
        page.keyboard.press("Tab")
        found += page.evaluate(_FOCUSED)
    return found + [f"not reached: {element}" for element in page.evaluate(_NOT_REACHED)]


@pytest.fixture(scope="module", params=WALKS)
def faults(
    request: pytest.FixtureRequest, lively: tuple[Site, Cast, str], browser: Browser
) -> dict[Callable[..., list[str]], list[str]]:
    """Open every page once, look at it in every way, and give what each found: a page is slow to open, not to look at."""
    site, cast, address = lively
    desk = Desk(site, address, browser)
    found: dict[Callable[..., list[str]], list[str]] = {axe_finds: [], too_wide: [], out_of_reach: []}
    for number, (window, path) in enumerate(walk(desk, cast, request.param[0], rows=3, step=request.param[1])):
        # The checker takes most of the time: each page in one way, one page in the one and the next in the other.
        found[axe_finds] += [f"{path} {one}" for one in axe_finds(window.page, LOOKS[number % 2])]
        window.page.emulate_media(color_scheme="light")
        found[too_wide] += [f"{path} {one}" for one in too_wide(window.page, 320, 390, 768, 1280)]
        found[out_of_reach] += [f"{path} {one}" for one in out_of_reach(window.page, DESKTOP)]
    desk.close()
    return found


def test_no_page_keeps_anybody_out(faults: dict[Any, list[str]]) -> None:
    """The checker axe finds nothing on any page, on a light desktop or on a dark phone."""
    assert faults[axe_finds] == []


@pytest.mark.long
@viewers
def test_no_look_keeps_anybody_out(lively_desk: Desk, cast: Cast, somebody: bool) -> None:
    """Nor on both of them, nor among the colours of a dark desktop and of a light phone."""
    found = []
    colours = {"runOnly": ["color-contrast"]}
    for number, (window, path) in enumerate(walk(lively_desk, cast, somebody, rows=3)):
        faults = axe_finds(window.page, LOOKS[1 - number % 2])
        faults += axe_finds(window.page, (DESKTOP, "dark"), (PHONE, "light"), options=colours)
        found += [f"{path} {one}" for one in faults]

    assert found == []


def test_no_page_is_wider_than_the_screen(faults: dict[Any, list[str]]) -> None:
    """At 320 pixels one scrolls up and down alone, and no button is cut off."""
    assert faults[too_wide] == []


@pytest.mark.long
@pytest.mark.parametrize("somebody", [True, False])
@pytest.mark.parametrize("text", [150, 200])
def test_no_page_is_wider_than_the_screen_with_large_text(
    lively_desk: Desk, cast: Cast, chromium: Callable[..., Browser], somebody: bool, text: int
) -> None:
    """Nor with text of twice the size, on a screen as wide in letters."""
    found = []

    # As somebody sets the size of text in the browser's settings, in per cent.
    with chromium(f"--blink-settings=defaultFontSize={16 * text // 100}") as lively_desk.browser:
        for window, path in walk(lively_desk, cast, somebody, rows=3):
            faults = too_wide(window.page, 320 * text // 100, 390 * text // 100, 768, 1280)
            found += [f"{path} {one}" for one in faults]
        assert window.page.evaluate("getComputedStyle(document.documentElement).fontSize") == f"{16 * text // 100}px"
        lively_desk.close()

    assert found == []


#: What reaches beyond the window: the page itself, and what one has to press or read.
_TOO_WIDE = """() => {
  const root = document.documentElement, found = [];
  // A strip of tabs may be longer than the screen: it is swiped.
  const scrolls = element => element && (getComputedStyle(element).overflowX === "auto" || scrolls(element.parentElement));
  if (root.scrollWidth > root.clientWidth) found.push(`the page is ${root.scrollWidth} wide`);
  for (const element of document.querySelectorAll("a, button, input, select, textarea, summary, h1, h2, p")) {
    const box = element.getBoundingClientRect();
    if (!element.checkVisibility() || element.closest(".unseen, .skip") || scrolls(element)) continue;
    if (box.right > root.clientWidth + 1 || box.left < -1) found.push(element.outerHTML.slice(0, 120));
  }
  return found;
}"""


def test_the_head_has_room_for_a_wide_font(quiet_desk: Desk) -> None:
    """At 320 pixels, with letters set far apart: both ways in are whole and in one line, and the page is no wider."""
    # Without its policy on content, or it would take no style from here.
    window = quiet_desk.window(bypass_csp=True, viewport={"width": 320, "height": 640})
    window.open("/login")
    ways_in = window.page.get_by_role("navigation", name="Account").get_by_role("link")
    heights = "links => links.map(link => link.getBoundingClientRect().height)"
    before = ways_in.evaluate_all(heights)

    window.page.add_style_tag(content="header * { letter-spacing: .12em; word-spacing: .16em; }")

    assert len(before) == 2
    assert ways_in.evaluate_all(heights) == before
    assert window.page.evaluate(_TOO_WIDE) == []


def test_every_page_can_be_used_with_the_keyboard(faults: dict[Any, list[str]]) -> None:
    """Tab leads to everything that can be pressed, and one sees where one is: marked, and with nothing in front of it."""
    assert faults[out_of_reach] == []


@pytest.mark.long
@viewers
def test_every_zoomed_page_can_be_used_with_the_keyboard(lively_desk: Desk, cast: Cast, somebody: bool) -> None:
    """The same where the window is small, or its text large."""
    found = []
    for window, path in walk(lively_desk, cast, somebody, rows=3):
        found += [f"{path} {one}" for one in out_of_reach(window.page, {"width": 640, "height": 480})]

    assert found == []


#: Notes what can be pressed; returns how many there are. Of several radio buttons with one name, Tab leads to one.
_INTERACTIVE = """() => {
  const known = new Set();
  window.expected = [...document.querySelectorAll("a[href], button, input, select, textarea, summary")].filter(
    element => element.type !== "hidden" && !element.disabled && element.checkVisibility({visibilityProperty: true})
      // A picture that leads where the name beside it leads is for the pointer alone.
      && !(element.tabIndex < 0 && element.ariaHidden === "true")
      && !(element.type === "radio" && (known.has(element.name) || !known.add(element.name))));
  window.reached = new Set();
  return window.expected.length;
}"""

#: What is wrong with how the element that has the focus is shown.
_FOCUSED = """() => {
  const element = document.activeElement, found = [];
  window.reached.add(element.type === "radio" ? element.name : element);
  const marked = part => {
    const style = getComputedStyle(element, part);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  };
  const box = element.getBoundingClientRect();
  const above = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  if (![null, "::before", "::after"].some(marked)) found.push(`no mark of the focus: ${element.outerHTML}`);
  if (!above || !(element.contains(above) || above.contains(element) || element.labels?.[0]?.contains(above)))
    found.push(`hidden while it has the focus: ${element.outerHTML}, behind ${above?.outerHTML.slice(0, 80)}`);
  return found;
}"""

_NOT_REACHED = """() => window.expected.filter(
  element => !window.reached.has(element.type === "radio" ? element.name : element)).map(element => element.outerHTML)"""


@viewers
def test_every_page_is_light(lively_desk: Desk, cast: Cast, somebody: bool) -> None:
    """With its styles, scripts and pictures, and lists as long as usual, each page has less than 64 kB on its way."""
    window = lively_desk.window(cast.me if somebody else None)
    weights = dict[str, int]()

    for path in pages(lively_desk.site, cast):
        window.open(path)
        weights[path] = window.page.evaluate(_WEIGHT)

    assert {path: weight for path, weight in weights.items() if weight >= PAGE_MOST} == {}
    assert min(weights.values()) > 10_000


#: Bytes of the page itself and of all that it needs, as they were sent, or are kept from another page.
_WEIGHT = """() => ["navigation", "resource"].flatMap(kind => performance.getEntriesByType(kind))
  .reduce((sum, entry) => sum + entry.encodedBodySize, 0)"""
