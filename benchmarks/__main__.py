"""
Retinue beside its peers and the floor, on the same data, in one run.

    python3 dev.py bench              graphs of 100,000 and 2 million edges, and of 20 million on PostgreSQL
    python3 dev.py bench --quick      100,000 edges on SQLite and PostgreSQL, few repetitions: two minutes
    python3 dev.py bench --databases wire          PostgreSQL, a quarter of a millisecond away
    python3 dev.py bench --graph follows.csv.gz    a graph of your own: follower,followed,timestamp
    python3 dev.py bench --only "first page"       the rows with these words in their names, or loads of that name
    python3 dev.py bench --write                   and make docs/benchmarks.md, its charts and its figures anew
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from benchmarks import calls
from benchmarks.amounts import database
from benchmarks.competitors import competitors
from benchmarks.cores import keep_to_clients_core
from benchmarks.data import Data, generate, read
from benchmarks.databases import DATABASES, WIRE, Place, place, server_version
from benchmarks.loads import LOADS
from benchmarks.page import write
from benchmarks.pages import measuring as pages
from benchmarks.report import in_words, text
from benchmarks.results import Row, run_here, save
from tests.servers import ServerMissingError

SMALL, MIDDLE, LARGE = 100_000, 2_000_000, 20_000_000
QUICKLY = ("sqlite", "postgresql")


def main() -> None:
    """Measure, print each row as it is found, and save them where they are wanted."""
    wanted = _parser().parse_args()
    names = wanted.databases or (QUICKLY if wanted.quick else DATABASES)
    keep_to_clients_core()
    rows: list[Row] = []
    servers: dict[str, str] = {}
    for data in _graphs(wanted):
        for name in names:
            if len(data.times) <= _most(name) or wanted.graph or wanted.edges:
                for row in _measured(name, data, wanted, servers, {row.operation for row in rows}):
                    rows.append(row)
                    print(in_words(row), flush=True)
                    if wanted.json:
                        save(run_here(rows, servers), wanted.json)
    print(f"\n{text(rows)}")
    if wanted.write:
        print(f"\nwritten: {write(run_here(rows, servers))}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dev.py bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="few repetitions, on the smallest graph")
    parser.add_argument(
        "--databases", nargs="+", choices=DATABASES, help="if you name none: all, or two if it is to be quick"
    )
    parser.add_argument("--edges", nargs="+", type=int, help="graphs of so many edges, made here")
    parser.add_argument("--graph", nargs="+", type=Path, metavar="FILE", help="graphs to read instead")
    parser.add_argument("--only", default="", metavar="WORDS", help="rows, and loads, with these words in their names")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to save the figures")
    parser.add_argument("--write", action="store_true", help="make docs/benchmarks.md and what lies beside it anew")
    return parser


def _graphs(wanted: argparse.Namespace) -> Iterator[Data]:
    """Yield the graphs, from small to large; each is let go before the next is made."""
    if wanted.graph:
        yield from map(read, wanted.graph)
        return
    for edges in wanted.edges or ([SMALL] if wanted.quick else [SMALL, MIDDLE, LARGE]):
        yield generate(edges)


def _most(name: str) -> int:
    """Return how many edges a graph has at most, where it is measured unless somebody asks for more."""
    return {"postgresql": LARGE, WIRE: SMALL}.get(name, MIDDLE)


def _measured(
    name: str, data: Data, wanted: argparse.Namespace, servers: dict[str, str], done: set[str]
) -> Iterator[Row]:
    """Measure one graph at one place, but for what is *done* and the same everywhere; note the *servers'* versions."""
    large = len(data.times) > MIDDLE
    print(f"\n{database(name)}: {data.name}, {data.users:,} users, {len(data.times):,} edges", flush=True)
    try:
        with place(name, data, quick=wanted.quick) as here:
            if here.server and name != WIRE:
                servers[name] = server_version(here)
            sides = competitors(here.kind, large=large, peers=name != WIRE)
            yield from calls.measure(here, sides, lambda operation: wanted.only in operation, _say)
            if name != WIRE and not large:
                yield from _loads(here, wanted, done)
    except ServerMissingError as missing:
        _say(f"not measured: {missing}")


def _loads(here: Place, wanted: argparse.Namespace, done: set[str]) -> Iterator[Row]:
    """Measure the loads, and pages as their users feel them."""
    # Who asks for a load by its name gets it.
    quick = wanted.quick and not wanted.only
    for load in LOADS:
        left_out = quick and (load.long or (load.crowded and here.kind == "sqlite"))
        if wanted.only in load.name and not left_out and not (load.once and load.operation in done):
            yield load.measure(here)
    if wanted.only in "pages" and not quick and here.kind != "mariadb" and len(here.data.times) <= SMALL:
        yield from pages.measure(here, *((5, 0.5) if wanted.quick else (15, 2.0)))


def _say(what: str) -> None:
    print(f"  {what}", flush=True)


if __name__ == "__main__":
    main()
