"""Sessions for work that runs in transactions of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session, sessionmaker

from retinue.engines.safety import prepare_engine


def sessions_of(given: Any) -> Callable[[], Session]:
    """
    Return what makes new sessions: of an engine, which is prepared; or what was given, if it makes them itself.

    Raises:
        TypeError: It is neither an engine nor a factory of sessions.
    """
    if isinstance(given, Engine):
        return sessionmaker(prepare_engine(given))
    if not callable(given) or isinstance(given, (type(None), Session)) or hasattr(given, "sync_engine"):
        message = f"an Engine or what makes a Session is wanted, not {type(given).__name__}"
        raise TypeError(message)
    return cast("Callable[[], Session]", given)
