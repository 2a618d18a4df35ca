"""The floor on SQLite: the module `sqlite3`, whose statements stay prepared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.competitors.floor import Floor
from benchmarks.competitors.floor_suggestions import list_by_list, one_by_one
from benchmarks.data import Data

_MINE = "SELECT followed FROM follows WHERE follower = :user UNION ALL SELECT :user"
_AUTHOR = "(EXISTS (SELECT 1 FROM follows f WHERE f.follower = :user AND f.followed = p.author) OR p.author = :user)"
_ORDER = "ORDER BY at DESC, id DESC LIMIT 20"
_USER = "INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE"


class FloorSQLite(Floor):
    """The bare driver on SQLite."""

    runs_on = frozenset({"sqlite"})
    mark = "?"

    # The key of `follows` is its order on disk; each list has an index that holds all of it.
    TABLES = f"""
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE follows (follower {_USER}, followed {_USER}, at INTEGER NOT NULL, PRIMARY KEY (follower,
    followed)) WITHOUT ROWID;
CREATE TABLE counts (user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    followers INTEGER NOT NULL, following INTEGER NOT NULL);
CREATE TABLE posts (id INTEGER PRIMARY KEY, author {_USER}, at INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX posts_of ON posts (author, at, id);
CREATE INDEX posts_newest ON posts (at, id, author)
"""
    INDEXES = """
CREATE INDEX followers_of ON follows (followed, at, follower);
CREATE INDEX followed_by ON follows (follower, at, followed)
"""
    TIMELINES = {  # noqa: RUF012 - a constant of its base
        "author by author": f"SELECT id, at FROM posts p WHERE author IN ({_MINE}) {{beside}} {_ORDER}",
        "newest first": f"SELECT id, at FROM posts p INDEXED BY posts_newest WHERE {_AUTHOR} {{beside}} {_ORDER}",
    }

    def load(self, data: Data) -> None:
        super().load(data)
        self.connection.execute("ANALYZE sqlite_schema")  # reads what another connection found out

    def load_posts(self, authors: Sequence[int], times: Sequence[int], first: int = 1) -> None:
        super().load_posts(authors, times, first)
        self.connection.execute("ANALYZE sqlite_schema")

    def rows(self, statement: str, values: Any) -> list[Any]:
        found: list[Any] = self.connection.execute(statement, values).fetchall()
        return found

    def write(self, statement: str, values: Any = ()) -> int:
        changed: int = self.connection.execute(statement, values).rowcount
        return changed

    def begin(self) -> None:
        self.connection.execute("BEGIN IMMEDIATE")

    def relationships(self, viewer: int, users: Sequence[int]) -> set[tuple[str, int]]:
        among = ",".join([f"?{number}" for number in range(2, len(users) + 2)])
        statement = (
            f"SELECT 'following', followed FROM follows WHERE follower = ?1 AND followed IN ({among})"
            f" UNION ALL SELECT 'followed_by', follower FROM follows WHERE followed = ?1 AND follower IN ({among})"
        )
        return set(self.connection.execute(statement, (viewer, *users)))

    def counts(self, users: Sequence[int]) -> dict[int, tuple[int, int]]:
        among = ",".join("?" * len(users))
        found = self.connection.execute(
            f"SELECT user_id, followers, following FROM counts WHERE user_id IN ({among})", users
        )
        return {user: (followers, following) for user, followers, following in found}

    def suggestions(self, user: int) -> list[int]:
        return list_by_list(self.rows, one_by_one, user)
