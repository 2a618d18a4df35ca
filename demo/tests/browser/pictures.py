"""
The pictures in README.md, of the demo: ``python -m demo.tests.browser.pictures`` takes them anew, into ``docs/pictures``.

The same people and the same page each time, as somebody sees it whose system is light, and dark.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from playwright.sync_api import Browser, ViewportSize, expect, sync_playwright

from demo.tests.browser.serving import serving
from demo.tests.browser.windows import Desk, launch
from demo.tests.conftest import UNTIL, by_fame, file_url, running
from retinue_demo.models import db
from retinue_demo.seed import seed

FOLDER: Final = Path(__file__).resolve().parents[3] / "docs" / "pictures"
PEOPLE: Final = 200
WINDOW: Final = ViewportSize(width=880, height=760)

#: Who looks, by fame: somebody who knows some of those that one sees, and does not know others.
VIEWER: Final = 7


def take(browser: Browser, folder: Path) -> list[Path]:
    """Take the pictures into *folder*; return their files."""
    with TemporaryDirectory() as place, running(file_url(Path(place) / "demo.sqlite3")) as site:
        with site.app.app_context():
            seed(db.session.session_factory, PEOPLE, until=UNTIL)
        people = by_fame(site)
        shown, viewer = people[0], people[VIEWER]
        files = []
        with serving(site.app) as address:
            desk = Desk(site, address, browser)
            for scheme in ("light", "dark"):
                window = desk.window(viewer, viewport=WINDOW, color_scheme=scheme, reduced_motion="reduce")
                # Among the oldest is who follows whom in each way, so one sees what a button can say.
                window.open(f"/@{shown}/followers?sort=oldest")
                expect(window.page.locator(".retinue-person")).not_to_have_count(0)
                files.append(folder / f"followers-{scheme}.png")
                window.page.screenshot(path=files[-1])
            desk.close()
    return files


if __name__ == "__main__":
    with sync_playwright() as started, launch(started) as chromium:
        sys.stdout.writelines(f"{file}\n" for file in take(chromium, FOLDER))
