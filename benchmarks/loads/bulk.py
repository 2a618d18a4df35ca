"""
An import of a whole graph, beside the engine's own bulk path.

Both fill the same empty table, with its keys, indexes and foreign keys in place. The floor gets
pairs of numbers that are in memory and known to be good, and only inserts them: COPY on
PostgreSQL, one transaction of ``executemany`` on SQLite, LOAD DATA on MariaDB. The import reads a
CSV file, finds duplicates and strangers, and keeps the counts.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, create_engine

from benchmarks.databases import Place
from benchmarks.loads.bare import Bare
from benchmarks.loads.comparing import FLOOR, OURS, compared
from benchmarks.loads.filling import check, fill_users, tidy
from benchmarks.loads.models import Base, User
from benchmarks.results import Row
from retinue import prepare_engine
from retinue.transfer import import_follows

GOAL = 0.8

Pairs = list[tuple[int, int]]
Side = Callable[[URL, Pairs, Path], None]

_NOW = datetime.now(UTC).replace(tzinfo=None)
_COLUMNS = "follows (follower_id, following_id, timestamp)"


def measure(place: Place) -> list[Row]:
    """Let all sides fill the table in turns."""
    most, rounds = (50_000, 3) if place.quick else (500_000, 5)
    pairs = list(zip(place.data.followers[:most].tolist(), place.data.followed[:most].tolist(), strict=True))
    url = place.fresh()
    engine = prepare_engine(create_engine(url))
    Base.metadata.create_all(engine)
    fill_users(url, place.data.users)
    sides = {FLOOR: _BULK_PATHS[place.kind], OURS: _import}
    if place.kind == "mariadb":
        sides["inserts of many rows"] = _insert
    reached: dict[str, list[float]] = {name: [] for name in sides}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "graph.csv")
        file.write_text("".join(f"{a},{b}\n" for a, b in pairs))
        for _ in range(rounds):
            for name, side in sides.items():
                _empty(url)
                start = time.perf_counter()
                side(url, pairs, file)
                reached[name].append(len(pairs) / (time.perf_counter() - start))
                if name == OURS:
                    check(url, len(pairs))
    engine.dispose()
    place.drop(url)
    return [
        Row(
            "bulk import, rows a second",
            place.kind,
            len(place.data.times),
            compared(reached, worst=min),
            goal=GOAL,
            throughput=True,
            note="Into the same table, with its keys, indexes and foreign keys. The floor only inserts what is in"
            " memory, by the engine's own bulk path; the import reads a file, checks every row and keeps the counts.",
            stated={"rows": float(len(pairs))},
        )
    ]


def _empty(url: URL) -> None:
    """Make the tables anew, but for the users; what was in them is not to be cleaned up later."""
    engine = prepare_engine(create_engine(url))
    tables = [Base.metadata.tables[name] for name in ("follow_counts", "follows")]
    Base.metadata.drop_all(engine, tables=tables)
    Base.metadata.create_all(engine, tables=tables)
    engine.dispose()
    with closing(Bare(url)) as bare:
        tidy(bare)


def _import(url: URL, pairs: Pairs, file: Path) -> None:
    engine = create_engine(url)
    report = import_follows(engine, User, file)
    engine.dispose()
    if report.added != len(pairs):
        raise AssertionError(report)


def _insert(url: URL, pairs: Pairs, _file: Path) -> None:
    """Insert with the driver's ``executemany``, in one transaction."""
    with closing(Bare(url)) as bare:
        mark, at = "?" if bare.kind == "sqlite" else "%s", str(_NOW)
        rows = [(follower, followed, at) for follower, followed in pairs]
        bare.begin()
        bare.connection.cursor().executemany(f"INSERT INTO {_COLUMNS} VALUES ({mark}, {mark}, {mark})", rows)
        bare.commit()


def _copy(url: URL, pairs: Pairs, _file: Path) -> None:
    """COPY, as text."""
    with closing(Bare(url)) as bare, bare.connection.cursor().copy(f"COPY {_COLUMNS} FROM STDIN") as copy:
        for start in range(0, len(pairs), 10_000):
            copy.write("".join([f"{a}\t{b}\t{_NOW}+00\n" for a, b in pairs[start : start + 10_000]]))


def _load(url: URL, pairs: Pairs, file: Path) -> None:
    """LOAD DATA LOCAL, from a file that is made here."""
    text = file.with_suffix(".tsv")
    text.write_text("".join([f"{a}\t{b}\t{_NOW}\n" for a, b in pairs]))
    with closing(Bare(url)) as bare:
        bare.run(f"LOAD DATA LOCAL INFILE '{text}' INTO TABLE {_COLUMNS}")


_BULK_PATHS: dict[str, Side] = {"sqlite": _insert, "postgresql": _copy, "mariadb": _load}
