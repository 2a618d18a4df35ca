"""
What suggestions cost: beside the bare driver that runs the same statements, and over all users.

    .venv/bin/python -m benchmarks.suggestion_cost follows.csv[.gz] [sqlite] [postgresql]

Loads the graph, then asks for users who follow 400 to 600 others and for users drawn at
random. Both sides run in one process on one database, in turns; the statements and
their parameters are those that the library had just issued. Printed: the median and the
99th percentile of a call in milliseconds, and the median of the ratios.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, func, insert, select
from sqlalchemy.orm import Session

from benchmarks.databases import database
from benchmarks.suggestions import Base, Follow, User, read
from retinue import Graph
from retinue.transfer import import_follows

ROUNDS = 5
ASKED = 200


def milliseconds(call: Callable[[], object]) -> float:
    """Return how long *call* takes."""
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1_000


def compare(engine: Engine, users: Sequence[int]) -> None:
    """Print one line."""
    issued: list[tuple[str, Any]] = []
    event.listen(
        engine,
        "before_cursor_execute",
        lambda **said: issued.append((said["statement"], said["parameters"])),
        named=True,
    )
    ours, ratios = [], []
    with Session(engine) as session:
        graph = Graph(session, User)
        cursor = session.connection().connection.cursor()

        def bare() -> None:
            for statement, parameters in issued:
                cursor.execute(statement, parameters)
                cursor.fetchall()

        def call(user: int) -> None:
            issued.clear()
            session.expunge_all()
            graph.suggestions(user)

        for user in users:
            times = [(milliseconds(lambda: call(user)), milliseconds(bare)) for _ in range(ROUNDS)]  # noqa: B023 - called at once
            ours.append(min(time for time, _ in times))
            ratios.append(ours[-1] / min(time for _, time in times))
    ours.sort()
    print(
        f"{len(users):4} users: p50 {statistics.median(ours):6.2f} ms, p99 {ours[int(len(ours) * 0.99)]:6.2f} ms, "
        f"{statistics.median(ratios):.2f} of the bare driver",
        flush=True,
    )


def main() -> None:
    """Load the graph and print two lines for each database."""
    path, *kinds = sys.argv[1:]
    edges = read(Path(path))
    people = sorted({user for pair in edges for user in pair})
    for kind in kinds or ["sqlite", "postgresql"]:
        with database(kind) as engine:
            Base.metadata.create_all(engine)
            with engine.begin() as connection:
                connection.execute(insert(User), [{"id": user} for user in people])
            import_follows(engine, User, edges)
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("ANALYZE")
                number = func.count()
                busy = select(Follow.follower_id).group_by(Follow.follower_id).having(number.between(400, 600))
                many = connection.execute(busy.limit(25)).scalars().all()
            print(kind)
            compare(engine, many)
            compare(engine, random.Random(1).sample(people, min(ASKED, len(people))))


if __name__ == "__main__":
    main()
