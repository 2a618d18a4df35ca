"""Ways to build a follow system, one in each module."""

from __future__ import annotations

from importlib import import_module

from benchmarks.competitor import Competitor

#: The floor comes first, and Retinue next, with those that share its database.
_FLOOR_AND_RETINUE = (
    ("floor_sqlite", "FloorSQLite"),
    ("floor_postgresql", "FloorPostgreSQL"),
    ("floor_mariadb", "FloorMariaDB"),
    ("retinue", "Retinue"),
    ("sharing", "RetinueEntities"),
    ("sharing", "RetinueRequests"),
    ("sharing", "ORM"),
)
#: What a large graph would take too long to give, and then who is no Retinue.
_EVERY_MODEL = (("retinue", "RetinueEveryModel"),)
_PEERS = (
    ("lesson", "Lesson"),
    ("friendship", "Friendship"),
    ("activity_stream", "ActivityStream"),
    ("valkey", "Valkey"),
)


def competitors(kind: str, *, large: bool = False, peers: bool = True) -> list[type[Competitor]]:
    """Return those who can take part on that *kind* of database; for a *large* graph, the floor and Retinue alone."""
    names = _FLOOR_AND_RETINUE if large else _FLOOR_AND_RETINUE + _EVERY_MODEL + (_PEERS if peers else ())
    # They are imported only here: the tests have no Django.
    found: list[type[Competitor]] = [getattr(import_module(f"{__name__}.{module}"), name) for module, name in names]
    return [one for one in found if kind in one.runs_on or not one.runs_on]


def floor_of(kind: str) -> type[Competitor]:
    """Return the floor of that *kind* of database."""
    return competitors(kind, large=True)[0]
