"""The graphs that the benchmark runs on: made here, or read from a file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy
from numpy.typing import NDArray


@dataclass(frozen=True)
class Data:
    """
    A follow graph: users 1 to *users*, and an edge in each place of the arrays, no two alike, none to oneself.

    In the order in which the edges were made: *times* (microseconds since 1970, UTC)
    ascend, and no two are alike.
    """

    name: str
    users: int
    followers: NDArray[numpy.int64]
    followed: NDArray[numpy.int64]
    times: NDArray[numpy.int64]
    #: The user with the most followers.
    celebrity: int

    def name_of(self, user: int) -> str:
        """Return the name that *user* has everywhere."""
        return f"user{user}"
