"""The floor on PostgreSQL: psycopg, with every statement prepared when it is first run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import URL

from benchmarks.competitors.floor import Floor
from benchmarks.competitors.floor_suggestions import in_one_statement
from benchmarks.databases import connect
from benchmarks.filling import moments

_PAGE = (
    "SELECT u.id, u.name FROM (SELECT follower, at FROM follows WHERE followed = ?{beside}"
    " ORDER BY at DESC, follower DESC LIMIT 20) page JOIN users u ON u.id = page.follower"
    " ORDER BY page.at DESC, page.follower DESC"
)
# Both counters in one update, if there was an edge to count; locked in the order of their users, so that A following B
# beside B following A waits and does not deadlock.
_COUNTED = """
, locked AS MATERIALIZED (SELECT user_id FROM counts
    WHERE user_id IN (%(follower)s, %(followed)s) AND EXISTS (SELECT 1 FROM changed) ORDER BY user_id FOR UPDATE)
UPDATE counts SET followers = followers {sign} (counts.user_id = %(followed)s)::integer,
    following = following {sign} (counts.user_id = %(follower)s)::integer
FROM locked WHERE counts.user_id = locked.user_id
"""
_MINE = "SELECT followed AS author FROM follows WHERE follower = :user UNION ALL SELECT :user"
_OF = "SELECT id, at FROM posts p WHERE p.author"
_ORDER = "ORDER BY at DESC, id DESC LIMIT 20"
_GONE = (
    "WITH gone AS (DELETE FROM follows WHERE {mine} = ? RETURNING {theirs} AS other)"
    " UPDATE counts SET {counter} = {counter} - 1 FROM gone WHERE user_id = other"
)


class FloorPostgreSQL(Floor):
    """The bare driver on PostgreSQL: one connection that reads, and one that writes in transactions."""

    runs_on = frozenset({"postgresql"})

    TABLES = """
CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE follows (follower integer NOT NULL, followed integer NOT NULL, at timestamptz NOT NULL);
CREATE TABLE counts (user_id integer NOT NULL, followers bigint NOT NULL,
    following bigint NOT NULL) WITH (fillfactor = 70);
CREATE TABLE posts (id bigint PRIMARY KEY, author integer NOT NULL REFERENCES users ON DELETE CASCADE,
    at timestamptz NOT NULL, body text NOT NULL);
CREATE INDEX posts_of ON posts (author, at, id);
CREATE INDEX posts_newest ON posts (at, id)
"""
    INDEXES = """
ALTER TABLE follows ADD PRIMARY KEY (follower, followed),
    ADD FOREIGN KEY (follower) REFERENCES users ON DELETE CASCADE,
    ADD FOREIGN KEY (followed) REFERENCES users ON DELETE CASCADE;
CREATE INDEX followers_of ON follows (followed, at, follower);
CREATE INDEX followed_by ON follows (follower, at, followed);
ALTER TABLE counts ADD PRIMARY KEY (user_id), ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE
"""
    # The page before the names: a plan for everybody, that is not made anew for each user.
    FIRST_PAGE = _PAGE.format(beside="")
    PAGE_FROM = _PAGE.format(beside=" AND at <= ? AND (at < ? OR follower < ?)")
    BOTH_WAYS = """
SELECT 'following', followed FROM follows WHERE follower = %(viewer)s AND followed = ANY(%(users)s)
UNION ALL SELECT 'followed_by', follower FROM follows WHERE followed = %(viewer)s AND follower = ANY(%(users)s)
"""
    COUNTS = "SELECT user_id, followers, following FROM counts WHERE user_id = ANY(%s)"
    TIMELINES = {  # noqa: RUF012 - a constant of its base
        "twenty of each author": f"SELECT n.id, n.at FROM ({_MINE}) mine CROSS JOIN LATERAL"
        f" ({_OF} = mine.author {{beside}} {_ORDER}) n {_ORDER}",
        "author by author": "WITH newest AS MATERIALIZED (SELECT mine.author, n.id, n.at FROM"
        f" ({_MINE}) mine CROSS JOIN LATERAL ({_OF} = mine.author {{beside}} ORDER BY at DESC, id DESC LIMIT 1) n {_ORDER})"
        f" SELECT m.id, m.at FROM newest CROSS JOIN LATERAL ({_OF} = newest.author {{beside}} {_ORDER}) m"
        " ORDER BY m.at DESC, m.id DESC LIMIT 20",
        "newest first": "SELECT id, at FROM posts p WHERE (EXISTS (SELECT 1 FROM follows f"
        f" WHERE f.follower = :user AND f.followed = p.author) OR p.author = :user) {{beside}} {_ORDER}",
        "newest first, one by one": "SELECT id, at FROM posts p WHERE ((SELECT f.followed FROM follows f"
        f" WHERE f.follower = :user AND f.followed = p.author) IS NOT NULL OR p.author = :user) {{beside}} {_ORDER}",
    }
    FOLLOW = (
        "WITH changed AS (INSERT INTO follows VALUES (%(follower)s, %(followed)s, %(at)s)"
        " ON CONFLICT DO NOTHING RETURNING 1)" + _COUNTED.format(sign="+")
    )
    UNFOLLOW = (
        "WITH changed AS (DELETE FROM follows WHERE follower = %(follower)s AND followed = %(followed)s RETURNING 1)"
        + _COUNTED.format(sign="-")
    )
    DELETE_USER = (
        _GONE.format(mine="follower", theirs="followed", counter="followers"),
        _GONE.format(mine="followed", theirs="follower", counter="following"),
        "DELETE FROM users WHERE id = ?",
    )

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        self.writer = connect(url)
        self.writer.autocommit = False
        self.reading, self.writing = self.connection.cursor(), self.writer.cursor()
        for connection in (self.connection, self.writer):
            connection.prepare_threshold = 0
            # Else the server plans most of them anew each time, which takes longer than to run them.
            connection.execute("SET plan_cache_mode = force_generic_plan")
        self.writer.commit()

    def times(self, microseconds: Any) -> Any:
        return moments(microseconds)

    def time(self, microseconds: int) -> Any:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)

    def now(self) -> Any:
        return datetime.now(UTC)

    def close(self) -> None:
        super().close()
        self.writer.close()

    def rows(self, statement: str, values: Any) -> list[Any]:
        found: list[Any] = self.reading.execute(statement, values).fetchall()
        return found

    def write(self, statement: str, values: Any = ()) -> int:
        changed: int = self.writing.execute(statement, values).rowcount
        return changed

    def begin(self) -> None:
        """It begins by itself."""

    def commit(self) -> None:
        self.writer.commit()

    def relationships(self, viewer: int, users: Sequence[int]) -> set[tuple[str, int]]:
        return set(self.rows(self.BOTH_WAYS, {"viewer": viewer, "users": users}))

    def counts(self, users: Sequence[int]) -> dict[int, tuple[int, int]]:
        found = self.rows(self.COUNTS, (users,))
        return {user: (followers, following) for user, followers, following in found}

    def suggestions(self, user: int) -> list[int]:
        return in_one_statement(self.rows, user)

    def follow(self, follower: int, followed: int) -> bool:
        new = self.write(self.FOLLOW, {"follower": follower, "followed": followed, "at": datetime.now(UTC)}) > 0
        self.writer.commit()
        return new

    def unfollow(self, follower: int, followed: int) -> bool:
        ended = self.write(self.UNFOLLOW, {"follower": follower, "followed": followed}) > 0
        self.writer.commit()
        return ended
