"""The floor on MariaDB: PyMySQL, which writes values into the text of its statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import URL

from benchmarks.competitors.floor import Floor
from benchmarks.competitors.floor_suggestions import all_at_once, list_by_list

_MINE = "SELECT followed AS author FROM follows WHERE follower = :user UNION ALL SELECT :user"
_AUTHOR = "(EXISTS (SELECT 1 FROM follows f WHERE f.follower = :user AND f.followed = p.author) OR p.author = :user)"
_ORDER = "ORDER BY at DESC, id DESC LIMIT 20"
_LAST = "ORDER BY p.at DESC, p.id DESC LIMIT 20"
_LESS = "UPDATE counts JOIN follows ON user_id = {theirs} SET {counter} = {counter} - 1 WHERE {mine} = ?"


class FloorMariaDB(Floor):
    """The bare driver on MariaDB."""

    runs_on = frozenset({"mariadb"})

    TABLES = """
CREATE TABLE users (id integer PRIMARY KEY, name varchar(64) NOT NULL);
CREATE TABLE follows (follower integer NOT NULL, followed integer NOT NULL, at bigint NOT NULL,
    PRIMARY KEY (follower, followed), KEY followers_of (followed, at, follower), KEY followed_by (follower, at,
    followed), FOREIGN KEY (follower) REFERENCES users (id) ON DELETE CASCADE,
    FOREIGN KEY (followed) REFERENCES users (id) ON DELETE CASCADE);
CREATE TABLE counts (user_id integer PRIMARY KEY, followers bigint NOT NULL, following bigint NOT NULL,
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE);
CREATE TABLE posts (id bigint PRIMARY KEY, author integer NOT NULL, at bigint NOT NULL,
    body varchar(500) NOT NULL, KEY posts_of (author, at, id), KEY posts_newest (at, id, author),
    FOREIGN KEY (author) REFERENCES users (id) ON DELETE CASCADE)
"""
    TIMELINES = {  # noqa: RUF012 - a constant of its base
        "all of all authors": f"SELECT p.id, p.at FROM ({_MINE}) mine STRAIGHT_JOIN posts p ON p.author = mine.author"
        f" WHERE true {{beside}} {_LAST}",
        "author by author": "SELECT p.id, p.at FROM (SELECT author, (SELECT at FROM posts p WHERE p.author = mine.author"
        f" {{beside}} ORDER BY at DESC, id DESC LIMIT 1) newest FROM ({_MINE}) mine ORDER BY newest DESC LIMIT 20) n"
        f" STRAIGHT_JOIN posts p ON p.author = n.author WHERE n.newest IS NOT NULL {{beside}} {_LAST}",
        "newest first": f"SELECT id, at FROM posts p FORCE INDEX (posts_newest) WHERE {_AUTHOR} {{beside}} {_ORDER}",
    }
    ADD_EDGE = "INSERT INTO follows VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE follower = follower"
    DELETE_USER = (
        _LESS.format(mine="follower", theirs="followed", counter="followers"),
        _LESS.format(mine="followed", theirs="follower", counter="following"),
        *Floor.DELETE_USER[2:],
    )

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        self.cursor = self.connection.cursor()

    def rows(self, statement: str, values: Any) -> list[Any]:
        self.cursor.execute(statement, values)
        return list(self.cursor.fetchall())

    def write(self, statement: str, values: Any = ()) -> int:
        changed: int = self.cursor.execute(statement, values)
        return changed

    def relationships(self, viewer: int, users: Sequence[int]) -> set[tuple[str, int]]:
        statement = (
            "SELECT 'following', followed FROM follows WHERE follower = %(viewer)s AND followed IN %(users)s"
            " UNION ALL SELECT 'followed_by', follower FROM follows"
            " WHERE followed = %(viewer)s AND follower IN %(users)s"
        )
        return set(self.rows(statement, {"viewer": viewer, "users": users}))

    def counts(self, users: Sequence[int]) -> dict[int, tuple[int, int]]:
        found = self.rows("SELECT user_id, followers, following FROM counts WHERE user_id IN %s", (users,))
        return {user: (followers, following) for user, followers, following in found}

    def suggestions(self, user: int) -> list[int]:
        return list_by_list(
            lambda statement, values: self.rows(statement.replace("?", self.mark), values), all_at_once, user
        )
