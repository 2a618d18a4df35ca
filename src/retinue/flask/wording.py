"""Numbers, times and reasons in words, for readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from flask import Flask

from retinue import LimitError, Suggestion, SuggestionReason

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def init_app(app: Flask) -> None:
    """Give the templates of *app* these words, as filters whose names begin with ``retinue_``."""
    for words in (count, day, date_of, lately, ending):
        app.add_template_filter(words, f"retinue_{words.__name__}")


def count(number: int, one: str = "", several: str = "") -> str:
    """Return *number* with what is counted, if named: "1,204 followers", "1 follower"."""
    noun = one if number == 1 else several or f"{one}s"
    return f"{number:,} {noun}" if one else f"{number:,}"


def day(time: datetime) -> str:
    """Return the day of *time*, in UTC: "3 May 2026"."""
    return date_of(time.astimezone(UTC))


def date_of(time: date) -> str:
    """Return that date: "3 May 2026"."""
    return f"{time.day} {_MONTHS[time.month - 1]} {time.year}"


def lately(time: datetime, now: datetime | None = None) -> str:
    """Return how long ago *time* was, if that is less than a day: "5 min ago"; else its day."""
    seconds = ((now or datetime.now(UTC)) - time).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min ago"
    return f"{seconds // 3600:.0f} h ago" if seconds < 86_400 else day(time)


def ending(time: datetime, now: datetime | None = None) -> str:
    """Return when something ends: "14:05 UTC", if that is less than a day ahead; else its day."""
    soon = (time - (now or datetime.now(UTC))).total_seconds() < 86_400
    return f"{time.astimezone(UTC):%H:%M} UTC" if soon else day(time)


def names(several: Sequence[str]) -> str:
    """Return names as a sentence has them: "Ann", "Ann and Bo", "Ann, Bo and Cy"."""
    return f"{', '.join(several[:-1])} and {several[-1]}" if len(several) > 1 else "".join(several)


def why_suggested(suggestion: Suggestion[Any], label: Callable[[Any], str]) -> str:
    """Return why somebody is suggested: "Followed by Ann, Bo and 3 others you follow"; *label* names a user."""
    several = [label(user) for user in suggestion.known]
    others = suggestion.known_total - len(several)
    if others:
        several.append(count(others, "other"))
    known = names(several)
    # The names of followers who hide whom they follow are not shown.
    by = f"{known}, whom you follow" if known else "people whom you follow"
    return {
        SuggestionReason.FOLLOWS_YOU: f"Followed by {by}" if known else "Follows you",
        SuggestionReason.NEW_IN_NETWORK: f"Newly followed by {by}",
        SuggestionReason.FRIENDS_OF_FRIENDS: f"Followed by {by}",
        SuggestionReason.FOLLOWED_BY_FOLLOWERS: "Followed by people who follow you",
        SuggestionReason.POPULAR: "Well known here",
    }[suggestion.reason]


def limit_reached(error: LimitError, name: str) -> str:
    """Return the message for a viewer who cannot follow *name* because of a limit."""
    when = "" if error.retry_at is None else f" after {error.retry_at.astimezone(UTC):%H:%M} UTC, {day(error.retry_at)}"
    return {
        "max_following": f"You follow {count(error.allowed)} people, pending requests included. That is the most.",
        "max_follows_per_day": f"{count(error.allowed)} follows are the most for one day. Follow on{when}.",
        "max_pending_requests": f"{count(error.allowed)} people have yet to answer you. Wait, or take a request back.",
        "request_cooldown": f"You have asked {name} lately. You can ask again{when}.",
    }.get(error.limit, "That is more than one may do.")
