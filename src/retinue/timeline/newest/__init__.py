"""Find the newest posts of a set of authors, for home timelines: each family of databases in its own way."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Final, cast

from retinue.engines import EngineRules
from retinue.timeline.newest.contract import Authors, Conditions, Feed, Newest, Of, number

__all__ = ["Authors", "Conditions", "Feed", "Newest", "Of", "newest_of", "number"]

#: The class for each family of databases; the module has the name of the family.
_CLASSES: Final = {"sqlite": "NewestOnSQLite", "postgresql": "NewestOnPostgreSQL", "mariadb": "NewestOnMariaDB"}


@cache
def newest_of(engine: EngineRules) -> Newest:
    """Return how the database of *engine* finds the newest rows."""
    family = type(engine).__module__.rpartition(".")[2]
    return cast("Newest", getattr(import_module(f"retinue.timeline.newest.{family}"), _CLASSES[family])(engine))
