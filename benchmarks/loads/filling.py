"""Putting users and a graph into Retinue's tables, by the fastest way that a database has."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, Engine, MetaData, create_engine

from benchmarks.contestants.loading import copy_numbers
from benchmarks.data import Data, Keys
from benchmarks.loads.bare import Bare
from retinue import prepare_engine

_CHUNK = 200_000

_COUNT_ALL = (
    "INSERT INTO follow_counts (user_id, slot, followers, following)"
    " SELECT u.id, 0, COALESCE(i.many, 0), COALESCE(o.many, 0) FROM users u"
    " LEFT JOIN (SELECT following_id AS id, COUNT(*) AS many FROM follows GROUP BY following_id) i ON i.id = u.id"
    " LEFT JOIN (SELECT follower_id AS id, COUNT(*) AS many FROM follows GROUP BY follower_id) o ON o.id = u.id"
)


def fill(url: URL, metadata: MetaData, data: Data) -> None:
    """Make the tables of *metadata* at *url* with all users, edges and counts of *data*."""
    engine = prepare_engine(create_engine(url))
    metadata.create_all(engine)
    fill_users(url, data.users)
    fill_edges(engine, metadata, data)
    with closing(Bare(url)) as bare:
        if "follow_counts" in metadata.tables:
            bare.run(_COUNT_ALL)
        tidy(bare)
    engine.dispose()


def fill_users(url: URL, users: int) -> None:
    """Make users 1 to *users*."""
    numbers = {
        "postgresql": "generate_series(1, :users) AS n(id)",
        "mariadb": f"(SELECT seq AS id FROM seq_1_to_{users}) AS n",
        "sqlite": "(WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < :users) SELECT id FROM n)",
    }
    with closing(Bare(url)) as bare:
        name = "CONCAT('user', id)" if bare.kind == "mariadb" else "'user' || id"
        bare.run(f"INSERT INTO users (id, username) SELECT id, {name} FROM {numbers[bare.kind]}", users=users)


def fill_edges(engine: Engine, metadata: MetaData, data: Data) -> None:
    """Insert the edges of *data*, in their order; the other indexes are made behind them."""
    table = metadata.tables["follows"]
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    for index in indexes:
        if engine.dialect.name not in ("mysql", "mariadb"):  # a foreign key needs it there
            index.drop(engine)
    with closing(Bare(engine.url)) as bare:
        {"postgresql": _copy, "sqlite": _insert, "mariadb": _load}[bare.kind](bare, data)
    for index in indexes:
        if engine.dialect.name not in ("mysql", "mariadb"):
            index.create(engine)


def tidy(bare: Bare) -> None:
    """Let the database know what its tables hold."""
    if bare.kind == "postgresql":
        bare.run("VACUUM (ANALYZE)")
        bare.run("CHECKPOINT")
    elif bare.kind == "sqlite":
        bare.run("ANALYZE")
        bare.run("PRAGMA wal_checkpoint(TRUNCATE)")
    else:
        bare.run("ANALYZE TABLE users, follows, follow_counts")


def texts(times: Keys) -> list[str]:
    """Return *times* as SQLite and MariaDB write them."""
    return [text.replace("T", " ") for text in times.astype("datetime64[us]").astype(str).tolist()]


def chunks(data: Data, size: int = _CHUNK) -> Iterator[tuple[Keys, Keys, Keys]]:
    """Yield the edges of *data* in parts."""
    for start in range(0, len(data.times), size):
        part = slice(start, start + size)
        yield data.followers[part], data.followed[part], data.times[part]


def _copy(bare: Bare, data: Data) -> None:
    # The edges are known to be good, and checking 20 million foreign keys takes minutes.
    bare.run("SET session_replication_role = replica")
    columns, kinds = ("follower_id", "following_id", "timestamp"), ("int4", "int4", "timestamptz")
    copy_numbers(bare.connection.cursor(), "follows", columns, kinds, (data.followers, data.followed, data.times))


def _insert(bare: Bare, data: Data) -> None:
    connection: sqlite3.Connection = bare.connection
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("BEGIN")
    for followers, followed, times in chunks(data):
        rows = zip(followers.tolist(), followed.tolist(), texts(times), strict=True)
        connection.executemany("INSERT INTO follows (follower_id, following_id, timestamp) VALUES (?, ?, ?)", rows)
    connection.execute("COMMIT")


def _load(bare: Bare, data: Data) -> None:
    bare.run("SET foreign_key_checks = 0, unique_checks = 0")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "edges.tsv")
        for followers, followed, times in chunks(data):
            rows = zip(followers.tolist(), followed.tolist(), texts(times), strict=True)
            file.write_text("".join([f"{a}\t{b}\t{at}\n" for a, b, at in rows]))
            bare.run(f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE follows (follower_id, following_id, timestamp)")


def check(url: URL, edges: int | None = None, *, counts: bool = True) -> None:
    """Raise if there are not so many *edges*, or one of the *counts* differs from them."""
    with closing(Bare(url)) as bare:
        ((found,),) = bare.run("SELECT COUNT(*) FROM follows")
        if edges is not None and found != edges:
            raise AssertionError(f"{found} edges, not {edges}")
        for key, column in (("following_id", "followers"), ("follower_id", "following")) if counts else ():
            wrong = bare.run(
                f"SELECT u.id, COALESCE(c.said, 0), COALESCE(e.many, 0) FROM users u"
                f" LEFT JOIN (SELECT user_id, SUM({column}) AS said FROM follow_counts GROUP BY user_id) c"
                f" ON c.user_id = u.id LEFT JOIN (SELECT {key} AS id, COUNT(*) AS many FROM follows GROUP BY {key}) e"
                f" ON e.id = u.id WHERE COALESCE(c.said, 0) <> COALESCE(e.many, 0) LIMIT 5"
            )
            if wrong:
                raise AssertionError(f"{column} differs from the edges: {wrong}")
