"""PostgreSQL keeps one plan for each statement, and that plan is right for users of every size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from retinue import prepare_engine
from tests.performance.loading import gather_statistics, load
from tests.performance.models import COUNTED, EVERYTHING, Models
from tests.performance.operations import Place, operations
from tests.performance.places import Measured
from tests.performance.watch_postgresql import planned
from tests.performance.work import WORK
from tests.servers import Server

#: The server plans the first five times for the values that it is given; then it compares, and may keep a plan.
#: Source: https://www.postgresql.org/docs/current/sql-prepare.html
TRIED = 5

#: Read without bounds by the plan that is kept: edges of who is deleted.
UNBOUNDED = {"delete a user with 10 followers"}

#: The server believes that nothing has changed for long: what an index holds, it takes from there.
_SETTLED = "UPDATE pg_class SET relallvisible = relpages WHERE relname = 'follows'"

#: Reads that ask for nothing by lists which they have found before.
READS = ("is_following", "relationships", "page", "counts", "mutuals", "followers known", "home timeline")


@pytest.fixture(scope="module", params=[False, True], ids=["without statistics", "with statistics"])
def crowd(request: pytest.FixtureRequest, server: Callable[[str], Server]) -> Iterator[Engine]:
    """Give 20,000 people, on connections that let the server prepare a statement the first time."""
    url = server("postgresql").create_database()
    engine = prepare_engine(create_engine(url, connect_args={"prepare_threshold": 0}))
    load(engine)
    if request.param:
        gather_statistics(engine)
    yield engine
    engine.dispose()
    server("postgresql").drop_database(url)


@pytest.mark.long
@pytest.mark.parametrize("models", [COUNTED, EVERYTHING], ids=["counted", "every model"])
def test_each_statement_has_one_plan(crowd: Engine, models: Models) -> None:
    """Whoever is asked about: somebody with ten followers or 15,000, on the first page or a deep one."""
    place, again = Place(crowd, models, {}), {}
    for operation, calls in operations().items():
        if operation.startswith(("delete", "search")):
            continue  # nobody deletes users by the dozen; of a text that is searched the server knows how rare it is
        for number, call in enumerate(calls):
            crowd.dispose()  # what a connection has prepared goes with it
            with Session(crowd) as session:
                for _ in range(2 * TRIED):
                    call(place, session)
                    session.flush()
                again[operation, number] = _planned_again(session)  # before a rollback, at which the driver drops them

    assert {key: statements for key, statements in again.items() if statements} == {}


def _planned_again(session: Session) -> list[str]:
    prepared = "SELECT statement, custom_plans, generic_plans FROM pg_prepared_statements"
    rows = [row for row in session.connection().exec_driver_sql(prepared) if row.statement != prepared]
    assert any(row.custom_plans + row.generic_plans >= 2 * TRIED for row in rows)
    return [row.statement for row in rows if row.custom_plans > TRIED]


@pytest.mark.long
@pytest.mark.parametrize("graph", WORK)
def test_the_plan_that_is_kept_reads_no_more(server: Callable[[str], Server], graph: str) -> None:
    """
    Than the table says: of a list of 15,000 as of one of ten, as much as a plan for just that list.

    In a table that was never vacuumed, where the server reads rows rather than an index.
    """
    url = server("postgresql").create_database()
    kept = {"prepare_threshold": 0, "options": "-c plan_cache_mode=force_generic_plan"}
    engine = prepare_engine(create_engine(url, connect_args=kept))
    measured, more = Measured(engine), {}
    for operation in operations().keys() - UNBOUNDED:
        allowed, read = WORK[graph][operation][1], max(run.work for run in measured.runs_of(graph, operation))
        if read > allowed:
            more[operation] = (allowed, read)
    engine.dispose()
    server("postgresql").drop_database(url)

    assert more == {}


@pytest.mark.long
@pytest.mark.parametrize("models", [COUNTED, EVERYTHING], ids=["counted", "every model"])
def test_the_plan_for_one_is_the_plan_for_all(crowd: Engine, models: Models) -> None:
    """
    Node by node, with as many rows as the server expects: so it has nothing to choose, however large a graph grows.

    And an edge is looked up by both its keys in the one index that has both first.
    """
    place, others, detours = Place(crowd, models, {}), [], []
    for operation, calls in operations().items():
        if not operation.startswith(READS):
            continue
        for number, call in enumerate(calls):
            nodes = {}
            for mode in ("force_custom_plan", "force_generic_plan"):
                with Session(crowd) as session:
                    session.connection().exec_driver_sql(f"SET LOCAL plan_cache_mode = {mode}")
                    session.connection().exec_driver_sql(_SETTLED)
                    nodes[mode] = planned(session, lambda s: call(place, s))  # noqa: B023
            custom, generic = nodes.values()
            others += [(operation, number)] if _expected(custom) != _expected(generic) else []
            detours += [(operation, number, node["Index Name"]) for node in generic if _is_detour(node)]

    assert others == []
    assert detours == []


def _expected(nodes: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(node["Node Type"], node.get("Index Name"), node["Plan Rows"]) for node in nodes]


def _is_detour(node: dict[str, Any]) -> bool:
    condition = node.get("Index Cond", "")
    both = all(f"{key} = " in condition for key in ("follower_id", "following_id"))
    return node.get("Relation Name") == "follows" and both and node["Index Name"] != "follows_pkey"
