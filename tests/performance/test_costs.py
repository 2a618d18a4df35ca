"""Every call takes the statements that the table says, reads no more than it says, and no large table as a whole."""

from __future__ import annotations

import pytest

from tests.performance.costs import COSTS, ENGINES, WHOLE
from tests.performance.operations import operations
from tests.performance.places import Measured


@pytest.mark.parametrize("graph", COSTS)
@pytest.mark.parametrize("operation", operations())
def test_an_operation_costs_what_the_table_says(measured: Measured, graph: str, operation: str) -> None:
    """For everybody of its calls alike, few followers or 15,000; after a change: ``python -m tests.performance``."""
    cost, number = COSTS[graph][operation], ENGINES.index(measured.name)
    may_be_whole = WHOLE.get((measured.name, operation), "").split()
    for run in measured.runs_of(graph, operation):
        assert len(run.statements) == cost.statements[number], str(run)
        assert run.work <= cost.work[number], str(run)
        assert [scan for scan in run.scans if scan.partition(":")[0] not in may_be_whole] == [], str(run)


def test_the_table_has_every_operation_and_no_other() -> None:
    """So that none is forgotten when one is added."""
    for graph in COSTS.values():
        assert graph.keys() == operations().keys()
