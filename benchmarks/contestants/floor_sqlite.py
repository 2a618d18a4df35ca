"""The floor on SQLite: the module `sqlite3`, whose statements stay prepared."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import URL

from benchmarks.contestants.floor import Floor
from benchmarks.contestants.floor_suggestions import list_by_list, one_by_one
from benchmarks.contestants.loading import insert_many, totals
from benchmarks.data import Data

#: As much is promised as by Retinue: the file survives a loss of power, and no edge is without its users.
_SETTINGS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")

# Times are whole microseconds. The key of `follows` is its order on disk; each list has an index that holds all of it.
_TABLES = """
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE follows (
    follower INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    followed INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    at INTEGER NOT NULL, PRIMARY KEY (follower, followed)
) WITHOUT ROWID;
CREATE TABLE counts (
    user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    followers INTEGER NOT NULL, following INTEGER NOT NULL
);
CREATE TABLE posts (
    id INTEGER PRIMARY KEY, author INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    at INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE INDEX posts_of ON posts (author, at, id);
CREATE INDEX posts_newest ON posts (at, id, author);
"""
_INDEXES = """
CREATE INDEX followers_of ON follows (followed, at, follower);
CREATE INDEX followed_by ON follows (follower, at, followed);
"""

_ORDER = "ORDER BY at DESC, id DESC LIMIT 20"
_MINE = "SELECT followed FROM follows WHERE follower = :user UNION ALL SELECT :user"
_AUTHOR = "(EXISTS (SELECT 1 FROM follows f WHERE f.follower = :user AND f.followed = p.author) OR p.author = :user)"


class FloorSQLite(Floor):
    """The bare driver on SQLite."""

    runs_on = frozenset({"sqlite"})
    mark = "?"

    TIMELINES = {  # noqa: RUF012 - a constant of its base
        "author by author": f"SELECT id, at FROM posts p WHERE author IN ({_MINE}) {_ORDER}",
        "newest first": f"SELECT id, at FROM posts p INDEXED BY posts_newest WHERE {_AUTHOR} {_ORDER}",
    }

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        self.connection = sqlite3.connect(str(url.database), isolation_level=None)
        for setting in _SETTINGS:
            self.connection.execute(f"PRAGMA {setting}")
        self.connection.executescript(_TABLES)

    def load(self, data: Data) -> None:
        """Sorted by key, and the other indexes after it."""
        self.connection.execute("PRAGMA foreign_keys = OFF")
        self.connection.execute("BEGIN")
        cursor, numbers = self.connection.cursor(), range(1, data.users + 1)
        insert_many(cursor, "INSERT INTO users VALUES (?, ?)", ((n, data.name_of(n)) for n in numbers))
        edges = sorted(zip(data.followers.tolist(), data.followed.tolist(), data.times.tolist(), strict=True))
        insert_many(cursor, "INSERT INTO follows VALUES (?, ?, ?)", edges)
        counts = (totals(data.users, ends).tolist() for ends in (data.followed, data.followers))
        insert_many(cursor, "INSERT INTO counts VALUES (?, ?, ?)", zip(numbers, *counts, strict=True))
        self.connection.commit()
        self.connection.executescript(_INDEXES)
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.connection.execute("ANALYZE")

    def load_posts(self, authors: Sequence[int], times: Sequence[int]) -> None:
        """In one transaction."""
        self.connection.execute("BEGIN")
        rows = (
            (key, int(a), int(at), f"post {key}") for key, (a, at) in enumerate(zip(authors, times, strict=True), 1)
        )
        insert_many(self.connection.cursor(), self.POST, rows)
        self.connection.commit()
        self.connection.execute("ANALYZE")

    def close(self) -> None:
        """Close it."""
        self.connection.close()

    def rows(self, statement: str, values: Sequence[Any]) -> list[Any]:
        """Run it and return what it finds."""
        return self.connection.execute(statement, values).fetchall()

    def relationships(self, viewer: int, users: Sequence[int]) -> set[tuple[str, int]]:
        """One select by primary key; both directions in one."""
        among = ",".join([f"?{number}" for number in range(2, len(users) + 2)])
        statement = (
            f"SELECT 'following', followed FROM follows WHERE follower = ?1 AND followed IN ({among})"
            f" UNION ALL SELECT 'followed_by', follower FROM follows WHERE followed = ?1 AND follower IN ({among})"
        )
        return set(self.connection.execute(statement, (viewer, *users)))

    def counts(self, users: Sequence[int]) -> dict[int, tuple[int, int]]:
        """One select by primary key."""
        among = ",".join("?" * len(users))
        found = self.connection.execute(
            f"SELECT user_id, followers, following FROM counts WHERE user_id IN ({among})", users
        )
        return {user: (followers, following) for user, followers, following in found}

    def suggestions(self, user: int) -> list[int]:
        """By hand, of the same formula."""
        return list_by_list(self.rows, one_by_one, user)

    def follow(self, follower: int, followed: int) -> bool:
        """One insert, and one update of both counters."""
        run = self.connection.execute
        run("BEGIN IMMEDIATE")
        at = time.time_ns() // 1000
        new = run("INSERT INTO follows VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (follower, followed, at)).rowcount == 1
        if new:
            self._count(follower, followed, 1)
        run("COMMIT")
        return new

    def unfollow(self, follower: int, followed: int) -> bool:
        """One delete, and one update of both counters."""
        run = self.connection.execute
        run("BEGIN IMMEDIATE")
        gone = run("DELETE FROM follows WHERE follower = ? AND followed = ?", (follower, followed)).rowcount == 1
        if gone:
            self._count(follower, followed, -1)
        run("COMMIT")
        return gone

    def _count(self, follower: int, followed: int, change: int) -> None:
        self.connection.execute(
            "UPDATE counts SET followers = followers + ?1 * (user_id = ?3), following = following + ?1 * (user_id = ?2)"
            " WHERE user_id IN (?2, ?3)",
            (change, follower, followed),
        )

    def post(self, author: int, key: int) -> None:
        """One insert."""
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.execute(self.POST, (key, author, time.time_ns() // 1000, f"post {key}"))
        self.connection.execute("COMMIT")

    def delete_user(self, user: int) -> None:
        """Two updates of the others' counters, two deletes of edges, and the user, with posts and counter."""
        run = self.connection.execute
        run("BEGIN IMMEDIATE")
        for ours, theirs, counter in (("follower", "followed", "followers"), ("followed", "follower", "following")):
            others = f"SELECT {theirs} FROM follows WHERE {ours} = ?"
            run(f"UPDATE counts SET {counter} = {counter} - 1 WHERE user_id IN ({others})", (user,))
        for ours in ("follower", "followed"):
            run(f"DELETE FROM follows WHERE {ours} = ?", (user,))
        run("DELETE FROM users WHERE id = ?", (user,))
        run("COMMIT")
