"""The floor on PostgreSQL: psycopg, with every statement prepared when it is first met."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import psycopg
from sqlalchemy import URL

from benchmarks.contestants.floor import Floor
from benchmarks.contestants.floor_suggestions import in_one_statement
from benchmarks.contestants.loading import copy_numbers, totals
from benchmarks.data import Data

_TABLES = """
CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE follows (follower integer NOT NULL, followed integer NOT NULL, at timestamptz NOT NULL);
CREATE TABLE counts (user_id integer NOT NULL, followers bigint NOT NULL, following bigint NOT NULL)
    WITH (fillfactor = 70);
CREATE TABLE posts (id bigint PRIMARY KEY, author integer NOT NULL REFERENCES users ON DELETE CASCADE,
    at timestamptz NOT NULL, body text NOT NULL);
CREATE INDEX posts_of ON posts (author, at, id);
CREATE INDEX posts_newest ON posts (at, id);
"""
_KEYS = """
ALTER TABLE follows ADD PRIMARY KEY (follower, followed),
    ADD FOREIGN KEY (follower) REFERENCES users ON DELETE CASCADE,
    ADD FOREIGN KEY (followed) REFERENCES users ON DELETE CASCADE;
CREATE INDEX followers_of ON follows (followed, at, follower);
CREATE INDEX followed_by ON follows (follower, at, followed);
ALTER TABLE counts ADD PRIMARY KEY (user_id), ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE;
"""

_PAGE = (
    "SELECT u.id, u.name FROM (SELECT follower, at FROM follows WHERE followed = ?{beside}"
    " ORDER BY at DESC, follower DESC LIMIT 20) page JOIN users u ON u.id = page.follower"
    " ORDER BY page.at DESC, page.follower DESC"
)

_BOTH_WAYS = """
SELECT 'following', followed FROM follows WHERE follower = %(viewer)s AND followed = ANY(%(users)s)
UNION ALL SELECT 'followed_by', follower FROM follows WHERE followed = %(viewer)s AND follower = ANY(%(users)s)
"""
_COUNTS = "SELECT user_id, followers, following FROM counts WHERE user_id = ANY(%s)"

# Both counters in one update, if there was an edge to count; locked in the order of their users, so that A following B
# beside B following A waits and does not deadlock.
_COUNTED = """
, locked AS MATERIALIZED (SELECT user_id FROM counts
    WHERE user_id IN (%(follower)s, %(followed)s) AND EXISTS (SELECT 1 FROM changed) ORDER BY user_id FOR UPDATE)
UPDATE counts SET followers = followers {sign} (counts.user_id = %(followed)s)::integer,
    following = following {sign} (counts.user_id = %(follower)s)::integer
