"""Numbers, times and names in the demo's pages: the extension's words, by shorter names, and two more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from flask import Flask

from retinue.flask.wording import count, date_of, day, lately


def init_app(app: Flask) -> None:
    """Give the templates of *app* these words."""
    app.add_template_filter(day)
    app.add_template_filter(date_of, "date")
    app.add_template_filter(count)
    app.add_template_filter(lately)
    app.add_template_filter(moment)


def moment(time: datetime) -> str:
    """Return *time* to the minute, in UTC: "14:05 UTC, 3 May 2026"."""
    return f"{time.astimezone(UTC):%H:%M} UTC, {day(time)}"


def names(several: Sequence[str]) -> str:
    """Return names as a sentence has them: "Ann", "Ann and Bo", "Ann, Bo and Cy"."""
    return " and ".join(filter(None, [", ".join(several[:-1]), *several[-1:]]))
