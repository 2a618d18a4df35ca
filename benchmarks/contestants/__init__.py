"""Ways to build a follow system, one in each module."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from benchmarks.contestant import Contestant

#: The floor comes first, and Retinue next; then the peers.
_FLOOR_AND_OURS = {
    "floor_sqlite": ("FloorSQLite",),
    "floor_postgresql": ("FloorPostgreSQL",),
    "floor_mariadb": ("FloorMariaDB",),
    "ours": ("Retinue", "RetinueEveryModel"),
}
_PEERS = {
    "lesson": ("Lesson",),
    "association": ("Association",),
    "friendship": ("Friendship",),
    "activity_stream": ("ActivityStream",),
    "valkey": ("Valkey",),
}


def everybody(*, large: bool = False) -> list[type[Contestant]]:
    """Return all contestants; for a *large* graph, the floor and Retinue alone."""
    found = []
    for module, classes in (_FLOOR_AND_OURS if large else _FLOOR_AND_OURS | _PEERS).items():
        path = f"{__name__}.{module}"
        if find_spec(path):
            found += [getattr(import_module(path), name) for name in classes]
    return found
