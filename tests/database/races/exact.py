"""
Two sessions that meet at one place: the first stops there, the second does what it can, the first goes on.

The second has done what it can when it has committed, or waits for the first: the database says which.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, event, insert
from sqlalchemy.orm import Session

from retinue.work.building import OPTION
from tests.database.graph_models import HUNG, crowd, errors
from tests.database.races.actions import Application
from tests.database.races.judge import heard
from tests.database.races.scenes import Scene, invite, job, judge, people, prepare
from tests.models import Models

#: Where the first has done all, and nobody else sees it yet.
COMMIT = "COMMIT"

#: Whether somebody waits for a lock. A run has its servers for itself.
_WAITING = {
    "postgresql": "SELECT count(*) FROM pg_locks WHERE NOT granted",
    "mariadb": "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'",
}


@dataclass
class Meeting:
    """
    How far the two have come. The first stops before the statement *place*, once.

    On SQLite whoever has begun to write holds the one lock, and whoever wants to begin then waits.
    """

    engine: Engine
    place: str
    waits: Connection | None
    #: The first has come to the place, or was over without it.
    reached: threading.Event = field(default_factory=threading.Event)
    stopped: bool = False
    #: The second has committed, or met an error; the first time that it tried.
    over: threading.Event = field(default_factory=threading.Event)
    threads: dict[int, int] = field(default_factory=dict)
    begun: set[int] = field(default_factory=set)

    def first(self, act: Callable[[Session], object]) -> Callable[[Session], object]:
        def run(session: Session) -> object:
            self.threads[threading.get_ident()] = 1
            event.listen(session, "after_commit", lambda _session: self.reached.set())
            event.listen(session, "after_rollback", lambda _session: self.reached.set())
            return act(session)

        return run

    def second(self, act: Callable[[Session], object]) -> Callable[[Session], object]:
        def run(session: Session) -> object:
            if not self.over.is_set():
                self.threads[threading.get_ident()] = 2
                event.listen(session, "after_commit", lambda _session: self.over.set())
                event.listen(session, "after_rollback", lambda _session: self.over.set())
                assert self.reached.wait(HUNG)
            return act(session)

        return run

    def come_to(self, statement: str) -> None:
        """Note where a session is; let the first stop at the place where it is to stop."""
        who = self.threads.get(threading.get_ident())
        if who is None:
            return
        if statement.startswith("BEGIN"):
            self.begun.add(who)
        if who == 1 and statement == self.place and not self.reached.is_set():
            self.stopped = True
            self.reached.set()
            deadline = time.monotonic() + HUNG
            while not self.over.is_set() and not self.second_waits():
                assert time.monotonic() < deadline
                time.sleep(0.001)

    def second_waits(self) -> bool:
        if self.waits is None:
            return self.begun == {1, 2}
        return int(self.waits.exec_driver_sql(_WAITING[self.engine.dialect.name]).one()[-1]) > 0


@contextmanager
def watched(engine: Engine, place: str) -> Iterator[Meeting]:
    """Give a meeting at *place* of two sessions on *engine*."""
    with look_at(engine) as waits:
        meeting = Meeting(engine, place, waits)

        def execute(_connection: Any, _cursor: Any, text: str, _parameters: Any, context: Any, _many: bool) -> None:
            meeting.come_to(context.execution_options.get(OPTION, text) if context else text)

        def commit(_connection: Any) -> None:
            meeting.come_to(COMMIT)

        event.listen(engine, "before_cursor_execute", execute)
        event.listen(engine, "commit", commit)
        try:
            yield meeting
        finally:
            event.remove(engine, "before_cursor_execute", execute)
            event.remove(engine, "commit", commit)


@contextmanager
def look_at(engine: Engine) -> Iterator[Connection | None]:
    """Give a connection that sees who waits; None on SQLite."""
    if engine.dialect.name == "sqlite":
        yield None
    else:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection


def meet(
    engine: Engine, models: Models, meetings: Sequence[tuple[str, Scene]], *, patient: bool, sure: bool = True
) -> None:
    """
    Let the two of each scene meet at its place; fail unless it ends as one of the two orders does.

    With *patient*, both act in `transact()`. Nobody meets an error of the database, either way. Unless *sure*, the
    first may do without the statement this time: which slot it counts in is chance.
    """
    scenes = [scene for _, scene in meetings]
    invite(engine, models, max(scene.users[-1] for scene in scenes))
    with crowd(engine, models, 2) as them, heard(models) as told:
        worlds, results = [], []
        for place, scene in meetings:
            worlds.append(prepare(them, scene))
            first, second = (job(models, action) for action in scene.beside)
            with watched(engine, place) as meeting:
                met = them.race([meeting.first(first), meeting.second(second)], scene.users, patient=patient)
            assert meeting.stopped or not sure, f"{place} did not run"
            assert errors(met) == [], (place, list(zip(scene.beside, met, strict=True)))
            results.append(met)
    judge(them, scenes, worlds, results, told)


def places_of(engine: Engine, models: Models, scene: Scene) -> list[str]:
    """Return the names of what the first of *scene* does: its statements, each once, and COMMIT. It is rolled back."""
    places: dict[str, None] = {}

    def note(_connection: Any, _cursor: Any, text: str, _parameters: Any, context: Any, _many: bool) -> None:
        if context is not None and OPTION in context.execution_options:
            places[context.execution_options[OPTION]] = None

    with Session(engine) as session:
        session.execute(insert(models.user.__table__), people(models, scene.users[-1]))
        graph = Application(session, models)
        for action in scene.before:
            action.on(graph)
        event.listen(engine, "before_cursor_execute", note)
        try:
            scene.beside[0].on(graph)
        finally:
            event.remove(engine, "before_cursor_execute", note)
    return [*places, COMMIT]
