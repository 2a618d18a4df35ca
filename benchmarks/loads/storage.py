"""
The space that an edge takes, with all its indexes, beside the smallest schema that offers the same lists.

The floor has the same two keys and the time, unique by pair, and both lists in the order of time; by
hand, as each database stores that best. Beside it is stated what each part of both costs, and what Retinue's counts add.
"""

from __future__ import annotations

from contextlib import closing

from benchmarks.competitors import floor_of
from benchmarks.competitors.retinue import Retinue
from benchmarks.databases import Place, connect
from benchmarks.loads.load import Measured, check, loaded
from benchmarks.results import FLOOR, RETINUE, Stated

#: Bytes by name of a table or index.
_SIZES = {
    "sqlite": "SELECT name, SUM(pgsize) FROM dbstat GROUP BY name",
    "postgresql": "SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relkind IN ('r', 'i')"
    " AND relnamespace = 'public'::regnamespace",
    "mariadb": "SELECT IF(index_name = 'PRIMARY', table_name, index_name), stat_value * @@innodb_page_size"
    " FROM mysql.innodb_index_stats WHERE stat_name = 'size' AND database_name = DATABASE()",
}
#: What packs the tables as tightly as the database can.
_PACK = {"sqlite": "VACUUM", "postgresql": "VACUUM FULL", "mariadb": "OPTIMIZE TABLE follows"}


def measure(place: Place) -> Measured:
    """Fill both schemas with the same edges."""
    edges, parts = len(place.data.times), dict[str, dict[str, float]]()
    for kind in (floor_of(place.kind), Retinue):
        side = loaded(place, kind)
        check(side, edges)
        side.close()
        with closing(connect(side.url)) as connection:
            cursor = connection.cursor()
            for statement in (_PACK[place.kind], _SIZES[place.kind]):
                cursor.execute(statement)
                rows = cursor.fetchall() if cursor.description else []
        place.drop(side.url)
        parts[kind.name] = {name: int(size) / edges for name, size in rows}
    # The floor's indexes are called followers_of and followed_by; all of Retinue's have the table in their names.
    tables = {
        FLOOR: {name: size for name, size in parts[FLOOR].items() if name.startswith("follow")},
        RETINUE: {name: size for name, size in parts[RETINUE].items() if "follows" in name},
    }
    stated = [
        Stated(f"{side}: {name}, bytes for each edge", size)
        for side, sizes in tables.items()
        for name, size in sorted(sizes.items())
    ]
    counts = sum(size for name, size in parts[RETINUE].items() if "follow_counts" in name)
    stated.append(Stated("counts, bytes for each edge", counts))
    return Measured({side: [[sum(sizes.values())]] for side, sizes in tables.items()}, tuple(stated))
