"""
Retinue beside its peers and the floor, on the same data, in one run.

    python3 dev.py bench              graphs of 100,000 and 2 million edges, and of 20 million on PostgreSQL
    python3 dev.py bench --quick      100,000 edges, few repetitions: about three minutes
    python3 dev.py bench --databases mariadb
    python3 dev.py bench --graph follows.csv.gz    a graph of your own: follower,followed,timestamp
    python3 dev.py bench --only "first page"       the rows with these words in their names, or loads of that name
    python3 dev.py bench --write                   and make docs/benchmarks.md and its charts anew
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from benchmarks import calls
from benchmarks.competitors import competitors
from benchmarks.data import Data, generate, read
from benchmarks.databases import place, server_version
from benchmarks.loads import LOADS
from benchmarks.report import in_words, text, write
from benchmarks.results import Row, run_here, save

SMALL, MIDDLE, LARGE = 100_000, 2_000_000, 20_000_000


def main() -> None:
    """Measure, print each row as it is found, and save them where they are wanted."""
    wanted = _parser().parse_args()
    rows: list[Row] = []
    servers: dict[str, str] = {}
    for data in _graphs(wanted):
        for kind in wanted.databases:
            if len(data.times) <= MIDDLE or wanted.graph or wanted.edges or kind == "postgresql":
                for row in _measured(kind, data, wanted, servers, {row.operation for row in rows}):
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
        "--databases", nargs="+", choices=["sqlite", "postgresql", "mariadb"], default=["sqlite", "postgresql"]
    )
    parser.add_argument("--edges", nargs="+", type=int, help="graphs of so many edges, made here")
    parser.add_argument("--graph", nargs="+", type=Path, metavar="FILE", help="graphs to read instead")
    parser.add_argument("--only", default="", metavar="WORDS", help="rows, and loads, with these words in their names")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to save the figures")
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
    """Measure one graph on one database, but for what is *done* and the same everywhere; note the *servers'* versions."""
    large = len(data.times) > MIDDLE
    print(f"\n{kind}: {data.name}, {data.users:,} users, {len(data.times):,} edges", flush=True)
    with place(kind, data, quick=wanted.quick) as here:
        if kind != "sqlite":
            servers[kind] = server_version(here)
        yield from calls.measure(here, competitors(kind, large=large), lambda name: wanted.only in name, _say)
        # Who asks for a load by its name gets it.
        quick = wanted.quick and not wanted.only
        for load in () if large else LOADS:
            left_out = quick and (load.long or (load.crowded and kind == "sqlite"))
            if wanted.only in load.name and not left_out and not (load.once and load.operation in done):
                yield load.measure(here)


def _say(what: str) -> None:
    print(f"  {what}", flush=True)


if __name__ == "__main__":
    main()
