"""What statements say of the transaction that they are in, and which savepoints it has by that."""

from __future__ import annotations

import re
from typing import Final

#: What is said between a transaction's BEGIN and its end about how it goes on, with the name of a savepoint.
CONTROL: Final = re.compile(
    r"""(?: \s | --[^\n]*\n | /\*.*?\*/ )*
    (?: (?P<savepoint> SAVEPOINT ) \s+ (?P<new> NAME )
      | (?P<back> ROLLBACK (?: \s+ (?: WORK | TRANSACTION ) )? \s+ TO (?: \s+ SAVEPOINT )? ) \s+ (?P<old> NAME )
      | (?P<release> RELEASE (?: \s+ SAVEPOINT )? ) \s+ (?P<gone> NAME )
      | (?P<rollback> (?: ROLLBACK | ABORT ) \b )
      | (?P<prepare> PREPARE \s+ TRANSACTION \b | XA \s+ (?: END | PREPARE ) \b )
      | (?P<commit> (?: COMMIT | END | XA \s+ COMMIT ) \b )
    )""".replace("NAME", r"""(?: "(?:[^"]|"")+" | `(?:[^`]|``)+` | \[[^\]]+\] | '[^']+' | [^\s;]+ )"""),
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


class Savepoints:
    """The savepoints that were set since some moment, the oldest first, each with a number."""

    __slots__ = ("_points",)

    def __init__(self) -> None:
        self._points: list[tuple[str, int]] = []

    def add(self, name: str, number: int, *, replace: bool) -> None:
        """Add the savepoint *name*; *replace* one of this name, or hide it."""
        if replace:
            self._points = [point for point in self._points if point[0] != name]
        self._points.append((name, number))

    def back_to(self, name: str) -> int | None:
        """Forget those that came after *name*, which stays; return its number, or None for one that is older than all."""
        place = self._place(name)
        del self._points[0 if place is None else place + 1 :]
        return None if place is None else self._points[place][1]

    def release(self, name: str) -> bool:
        """Forget the savepoint *name* and those in it; return False for one that is older than all."""
        place = self._place(name)
        if place is not None:
            del self._points[place:]
        return place is not None

    def __contains__(self, name: str) -> bool:
        return self._place(name) is not None

    def clear(self) -> None:
        """Forget all."""
        self._points.clear()

    def _place(self, name: str) -> int | None:
        places = range(len(self._points) - 1, -1, -1)
        return next((place for place in places if self._points[place][0] == name), None)
