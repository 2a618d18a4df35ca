"""
Fixtures for tests that look and click, in Debian's Chromium.

- `quiet_desk`: the demo behind its own server, on a community of 60 people, for tests that change nothing.
- `desk`: the same on a community of its own, for tests that change it.

- `lively_desk`, `cast`: the same on a community in which every page has something to show, for tests that
  change nothing.

Each opens as many windows as a test asks for. A test fails if any of them saw an error or a warning, a
request to another host, or an answer from 500 up.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import playwright
import pytest
from playwright.sync_api import Browser, sync_playwright

from demo.tests.browser.community import Cast, enliven
from demo.tests.browser.serving import serving
from demo.tests.browser.windows import Desk, launch
from demo.tests.conftest import Site, copy_of
from tests.fixtures import MISSING, REQUIRE_ALL


# Not for the whole session: while Playwright is there, no other test could run an event loop of its own.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Callable[..., Browser]]:
    """Give what starts Chromium; without it the test is skipped, or fails where all have to run."""
    if shutil.which("chromium") is None or not _driver_runs():
        MISSING["chromium"] = "install it: apt-get install --no-install-recommends chromium libatomic1"
        give_up = pytest.fail if REQUIRE_ALL else pytest.skip
        give_up(f"no chromium: {MISSING['chromium']}")
    with sync_playwright() as started:
        yield partial(launch, started)


def _driver_runs() -> bool:
    """Tell whether the program that Playwright brings, and drives the browser with, finds its libraries here."""
    driver = Path(playwright.__file__).parent / "driver" / "node"
    return subprocess.run([driver, "--version"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="package")
def browser(chromium: Callable[..., Browser]) -> Iterator[Browser]:
    """Give Chromium as it comes."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def town_address(town: Site) -> Iterator[str]:
    """Give the address of the town's server."""
    with serving(town.app) as address:
        yield address


@pytest.fixture
def quiet_desk(town: Site, town_address: str, browser: Browser) -> Iterator[Desk]:
    """Give the demo at an address, for tests that change nothing."""
    desk = Desk(town, town_address, browser)
    yield desk
    desk.close()


@pytest.fixture(scope="package")
def lively(town: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Cast, str]]:
    """Give a community in which everything has happened, who is who in it, and the address of its server."""
    with copy_of(town, tmp_path_factory.mktemp("lively") / "demo.sqlite3") as site:
        cast = enliven(site)
        with serving(site.app) as address:
            yield site, cast, address


@pytest.fixture
def cast(lively: tuple[Site, Cast, str]) -> Cast:
    """Give who is who in the community of `lively_desk`."""
    return lively[1]


@pytest.fixture
def lively_desk(lively: tuple[Site, Cast, str], browser: Browser) -> Iterator[Desk]:
    """Give the demo at an address, on a community in which everything has happened."""
    desk = Desk(lively[0], lively[2], browser)
    yield desk
    desk.close()


@pytest.fixture
def desk(site: Site, browser: Browser) -> Iterator[Desk]:
    """Give the demo at an address, for tests that change it."""
    with serving(site.app) as address:
        desk = Desk(site, address, browser)
        yield desk
        desk.close()
