"""
How close an import is to the database's own bulk path.

    .venv/bin/python -m benchmarks.bulk [sqlite] [postgresql] [mariadb]
        [--rows 200000] [--rounds 5] [--sorted] [--file graph.csv.gz]

Both sides fill the same empty table, with its keys, indexes and foreign keys in place,
in turns. The floor gets pairs of numbers that are in memory and known to be good, and
only inserts them: COPY on PostgreSQL, one transaction of ``executemany`` on SQLite,
multi-row inserts and ``LOAD DATA`` on MariaDB. The import reads a CSV file, finds
duplicates and strangers, and keeps the counts, which are compared with the edges
after each round. Printed: thousands of rows a second, the median of the ratio of each
round, and its spread.

Without ``--file`` the graph is made: a few users have many followers, and edges come in
random order, or sorted by follower as exports often are.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, func, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from retinue import FollowCountMixin, FollowerMixin, FollowMixin, prepare_engine
from retinue.transfer import import_follows
from tests.servers import MariaDB, PostgreSQL

Pairs = list[tuple[int, int]]
Side = Callable[[Engine, Pairs, Path], object]

NOW = datetime.now(UTC).replace(tzinfo=None)
COLUMNS = "follows (follower_id, following_id, timestamp)"


class Base(DeclarativeBase):
    """The declarative base."""


class User(FollowerMixin, Base):
    """A user."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


class Follow(FollowMixin, Base):
    """An edge."""

    __tablename__ = "follows"


class FollowCount(FollowCountMixin, Base):
    """The counts."""

    __tablename__ = "follow_counts"


def imported(engine: Engine, pairs: Pairs, file: Path) -> None:
    """Import the file."""
    report = import_follows(engine, User, file)
    if report.added != len(pairs):
        raise AssertionError(report)


def inserted(engine: Engine, pairs: Pairs, _file: Path) -> None:
    """Insert with the driver's ``executemany``, in one transaction."""
    mark = "?" if engine.dialect.name == "sqlite" else "%s"
    at = str(NOW)
    with engine.begin() as connection:
        rows = [(follower, followed, at) for follower, followed in pairs]
        connection.exec_driver_sql(f"INSERT INTO {COLUMNS} VALUES ({mark}, {mark}, {mark})", rows)


def copied(engine: Engine, pairs: Pairs, _file: Path) -> None:
    """COPY, as text."""
    with engine.begin() as connection:
        driver: Any = connection.connection.driver_connection
        with driver.cursor().copy(f"COPY {COLUMNS} FROM STDIN") as copy:
            for start in range(0, len(pairs), 10_000):
                copy.write("".join([f"{a}\t{b}\t{NOW}+00\n" for a, b in pairs[start : start + 10_000]]))


def loaded(engine: Engine, pairs: Pairs, file: Path) -> None:
    """LOAD DATA LOCAL, from a file that is made here."""
    text = file.with_suffix(".tsv")
    text.write_text("".join([f"{a}\t{b}\t{NOW}\n" for a, b in pairs]))
    local = create_engine(engine.url.update_query_dict({"local_infile": "1"}))
    with local.begin() as connection:
        connection.exec_driver_sql(f"LOAD DATA LOCAL INFILE '{text}' INTO TABLE {COLUMNS}")
    local.dispose()


FLOORS: dict[str, dict[str, Side]] = {
    "sqlite": {"executemany": inserted},
    "postgresql": {"COPY": copied},
    "mariadb": {"multi-row insert": inserted, "LOAD DATA": loaded},
}


def made(rows: int) -> Pairs:
    """Make a graph of *rows* edges, twenty for each user, with celebrities."""
    dice = random.Random(1)
    people = max(rows // 20, 10)
    edges: set[tuple[int, int]] = set()
    while len(edges) < rows:
        follower, followed = 1 + dice.randrange(people), 1 + int(people * dice.random() ** 3)
        if follower != followed:
            edges.add((follower, followed))
    pairs = sorted(edges)
    dice.shuffle(pairs)
    return pairs


def read(file: Path) -> Pairs:
    """Read a real graph: the edges that can be imported, each once."""
    with gzip.open(file, "rt") if file.suffix == ".gz" else file.open() as lines:
        rows = ((row[0], row[1]) for row in csv.reader(lines) if row[0].isdecimal())
        return list(dict.fromkeys((int(a), int(b)) for a, b in rows if a != b))


def emptied(engine: Engine) -> None:
    """Make the tables anew, but for the users."""
    tables = [Base.metadata.tables[name] for name in ("follow_counts", "follows")]
    Base.metadata.drop_all(engine, tables=tables)
    Base.metadata.create_all(engine, tables=tables)


def check_counts(engine: Engine) -> None:
    """Compare the count rows with the edges."""
    with engine.connect() as connection:
        for key, column in ((Follow.following_id, FollowCount.followers), (Follow.follower_id, FollowCount.following)):
            edges = set(connection.execute(select(key, func.count()).group_by(key)))
            said = set(connection.execute(select(FollowCount.user_id, column).where(column > 0)))
            if edges != said:
                raise AssertionError(f"{column} differs from the edges")


def measure(engine: Engine, pairs: Pairs, file: Path, rounds: int) -> None:
    """Run all sides in turns, and print what they reach."""
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        everybody = sorted({user for pair in pairs for user in pair})
        for start in range(0, len(everybody), 10_000):
            connection.execute(insert(User), [{"id": user} for user in everybody[start : start + 10_000]])
    floors = FLOORS[engine.dialect.name]
    speeds: dict[str, list[float]] = {name: [] for name in (*floors, "import")}
    for _ in range(rounds):
        for name, side in {**floors, "import": imported}.items():
            emptied(engine)
            started = time.perf_counter()
            side(engine, pairs, file)
            speeds[name].append(len(pairs) / (time.perf_counter() - started) / 1000)
        check_counts(engine)
    ours = speeds.pop("import")
    print(f"{engine.dialect.name:12} {'import':18} {statistics.median(ours):7.1f}")
    for name, theirs in speeds.items():
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        ratio = statistics.median(ratios)
        print(
            f"{'':12} {name:18} {statistics.median(theirs):7.1f}   import is {ratio:.2f} of it ({spread})", flush=True
        )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engines", nargs="*", metavar="engine", help="one of " + ", ".join(FLOORS))
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sorted", action="store_true")
    parser.add_argument("--file", type=Path)
    given = parser.parse_args()
    pairs = read(given.file) if given.file else made(given.rows)
    if given.sorted:
        pairs.sort()
    print(
        f"{len(pairs):,} edges, {'sorted' if pairs == sorted(pairs) else 'in random order'}; thousands of rows a second"
    )
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "graph.csv")
        file.write_text("".join(f"{a},{b}\n" for a, b in pairs))
        for name in given.engines or FLOORS:
            if name == "sqlite":
                measure(prepare_engine(create_engine(f"sqlite:///{directory}/graph.db")), pairs, file, given.rounds)
                continue
            server = PostgreSQL() if name == "postgresql" else MariaDB()
            try:
                engine = create_engine(server.create_database())
                measure(engine, pairs, file, given.rounds)
                engine.dispose()
            finally:
                server.stop()


if __name__ == "__main__":
    main()
