"""Times, in the zone of whoever reads them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import expect

from demo.tests.browser.windows import Desk

ZONE = "Asia/Kolkata"


def test_a_mute_that_ends_soon_says_on_which_day_where_one_is(desk: Desk) -> None:
    """Today or tomorrow, by the reader's clock; the exact time is the title."""
    me, other = desk.site.people[3], desk.site.people[4]
    until = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(hours=23)
    desk.site.do("mute", me, other, until=until)
    window = desk.window(me, timezone_id=ZONE)

    window.open("/muted")

    ends, here = until.astimezone(ZoneInfo(ZONE)), datetime.now(ZoneInfo(ZONE))
    day = "today" if ends.date() == here.date() else "tomorrow"
    time = window.main.locator("time").last
    expect(time).to_have_text(f"{day} at {ends:%H:%M}")
    expect(time).to_have_attribute("title", re.compile(f" {ends.day} {ends:%B %Y}.*{ends:%H:%M}"))
