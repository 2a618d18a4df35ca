"""
The user with the most followers goes, and the counts of all others are right.

Retinue by ``session.delete(user)``; the floor by the fewest statements by hand. After each
deletion the counts are compared with the edges, and everything is put back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing

from sqlalchemy import URL, create_engine
from sqlalchemy.orm import Session

from benchmarks.databases import Place
from benchmarks.loads.bare import Bare
from benchmarks.loads.comparing import FLOOR, OURS, compared
from benchmarks.loads.filling import check, fill, tidy
from benchmarks.loads.models import Base, User
from benchmarks.results import Row
from retinue import prepare_engine

GOAL = 1.3

#: Edges to a user, then edges from them: who is at the other end, which is the user's, and what the other has one less of.
_ENDS = (("follower_id", "following_id", "following"), ("following_id", "follower_id", "followers"))


def measure(place: Place) -> list[Row]:
    """Let both sides delete the same user in turns."""
    url, user = place.fresh(), place.data.celebrity
    fill(url, Base.metadata, place.data)
    edges = len(place.data.times)
    lost = int((place.data.followers == user).sum() + (place.data.followed == user).sum())
    sides: dict[str, Callable[[URL, int], float]] = {FLOOR: _by_hand, OURS: _by_session}
    taken: dict[str, list[float]] = {name: [] for name in sides}
    with closing(Bare(url)) as bare:
        _keep(bare, user)
        for _ in range(3 if place.quick else 5):
            for name, delete in sides.items():
                taken[name].append(delete(url, user) * 1e6)
                check(url, edges - lost)
                _put_back(bare, user)
        check(url, edges)
    place.drop(url)
    return [
        Row(
            "delete the user with the most followers",
            place.kind,
            edges,
            compared(taken),
            goal=GOAL,
            note="On the same tables, one after the other; the floor is the bare driver with the fewest statements by"
            " hand. The counts of all who remain are compared with the edges after each deletion.",
            stated={"edges that go": float(lost)},
        )
    ]


def _by_session(url: URL, user: int) -> float:
    engine = prepare_engine(create_engine(url))
    with Session(engine) as session:
        gone = session.get_one(User, user)
        start = time.perf_counter()
        session.delete(gone)
        session.commit()
        seconds = time.perf_counter() - start
    engine.dispose()
    return seconds


def _by_hand(url: URL, user: int) -> float:
    with closing(Bare(url)) as bare:
        start = time.perf_counter()
        bare.begin()
        if bare.kind != "sqlite":
            bare.run("SELECT id FROM users WHERE id = :user FOR UPDATE", user=user)
        for near, own, count in _ENDS:
            for statement in _statements(bare.kind, near, own, count):
                bare.run(statement, user=user)
        bare.run("DELETE FROM users WHERE id = :user", user=user)  # its counts go by their foreign key
        bare.commit()
        return time.perf_counter() - start


def _statements(kind: str, near: str, own: str, count: str) -> tuple[str, ...]:
    """Return how *kind* of database deletes the edges at one end of a user, and counts them out at the other."""
    delete, less = f"DELETE FROM follows WHERE {own} = :user", f"SET {count} = {count} - 1"
    if kind == "postgresql":
        gone = f"WITH gone AS ({delete} RETURNING {near})"
        return (f"{gone} UPDATE follow_counts {less} FROM gone WHERE user_id = gone.{near} AND slot = 0",)
    if kind == "sqlite":
        edges = f"SELECT {near} FROM follows WHERE {own} = :user"
        return (f"UPDATE follow_counts {less} WHERE user_id IN ({edges}) AND slot = 0", delete)
    joined = f"follow_counts c JOIN follows f ON f.{near} = c.user_id AND f.{own} = :user"
    return (f"UPDATE {joined} {less} WHERE c.slot = 0", delete)


def _keep(bare: Bare, user: int) -> None:
    """Copy everything of *user*, to be put back."""
    bare.run(f"CREATE TABLE kept_users AS SELECT * FROM users WHERE id = {user}")
    bare.run(f"CREATE TABLE kept_follows AS SELECT * FROM follows WHERE follower_id = {user} OR following_id = {user}")
    bare.run(f"CREATE TABLE kept_counts AS SELECT * FROM follow_counts WHERE user_id = {user}")


def _put_back(bare: Bare, user: int) -> None:
    if bare.kind == "postgresql":
        bare.run("SET session_replication_role = replica")  # no foreign key is looked up
    bare.begin()
    for table, kept in (("users", "users"), ("follows", "follows"), ("follow_counts", "counts")):
        bare.run(f"INSERT INTO {table} SELECT * FROM kept_{kept}")
    for near, own, count in _ENDS:
        if bare.kind == "mariadb":
            joined = f"follow_counts c JOIN kept_follows f ON f.{near} = c.user_id AND f.{own} = :user"
            bare.run(f"UPDATE {joined} SET {count} = {count} + 1 WHERE c.slot = 0", user=user)
        else:
            edges = f"SELECT {near} FROM kept_follows WHERE {own} = :user"
            bare.run(
                f"UPDATE follow_counts SET {count} = {count} + 1 WHERE slot = 0 AND user_id IN ({edges})", user=user
            )
    bare.commit()
    tidy(bare)
