"""
The space that an edge takes, with all its indexes, beside the smallest schema that offers the same lists.

The floor has the same two keys and the time, unique by pair, and both lists in the order of time; by
hand, as each database keeps that best. Beside it is stated what each part of Retinue's costs,
what the counts add, and what the floor would take without the order of one list.
"""

from __future__ import annotations

from contextlib import closing

from benchmarks.databases import Place
from benchmarks.loads.bare import Bare
from benchmarks.loads.comparing import FLOOR, OURS
from benchmarks.loads.filling import check, fill
from benchmarks.loads.models import Base
from benchmarks.results import Figure, Row

GOAL = 1.2

#: Parts of the floor: the table with its key, then an index for each list.
_FLOOR_INDEXES = (
    "CREATE INDEX floor_followers ON floor_follows (followed, at, follower)",
    "CREATE INDEX floor_following ON floor_follows (follower, at, followed)",
)
_KEY = "PRIMARY KEY (follower, followed)"
_FLOOR_TABLES = {
    "sqlite": f"CREATE TABLE floor_follows (follower INTEGER NOT NULL, followed INTEGER NOT NULL, at INTEGER NOT NULL,"
    f" {_KEY}) WITHOUT ROWID",
    "postgresql": f"CREATE TABLE floor_follows (follower integer, followed integer, at timestamptz NOT NULL, {_KEY})",
    "mariadb": f"CREATE TABLE floor_follows (follower integer, followed integer, at datetime(6) NOT NULL, {_KEY})",
}

#: Bytes by name of a table or index.
_SIZES = {
    "sqlite": "SELECT name, SUM(pgsize) FROM dbstat GROUP BY name",
    "postgresql": "SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relkind IN ('r', 'i')"
    " AND relnamespace = 'public'::regnamespace",
    "mariadb": "SELECT IF(index_name = 'PRIMARY', table_name, index_name), stat_value * @@innodb_page_size"
    " FROM mysql.innodb_index_stats WHERE stat_name = 'size' AND database_name = DATABASE()",
}


def measure(place: Place) -> list[Row]:
    """Fill both schemas with the same edges, packed as tightly as the database can."""
    url, edges = place.fresh(), len(place.data.times)
    fill(url, Base.metadata, place.data)
    with closing(Bare(url)) as bare:
        _fill_floor(bare)
        check(url, edges)
        sizes = {name: int(size) / edges for name, size in bare.run(_SIZES[place.kind])}
    place.drop(url)
    floor = {name: size for name, size in sizes.items() if name.startswith("floor_")}
    counts = {name: size for name, size in sizes.items() if "follow_counts" in name}
    ours = {name: size for name, size in sizes.items() if "follows" in name and name not in {*floor, *counts}}
    least, taken = sum(floor.values()), sum(ours.values())
    stated = {f"{name}, bytes for each edge": size for name, size in sorted({**ours, **floor}.items())}
    stated["counts, bytes for each edge"] = sum(counts.values())
    stated["the floor without the order of whom one follows, bytes"] = least - floor["floor_following"]
    ratio = taken / least
    return [
        Row(
            "storage of an edge",
            place.kind,
            edges,
            (Figure(FLOOR, least, least), Figure(OURS, taken, taken, ratio, ratio, ratio)),
            goal=GOAL,
            unit="bytes",
            note="Bytes for each edge, with all indexes, after both tables were packed anew. The floor offers the same"
            " lists in the same order.",
            stated=stated,
        )
    ]


def _fill_floor(bare: Bare) -> None:
    """Make the floor's table of Retinue's edges; then pack both."""
    at = "timestamp"
    if bare.kind == "sqlite":  # whole microseconds are the smallest way to say when
        at = "unixepoch(timestamp) * 1000000 + CAST(substr(timestamp, 21) AS INTEGER)"
    bare.run(_FLOOR_TABLES[bare.kind])
    bare.run(f"INSERT INTO floor_follows SELECT follower_id, following_id, {at} FROM follows")
    for index in _FLOOR_INDEXES:
        bare.run(index)
    ((found,),) = bare.run(
        "SELECT COUNT(DISTINCT at) - (SELECT COUNT(DISTINCT timestamp) FROM follows) FROM floor_follows"
    )
    if found:
        raise AssertionError("the floor's times are others")
    if bare.kind == "mariadb":
        for table in ("follows", "follow_counts", "floor_follows"):
            bare.run(f"OPTIMIZE TABLE {table}")
    else:
        bare.run("VACUUM FULL" if bare.kind == "postgresql" else "VACUUM")
