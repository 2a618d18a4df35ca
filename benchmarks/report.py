"""
What the benchmark found, as tables: for the terminal, and as the page docs/benchmarks.md.

    python -m benchmarks.report run.json [another.json ...]     print the tables of these runs
    python -m benchmarks.report run.json --write                make docs/benchmarks.md and its charts anew

The page's words are in report.md.in, and why a goal is missed in reasons.toml: both beside this file.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from string import Template
from textwrap import wrap

from benchmarks.amounts import amount, database, edges, three_figures, times
from benchmarks.charts import ratio_chart
from benchmarks.growth import curves
from benchmarks.results import RETINUE, Figure, Row, Run, Stated, load, peers

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"

#: Of several sizes of the graph, the page shows the one nearest to this at once, and the others on demand.
SHOWN = 2_000_000

#: Lines of cells, heads first.
Table = list[list[str]]
Reasons = dict[str, dict[str, str]]


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


# --- The page -------------------------------------------------------------------------------------


def page(run: Run, template: str, reasons: Reasons) -> str:
    """Return the page as Markdown."""
    words = {
        "machine": _list(run.machine),
        "versions": ", ".join(f"{database(name)} {version}" for name, version in run.versions.items()),
        "tables": "\n\n".join(_database(run, name) for name in run.databases),
        "missed": _missed(run, reasons),
        "growth": "\n\n".join(_growth(run, name) for name in run.databases).strip() or "One size was measured.",
    }
    return Template(template).substitute(words).rstrip() + "\n"


def _list(pairs: dict[str, str]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in pairs.items())


def _database(run: Run, name: str) -> str:
    sizes = run.sizes(name)
    shown = min(sizes, key=lambda size: abs(size - SHOWN))
    parts = [f"### {database(name)}", _section(run, name, shown)]
    for size in sizes:
        if size != shown:
            inside = _section(run, name, size)
            parts.append(f"<details>\n<summary>{database(name)}, {edges(size)}</summary>\n\n{inside}\n\n</details>")
    return "\n\n".join(parts)


def _section(run: Run, name: str, size: int) -> str:
    """Return everything about one database and size."""
    rows = run.of(name, size)
    parts = [f"{edges(size)}."]
    if any(row.figures for row in rows):
        alt = f"For each operation, how many times as long as the bare driver each competitor takes on {database(name)}"
        parts.append(f"![{alt}](benchmarks/{ratio_file(name, size)})")
    for heading, lines, texts in tables(rows):
        parts += [*([heading] if heading else []), _markdown(lines, texts)]
    notes = {f"*{row.operation}*": row.note for row in rows if row.note}
    return "\n\n".join([*parts, *([_list(notes)] if notes else [])])


def _markdown(lines: Table, texts: int = 1) -> str:
    """Return a table whose first columns are *texts*, and the others numbers."""
    head, *body = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    rule = ["---"] * texts + ["--:"] * (len(head) - texts)
    strong = [[("**no**" if cell == "no" else cell) for cell in line] for line in body]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, rule, *strong])


def _missed(run: Run, reasons: Reasons) -> str:
    """Return the goals that are missed, each with the reason that is written for it by hand."""
    missed: dict[tuple[str, str], dict[str, list[str]]] = {}
    for row in run.rows:
        for one in [*([row.ratio_goal] if row.ratio_goal else []), *row.stated]:
            if not one.reached:
                found = missed.setdefault((row.database, row.operation), {})
                found.setdefault(f"{one.what} {_goal(one)[0]}", []).append(
                    f"{times(one.value)} with {edges(row.edges)}"
                )
    lines = []
    for (name, operation), goals in missed.items():
        how = "; ".join(f"{goal} was wanted, and it is {', '.join(found)}" for goal, found in goals.items())
        why = reasons.get(name, {}).get(operation, "Not explained yet.")
        lines.append(f"- **{operation}** on {database(name)}: {how}. {why.strip()}")
    return "\n".join(lines) or "No goal is missed."


def _growth(run: Run, name: str) -> str:
    """Return how the curves on one database grow, as a table of words and powers."""
    words: dict[str, dict[str, str]] = {}
    for curve in curves(run.of(name)):
        words.setdefault(curve.operation, {})[curve.competitor] = f"{curve.words} ({curve.power:.2f})"
    if not words:
        return ""
    names = list(dict.fromkeys(one for found in words.values() for one in found))
    lines = [[operation, *(found.get(one, "-") for one in names)] for operation, found in words.items()]
    sizes = " to ".join(edges(size) for size in (run.sizes(name)[0], run.sizes(name)[-1]))
    return f"{database(name)}, {sizes}:\n\n{_markdown([['operation', *names], *lines])}"


# --- Files ----------------------------------------------------------------------------------------


def ratio_file(name: str, size: int) -> str:
    """Return the name of the chart of one database and size."""
    return f"{name}-{size}.svg"


def write(run: Run, docs: Path = DOCS) -> Path:
    """Make the page and its charts anew below *docs*, and return where the page is."""
    folder = docs / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    for name, size, rows in run.parts():
        if any(row.figures for row in rows):
            (folder / ratio_file(name, size)).write_text(ratio_chart(rows, f"{database(name)}, {edges(size)}"))
    reasons = tomllib.loads((HERE / "reasons.toml").read_text())
    path = docs / "benchmarks.md"
    path.write_text(page(run, (HERE / "report.md.in").read_text(), reasons))
    return path


def main() -> None:
    """Read runs, and print or write what they found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--write", action="store_true", help="make docs/benchmarks.md and its charts anew")
    arguments = parser.parse_args()
    run = load(arguments.runs)
    print(text(run.rows))
    if arguments.write:
        print(f"\nwritten: {write(run)}")


if __name__ == "__main__":
    main()
