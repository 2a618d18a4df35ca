"""The newest rows of a set of authors: what a home timeline is made of, and what differs between databases in it."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Final, cast

from retinue.engines import EngineRules
from retinue.timeline.newest.contract import Authors, Conditions, Feed, Newest, Of, number

__all__ = ["Authors", "Conditions", "Feed", "Newest", "Of", "newest_of", "number"]

#: The class for each family of databases, in the module that is called as theirs.
_WAYS: Final = {"sqlite": "NewestOnSQLite", "postgresql": "NewestOnPostgreSQL", "mariadb": "NewestOnMariaDB"}


@cache
def newest_of(engine: EngineRules) -> Newest:
    """Return how the database of *engine* finds the newest rows."""
    family = type(engine).__module__.rpartition(".")[2]
    return cast("Newest", getattr(import_module(f"retinue.timeline.newest.{family}"), _WAYS[family])())
