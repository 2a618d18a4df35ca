"""A call that fails at one of its statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from retinue.engines.control import CONTROL

#: How a call may fail: before a statement of it is sent, as where the database refuses it, or after it has come through.
BEFORE, AFTER = "before", "after"


class StoppedError(Exception):
    """What stops a call after one of its statements."""


class Stop:
    """Counts the statements of a connection, and stops at one of them."""

    def __init__(self, at: int | None = None, moment: str = BEFORE) -> None:
        self.at = at
        self.moment = moment
        self.said: list[str] = []

    @contextmanager
    def on(self, connection: Connection) -> Iterator[None]:
        """Count in the block."""
        hooks = [("before_cursor_execute", self._before), ("after_cursor_execute", self._after)]
        for hook in hooks:
            event.listen(connection, *hook)
        try:
            yield
        finally:
            for hook in hooks:
                event.remove(connection, *hook)

    def _before(self, _connection: Connection, _cursor: Any, statement: str, *_more: Any) -> None:
        if self._counts(statement):
            self.said.append(statement)
            if self.moment == BEFORE and len(self.said) - 1 == self.at:
                raise OperationalError(statement, None, TimeoutError("no lock"))

    def _after(self, _connection: Connection, _cursor: Any, statement: str, *_more: Any) -> None:
        if self._counts(statement) and self.moment == AFTER and len(self.said) - 1 == self.at:
            raise StoppedError

    @staticmethod
    def _counts(statement: str) -> bool:
        return not (CONTROL.match(statement) or statement.startswith(("BEGIN", "PRAGMA")))
