"""What other processes do for home timelines: they import this module, not the tests."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, event
from sqlalchemy.orm import sessionmaker

from retinue import Settings, fanout, prepare_engine
from retinue.work.building import OPTION
from tests.database.models_timeline import declare_posting

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

#: As the tests declare them: the same tables.
MODELS = declare_posting(Settings(active="active", fan_out_most=None), kept=True)


def do_units(url: str, units: list[str]) -> None:
    """Do *units* and all that go on from there."""
    sessions = sessionmaker(prepare_engine(create_engine(url)))
    for unit in units:
        left: str | None = unit
        while left is not None:
            left = fanout.run(sessions, MODELS.user, left)


def hang(url: str, unit: str, statement: str, times: int, reached: Event) -> None:
    """Go on from *unit* until the library's *statement* has run so many *times*, and stop there, not committed."""
    fanout.BATCH = 2  # type: ignore[misc]
    engine = prepare_engine(create_engine(url))
    ran = 0

    @event.listens_for(engine, "after_cursor_execute")
    def _after(connection: object, _cursor: object, _text: str, _params: object, context: object, _many: bool) -> None:
        nonlocal ran
        ran += context.execution_options.get(OPTION) == statement  # type: ignore[attr-defined]
        if ran == times:
            reached.set()
            time.sleep(600)

    left: str | None = unit
    while left is not None:
        left = fanout.run(sessionmaker(engine), MODELS.user, left)
