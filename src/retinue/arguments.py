"""
Pure checks of arguments: what is impossible, and what is malformed.

None of them asks the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple, cast

from retinue.engines import EngineRules
from retinue.errors import InvalidLimit, InvalidUserError, SelfFollowError, shown
from retinue.settings import BATCH_MOST, PAGE_MOST, Settings
from retinue.values import Key, Only, Sort


def not_oneself(follower: Key, followed: Key) -> None:
    """Raise `SelfFollowError` if both are the same user."""
    if follower == followed:
        raise SelfFollowError(follower)


def page_limit(limit: object) -> int:
    """Return *limit*, rows of a page; `InvalidLimit` unless it is a whole number from 1 to 100."""
    if not _is_number(limit, PAGE_MOST):
        raise InvalidLimit(limit, PAGE_MOST)
    return cast("int", limit)


def whole_number(name: str, value: object, highest: int) -> int:
    """Return *value*, which the caller knows as *name*; `ValueError` unless it is a whole number from 1 to *highest*."""
    if not _is_number(value, highest):
        message = f"{name} must be a whole number from 1 to {highest}, not {shown(value)}"
        raise ValueError(message)
    return cast("int", value)


def _is_number(value: object, highest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= highest


class View(NamedTuple):
    """How somebody looks at a list: searched, sorted, filtered."""

    #: What names start with; empty: anything.
    search: str
    sort: Sort
    only: Only

    @property
    def plain(self) -> bool:
        """Whether it is the whole list, the newest first."""
        return not self.search and self.sort is Sort.NEWEST and not self.only


def view(search: object, sort: object, only: object) -> View:
    """Return how a list is looked at; `ValueError` if one of these says nothing of the kind."""
    if search is not None and not isinstance(search, str):
        message = f"search must be text or None, not {shown(search)}"
        raise ValueError(message)
    if not isinstance(sort, Sort):
        message = f"sort must be one of Sort, not {shown(sort)}"
        raise ValueError(message)  # noqa: TRY004 - as any other argument that says nothing
    if only is not None and not isinstance(only, Only):
        message = f"only must be one or more of Only, or None, not {shown(only)}"
        raise ValueError(message)
    if only is not None and Only.MUTUAL | Only.NOT_FOLLOWED_BACK in only:
        message = "only: nobody is both MUTUAL and NOT_FOLLOWED_BACK"
        raise ValueError(message)
    return View(search or "", sort, only or Only(0))


def holds(text: str, engine: EngineRules) -> bool:
    """Return whether a name on *engine* can be *text*: valid Unicode, and NUL only where that can be kept."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return engine.holds_nul or "\0" not in text


def batch(users: Iterable[Any]) -> Sequence[Any]:
    """Return *users* as a list; `ValueError` if there are more than 1,000."""
    if isinstance(users, (str, bytes)):
        raise InvalidUserError(users, "a collection of users is wanted, not text")
    # No more of them than must be, as they may be without end.
    chosen = list(islice(users, BATCH_MOST + 1))
    if len(chosen) > BATCH_MOST:
        message = f"at most {BATCH_MOST} users at once"
        raise ValueError(message)
    return chosen


def most_followed(settings: Settings, followers: int) -> int | None:
    """Return how many a user with so many *followers* may follow, by ``max_following``; None: no limit."""
    if settings.max_following is None:
        return None
    return max(settings.max_following, int(settings.max_following_ratio * followers))


def end_of(until: object, at: datetime) -> datetime | None:
    """Return *until*, when a block or mute ends; `ValueError` unless it is an aware time after *at*, or None."""
    if until is None:
        return None
    end = _utc_of(until)
    if end is None:
        message = f"until must be an aware time of the years 1 to 9999 in UTC, or None, not {shown(until)}"
        raise ValueError(message)
    if end <= at:
        message = f"until must be in the future, not {until!r}"
        raise ValueError(message)
    return end


def _utc_of(time: object) -> datetime | None:
    """Return *time* in UTC; None if it is no time there: without an offset, or beyond the calendar's end."""
    try:
        return time.astimezone(UTC) if isinstance(time, datetime) and time.utcoffset() is not None else None
    except (OverflowError, ValueError, TypeError, NotImplementedError):  # whatever a tzinfo raises
        return None
