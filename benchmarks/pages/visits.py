"""What people do at an app: look at a page of followers, and press a button on it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from benchmarks.data import Data
from benchmarks.pages.apps import ROWS, App
from benchmarks.pages.browser import Browser

#: So many people look and press at once.
PEOPLE = 8
#: Whose lists are looked at: those with the most followers, but for the celebrity; and of the others, who looks.
LOOKED_AT, LOOKING = 100, 100
#: At how many pages each of them looks, again and again.
PAGES = 12
#: So many of them are compared.
COMPARED = 2
#: Whom they follow and unfollow: so many on each page.
OF_EACH_PAGE = 8


@dataclass(frozen=True)
class Plan:
    """Who looks at whose followers; the same for all apps."""

    viewers: tuple[int, ...]
    #: For each viewer, whose pages they look at, one after the other.
    pages: tuple[tuple[int, ...], ...]


def plan(data: Data) -> Plan:
    """Choose people who follow many, and whose lists fill pages."""
    followers = np.bincount(data.followed, minlength=data.users + 1)
    following = np.bincount(data.followers, minlength=data.users + 1)
    looked_at = [int(key) for key in np.argsort(-followers, kind="stable") if key != data.celebrity][:LOOKED_AT]
    looking = [int(key) for key in np.argsort(-following, kind="stable") if key not in {data.celebrity, *looked_at}]
    chance = np.random.default_rng(1)
    viewers = chance.permutation(looking[:LOOKING])[:PEOPLE].tolist()
    return Plan(tuple(viewers), tuple(tuple(chance.permutation(looked_at)[:PAGES].tolist()) for _ in viewers))


@dataclass
class Visitor:
    """One of the viewers, logged in at one of the apps."""

    browser: Browser
    app: App
    viewer: int
    pages: tuple[int, ...]
    #: What they have done so far.
    looked: int = 0
    pressed: int = 0
    #: Seconds that each of it took.
    took: list[float] = field(default_factory=list)
    #: Whom they can follow: on whose page, and whom.
    buttons: list[tuple[int, int]] = field(default_factory=list)

    def log_in(self) -> None:
        """Log in."""
        _expect(200, self.browser.submit(f"/log-in/{self.viewer}").status)

    def find_buttons(self) -> list[tuple[int, int]]:
        """Return whom one could follow, some of each page; nobody twice, as each press has to change something."""
        found: dict[int, tuple[int, int]] = {}
        for page in self.pages:
            rows = rows_of(self.page(page))
            others = [user for user, words in rows.items() if re.search(r" Follow( back)? user", words)]
            found |= {user: (page, user) for user in others[:OF_EACH_PAGE]}
        return list(found.values())

    def page(self, user: int) -> str:
        """Return the page of followers of *user*."""
        answer = self.browser.get(self.app.page.format(user))
        _expect(200, answer.status)
        return answer.body.decode()

    def look(self) -> None:
        """Look at the next page."""
        self.page(self.pages[self.looked % len(self.pages)])
        self.looked += 1

    def press_with_script(self) -> None:
        """Follow somebody, or take that back, and get the button as it is then."""
        action, page = self._next_button()
        answer = self.browser.press(action, page)
        _expect(200, answer.status)

    def press(self) -> None:
        """Follow somebody, or take that back, and get the page as it is then."""
        action, page = self._next_button()
        answer = self.browser.submit(action, page)
        if answer.status not in {302, 303}:
            raise AssertionError(f"{answer.status} for a form")
        _expect(200, self.browser.get(answer.location.partition("#")[0]).status)

    def _next_button(self) -> tuple[str, str]:
        page, user = self.buttons[self.pressed // 2 % len(self.buttons)]
        verb = self.app.unfollow if self.pressed % 2 else self.app.follow
        self.pressed += 1
        return verb.format(user), self.app.page.format(page)


def rows_of(page: str) -> dict[int, str]:
    """Return the people of *page* in their order, with all words that stand in their rows on a wide screen."""
    page = re.sub(r'<span class="retinue-short">.*?</span>', "", page)
    found = re.findall(r'<li class="[a-z-]*" id="user-(\d+)"[^>]*>(.*?)</li>', page, re.DOTALL)
    return {int(user): " ".join(re.sub(r"<[^>]*>", " ", row).split()) for user, row in found}


def compare_pages(ours: Visitor, theirs: Visitor) -> None:
    """Raise if both apps do not show the same on the first pages that are looked at."""
    for page in ours.pages[:COMPARED]:
        _same(ours, theirs, page)


def compare_clicks(ours: Visitor, theirs: Visitor) -> None:
    """
    Raise if both apps do not show the same, before or after each has pressed a button and taken that back.

    Nobody else may press one meanwhile: the pages tell how many follow each.
    """
    page, _ = ours.buttons[0]
    before = _same(ours, theirs, page)
    for press in (ours.press_with_script, ours.press_with_script, ours.press, ours.press):
        press()
        theirs.press()
        after = _same(ours, theirs, page)
        if before == after:
            raise AssertionError("a button changed nothing")
        before = after
    ours.pressed = theirs.pressed = 0


def _same(ours: Visitor, theirs: Visitor, user: int) -> dict[int, str]:
    one, other = (rows_of(visitor.page(user)) for visitor in (ours, theirs))
    if list(one.items()) != list(other.items()) or len(one) != ROWS:
        differing = [(one.get(key), other.get(key)) for key in one | other if one.get(key) != other.get(key)]
        raise AssertionError(f"the followers of {user}, {len(one)} and {len(other)}, here and there: {differing}")
    return one


def _expect(status: int, found: int) -> None:
    if status != found:
        raise AssertionError(f"{found} instead of {status}")
