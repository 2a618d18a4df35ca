"""Databases in which calls are measured: loaded once for a run, on each engine."""

from __future__ import annotations

from sqlalchemy import Engine

from tests.performance.loading import gather_statistics, load
from tests.performance.models import COUNTED, EVERYTHING
from tests.performance.operations import Place, operations
from tests.performance.watch_mariadb import MariaDBWatch
from tests.performance.watch_postgresql import PostgreSQLWatch
from tests.performance.watch_sqlite import SQLiteWatch
from tests.performance.watched import Watch, Watched

WATCHES: dict[str, type[Watch]] = {
    "sqlite": SQLiteWatch,
    "postgresql": PostgreSQLWatch,
    "mariadb": MariaDBWatch,
}


class Measured:
    """A loaded database, and what calls do in it."""

    def __init__(self, engine: Engine, *, loaded: bool = False, statistics: bool = True) -> None:
        if not loaded:
            load(engine)
        if statistics:
            gather_statistics(engine)
        self.name = engine.dialect.name
        self._watch = WATCHES[self.name](engine)
        cursors: dict[tuple[str, int, int], str] = {}
        graphs = {"counted": COUNTED, "every model": EVERYTHING}
        self._places = {graph: Place(engine, models, cursors) for graph, models in graphs.items()}

    def runs_of(self, graph: str, operation: str) -> list[Watched]:
        """Return what each call of an operation did, one after the other."""
        place, calls = self._places[graph], operations()[operation]
        # Nobody deletes users by the dozen, and it takes its time.
        again = not operation.startswith("delete")
        return [run for call in calls for run in self._watch.of(lambda session: call(place, session), again=again)]  # noqa: B023
