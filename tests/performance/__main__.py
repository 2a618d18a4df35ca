"""
Print the table of `work.py` as it should be now.

    .venv/bin/python -m tests.performance [sqlite] [postgresql] [mariadb]

Engines that are not named keep what the table says. The work is what was measured and
some room, for other versions of the engines.
"""

from __future__ import annotations

import sys

from benchmarks.databases import database
from tests.costs.table import ENGINES
from tests.performance.operations import operations
from tests.performance.places import Measured
from tests.performance.work import WORK

#: Steps depend on the version of SQLite, rows hardly on that of a server.
_ROOM = {"sqlite": 1.5, "postgresql": 1.25, "mariadb": 1.25}


def measured(name: str) -> dict[tuple[str, str], int]:
    """Return the work of each graph's operations on one engine."""
    found = {}
    with database(name) as engine:
        place = Measured(engine)
        for graph in WORK:
            for operation in operations():
                runs = place.runs_of(graph, operation)
                room = max(run.work for run in runs) * _ROOM[name] + 4
                found[graph, operation] = _round(room)
                for scan in sorted({scan for run in runs for scan in run.scans}):
                    print(f"# {name}, {graph}, {operation}: {scan}")
    return found


def _round(work: float) -> int:
    """Return *work* with two digits that count."""
    unit: int = 10 ** max(0, len(str(int(work))) - 2)
    return -(-int(work) // unit) * unit


def main() -> None:
    """Measure on the engines named, or on all."""
    every = {name: measured(name) for name in sys.argv[1:] or ENGINES}
    for graph in WORK:
        print(f'\n    "{graph}": {{')
        for operation in operations():
            old = WORK[graph].get(operation, (0, 0, 0))
            now = [every[name][graph, operation] if name in every else old[n] for n, name in enumerate(ENGINES)]
            work = ", ".join(f"{number:{width}}" for number, width in zip(now, (9, 7, 7), strict=True))
            label = f'"{operation}":'
            print(f"        {label:44} ({work}),")
        print("    },")


if __name__ == "__main__":
    main()
