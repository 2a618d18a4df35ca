"""The choices and limits of an application, as one frozen value on its user class."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

#: Rows on a page: the default, and the most.
PAGE_DEFAULT = 20
PAGE_MOST = 100

#: Characters of a name that are searched for; a longer text finds nobody.
SEARCH_MOST = 255

#: Users in one call of ``relationships()`` or ``counts()``.
BATCH_MOST = 1_000

#: Slots over which one user's counters may be spread.
SLOTS_MOST = 256

#: Posts that may be kept ready for one reader.
TIMELINE_MOST = 10_000

#: The settings that name an attribute of the user class.
ATTRIBUTES = ("locked", "active", "hide_followers", "hide_following", "name", "last_active", "discoverable")

#: What a setting must be, in words.
_ATTRIBUTE = "the name of an attribute or None"
#: The longest span: so long ago all databases know a time. None, where it is allowed, is "for ever".
SPAN_MOST = timedelta(days=365_000)

_SPAN = f"a timedelta from 0 to {SPAN_MOST.days:,} days"

#: The time over which ``max_follows_per_day`` counts.
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    Limits and choices of one graph: ``__retinue__ = Settings(...)`` on the user class.

    Raises:
        ValueError: A value lies outside the range named beside it.
    """

    #: Rows that hold one user's counters, 1 to 256. More than one lets several
    #: transactions follow the same celebrity at once; a read adds them up.
    counter_slots: int = 1

    #: Signs cursors, so that nobody but the server can make one. Without it a
    #: cursor is checksummed: safe against accidents, not against forgers.
    secret: str | bytes | None = None

    # --- Names of attributes of the user class. None: there is no such attribute. ---------------
    # A boolean may also be a number: 0 for false.

    #: A boolean of the user: "I approve who follows me". Without such an attribute
    #: everybody is public.
    locked: str | None = "locked"

    #: A boolean of the user: neither suspended nor deactivated. Users with false are left
    #: out of what others see, and nobody else sees their lists.
    active: str | None = None

    #: A boolean of the user: "nobody but me sees who follows me".
    hide_followers: str | None = "hide_followers"

    #: A boolean of the user: "nobody but me sees whom I follow".
    hide_following: str | None = "hide_following"

    #: A text of the user: the name by which lists of people are searched and sorted.
    name: str | None = None

    #: A time of the user: when they were last active. Without it, and with posts declared,
    #: it is when they last posted.
    last_active: str | None = None

    #: A boolean of the user: "I may be suggested to others". Without such an attribute
    #: everybody may.
    discoverable: str | None = "discoverable"

    # --- Requests --------------------------------------------------------------------------------

    #: After this time an unanswered request counts as never made; None: never.
    request_expiry: timedelta | None = None

    #: For this time after a rejection the same user may not ask again; None: at once.
    request_cooldown: timedelta | None = None

    # --- Blocks ----------------------------------------------------------------------------------

    #: For this time after a block, ``unblock(restore=True)`` brings back what it cut.
    restore_window: timedelta = timedelta(days=30)

    # --- Limits: what one user may do. None: no limit. -------------------------------------------

    #: Users that one may follow, requests included (7,500 is usual) ...
    max_following: int | None = None

    #: ... or so many times the number of one's own followers, where that is more.
    max_following_ratio: float = 1.1

    #: Follows and requests in any 24 hours (400 is usual), whether they were taken back or not.
    max_follows_per_day: int | None = None

    #: Requests of one's own that may be pending at a time.
    max_pending_requests: int | None = None

    # --- Lists -----------------------------------------------------------------------------------

    #: A user who was not active for this time is dormant.
    dormant_after: timedelta = timedelta(days=30)

    # --- Materialized home timelines --------------------------------------------------------------

    #: Posts in the materialized timeline of a reader, 1 to 10,000; older ones are looked up.
    timeline_length: int = 800

    #: Followers up to which a post is written to each of them; those of an author with
    #: more are looked up when a page is read. None: however many.
    fan_out_most: int | None = 10_000

    #: A timeline is kept ready for each reader who was active within this time.
    timeline_kept: timedelta = timedelta(days=7)

    # --- Notifications and history ---------------------------------------------------------------

    #: For this time after a notification, the same action of the same user makes no other.
    notify_again_after: timedelta = timedelta(days=1)

    #: How long the history of edges is kept; None: for good.
    history_retention: timedelta | None = None

    def __post_init__(self) -> None:
        for name, highest in (("counter_slots", SLOTS_MOST), ("timeline_length", TIMELINE_MOST)):
            value = getattr(self, name)
            _require(_is_whole(value) and 1 <= value <= highest, name, value, f"a whole number from 1 to {highest}")
        secret: object = self.secret
        if secret is not None and not isinstance(secret, (str, bytes)):
            message = "secret must be str, bytes or None"
            raise ValueError(message)
        for name in ATTRIBUTES:
            value = getattr(self, name)
            _require(value is None or (isinstance(value, str) and value.isidentifier()), name, value, _ATTRIBUTE)
        for name in ("max_following", "max_follows_per_day", "max_pending_requests", "fan_out_most"):
            value = getattr(self, name)
            _require(value is None or (_is_whole(value) and value >= 0), name, value, "a whole number from 0 or None")
        for name in ("request_expiry", "request_cooldown", "history_retention"):
            value = getattr(self, name)
            _require(value is None or _is_span(value), name, value, f"{_SPAN} or None")
        for name in ("restore_window", "notify_again_after", "dormant_after", "timeline_kept"):
            value = getattr(self, name)
            _require(_is_span(value), name, value, _SPAN)
        ratio: object = self.max_following_ratio
        is_ratio = isinstance(ratio, (int, float)) and not isinstance(ratio, bool) and 0 <= ratio < math.inf
        _require(is_ratio, "max_following_ratio", ratio, "a number from 0")
        retention = self.history_retention
        if self.max_follows_per_day is not None and retention is not None and retention < DAY:
            message = "max_follows_per_day counts a day of history: history_retention must be at least that"
            raise ValueError(message)

    @property
    def limits(self) -> bool:
        """Whether there is any limit."""
        return {self.max_following, self.max_follows_per_day, self.max_pending_requests} != {None}


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_span(value: object) -> bool:
    return isinstance(value, timedelta) and timedelta() <= value <= SPAN_MOST


def _require(is_valid: bool, name: str, value: object, wanted: str) -> None:
    if not is_valid:
        message = f"{name} must be {wanted}, not {value!r}"
        raise ValueError(message)
