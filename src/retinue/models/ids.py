"""Numbers for rows that nothing else names: made by the application, growing with time."""

from __future__ import annotations

import secrets
import threading
import time
from typing import Final

#: Bits below the microseconds, filled at random: two processes do not make the same number.
RANDOM_BITS: Final = 12

_lock = threading.Lock()
_last = 0


def new_id() -> int:
    """Return a number of 63 bits, greater than any that this process made before."""
    global _last  # noqa: PLW0603 - "greater than the last" needs the last
    number = time.time_ns() // 1_000 << RANDOM_BITS | secrets.randbits(RANDOM_BITS)
    with _lock:
        _last = max(number, _last + 1)
        return _last


def id_at(seconds: float) -> int:
    """Return the least number that `new_id()` may make at a time, in seconds since 1970."""
    return int(seconds * 1_000_000) << RANDOM_BITS
