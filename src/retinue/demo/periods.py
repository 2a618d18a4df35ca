"""For how long somebody is muted or blocked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import abort, request

#: What the menu offers: its value in a form, and how long that is; None: for good.
PERIODS: dict[str, timedelta | None] = {
    "for good": None,
    "for a day": timedelta(days=1),
    "for a week": timedelta(days=7),
    "for a month": timedelta(days=30),
}


def end_asked_for() -> datetime | None:
    """Return when the period that the form names ends; None: never. 400 if it names none of ours."""
    period = request.form.get("period", "for good")
    if period not in PERIODS:
        abort(400, "That is not a period which the menu offers.")
    length = PERIODS[period]
    return None if length is None else datetime.now(UTC) + length
