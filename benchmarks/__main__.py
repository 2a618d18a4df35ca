"""
Retinue beside its peers and the floor, on the same data, in one run.

    python3 dev.py bench              graphs of 100,000 and 2 million edges, and of 20 million on PostgreSQL
    python3 dev.py bench --quick      100,000 edges, few repetitions: about three minutes
    python3 dev.py bench --databases mariadb
    python3 dev.py bench --graph follows.csv.gz    a graph of your own: follower,followed,timestamp
    python3 dev.py bench --only "first page"       the rows with these words in their names
    python3 dev.py bench --write                   and make docs/benchmarks.md and its charts anew
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from benchmarks import calls, loads
from benchmarks.contestants import everybody
from benchmarks.data import Data, generate, read
from benchmarks.databases import place
from benchmarks.report import table, write
from benchmarks.results import Row
from benchmarks.runs import keep, run_here, server_version

SMALL, MIDDLE, LARGE = 100_000, 2_000_000, 20_000_000

#: Loads that are the same on every database and graph: once in a run is enough.
ONCE = {"footprint"}
#: Loads of many connections: on SQLite only one writes at a time.
CROWDED = {"linkbench", "storm", "tao"}
#: Loads that take long for what they say; a quick run leaves them out, and those of many connections on SQLite.
LONG = {"deletion", "footprint", "linkbench", "posting", "storage", "timelines"}


def main() -> None:
    """Measure, print each row as it is found, and keep them where they are wanted."""
    wanted = _parser().parse_args()
    rows: list[Row] = []
    servers: dict[str, str] = {}
    done: set[str] = set()
    for data in _graphs(wanted):
        for kind in wanted.databases:
            if len(data.times) <= MIDDLE or wanted.graph or wanted.edges or kind == "postgresql":
                for row in _measured(kind, data, wanted, servers, done):
                    rows.append(row)
                    print(in_words(row), flush=True)
                    if wanted.json:
                        keep(run_here(rows, servers), wanted.json)
    print(f"\n{table(rows)}")
    if wanted.write:
        print(f"\nwritten: {write(run_here(rows, servers))}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dev.py bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="few repetitions, on the smallest graph")
    parser.add_argument(
        "--databases", nargs="+", choices=["sqlite", "postgresql", "mariadb"], default=["sqlite", "postgresql"]
    )
    parser.add_argument("--edges", nargs="+", type=int, help="graphs of so many edges, made here")
    parser.add_argument("--graph", nargs="+", type=Path, metavar="FILE", help="graphs to read instead")
    parser.add_argument(
        "--only", default="", metavar="WORDS", help="rows, and files of loads/, with these words in their names"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to keep the figures")
    parser.add_argument("--write", action="store_true", help="make docs/benchmarks.md and its charts anew")
    return parser


def _graphs(wanted: argparse.Namespace) -> Iterator[Data]:
    """Yield the graphs, from small to large; each is let go before the next is made."""
    if wanted.graph:
        yield from map(read, wanted.graph)
        return
    for edges in wanted.edges or ([SMALL] if wanted.quick else [SMALL, MIDDLE, LARGE]):
        yield generate(edges)


def _measured(
    kind: str, data: Data, wanted: argparse.Namespace, servers: dict[str, str], done: set[str]
) -> Iterator[Row]:
    """Measure one graph on one database; note the server's version in *servers*, and in *done* the loads."""
    large = len(data.times) > MIDDLE
    print(f"\n{kind}: {data.name}, {data.users:,} users, {len(data.times):,} edges", flush=True)
    with place(kind, data, quick=wanted.quick) as here:
        if kind != "sqlite":
            servers[kind] = server_version(here.engine())
        yield from calls.measure(here, everybody(large=large), lambda name: wanted.only in name, _say)
        # Who asks for a load by its name gets it.
        quick = wanted.quick and not wanted.only
        left_out = done & ONCE | (LONG | (CROWDED if kind == "sqlite" else set()) if quick else set())
        for name, load in () if large else _loads():
            if wanted.only in name and name not in left_out:
                done.add(name)
                yield from load.measure(here)


def _loads() -> Sequence[tuple[str, ModuleType]]:
    """Return what is measured otherwise than call by call."""
    names = sorted(module.name for module in pkgutil.iter_modules(loads.__path__))
    modules = [(name, importlib.import_module(f"{loads.__name__}.{name}")) for name in names]
    return [(name, module) for name, module in modules if hasattr(module, "measure")]


def _say(what: str) -> None:
    print(f"  {what}", flush=True)


def in_words(row: Row) -> str:
    """Return a row for the terminal: each contestant with its median, and its ratio to the floor with the quarters."""
    goal = "" if row.goal is None else f" (goal {row.goal:g})"
    lines = [f"{row.operation}{goal}"]
    for one in row.figures:
        ratio = "" if one.ratio is None else f"{one.ratio:9.2f}  ({one.low:.2f} to {one.high:.2f})"
        unit = "/s" if row.throughput else row.unit
        lines.append(f"    {one.contestant:24} {one.p50:12,.1f} {unit} p99 {one.p99:12,.1f} {ratio}")
    lines += [f"    {name}: {value:,.2f}" for name, value in row.stated.items()]
    if row.note:
        lines.append(f"    {row.note}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
