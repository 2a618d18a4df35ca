"""
Opaque cursors: a place in one list, in a form that only this list accepts.

A cursor holds a direction, the value by which the list is sorted (a time or a name) and a key. Its last bytes are a
keyed digest over these *and* over the list that it belongs to, which is not stored itself: a cursor of another list,
user or viewer fails exactly as an altered one does.
"""

from __future__ import annotations

import base64
import binascii
import enum
import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from retinue.errors import InvalidCursor

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DIGEST_BYTES = 10
#: Longer than any cursor over a key of 255 characters and a name of thousands; more is not worth decoding.
_MAX_CHARACTERS = 65_536


def micros_of(time: datetime) -> int:
    """Return *time*, which is aware, as microseconds since 1970."""
    return (time - _EPOCH) // _MICROSECOND


def time_of(micros: int) -> datetime:
    """Return the time *micros* microseconds after 1970; `OverflowError` if there is none."""
    return _EPOCH + micros * _MICROSECOND


class StoredTime(datetime):
    """
    A time in UTC that a database holds, and compares, as text in other words than the library's.

    SQLite does: one second is ``10:00:00``, ``10:00:00.000000`` and ``T10:00:00Z`` there, which are not equal.
    """

    #: The text.
    stored: str

    @classmethod
    def of(cls, time: datetime, stored: str) -> StoredTime:
        """Return *time*, which is aware and UTC, as it is *stored*."""
        found = cls.combine(time.date(), time.timetz())
        found.stored = stored
        return found


class Way(enum.Enum):
    """The direction of a cursor: which rows come, seen from the row that it names."""

    ON = ">"
    ON_OR_SAME = "]"
    BACK = "<"
    BACK_OR_SAME = "["

    @property
    def forward(self) -> bool:
        """Whether the way leads on, towards the list's end."""
        return self in (Way.ON, Way.ON_OR_SAME)


class Place(NamedTuple):
    """A place in a list: beside the row with *key*, and with the time or name *at* by which the list is sorted."""

    way: Way
    at: datetime | str
    key: Any


class Scope(NamedTuple):
    """
    The list that a cursor belongs to.

    Args:
        parts: What makes the list this one: its name, user, viewer, sort, filter.
        secret: The key of the digest; empty for a plain checksum.
        key_of: Returns the key that was written as a text; `ValueError` if none was.
        order_type: The type of the values by which the list is sorted: datetime or str.
        text_of: Writes a key as text.
    """

    parts: Sequence[object]
    secret: bytes
    key_of: Callable[[str], Any]
    order_type: type = datetime
    text_of: Callable[[Any], str] = str

    def encode(self, place: Place) -> str:
        """Return *place* as a cursor: letters, digits, ``-`` and ``_``."""
        at = place.at if isinstance(place.at, str) else _time_text(place.at)
        # The length first: a name may hold any character that could separate the two.
        payload = f"{place.way.value}{len(at)}:{at}{self.text_of(place.key)}".encode()
        return _text(payload + self._digest(payload))

    def decode(self, cursor: object) -> Place:
        """
        Return the place that *cursor* names. No statement.

        Raises:
            InvalidCursor: Not a string, not a cursor, altered, or of another list.
        """
        if not isinstance(cursor, str) or not 0 < len(cursor) <= _MAX_CHARACTERS:
            raise InvalidCursor(cursor)
        try:
            blob = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise InvalidCursor(cursor) from None
        payload, digest = blob[:-_DIGEST_BYTES], blob[-_DIGEST_BYTES:]
        # The second test: base64 ignores spare bits of the last character, so several
        # texts decode alike; only one of them is a cursor.
        if not hmac.compare_digest(digest, self._digest(payload)) or _text(blob) != cursor:
            raise InvalidCursor(cursor)
        # Where there is no secret, a forger can get this far: nothing below may trust the text.
        try:
            way, (length, _, text) = Way(payload[:1].decode()), payload[1:].decode().partition(":")
            at, key = text[: int(length)], text[int(length) :]
            return Place(way, self._at(at), self.key_of(key))
        except (ValueError, OverflowError):
            raise InvalidCursor(cursor) from None

    def _digest(self, payload: bytes) -> bytes:
        # Blake2 takes a key of at most 64 bytes; a secret may be longer.
        key = hashlib.blake2b(self.secret).digest() if self.secret else b""
        scope = repr(tuple(self.parts)).encode()
        return hashlib.blake2b(scope + b"\0" + payload, key=key, digest_size=_DIGEST_BYTES).digest()

    def _at(self, text: str) -> datetime | str:
        return text if self.order_type is str else _time_of_text(text)


def _time_text(time: datetime) -> str:
    return time.stored if isinstance(time, StoredTime) else str(micros_of(time))


def _time_of_text(text: str) -> datetime:
    if text.removeprefix("-").isdecimal():
        return time_of(int(text))
    time = datetime.fromisoformat(text)
    return StoredTime.of(time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC), text)


def _text(blob: bytes) -> str:
    return base64.urlsafe_b64encode(blob).decode().rstrip("=")
