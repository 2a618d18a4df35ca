"""Browser windows, and who sits before them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from re import Pattern
from typing import Any

from playwright.sync_api import Browser, Locator, Page, Playwright, ViewportSize

from demo.tests.browser.watching import Watch
from demo.tests.conftest import Site
from retinue_demo.passwords import PASSWORD

#: Milliseconds. Nothing here takes longer, also on a machine that does other things.
PATIENCE = 10_000

PHONE = ViewportSize(width=390, height=844)
DESKTOP = ViewportSize(width=1280, height=800)


def launch(playwright: Playwright, *arguments: str, without: Sequence[str] = ()) -> Browser:
    """Return Debian's Chromium, started with *arguments*, *without* some of Playwright's own; it is on the PATH."""
    # Its sandbox needs a user who is not root. It opens nothing but pages of this project.
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    program = shutil.which("chromium")
    return playwright.chromium.launch(
        executable_path=program, chromium_sandbox=not root, args=arguments, ignore_default_args=[*without]
    )


@dataclass(frozen=True)
class Window:
    """A browser window with cookies of its own, before somebody who is not logged in yet."""

    page: Page
    watch: Watch

    def open(self, path: str) -> int:
        """Open a page of the demo; return the status of the answer."""
        response = self.page.goto(path)
        assert response is not None
        return response.status

    def log_in(self, username: str) -> None:
        """Be *username* from now on."""
        self.open("/login")
        self.page.get_by_label("Username").fill(username)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.button("Log in").click()
        self.page.wait_for_url("**/")

    @property
    def path(self) -> str:
        """Where the window is, with the query."""
        return self.page.url.removeprefix(self.watch.address)

    @property
    def main(self) -> Locator:
        """The page without what is on every page."""
        return self.page.locator("main")

    @property
    def said(self) -> Locator:
        """What the demo says that it did, or could not do."""
        return self.page.locator("[role=status]:visible, [role=alert]:visible").last

    def rest(self) -> None:
        """Wait until a press is one of its own, and not the second half of a double click."""
        self.page.wait_for_timeout(650)

    def button(self, name: str | Pattern[str]) -> Locator:
        """Return the button of that *name*."""
        return self.page.get_by_role("button", name=name, exact=True)

    def follow_button(self, name: str) -> Locator:
        """Return the first button to follow, or no longer follow, who is called *name*."""
        said = rf"^((Follow|Follow back|Ask|Ask to follow) {name}|(Following|Requested|Blocked) {name}; press to .*)$"
        return self.page.get_by_role("button", name=re.compile(said)).first


@dataclass
class Desk:
    """The demo at an address, and the windows that are open on it."""

    site: Site
    address: str
    browser: Browser
    windows: list[Window] = field(default_factory=list)

    def window(self, username: str | None = None, **options: Any) -> Window:
        """
        Return a new window, before *username* if that is named, else before a newcomer.

        *options* are those of Playwright's `Browser.new_context()`.
        """
        context = self.browser.new_context(base_url=self.address, **{"viewport": DESKTOP, **options})
        context.set_default_timeout(PATIENCE)
        watch = Watch(self.address)
        watch.over(context)
        window = Window(context.new_page(), watch)
        self.windows.append(window)
        if username is not None:
            window.log_in(username)
        return window

    def close(self) -> None:
        """Close all windows; fail if anybody saw what nobody may ever see."""
        for window in self.windows:
            window.page.context.close()
        faults = [fault for window in self.windows for fault in window.watch.faults]
        self.windows.clear()
        assert faults == []
