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
from functools import partial
from pathlib import Path

from benchmarks.competitors.retinue import Retinue
from benchmarks.databases import Place, connect
from benchmarks.filling import Filler, filling, tidy, write
from benchmarks.loads.load import Measured, check
from benchmarks.results import FLOOR, RETINUE, Stated
from benchmarks.runner import take_turns
from retinue.transfer import import_follows

#: So many edges of a graph, at most.
_MOST = 2_000_000
_COLUMNS = ("follower_id", "following_id", "timestamp")
#: With the zone, where the column has one.
_NOW = datetime.now(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def measure(place: Place) -> Measured:
    """Let both sides fill the table in turns."""
    number, rounds = (50_000, 3) if place.quick else (_MOST, 3 if len(place.data.times) >= _MOST else 5)
    pairs = list(zip(place.data.followers[:number].tolist(), place.data.followed[:number].tolist(), strict=True))
    retinue = Retinue(place.fresh())
    retinue.create()
    with filling(retinue.url) as filler:
        filler.users("users", place.data.users)
    with tempfile.TemporaryDirectory() as folder:
        file = write(Path(folder, "graph.csv"), pairs)
        sides: dict[str, Callable[[], None]] = {
            FLOOR: partial(_bulk_path, place, retinue, pairs),
            RETINUE: partial(_import, retinue, file),
        }
        found = take_turns({name: partial(_turn, retinue, side, len(pairs)) for name, side in sides.items()}, rounds)
    retinue.close()
    place.drop(retinue.url)
    return Measured(found, (Stated("rows", len(pairs)),))


def _turn(retinue: Retinue, side: Callable[[], None], rows: int, _number: int) -> list[float]:
    """Make the tables anew, but for the users; fill them, and return rows a second."""
    tables = [retinue.models.metadata.tables[name] for name in ("follow_counts", "follows")]
    retinue.models.metadata.drop_all(retinue.engine, tables=tables)
    retinue.models.metadata.create_all(retinue.engine, tables=tables)
    tidy(retinue.url)
    start = time.perf_counter()
    side()
    taken = time.perf_counter() - start
    check(retinue, rows, counts=isinstance(side, partial) and side.func is _import)
    return [rows / taken]


def _import(retinue: Retinue, file: Path) -> None:
    import_follows(retinue.engine, retinue.models.user, file)


def _bulk_path(place: Place, retinue: Retinue, pairs: list[tuple[int, int]]) -> None:
    at = _NOW + "+00" * (place.kind == "postgresql")
    with closing(connect(retinue.url)) as connection:
        cursor = connection.cursor()
        if place.kind == "sqlite":
            cursor.execute("BEGIN")
        Filler(connection, place.kind).insert("follows", _COLUMNS, ((one, other, at) for one, other in pairs))
        if place.kind == "sqlite":
            cursor.execute("COMMIT")
