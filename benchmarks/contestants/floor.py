"""
The floor: the bare driver with the best SQL that we could write by hand, on the best tables for it.

Each database has a module with what is its own. A class of these knows one thing that no
application knows: which of several statements for a home timeline is the fastest for this reader.
It finds that out when a reader is first seen, which is before anything is timed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, ClassVar

from benchmarks.contestant import Contestant, Shown


class Floor(Contestant):
    """What is the same on all databases. In the statements, a question mark stands for a value."""

    name = "floor"

    #: How the driver writes a value's place.
    mark: ClassVar[str] = "%s"

    IS_FOLLOWING = "SELECT 1 FROM follows WHERE follower = ? AND followed = ?"
    FIRST_PAGE = (
        "SELECT u.id, u.name FROM follows f JOIN users u ON u.id = f.follower WHERE f.followed = ?"
        " ORDER BY f.at DESC, f.follower DESC LIMIT 20"
    )
    #: Where the row before the page stands: with it, and with it again.
    PAGE_FROM = (
        "SELECT u.id, u.name FROM follows f JOIN users u ON u.id = f.follower WHERE f.followed = ?"
        " AND f.at <= ? AND (f.at < ? OR f.follower < ?) ORDER BY f.at DESC, f.follower DESC LIMIT 20"
    )
    PLACE_AT = "SELECT at, follower FROM follows WHERE followed = ? ORDER BY at DESC, follower DESC LIMIT 1 OFFSET ?"
    MUTUALS = (
        "SELECT u.id, u.name FROM follows f JOIN follows b ON b.follower = f.followed AND b.followed = f.follower"
        " JOIN users u ON u.id = f.followed WHERE f.follower = ? ORDER BY f.at DESC, f.followed DESC LIMIT 20"
    )
    KNOWN_TOTAL = (
        "SELECT count(*) FROM follows f JOIN follows b ON b.follower = f.followed AND b.followed = ?"
        " WHERE f.follower = ?"
    )
    KNOWN_PAGE = (
        "SELECT u.id, u.name FROM follows f JOIN follows b ON b.follower = f.followed AND b.followed = ?"
        " JOIN users u ON u.id = f.followed WHERE f.follower = ? ORDER BY f.at DESC, f.followed DESC LIMIT 20"
    )
    POST = "INSERT INTO posts (id, author, at, body) VALUES (?, ?, ?, ?)"
    #: Home timelines by name: pages of (id, at, author, body), to be joined to their authors' names. ``:user`` reads.
    TIMELINES: ClassVar[dict[str, str]]
    WITH_AUTHORS = (
        "SELECT p.id, p.at, p.author, p.body, u.name FROM ({page}) page JOIN posts p ON p.id = page.id"
        " JOIN users u ON u.id = p.author ORDER BY page.at DESC, page.id DESC"
    )

    def __init__(self, url: Any) -> None:
        super().__init__(url)
        for name in (
            "IS_FOLLOWING",
            "FIRST_PAGE",
            "PAGE_FROM",
            "PLACE_AT",
            "MUTUALS",
            "KNOWN_TOTAL",
            "KNOWN_PAGE",
            "POST",
        ):
            setattr(self, name, getattr(self, name).replace("?", self.mark))
        #: The fastest home timeline of each reader who was asked for, as a statement.
        self.fastest: dict[int, str] = {}

    def rows(self, statement: str, values: Sequence[Any]) -> list[Any]:
        """Run one statement that only reads, and return what it finds."""
        raise NotImplementedError

    # --- Reads -----------------------------------------------------------------------------------

    def is_following(self, follower: int, followed: int) -> bool:
        """One select by primary key."""
        return bool(self.rows(self.IS_FOLLOWING, (follower, followed)))

    def first_page(self, user: int) -> list[Shown]:
        """One select: the page from the index, joined to the users."""
        return self.rows(self.FIRST_PAGE, (user,))

    def place_at(self, user: int, depth: int) -> Any:
        """Return (at, follower) of the row before the page."""
        (place,) = self.rows(self.PLACE_AT, (user, depth - 1))
        return place

    def page_from(self, user: int, place: Any) -> list[Shown]:
        """One select, from the place on."""
        at, follower = place
        return self.rows(self.PAGE_FROM, (user, at, at, follower))

    def mutuals(self, user: int) -> list[Shown]:
        """One select."""
        return self.rows(self.MUTUALS, (user,))

    def followers_you_know(self, viewer: int, user: int) -> tuple[int, list[Shown]]:
        """Two selects, of which the second is left out if there is nobody."""
        ((total,),) = self.rows(self.KNOWN_TOTAL, (user, viewer))
        return total, self.rows(self.KNOWN_PAGE, (user, viewer)) if total else []

    def home_timeline(self, user: int) -> list[int]:
        """One select: the one that was the fastest for *user* when it was first asked for."""
        statement = self.fastest.get(user) or self._find_fastest(user)
        return [row[0] for row in self.rows(statement, {"user": user})]  # type: ignore[arg-type]

    def _find_fastest(self, user: int) -> str:
        times: dict[str, float] = {}
        for page in self.TIMELINES.values():
            statement = self.WITH_AUTHORS.format(page=page)
            if self.mark != "?":
                statement = statement.replace(":user", "%(user)s")
            # The first time prepares it and warms the cache.
            times[statement] = min(self._seconds(statement, user) for _ in range(7))
        self.fastest[user] = min(times, key=times.__getitem__)
        return self.fastest[user]

    def _seconds(self, statement: str, user: int) -> float:
        start = time.perf_counter()
        self.rows(statement, {"user": user})  # type: ignore[arg-type]
        return time.perf_counter() - start
