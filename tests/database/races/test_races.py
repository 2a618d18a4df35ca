"""
What the table says, on every engine; and some of it at other isolation levels.

The name of a test is its row's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection

from retinue import prepare_engine
from tests.database.races import exact, storm
from tests.database.races.exact import COMMIT
from tests.database.races.scenes import Scene, cast
from tests.database.races.table import EXACT, GRAPHS, STORMS, WANDERINGS, Exact, Storm, Wandering
from tests.long import few_or_many

pytestmark = pytest.mark.tables.with_args(lambda graph: GRAPHS[graph].metadata)


def rows_of(table: list[Any], *, seldom: str = "") -> pytest.MarkDecorator:
    """Give a test each row of *table*, with each of its graphs: with *seldom* in a long run."""
    # By graph, so that connections are kept from one test to the next.
    played = [(row, graph) for graph in GRAPHS for row in table if graph in row.graphs]
    params = [
        pytest.param(row, graph, id=f"{graph}, {row.title}", marks=[pytest.mark.long] * (graph == seldom))
        for row, graph in played
    ]
    return pytest.mark.parametrize(("row", "graph"), params)


def scenes(row: Storm, number: int) -> list[Any]:
    return [cast(n, row.people, row.before, row.beside, row.loads) for n in range(number)]


@few_or_many("share", 0, 1)
@rows_of(STORMS)
def test_storm(engine: Engine, row: Storm, graph: str, share: int) -> None:
    if engine.dialect.name in row.engines:
        storm.let_loose(
            engine, GRAPHS[graph], scenes(row, row.scenes[share]), retries=engine.dialect.name in row.retries
        )


def meetings(row: Exact, *places: str) -> list[tuple[str, Scene]]:
    return [(place, cast(n, row.people, row.before, (row.first, row.second))) for n, place in enumerate(places)]


@rows_of(EXACT)
def test_exact(engine: Engine, row: Exact, graph: str) -> None:
    exact.meet(engine, GRAPHS[graph], meetings(row, row.stops), patient=engine.dialect.name in row.retries)


@pytest.mark.long
@rows_of(EXACT)
def test_exact_anywhere(engine: Engine, row: Exact, graph: str) -> None:
    """The first may stop before any of its statements."""
    models, ((_, scene),) = GRAPHS[graph], meetings(row, COMMIT)
    places = exact.places_of(engine, models, scene)
    exact.meet(engine, models, meetings(row, *places), patient=engine.dialect.name in row.retries, sure=False)


@few_or_many("times", 12, 40)
@rows_of(WANDERINGS)
def test_wandering(engine: Engine, row: Wandering, graph: str, times: int) -> None:
    storm.let_wander(engine, GRAPHS[graph], row.actions, most=row.most, times=times)


# --- Other isolation levels ----------------------------------------------------------------------

LEVELS = [
    ("postgresql", "REPEATABLE READ"),
    ("postgresql", "SERIALIZABLE"),
    ("mariadb", "READ COMMITTED"),
    ("mariadb", "SERIALIZABLE"),
    ("mariadb", "SNAPSHOT"),
]


@pytest.fixture
def level(request: pytest.FixtureRequest, engine: Engine) -> Iterator[Engine]:
    """Give an engine whose transactions have the isolation level that the test names."""
    # Newer MariaDB checks a snapshot by default: who changes what changed since then gets error 1020.
    checked = request.param == "SNAPSHOT"
    name = "REPEATABLE READ" if checked else request.param
    strict = prepare_engine(create_engine(engine.url, pool_size=20, isolation_level=name))

    @event.listens_for(strict, "connect")
    def check_snapshots(connection: DBAPIConnection, record: object) -> None:
        if checked:
            with closing(connection.cursor()) as cursor:
                cursor.execute("SET innodb_snapshot_isolation = ON")

    yield strict
    strict.dispose()


at_levels = pytest.mark.parametrize(
    ("database", "level"), LEVELS, indirect=True, ids=[" ".join(level) for level in LEVELS]
)


@at_levels
@rows_of([row for row in STORMS if row.at_levels], seldom="16 slots")
def test_storm_at_other_levels(level: Engine, row: Storm, graph: str) -> None:
    """At every isolation level `transact()` hides all conflicts, and without it only retriable ones are seen."""
    storm.let_loose(level, GRAPHS[graph], scenes(row, 2), retries=True)


@at_levels
@rows_of([row for row in EXACT if row.at_levels], seldom="16 slots")
def test_exact_at_other_levels(level: Engine, row: Exact, graph: str) -> None:
    """At every isolation level an old snapshot decides nothing."""
    exact.meet(level, GRAPHS[graph], meetings(row, row.stops), patient=True)