FROM locked WHERE counts.user_id = locked.user_id
"""
_FOLLOW = """
WITH changed AS (INSERT INTO follows VALUES (%(follower)s, %(followed)s, %(at)s) ON CONFLICT DO NOTHING RETURNING 1)
""" + _COUNTED.format(sign="+")
_UNFOLLOW = """
WITH changed AS (DELETE FROM follows WHERE follower = %(follower)s AND followed = %(followed)s RETURNING 1)
""" + _COUNTED.format(sign="-")

_ORDER = "ORDER BY at DESC, id DESC LIMIT 20"
_MINE = "SELECT followed AS author FROM follows WHERE follower = :user UNION ALL SELECT :user"
_OF = "SELECT id, at FROM posts p WHERE p.author"


class FloorPostgreSQL(Floor):
    """The bare driver on PostgreSQL: one connection that reads, and one that writes in transactions."""

    runs_on = frozenset({"postgresql"})

    # The page before the names: a plan for everybody, that is not made anew for each user.
    FIRST_PAGE = _PAGE.format(beside="")
    PAGE_FROM = _PAGE.format(beside=" AND at <= ? AND (at < ? OR follower < ?)")

    TIMELINES = {  # noqa: RUF012 - a constant of its base
        "twenty of each author": f"SELECT n.id, n.at FROM ({_MINE}) mine CROSS JOIN LATERAL"
        f" ({_OF} = mine.author {_ORDER}) n {_ORDER}",
        "author by author": "WITH newest AS MATERIALIZED (SELECT mine.author, n.id, n.at"
        f" FROM ({_MINE}) mine CROSS JOIN LATERAL ({_OF} = mine.author ORDER BY at DESC, id DESC LIMIT 1) n {_ORDER})"
        f" SELECT m.id, m.at FROM newest CROSS JOIN LATERAL ({_OF} = newest.author {_ORDER}) m"
        " ORDER BY m.at DESC, m.id DESC LIMIT 20",
        "newest first": "SELECT id, at FROM posts p WHERE (EXISTS (SELECT 1 FROM follows f"
        f" WHERE f.follower = :user AND f.followed = p.author) OR p.author = :user) {_ORDER}",
        "newest first, one by one": "SELECT id, at FROM posts p WHERE ((SELECT f.followed FROM follows f"
        f" WHERE f.follower = :user AND f.followed = p.author) IS NOT NULL OR p.author = :user) {_ORDER}",
    }

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        where = {"host": url.query["host"], "dbname": url.database, "user": url.username}
        self.reader, self.writer = (
            psycopg.connect(**where, autocommit=autocommit, prepare_threshold=0)  # type: ignore[arg-type]
            for autocommit in (True, False)
        )
        self.reading, self.writing = self.reader.cursor(), self.writer.cursor()
        for cursor in (self.reading, self.writing):
            # Else the server plans most of them anew each time, which takes longer than to run them.
            cursor.execute("SET plan_cache_mode = force_generic_plan")
        self.writer.commit()
        self.reading.execute(_TABLES, prepare=False)

    def load(self, data: Data) -> None:
        """COPY; the keys, indexes and foreign keys after it."""
        cursor, numbers = self.reading, np.arange(1, data.users + 1)
        with cursor.copy("COPY users FROM STDIN") as copy:
            for start in range(1, data.users + 1, 50_000):
                some = range(start, min(start + 50_000, data.users + 1))
                copy.write("".join([f"{n}\t{data.name_of(n)}\n" for n in some]))
        edges = (data.followers, data.followed, data.times)
        copy_numbers(cursor, "follows", ("follower", "followed", "at"), ("int4", "int4", "timestamptz"), edges)
        counts = (numbers, totals(data.users, data.followed), totals(data.users, data.followers))
        copy_numbers(cursor, "counts", ("user_id", "followers", "following"), ("int4", "int8", "int8"), counts)
        cursor.execute(_KEYS, prepare=False)
        cursor.execute("VACUUM ANALYZE", prepare=False)

    def load_posts(self, authors: Sequence[int], times: Sequence[int]) -> None:
        """COPY."""
        with self.reading.copy("COPY posts FROM STDIN") as copy:
            for key, (author, at) in enumerate(zip(authors, times, strict=True), 1):
                copy.write_row((key, author, datetime.fromtimestamp(at / 1e6, UTC), f"post {key}"))
        self.reading.execute("VACUUM ANALYZE posts", prepare=False)

    def close(self) -> None:
        """Close both connections."""
        self.reader.close()
        self.writer.close()

    def rows(self, statement: str, values: Sequence[Any]) -> list[Any]:
        """Run it and return what it finds."""
        return self.reading.execute(statement, values).fetchall()  # type: ignore[arg-type]

    def relationships(self, viewer: int, users: Sequence[int]) -> set[tuple[str, int]]:
        """One select by primary key; both directions in one."""
        return set(self.reading.execute(_BOTH_WAYS, {"viewer": viewer, "users": users}).fetchall())

    def counts(self, users: Sequence[int]) -> dict[int, tuple[int, int]]:
        """One select by primary key."""
        found = self.reading.execute(_COUNTS, (users,)).fetchall()
        return {user: (followers, following) for user, followers, following in found}

    def suggestions(self, user: int) -> list[int]:
        """By hand, of the same formula."""
        return in_one_statement(self.rows, user)

    def follow(self, follower: int, followed: int) -> bool:
        """One statement that inserts and counts."""
        pair = {"follower": follower, "followed": followed, "at": datetime.now(UTC)}
        new = self.writing.execute(_FOLLOW, pair).rowcount > 0
        self.writer.commit()
        return new

    def unfollow(self, follower: int, followed: int) -> bool:
        """One statement that deletes and counts."""
        gone = self.writing.execute(_UNFOLLOW, {"follower": follower, "followed": followed}).rowcount > 0
        self.writer.commit()
        return gone

    def post(self, author: int, key: int) -> None:
        """One insert."""
        self.writing.execute(self.POST, (key, author, datetime.now(UTC), f"post {key}"))  # type: ignore[arg-type]
        self.writer.commit()

    def delete_user(self, user: int) -> None:
        """Two updates of the others' counters, a delete of edges either way, and the user, with posts and counter."""
        run = self.writing.execute
        for ours, theirs, counter in (("follower", "followed", "followers"), ("followed", "follower", "following")):
            run(
                f"WITH gone AS (DELETE FROM follows WHERE {ours} = %s RETURNING {theirs} AS other)"  # type: ignore[arg-type]
                f" UPDATE counts SET {counter} = {counter} - 1 FROM gone WHERE user_id = other",
                (user,),
            )
        run("DELETE FROM users WHERE id = %s", (user,))
        self.writer.commit()
