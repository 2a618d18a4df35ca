"""Every call reads no more than the table says, and no large table as a whole; in the statements that all take."""

from __future__ import annotations

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from tests.costs.table import ENGINES, TABLE
from tests.performance.operations import ROWS, operations
from tests.performance.places import Measured
from tests.performance.work import WHOLE, WORK


@pytest.mark.sampled(3)
@pytest.mark.parametrize("graph", WORK)
@pytest.mark.parametrize("operation", operations())
def test_an_operation_reads_no_more_than_the_table_says(measured: Measured, graph: str, operation: str) -> None:
    """For everybody of its calls alike, few followers or 15,000; after a change: ``python -m tests.performance``."""
    most = WORK[graph][operation][ENGINES.index(measured.name)]
    statements = TABLE[ROWS[operation]].statements(graph, measured.name)
    may_be_whole = WHOLE.get((measured.name, operation), "").split()
    for run in measured.runs_of(graph, operation):
        assert len(run.statements) == statements, str(run)
        assert run.work <= most, str(run)
        assert [scan for scan in run.scans if scan.partition(":")[0] not in may_be_whole] == [], str(run)


@pytest.mark.parametrize("operation", [name for name in operations() if name.startswith(("page", "mutuals", "home"))])
def test_a_session_that_may_hide_users_reads_them_beside_the_list(measured: Measured, operation: str) -> None:
    """In as many statements, and at most as many rows again, whatever the listener is for: no table as a whole."""
    place = ENGINES.index(measured.name)
    without = WORK["counted"][operation][place]

    def hide_nothing(_state: object) -> None:
        """Add no criteria: that they could be there is enough."""

    event.listen(Session, "do_orm_execute", hide_nothing)
    try:
        runs = measured.runs_of("counted", operation)
    finally:
        event.remove(Session, "do_orm_execute", hide_nothing)
    may_be_whole = WHOLE.get((measured.name, operation), "").split()
    for run in runs:
        assert len(run.statements) == TABLE[ROWS[operation]].statements("counted", measured.name), str(run)
        assert run.work <= 2 * without, str(run)
        assert [scan for scan in run.scans if scan.partition(":")[0] not in may_be_whole] == [], str(run)


def test_the_table_has_every_operation_and_no_other() -> None:
    """So that none is forgotten when one is added."""
    for graph in WORK.values():
        assert graph.keys() == ROWS.keys() == operations().keys()
