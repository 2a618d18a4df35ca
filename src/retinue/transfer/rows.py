"""Read one row: the two users whom it names and the time, or why it is not an edge."""

from __future__ import annotations

import csv
import enum
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from retinue.errors import InvalidUserError, shown
from retinue.keys import Keys
from retinue.values import Key

#: (follower, followed, since); the time is None if the row has none.
Edge = tuple[Key, Key, datetime | None]

#: The names that columns may have in a header.
_NAMES: Final = (
    {"follower", "follower_id", "followerid"},
    {"following", "following_id", "followingid", "followed", "followed_id", "followedid"},
    {"timestamp"},
)

#: Texts whose keys are cached: a cached key costs a fifth of the time to parse one.
_CACHED_KEYS: Final = 65_536

_UNIX_SECONDS = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,9}))?", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class SkipReason(enum.Enum):
    """Why a row was not added."""

    #: Not two or three columns, or not text.
    MALFORMED = "malformed row"
    #: A key that no user can have: of another type, out of range, too long.
    INVALID_KEY = "invalid key"
    #: A time without a zone, outside 1970 to 9999, or no time at all.
    INVALID_TIMESTAMP = "invalid timestamp"
    #: Follower and followed are the same.
    SELF_FOLLOW = "self-follow"
    #: A key that no user has.
    UNKNOWN_USER = "unknown user"
    #: The edge exists: from before, or from an earlier row.
    DUPLICATE = "duplicate"
    #: One of the two blocks the other.
    BLOCKED = "blocked"
    #: The follower follows as many as they may: `Settings.max_following`.
    LIMIT = "limit reached"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that was not added, and why."""

    #: Its line in the file, or its place in the iterable; from 1.
    number: int
    #: The line's text, at most 200 characters of it; or the row as the iterable gave it.
    row: object
    reason: SkipReason
    #: What is wrong with it, in words.
    detail: str


class RowError(ValueError):
    """A row that is not an edge."""

    def __init__(self, reason: SkipReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Reader:
    """Turns rows into edges, for one kind of keys."""

    def __init__(self, keys: Keys) -> None:
        self._check: Callable[[object], Key] = keys.check
        self._from_text: Callable[[str], Key] = lru_cache(_CACHED_KEYS)(keys.read)

    def edge(self, fields: Sequence[Any]) -> Edge:
        """Return the edge in *fields*; raise `RowError` if there is none."""
        if len(fields) == 2:
            (first, second), since = fields, None
        elif len(fields) == 3:
            first, second, time = fields
            since = _time(time)
        else:
            columns = f"{len(fields)} column{'' if len(fields) == 1 else 's'}"
            raise RowError(SkipReason.MALFORMED, f"{columns} instead of 2 or 3")
        try:
            follower = self._from_text(first) if type(first) is str else self._check(first)
            followed = self._from_text(second) if type(second) is str else self._check(second)
        except InvalidUserError as error:
            raise RowError(SkipReason.INVALID_KEY, str(error)) from None
        if follower == followed:
            raise RowError(SkipReason.SELF_FOLLOW, f"user {shown(follower)} cannot follow themselves")
        return follower, followed, since


def fields_of_line(line: str) -> Sequence[str]:
    """Return the fields of a line of CSV; raise `RowError` if it is none."""
    if "\0" in line:
        raise RowError(SkipReason.MALFORMED, "it holds a NUL character")
    try:
        (fields,) = csv.reader([line], strict=True)
    except (csv.Error, ValueError) as error:
        raise RowError(SkipReason.MALFORMED, f"its quotes do not match: {error}") from None
    return fields


def fields_of_item(item: object) -> Sequence[Any]:
    """Return the fields of an item of an iterable; raise `RowError` if it has none."""
    if type(item) is tuple or (isinstance(item, Sequence) and not isinstance(item, (str, bytes, bytearray))):
        return item
    raise RowError(SkipReason.MALFORMED, f"a row is (follower, following[, timestamp]), not {type(item).__name__}")


def is_header(fields: Sequence[str]) -> bool:
    """
    Return whether *fields* are names of columns.

    Raises:
        ValueError: They are, but in another order.
    """
    found = [field.strip().lower() for field in fields]
    expected = _NAMES[: len(found)]
    if len(found) in (2, 3) and all(name in names for name, names in zip(found, expected, strict=True)):
        return True
    if len(set(found)) == len(found) > 1 and set(found) <= set().union(*_NAMES):
        message = f"the columns must be follower,following[,timestamp], not {','.join(found)}"
        raise ValueError(message)
    return False


def _time(value: object) -> datetime | None:
    """Return *value* as a time; None if it is empty."""
    if value is None or value == "":
        return None
    try:
        found = _parsed(value)
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise RowError(SkipReason.INVALID_TIMESTAMP, f"{shown(value)} is neither ISO 8601 nor unix seconds")
    if found.tzinfo is None or found.utcoffset() is None:
        raise RowError(SkipReason.INVALID_TIMESTAMP, f"{shown(value)} has no zone")
    try:
        found = found.astimezone(UTC)
    except OverflowError:
        found = datetime.min.replace(tzinfo=UTC)
    if found < _EPOCH:
        raise RowError(SkipReason.INVALID_TIMESTAMP, f"{shown(value)} is not between 1970 and 9999")
    return found


def _parsed(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return _EPOCH + timedelta(seconds=value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    unix = _UNIX_SECONDS.fullmatch(text)
    if unix is None:
        return datetime.fromisoformat(text)
    whole, part = unix.groups()
    return _EPOCH + timedelta(seconds=int(whole), microseconds=int((part or "0")[:6].ljust(6, "0")))
