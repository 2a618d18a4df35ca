"""
The program whose instructions are counted: hot calls on SQLite in memory, so many times each.

Valgrind counts from one mark to the next. A mark is a call of `os.ctermid()`, as nobody
else here calls the function of that name in the C library.
"""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from typing import Any, Final

from sqlalchemy import bindparam, create_engine, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from retinue import ALL, AsyncGraph, Graph, prepare_engine
from tests.performance.crowd import at
from tests.performance.models import COUNTED

#: The calls, in their order.
NAMES: Final = (
    "floor",
    "is_following",
    "relationships with 50",
    "the same page by the ORM alone",
    "page of 20 followers",
    "page of 20 followers as rows",
    "counts of 50",
    "follow, new",
    "follow, repeated",
    "unfollow",
    "awaited, without a statement",
)
MARK: Final = "ctermid"
#: Calls before the counting begins: statements are built, and Python has specialised its code.
WARM: Final = 30
#: Calls that are counted.
CALLS: Final = 20

_EDGE = "SELECT 1 FROM follows WHERE follower_id = ? AND following_id = ?"
_USER, _FOLLOW = COUNTED.user, COUNTED.every[0]
_PAGE = (
    select(_USER, _FOLLOW.timestamp)
    .join(_FOLLOW, _FOLLOW.follower_id == _USER.id)
    .where(_FOLLOW.following_id == bindparam("user"))
    .order_by(_FOLLOW.timestamp.desc(), _FOLLOW.follower_id.desc())
    .limit(21)
)
_COLUMNS = (_USER.id, _USER.username)
_FIFTY = list(range(2, 52))
_PEOPLE = range(1, 202)
_LOOP = asyncio.Runner()


def main() -> None:
    """Make the calls, with a mark before and behind those of each kind."""
    engine = prepare_engine(create_engine("sqlite://", poolclass=StaticPool))
    COUNTED.metadata.create_all(engine)
    with Session(engine) as session:
        fill(session)
        for name in NAMES:
            make(session, name, range(WARM))
        gc.collect()
        gc.disable()
        if "--counted" in sys.argv:
            start_counting()
        for name in NAMES:
            os.ctermid()
            make(session, name, range(WARM, WARM + CALLS))
        os.ctermid()


def make(session: Session, name: str, numbers: range) -> None:
    """Make a call with each of *numbers*, which is another user each time."""
    graph: Graph[Any] = Graph(session, COUNTED.user)
    if name == "awaited, without a statement":
        _LOOP.run(_await_each(numbers))
        return
    connection = session.connection()
    call: Any = {
        # What SQLAlchemy itself takes to run a text: the others are compared with that.
        "floor": lambda n: connection.exec_driver_sql(_EDGE, (2 + n, 1)).first(),
        "is_following": lambda n: graph.is_following(2 + n, 1),
        "relationships with 50": lambda _: graph.relationships(1, _FIFTY),
        "the same page by the ORM alone": lambda _: session.execute(_PAGE, {"user": 1}).all(),
        "page of 20 followers": lambda _: graph.followers(1),
        "page of 20 followers as rows": lambda _: graph.followers(1, columns=_COLUMNS),
        "counts of 50": lambda _: graph.counts(_FIFTY),
        "follow, new": lambda n: graph.follow(1, 102 + n),
        "follow, repeated": lambda n: graph.follow(1, 102 + n),
        "unfollow": lambda n: graph.unfollow(1, 102 + n),
    }[name]
    for number in numbers:
        call(number)


async def _await_each(numbers: range) -> None:
    graph = AsyncGraph(AsyncSession(), COUNTED.user)
    for _ in numbers:
        await graph.visible_to(ALL)


def fill(session: Session) -> None:
    """Make 201 users, of whom a hundred follow the first; all of them are counted."""
    users, follows, counts = (COUNTED.metadata.tables[name] for name in ("users", "follows", "follow_counts"))
    fans = _PEOPLE[1:101]
    connection = session.connection()
    connection.execute(insert(users), [{"id": n, "username": f"user{n}", "about": ""} for n in _PEOPLE])
    connection.execute(insert(follows), [{"follower_id": n, "following_id": 1, "timestamp": at(n)} for n in fans])
    connection.execute(
        insert(counts),
        [{"user_id": n, "slot": 0, "followers": len(fans) if n == 1 else 0, "following": n in fans} for n in _PEOPLE],
    )
    session.commit()
    session.connection()


def start_counting() -> None:
    """Let Valgrind count from now on: up to here it only runs the program, several times as fast."""
    order = subprocess.Popen(["vgdb", f"--pid={os.getpid()}", "instrumentation", "on"], stdout=subprocess.DEVNULL)
    while order.poll() is None:
        pass  # at work, as Valgrind takes orders between two pieces of work
    assert order.returncode == 0, "Valgrind took no order"


if __name__ == "__main__":
    main()
