"""Numbers, times and names in the demo's pages: the extension's words, by shorter names, and two more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from flask import Flask

from retinue.flask.wording import count, date_of
from retinue.flask.wording import lately as how_long_ago


def init_app(app: Flask) -> None:
    """Give the templates of *app* these words."""
    app.add_template_filter(day)
    app.add_template_filter(day_of, "date")
    app.add_template_filter(count)
    app.add_template_filter(lately)
    app.add_template_filter(moment)
    app.add_template_filter(exact)


# In UTC all of them; `times.js` puts them into the zone of whoever reads them.


def day(time: datetime) -> str:
    """Return the day of *time*: "3 May", with the year if it is not this one: "3 May 2025"."""
    return day_of(time.astimezone(UTC).date())


def day_of(time: date) -> str:
    """Return that date in the same words."""
    return _without_this_year(date_of(time))


def lately(time: datetime) -> str:
    """Return how long ago *time* was, if that is less than a day: "5 min ago"; else its day."""
    return _without_this_year(how_long_ago(time))


def moment(time: datetime) -> str:
    """Return *time* to the minute: "3 May at 14:05 UTC"."""
    return f"{day(time)} at {time.astimezone(UTC):%H:%M} UTC"


def exact(time: datetime) -> str:
    """Return *time* to the minute, and whole: "3 May 2026, 14:05 UTC"."""
    return f"{date_of(time.astimezone(UTC).date())}, {time.astimezone(UTC):%H:%M} UTC"


def _without_this_year(words: str) -> str:
    return words.removesuffix(f" {datetime.now(UTC).year}")


def names(several: Sequence[str]) -> str:
    """Return names as a sentence has them: "Ann", "Ann and Bo", "Ann, Bo and Cy"."""
    return " and ".join(filter(None, [", ".join(several[:-1]), *several[-1:]]))
