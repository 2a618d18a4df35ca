"""What is done a little in every run, and much more where there is time for it: `python3 dev.py test --long`."""

from __future__ import annotations

from typing import Any

import pytest


def few_or_many(name: str, few: Any, many: Any) -> pytest.MarkDecorator:
    """Give a test its parameter *name*: *few* in every run, and *many* in a long one as well."""
    return pytest.mark.parametrize(name, [few, pytest.param(many, marks=pytest.mark.long)], ids=["few", "many"])
