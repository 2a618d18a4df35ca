"""Ways to build a follow system, one in each module."""

from __future__ import annotations

from importlib import import_module

from benchmarks.contestant import Contestant

#: The floor comes first, and Retinue next; then what a large graph would take too long to give.
_FLOOR_AND_OURS = (
    ("floor_sqlite", "FloorSQLite"),
    ("floor_postgresql", "FloorPostgreSQL"),
    ("floor_mariadb", "FloorMariaDB"),
    ("ours", "Retinue"),
)
_OTHERS = (
    ("ours", "RetinueEveryModel"),
    ("lesson", "Lesson"),
    ("association", "Association"),
    ("friendship", "Friendship"),
    ("activity_stream", "ActivityStream"),
    ("valkey", "Valkey"),
)


def everybody(*, large: bool = False) -> list[type[Contestant]]:
    """Return all contestants; for a *large* graph, the floor and Retinue alone. Only here are they loaded."""
    names = _FLOOR_AND_OURS if large else _FLOOR_AND_OURS + _OTHERS
    return [getattr(import_module(f"{__name__}.{module}"), name) for module, name in names]
