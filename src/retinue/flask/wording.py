"""Numbers, times and reasons in words, in the language of the reader."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from flask import Flask

from retinue import LimitError, Suggestion, SuggestionReason
from retinue.flask.language import gettext, language, marked, ngettext, number_of, zone

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def init_app(app: Flask) -> None:
    """Give the templates of *app* these words, as filters whose names begin with ``retinue_``."""
    for words in (count, day, date_of, lately, ending, names):
        app.add_template_filter(words, f"retinue_{words.__name__}")


def count(number: int, one: str = "", several: str = "") -> str:
    """Return *number* with what is counted, if named: "1,204 followers", "1 follower"."""
    noun = one if number == 1 else several or f"{one}s"
    return f"{number_of(number)} {noun}" if one else number_of(number)


def day(time: datetime, now: datetime | None = None) -> str:
    """Return the day of *time*, in the reader's zone, or in UTC: "3 May"; with the year, if it is not this one."""
    there, today = (each.astimezone(zone()).date() for each in (time, now or datetime.now(UTC)))
    return _date("MMMd", there) if there.year == today.year else date_of(there)


def date_of(time: date) -> str:
    """Return that date: "3 May 2026"."""
    return _date("yMMMd", time)


def _date(skeleton: str, time: date) -> str:
    locale = language().locale
    if locale is None:
        words = f"{time.day} {_MONTHS[time.month - 1]}"
        return f"{words} {time.year}" if "y" in skeleton else words
    from babel.dates import format_skeleton  # noqa: PLC0415 - only where the application has it

    return format_skeleton(skeleton, datetime(time.year, time.month, time.day, tzinfo=UTC), locale=locale)


def time_of(time: datetime) -> str:
    """Return the time of the day, in the reader's zone, or in UTC, which is named then: "14:05 UTC"."""
    here, locale = zone(), language().locale
    if locale is None:
        words = f"{time.astimezone(here):%H:%M}"
    else:
        from babel.dates import format_time  # noqa: PLC0415 - only where the application has it

        words = format_time(time.astimezone(here), "short", locale=locale)
    return words if time.astimezone(here).tzname() != "UTC" else f"{words} UTC"


def lately(time: datetime, now: datetime | None = None) -> str:
    """Return how long ago *time* was, if that is less than a day: "5 min ago"; else its day."""
    seconds = int(((now or datetime.now(UTC)) - time).total_seconds())
    if seconds < 60:
        return gettext("just now")
    if seconds < 3600:
        return ngettext("%(number)s min ago", "%(number)s min ago", seconds // 60)
    return ngettext("%(number)s h ago", "%(number)s h ago", seconds // 3600) if seconds < 86_400 else day(time, now)


def ending(time: datetime, now: datetime | None = None) -> str:
    """Return when something ends: "14:05 UTC" if that is today, "tomorrow, 08:59 UTC"; else its day."""
    there, today = (each.astimezone(zone()).date() for each in (time, now or datetime.now(UTC)))
    match (there - today).days:
        case 0:
            return time_of(time)
        case 1:
            return gettext("tomorrow, %(time)s", time=time_of(time))
    return day(time, now)


def names(several: Sequence[str]) -> str:
    """Return names as a sentence has them: "Ann", "Ann and Bo", "Ann, Bo and Cy"."""
    locale = language().locale
    if locale is not None:
        from babel.lists import format_list  # noqa: PLC0415 - only where the application has it

        return format_list(several, locale=locale)
    return f"{', '.join(several[:-1])} and {several[-1]}" if len(several) > 1 else "".join(several)


def why_suggested(suggestion: Suggestion[Any], label: Callable[[Any], str]) -> str:
    """Return why somebody is suggested: "Followed by Ann, Bo and 3 others you follow"; *label* names a user."""
    several = [label(user) for user in suggestion.known]
    others = suggestion.known_total - len(several)
    if others:
        several.append(ngettext("%(number)s other", "%(number)s others", others))
    known = names(several)
    reason = suggestion.reason
    if reason is SuggestionReason.FOLLOWED_BY_FOLLOWERS:
        return gettext("Followed by people who follow you")
    if reason is SuggestionReason.POPULAR:
        return gettext("Popular here")
    # The names of followers who hide whom they follow are not shown.
    if reason is SuggestionReason.NEW_IN_NETWORK:
        return (
            gettext("Recently followed by %(names)s, whom you follow", names=known)
            if known
            else gettext("Recently followed by people you follow")
        )
    if known:
        return gettext("Followed by %(names)s, whom you follow", names=known)
    follows_you = reason is SuggestionReason.FOLLOWS_YOU
    return gettext("Follows you") if follows_you else gettext("Followed by people you follow")


def limit_reached(error: LimitError, name: str) -> str:
    """Return the message for a viewer who cannot follow *name* because of a limit."""
    allowed, again = error.allowed, marked("Try again after %(time)s on %(day)s.")
    match error.limit:
        case "max_following":
            text = ngettext(
                "You follow %(number)s person, counting pending requests. That’s the limit.",
                "You follow %(number)s people, counting pending requests. That’s the limit.",
                allowed,
            )
        case "max_follows_per_day":
            text = ngettext(
                "You can follow %(number)s person a day.", "You can follow %(number)s people a day.", allowed
            )
            again = marked("You can follow more people after %(time)s on %(day)s.")
        case "max_pending_requests":
            text = ngettext(
                "%(number)s person hasn’t answered you yet. Wait, or withdraw a request.",
                "%(number)s people haven’t answered you yet. Wait, or withdraw a request.",
                allowed,
            )
        case "request_cooldown":
            text = gettext("You asked %(name)s not long ago.", name=name)
            again = marked("You can ask again after %(time)s on %(day)s.")
        case _:
            return gettext("That’s more than is allowed.")
    if error.retry_at is None:
        return text
    return f"{text} {gettext(again, time=time_of(error.retry_at), day=day(error.retry_at))}"
