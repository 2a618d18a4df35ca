"""Times in the demo's pages, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from retinue_demo.wording import day, exact, lately, moment

THIS_YEAR = datetime.now(UTC).year


def test_the_year_is_said_only_of_another() -> None:
    """This year's days have none; every other has, whatever way a time is told."""
    mine, earlier = datetime(THIS_YEAR, 1, 1, 9, 5, tzinfo=UTC), datetime(2019, 5, 3, 9, 5, tzinfo=UTC)

    assert (day(mine), moment(mine)) == ("1 Jan", "1 Jan at 09:05 UTC")
    assert (day(earlier), lately(earlier), moment(earlier)) == ("3 May 2019", "3 May 2019", "3 May 2019 at 09:05 UTC")
    assert exact(mine) == f"1 Jan {THIS_YEAR}, 09:05 UTC"


def test_another_zone_is_told_in_utc() -> None:
    """What was late in the evening there was the day before here."""
    east = datetime(2019, 5, 3, 1, 5, tzinfo=timezone(timedelta(hours=9)))

    assert (day(east), moment(east), exact(east)) == ("2 May 2019", "2 May 2019 at 16:05 UTC", "2 May 2019, 16:05 UTC")
