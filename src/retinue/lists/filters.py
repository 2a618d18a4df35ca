"""Filters of lists that packages above the core bring along: each says whom it lets stay, and what it needs to know that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy.sql.elements import ColumnElement

from retinue.engines import EngineRules
from retinue.schema import Schema
from retinue.values import Only


class Filter(NamedTuple):
    """What one `Only` means; it is for the owner of a list and for trusted code."""

    #: Returns the condition on a user, by the key.
    condition: Callable[[Schema, EngineRules, ColumnElement[Any]], ColumnElement[bool]]
    #: Returns the parameters of that condition, at a time.
    parameters: Callable[[Schema, datetime], Mapping[str, Any]]
    #: Raises `MappingError` where nothing says that of a user.
    refuse_unmapped: Callable[[Schema], None]


_FILTERS: Final[dict[Only, Filter]] = {}


def register(only: Only, meaning: Filter) -> None:
    """Let lists be filtered by *only*."""
    _FILTERS[only] = meaning


def filters_of(only: Only) -> Iterator[Filter]:
    """Yield those that packages have registered of *only*."""
    return (meaning for one, meaning in _FILTERS.items() if one in only)
