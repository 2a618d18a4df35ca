"""Numbers and times, as a reader wants them."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def init_app(app: Flask) -> None:
    """Give the templates of *app* these words."""
    app.add_template_filter(day)
    app.add_template_filter(count)


def day(time: datetime) -> str:
    """Return the day of *time*, in UTC: "3 May 2026"."""
    time = time.astimezone(UTC)
    return f"{time.day} {_MONTHS[time.month - 1]} {time.year}"


def count(number: int, one: str = "", several: str = "") -> str:
    """Return *number* with what is counted, if named: "1,204 followers", "1 follower"."""
    noun = one if number == 1 else several or f"{one}s"
    return f"{number:,} {noun}" if one else f"{number:,}"
