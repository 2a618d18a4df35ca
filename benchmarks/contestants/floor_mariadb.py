"""The floor on MariaDB: PyMySQL, which writes values into the text of its statements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pymysql
from pymysql.constants.ER import DUP_ENTRY
from sqlalchemy import URL

from benchmarks.contestants.floor import Floor
from benchmarks.contestants.floor_suggestions import all_at_once, list_by_list
from benchmarks.contestants.loading import insert_many, totals
from benchmarks.data import Data

# Times are whole microseconds: no conversion either way.
_TABLES = """
CREATE TABLE users (id integer PRIMARY KEY, name varchar(64) NOT NULL);
CREATE TABLE follows (
    follower integer NOT NULL, followed integer NOT NULL, at bigint NOT NULL, PRIMARY KEY (follower, followed),
    KEY followers_of (followed, at, follower), KEY followed_by (follower, at, followed),
    FOREIGN KEY (follower) REFERENCES users (id) ON DELETE CASCADE,
    FOREIGN KEY (followed) REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE counts (
    user_id integer PRIMARY KEY, followers bigint NOT NULL, following bigint NOT NULL,
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE posts (
    id bigint PRIMARY KEY, author integer NOT NULL, at bigint NOT NULL, body varchar(500) NOT NULL,
    KEY posts_of (author, at, id), KEY posts_newest (at, id, author),
    FOREIGN KEY (author) REFERENCES users (id) ON DELETE CASCADE
)
"""

_ORDER = "ORDER BY at DESC, id DESC LIMIT 20"
_MINE = "SELECT followed AS author FROM follows WHERE follower = :user UNION ALL SELECT :user"
_AUTHOR = "(EXISTS (SELECT 1 FROM follows f WHERE f.follower = :user AND f.followed = p.author) OR p.author = :user)"


class FloorMariaDB(Floor):
    """The bare driver on MariaDB."""

    runs_on = frozenset({"mariadb"})

    TIMELINES = {  # noqa: RUF012 - a constant of its base
        "all of all authors": f"SELECT p.id, p.at FROM ({_MINE}) mine STRAIGHT_JOIN posts p ON p.author = mine.author"
        " ORDER BY p.at DESC, p.id DESC LIMIT 20",
        "author by author": "SELECT p.id, p.at FROM (SELECT author, (SELECT at FROM posts p WHERE p.author = mine.author"
        f" ORDER BY at DESC, id DESC LIMIT 1) newest FROM ({_MINE}) mine ORDER BY newest DESC LIMIT 20) n"
        " STRAIGHT_JOIN posts p ON p.author = n.author WHERE n.newest IS NOT NULL ORDER BY p.at DESC, p.id DESC LIMIT 20",
        "newest first": f"SELECT id, at FROM posts p FORCE INDEX (posts_newest) WHERE {_AUTHOR} {_ORDER}",
    }

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        self.connection = pymysql.connect(
            user=url.username, database=str(url.database), unix_socket=str(url.query["unix_socket"]), charset="utf8mb4"
        )
        self.cursor = self.connection.cursor()
        for statement in _TABLES.split(";"):
            self.cursor.execute(statement)
        self.connection.autocommit(True)

    def load(self, data: Data) -> None:
        """Inserts of many rows each, sorted by key."""
        self.connection.begin()
        numbers = range(1, data.users + 1)
        insert_many(self.cursor, "INSERT INTO users VALUES (%s, %s)", ((n, data.name_of(n)) for n in numbers))
        edges = sorted(zip(data.followers.tolist(), data.followed.tolist(), data.times.tolist(), strict=True))
        insert_many(self.cursor, "INSERT INTO follows VALUES (%s, %s, %s)", edges)
        counts = (totals(data.users, ends).tolist() for ends in (data.followed, data.followers))
        insert_many(self.cursor, "INSERT INTO counts VALUES (%s, %s, %s)", zip(numbers, *counts, strict=True))
        self.connection.commit()
        self.cursor.execute("ANALYZE TABLE users, follows, counts")

    def load_posts(self, authors: Sequence[int], times: Sequence[int]) -> None:
        """Inserts of many rows each."""
        self.connection.begin()
        rows = (
            (key, int(a), int(at), f"post {key}") for key, (a, at) in enumerate(zip(authors, times, strict=True), 1)
        )
        insert_many(self.cursor, self.POST, rows)
        self.connection.commit()
        self.cursor.execute("ANALYZE TABLE posts")

    def close(self) -> None:
        """Close it."""
        self.connection.close()

    def rows(self, statement: str, values: Any) -> list[Any]:
        """Run it and return what it finds."""
        self.cursor.execute(statement, values)
        return list(self.cursor.fetchall())

    def relationships(self, viewer: int, users: Sequence[int]) -> set[tuple[str, int]]:
        """One select by primary key; both directions in one."""
        return set(
            self.rows(
                "SELECT 'following', followed FROM follows WHERE follower = %(viewer)s AND followed IN %(users)s"
                " UNION ALL SELECT 'followed_by', follower FROM follows"
                " WHERE followed = %(viewer)s AND follower IN %(users)s",
                {"viewer": viewer, "users": users},
            )
        )

    def counts(self, users: Sequence[int]) -> dict[int, tuple[int, int]]:
        """One select by primary key."""
        found = self.rows("SELECT user_id, followers, following FROM counts WHERE user_id IN %s", (users,))
        return {user: (followers, following) for user, followers, following in found}

    def suggestions(self, user: int) -> list[int]:
        """By hand, of the same formula."""
        return list_by_list(
            lambda statement, values: self.rows(statement.replace("?", self.mark), values), all_at_once, user
        )

    def follow(self, follower: int, followed: int) -> bool:
        """One insert, and one update of both counters, which InnoDB locks in the order of its key."""
        self.connection.begin()
        try:
            self.cursor.execute("INSERT INTO follows VALUES (%s, %s, %s)", (follower, followed, _now()))
        except pymysql.IntegrityError as error:
            if error.args[0] != DUP_ENTRY:
                raise
            self.connection.commit()
            return False
        self._count(follower, followed, 1)
        self.connection.commit()
        return True

    def unfollow(self, follower: int, followed: int) -> bool:
        """One delete, and one update of both counters."""
        self.connection.begin()
        gone = (
            self.cursor.execute("DELETE FROM follows WHERE follower = %s AND followed = %s", (follower, followed)) == 1
        )
        if gone:
            self._count(follower, followed, -1)
        self.connection.commit()
        return gone

    def _count(self, follower: int, followed: int, change: int) -> None:
        self.cursor.execute(
            "UPDATE counts SET followers = followers + %s * (user_id = %s), following = following + %s * (user_id = %s)"
            " WHERE user_id IN (%s, %s)",
            (change, followed, change, follower, follower, followed),
        )

    def post(self, author: int, key: int) -> None:
        """One insert."""
        self.connection.begin()
        self.cursor.execute(self.POST, (key, author, _now(), f"post {key}"))
        self.connection.commit()

    def delete_user(self, user: int) -> None:
        """Two updates of the others' counters, two deletions of edges, and the user, with posts and counter."""
        self.connection.begin()
        for ours, theirs, counter in (("follower", "followed", "followers"), ("followed", "follower", "following")):
            self.cursor.execute(
                f"UPDATE counts JOIN follows ON user_id = {theirs} SET {counter} = {counter} - 1 WHERE {ours} = %s",
                (user,),
            )
        for ours in ("follower", "followed"):
            self.cursor.execute(f"DELETE FROM follows WHERE {ours} = %s", (user,))
        self.cursor.execute("DELETE FROM users WHERE id = %s", (user,))
        self.connection.commit()


def _now() -> int:
    return (datetime.now(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
