"""
What the benchmark found, as tables for the terminal.

    python -m benchmarks.report run.json [another.json ...]     print the tables of these runs
    python -m benchmarks.report run.json --write                make docs/benchmarks.md and what lies beside it anew
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from textwrap import wrap

from benchmarks import page
from benchmarks.amounts import amount, database, edges, three_figures, times
from benchmarks.results import RETINUE, Figure, Row, Run, Stated, load, peers

#: Lines of cells, heads first.
Table = list[list[str]]


# --- Rows as tables -------------------------------------------------------------------------------


def tables(rows: Sequence[Row]) -> Iterator[tuple[str, Table, int]]:
    """Yield the tables that are not empty: what stands above each, its lines, and how many of its columns are texts."""
    timed, stated = [row for row in rows if row.is_call], [(row, one) for row in rows for one in row.stated]
    others = peers(timed)
    head = ["operation", "floor", RETINUE, "ratio (quarters)", "goal", "reached", *others]
    goals = [(row, one) for row, one in stated if one.goal is not None]
    found = [
        ("", [head, *(_call(row, others) for row in timed)], 1),
        ("", [["operation", "competitor", "figure", *head[3:6]], *_loads(rows)], 2),
        (
            "What else was wanted:",
            [
                ["operation", "what", "value", "goal", "reached"],
                *([row.operation, one.what, times(one.value), *_goal(one)] for row, one in goals),
            ],
            2,
        ),
        (
            "Stated without a goal:",
            [
                ["operation", "what", "value"],
                *([row.operation, one.what, three_figures(one.value)] for row, one in stated if one.goal is None),
            ],
            2,
        ),
    ]
    return (one for one in found if len(one[1]) > 1)


def _call(row: Row, others: Sequence[str]) -> list[str]:
    """Return the line of what was timed call by call: each peer as a multiple of Retinue."""
    ours = row.of(RETINUE)
    medians = [amount(figure.p50, row) if figure else "-" for figure in (row.floor, ours)]
    multiples = (times(row.over_retinue(peer)) for peer in others)
    return [row.operation, *medians, _ratio(ours), *_goal(row.ratio_goal), *multiples]


def _loads(rows: Iterable[Row]) -> Iterator[list[str]]:
    """Yield the lines of all other figures: one for each competitor, as each load has its own."""
    for row in rows:
        for figure in () if row.is_call else row.figures:
            goal = row.ratio_goal if figure.competitor == RETINUE else None
            yield [row.operation, figure.competitor, amount(figure.p50, row), _ratio(figure), *_goal(goal)]


def _ratio(figure: Figure | None) -> str:
    if figure is None or figure.ratio is None:
        return "-"
    quarters = f" ({times(figure.low)} to {times(figure.high)})" if figure.low and figure.high else ""
    return times(figure.ratio) + quarters


def _goal(stated: Stated | None) -> list[str]:
    if stated is None or stated.goal is None:
        return ["-", "-"]
    return [f"{'≥' if stated.at_least else '≤'} {stated.goal:g}", "yes" if stated.reached else "no"]


# --- For the terminal -----------------------------------------------------------------------------


def in_words(row: Row) -> str:
    """Return a row: each competitor with its median, and its ratio to the floor with the quarters."""
    lines = [f"{row.operation}, {database(row.database)}" + (f" (goal {row.goal:g})" if row.goal else "")]
    for one in row.figures:
        p50, p99 = (amount(value, row) for value in (one.p50, one.p99))
        lines.append(f"    {one.competitor:36} {p50:>12}   p99 {p99:>12}   {_ratio(one)}")
    lines += [f"    {one.what}: {times(one.value)}  {' '.join(_goal(one)).replace('- -', '')}" for one in row.stated]
    return "\n".join([*lines, *([f"    {row.note}"] if row.note else [])])


def text(rows: Iterable[Row]) -> str:
    """Return all tables: some for each database and size."""
    parts = []
    for name, size, found in Run(tuple(rows), {}, {}).parts():
        parts.append(f"{database(name)}, {edges(size)} (peers: how many times as long as {RETINUE})")
        for heading, lines, texts in tables(found):
            parts.append("\n".join([*([heading] if heading else []), *_aligned(lines, texts)]))
    return "\n\n".join(parts)


def _aligned(lines: Table, texts: int) -> list[str]:
    """Return the lines in columns, the first of them *texts*; the heads take as many lines as they need."""
    heads = [wrap(head, 10, break_long_words=False) for head in lines[0]]
    height = max(map(len, heads))
    lines = [*([head[line] if line < len(head) else "" for head in heads] for line in range(height)), *lines[1:]]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned = []
    for line in lines:
        cells = enumerate(zip(line, widths, strict=True))
        aligned.append("  ".join(f"{cell:{'<' if at < texts else '>'}{width}}" for at, (cell, width) in cells).rstrip())
    return aligned


def main() -> None:
    """Read runs, and print or write what they found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--write", action="store_true", help="make docs/benchmarks.md and what lies beside it anew")
    arguments = parser.parse_args()
    run = load(arguments.runs)
    print(text(run.rows))
    if arguments.write:
        print(f"\nwritten: {page.write(run)}")


if __name__ == "__main__":
    main()
