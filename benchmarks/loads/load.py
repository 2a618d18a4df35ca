"""What is measured otherwise than call by call: many connections at once, whole graphs, space."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from benchmarks.competitor import Competitor
from benchmarks.competitors.floor import Floor
from benchmarks.databases import Place, connect
from benchmarks.results import Row, Stated
from benchmarks.runner import Rounds, figures


class Measured(NamedTuple):
    """What a load found: of the floor first."""

    rounds: Rounds
    stated: tuple[Stated, ...] = ()


@dataclass(frozen=True)
class Load:
    """One row of the table of loads."""

    #: As the command line calls it.
    name: str
    operation: str
    rounds: Callable[[Place], Measured]
    #: The highest (for a throughput, the lowest) ratio of Retinue to the floor that we want, by kind of database.
    goals: Mapping[str, float] = field(default_factory=dict)
    throughput: bool = False
    unit: str = "us"
    note: str = ""
    #: Whether a quick run leaves it out: always, or on SQLite, where only one connection writes at a time.
    long: bool = False
    crowded: bool = False
    #: Whether it is the same on every database and graph.
    once: bool = False

    def measure(self, place: Place) -> Row:
        """Measure it."""
        found = self.rounds(place)
        return Row(
            self.operation,
            place.name,
            len(place.data.times),
            figures(found.rounds, floor=next(iter(found.rounds)), throughput=self.throughput),
            self.goals.get(place.kind),
            self.throughput,
            self.unit,
            self.note,
            found.stated,
        )


def loaded(place: Place, kind: type[Competitor]) -> Competitor:
    """Return a competitor with the place's graph, without posts."""
    competitor = kind(place.fresh())
    competitor.create()
    competitor.load(place.data)
    return competitor


@contextmanager
def copied(place: Place, original: Competitor) -> Iterator[Competitor]:
    """Give a copy of a closed competitor, which is dropped afterwards; MariaDB, which cannot copy, loads it again."""
    kind = type(original)
    copy = loaded(place, kind) if place.kind == "mariadb" else kind(place.copy(original.url))
    yield copy
    copy.close()
    place.drop(copy.url)


def check(competitor: Competitor, edges: int | None = None, *, counts: bool = True) -> None:
    """Raise if there are not so many *edges*, or if the counts of the floor or of Retinue differ from them."""
    by_hand = isinstance(competitor, Floor)
    table, columns = (
        ("counts", ("followed", "follower")) if by_hand else ("follow_counts", ("following_id", "follower_id"))
    )
    with closing(connect(competitor.url)) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT COUNT(*) FROM follows")
        ((found,),) = cursor.fetchall()
        if edges is not None and found != edges:
            raise AssertionError(f"{found} edges, not {edges}")
        for key, counter in zip(columns, ("followers", "following"), strict=True) if counts else ():
            cursor.execute(
                "SELECT u.id, COALESCE(c.total, 0), COALESCE(e.total, 0) FROM users u"
                f" LEFT JOIN (SELECT user_id, SUM({counter}) AS total FROM {table} GROUP BY user_id) c"
                f" ON c.user_id = u.id LEFT JOIN (SELECT {key} AS id, COUNT(*) AS total FROM follows GROUP BY {key}) e"
                " ON e.id = u.id WHERE COALESCE(c.total, 0) <> COALESCE(e.total, 0) LIMIT 5"
            )
            if wrong := cursor.fetchall():
                raise AssertionError(f"{counter} differs from the edges: {wrong}")
