"""
The floor: the bare driver with the best SQL that we could write by hand, on the best tables for it.

Each database has a module with what is its own. A class of these knows one thing that no
application knows: which of several statements for a home timeline is the fastest for this reader.
It finds that out when a reader is first asked for, which is before anything is timed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from sqlalchemy import URL

from benchmarks.competitor import Competitor, Shown
from benchmarks.data import Data
from benchmarks.databases import connect
from benchmarks.filling import filling, texts, tidy
from benchmarks.results import FLOOR

Row = Sequence[Any]


class Floor(Competitor):
    """What is the same on all databases. In the statements, a question mark stands for a value."""

    name = FLOOR

    #: How the driver writes a value's place.
    mark: ClassVar[str] = "%s"
    #: Statements that make the tables, and those that index them when they are full.
    TABLES: ClassVar[str]
    INDEXES: ClassVar[str] = ""

    IS_FOLLOWING = "SELECT 1 FROM follows WHERE follower = ? AND followed = ?"
    FIRST_PAGE = (
        "SELECT u.id, u.name FROM follows f JOIN users u ON u.id = f.follower WHERE f.followed = ?"
        " ORDER BY f.at DESC, f.follower DESC LIMIT 20"
    )
    #: Where the row before the page stands: with it, and with it again.
    PAGE_FROM = FIRST_PAGE.replace("ORDER", "AND f.at <= ? AND (f.at < ? OR f.follower < ?) ORDER")
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
    #: Home timelines by name: pages of (id, at), to be joined to posts and authors. ``:user`` reads; {beside}: see below.
    TIMELINES: ClassVar[dict[str, str]]
    WITH_AUTHORS = (
        "SELECT p.id, p.at, p.author, p.body, u.name FROM ({page}) page JOIN posts p ON p.id = page.id"
        " JOIN users u ON u.id = p.author ORDER BY page.at DESC, page.id DESC"
    )
    #: What a page of older posts adds.
    OLDER = "AND p.at <= :at AND (p.at < :at OR p.id < :key)"

    ADD_EDGE = "INSERT INTO follows VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
    END_EDGE = "DELETE FROM follows WHERE follower = ? AND followed = ?"
    #: Both counters of an edge: how many more, the followed, how many more, the follower, and both again.
    COUNT = (
        "UPDATE counts SET followers = followers + ? * (user_id = ?), following = following + ? * (user_id = ?)"
        " WHERE user_id IN (?, ?)"
    )
    POST = "INSERT INTO posts (id, author, at, body) VALUES (?, ?, ?, ?)"
    #: Statements with the user's key: the others' counters, the edges, and the user with posts and counter.
    DELETE_USER: ClassVar[tuple[str, ...]] = (
        "UPDATE counts SET followers = followers - 1 WHERE user_id IN (SELECT followed FROM follows WHERE follower = ?)",
        "UPDATE counts SET following = following - 1 WHERE user_id IN (SELECT follower FROM follows WHERE followed = ?)",
        "DELETE FROM follows WHERE follower = ?",
        "DELETE FROM follows WHERE followed = ?",
        "DELETE FROM users WHERE id = ?",
    )

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        self.connection: Any = connect(url)
        for name in dir(type(self)):
            statement = getattr(self, name)
            if name.isupper() and isinstance(statement, str):
                setattr(self, name, statement.replace("?", self.mark))
        self.delete_statements = [statement.replace("?", self.mark) for statement in self.DELETE_USER]
        #: The fastest home timeline of each reader who was asked for, as a statement; and of older posts.
        self.fastest: dict[tuple[int, bool], str] = {}

    def create(self) -> None:
        self.run_all(self.TABLES)

    def load(self, data: Data) -> None:
        users = np.arange(1, data.users + 1)
        order = np.lexsort((data.followed, data.followers))
        follower, followed, times = data.followers[order], data.followed[order], self.times(data.times[order])
        counts = (np.bincount(ends, minlength=data.users + 1)[1:] for ends in (data.followed, data.followers))
        with filling(self.url) as filler:
            filler.fill("users", id=users, name=texts(users, "user"))
            filler.fill("follows", follower=follower, followed=followed, at=times)
            filler.fill("counts", **dict(zip(("user_id", "followers", "following"), (users, *counts), strict=True)))
        self.run_all(self.INDEXES)
        tidy(self.url)

    def load_posts(self, authors: Sequence[int], times: Sequence[int], first: int = 1) -> None:
        keys = np.arange(first, first + len(authors))
        with filling(self.url) as filler:
            at = self.times(np.array(times))
            filler.fill("posts", id=keys, author=np.array(authors), at=at, body=texts(keys, "post "))

    def times(self, microseconds: Any) -> Any:
        """Return times as its tables have them: whole microseconds, which need no conversion either way."""
        return microseconds

    def time(self, microseconds: int) -> Any:
        """Return one time as its tables have it."""
        return microseconds

    def now(self) -> Any:
        return self.time(time.time_ns() // 1_000)

    def close(self) -> None:
        self.connection.close()

    # --- The driver ------------------------------------------------------------------------------

    def rows(self, statement: str, values: Any) -> list[Any]:
        """Run a statement that only reads, and return what it finds."""
        raise NotImplementedError

    def write(self, statement: str, values: Any = ()) -> int:
        """Run a statement that writes, and return how many rows that changed."""
        raise NotImplementedError

    def run_all(self, script: str) -> None:
        """Run statements that make tables, each in a transaction of its own."""
        for statement in script.split(";") if script else ():
            self.connection.cursor().execute(statement)

    def begin(self) -> None:
        """Begin a transaction that writes."""
        self.write("BEGIN")

    def commit(self) -> None:
        self.write("COMMIT")

    # --- Reads -----------------------------------------------------------------------------------

    def is_following(self, follower: int, followed: int) -> bool:
        return bool(self.rows(self.IS_FOLLOWING, (follower, followed)))

    def first_page(self, user: int) -> list[Shown]:
        return self.rows(self.FIRST_PAGE, (user,))

    def place_at(self, user: int, depth: int) -> Any:
        (place,) = self.rows(self.PLACE_AT, (user, depth - 1))
        return place

    def page_from(self, user: int, place: Any) -> list[Shown]:
        at, follower = place
        return self.rows(self.PAGE_FROM, (user, at, at, follower))

    def mutuals(self, user: int) -> list[Shown]:
        return self.rows(self.MUTUALS, (user,))

    def followers_you_know(self, viewer: int, user: int) -> tuple[int, list[Shown]]:
        ((total,),) = self.rows(self.KNOWN_TOTAL, (user, viewer))
        return total, self.rows(self.KNOWN_PAGE, (user, viewer)) if total else []

    def home_timeline(self, user: int) -> list[int]:
        statement = self.fastest.get((user, False)) or self.find_fastest(user, {"user": user})
        return [row[0] for row in self.rows(statement, {"user": user})]

    def timeline_from(self, user: int, at: int, key: int) -> list[int]:
        """As `home_timeline()`, of what is older than the post *key* of that time."""
        values = {"user": user, "at": self.time(at), "key": key}
        statement = self.fastest.get((user, True)) or self.find_fastest(user, values)
        return [row[0] for row in self.rows(statement, values)]

    def timelines(self, *, older: bool) -> dict[str, str]:
        """Return the statements for a page by name, as the driver takes them."""
        pages = {name: page.format(beside=self.OLDER if older else "") for name, page in self.TIMELINES.items()}
        statements = {name: self.WITH_AUTHORS.format(page=page) for name, page in pages.items()}
        if self.mark != "?":
            for name, statement in statements.items():
                for value in ("user", "at", "key"):
                    statement = statement.replace(f":{value}", f"%({value})s")  # noqa: PLW2901
                statements[name] = statement
        return statements

    def find_fastest(self, user: int, values: dict[str, Any], *, slow: float = 0.5) -> str:
        """Return the statement that is the fastest for *user*; one that takes more than *slow* seconds is tried once."""
        older, times = len(values) > 1, dict[str, float]()
        for statement in self.timelines(older=older).values():
            # The first time prepares it and warms the cache.
            times[statement] = float("inf")
            for _ in range(7):
                start = time.perf_counter()
                self.rows(statement, values)
                took = time.perf_counter() - start
                times[statement] = min(times[statement], took)
                if took > slow:
                    break
        self.fastest[user, older] = min(times, key=times.__getitem__)
        return self.fastest[user, older]

    # --- Writes ----------------------------------------------------------------------------------

    def follow_uncounted(self, follower: int, followed: int) -> bool:
        """As `follow()`, but leave the counters as they are."""
        self.begin()
        new = self.write(self.ADD_EDGE, (follower, followed, self.now())) == 1
        self.commit()
        return new

    def follow(self, follower: int, followed: int) -> bool:
        self.begin()
        new = self.write(self.ADD_EDGE, (follower, followed, self.now())) == 1
        if new:
            self.write(self.COUNT, (1, followed, 1, follower, follower, followed))
        self.commit()
        return new

    def unfollow(self, follower: int, followed: int) -> bool:
        self.begin()
        ended = self.write(self.END_EDGE, (follower, followed)) == 1
        if ended:
            self.write(self.COUNT, (-1, followed, -1, follower, follower, followed))
        self.commit()
        return ended

    def post(self, author: int, key: int) -> None:
        self.begin()
        self.write(self.POST, (key, author, self.now(), f"post {key}"))
        self.commit()

    def delete_user(self, user: int) -> None:
        self.begin()
        for statement in self.delete_statements:
            self.write(statement, (user,))
        self.commit()
