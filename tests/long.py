"""What is done a little in every run, and much more where there is time for it: `python3 dev.py test --long`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.fixtures import ENGINES


def in_every_run(*engines: str) -> pytest.MarkDecorator:
    """Let a test run on these *engines* in every run, and on the others in a long one."""
    kinds = [pytest.param(kind, marks=() if kind in engines else pytest.mark.long) for kind in ENGINES]
    return pytest.mark.parametrize("database", kinds, indirect=True)


def on_engines(name: str, values: Mapping[str, Any], few: Callable[[str, str], bool]) -> pytest.MarkDecorator:
    """
    Give a test its parameter *name*, each of the *values* on every engine in a long run.

    In every run it has those for which *few* says so, of an engine and of what the value is called.
    """
    return pytest.mark.parametrize(
        ("database", name),
        [
            pytest.param(kind, value, id=f"{kind}-{called}", marks=() if few(kind, called) else pytest.mark.long)
            for kind in ENGINES
            for called, value in values.items()
        ],
        indirect=["database"],
    )


def few_or_many(name: str, few: Any, many: Any) -> pytest.MarkDecorator:
    """Give a test its parameter *name*: *few* in every run, and *many* in a long one as well."""
    return pytest.mark.parametrize(name, [few, pytest.param(many, marks=pytest.mark.long)], ids=["few", "many"])
