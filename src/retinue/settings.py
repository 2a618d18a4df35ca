"""The choices an application makes, as one frozen value on its user class."""

from __future__ import annotations

from dataclasses import dataclass

#: Rows on a page: what a caller gets unasked, and the most that may be asked for.
PAGE_DEFAULT = 20
PAGE_MOST = 100

#: Users in one call of ``relationships()`` or ``counts()``.
BATCH_MOST = 1_000

#: Slots over which one user's counters may be spread.
SLOTS_MOST = 256


@dataclass(frozen=True, slots=True)
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

    def __post_init__(self) -> None:
        slots: object = self.counter_slots
        if not isinstance(slots, int) or isinstance(slots, bool) or not 1 <= slots <= SLOTS_MOST:
            message = f"counter_slots must be a whole number from 1 to {SLOTS_MOST}, not {slots!r}"
            raise ValueError(message)
        secret: object = self.secret
        if secret is not None and not isinstance(secret, (str, bytes)):
            message = "secret must be str, bytes or None"
            raise ValueError(message)
