"""A bar for each long part of making a community, where somebody watches."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

import click

from retinue_demo.seed import Watch, unwatched

T = TypeVar("T")

#: What has fewer rows than this is over before anybody reads its name.
_SHORT = 20_000


def progress() -> Watch:
    """Return what draws bars if the command speaks to a terminal, and else is silent."""
    return _bar if sys.stdout.isatty() else unwatched


def _bar(what: str, rows: Iterable[T], length: int, /) -> Iterable[T]:
    return rows if length < _SHORT else _drawn(what, rows, length)


def _drawn(what: str, rows: Iterable[T], length: int) -> Iterator[T]:
    with click.progressbar(rows, length=length, label=f"{what:<17}", update_min_steps=length // 200) as bar:
        yield from bar
