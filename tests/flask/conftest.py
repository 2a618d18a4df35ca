"""Fixtures of applications."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import URL

from tests.flask.library import Library, library


@pytest.fixture
def open_library(database: URL) -> Iterator[Callable[..., Library]]:
    """Give a function that makes a library on the database of the test, which serves at once."""
    with ExitStack() as stack:

        def make(*names: str, **config: object) -> Library:
            one = stack.enter_context(library(database, **config))
            one.open(*names)
            return one

        yield make
