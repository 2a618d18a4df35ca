"""A clock that stands still until a test moves it: the one thing that tests put in the place of the real one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from unittest.mock import patch

from retinue.models import times

START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """Stands where the library looks for `datetime`, to ask it for the time."""

    def __init__(self) -> None:
        self.time = START

    def now(self, zone: tzinfo) -> datetime:
        return self.time.astimezone(zone)

    def move(self, span: timedelta) -> None:
        self.time += span


@contextmanager
def stopped_clock() -> Iterator[Clock]:
    """Give the clock by which the library goes within the block."""
    clock = Clock()
    with patch.object(times, "datetime", clock):
        yield clock
