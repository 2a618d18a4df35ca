"""
The page docs/benchmarks.md: what a person wants to know in two minutes, and beside it all figures in files.

Its words are in page.md.in, and why a goal is missed in reasons.toml: both beside this file.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any, TypeAlias

from benchmarks.amounts import amount, database, duration, edges, times
from benchmarks.charts import chart, drawn
from benchmarks.growth import Curve, curves
from benchmarks.results import RATIO, RETINUE, Figure, Row, Run, Stated

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"

#: Of several sizes of the graph, the page shows the one nearest to this; all are in the files.
SHOWN = 2_000_000
#: A logarithm grows by half from 100,000 edges to 20 million: like this power of the edges.
LOGARITHMIC = 0.1

Line: TypeAlias = Sequence[str]
#: By database and operation, why a goal is missed.
Reasons: TypeAlias = Mapping[str, Mapping[str, str]]


def write(run: Run, docs: Path = DOCS) -> Path:
    """Make the page, its charts and its files of figures anew below *docs*, and return where the page is."""
    folder = docs / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("*.svg"), folder / "figures.csv", folder / "growth.csv"):
        old.unlink(missing_ok=True)
    for name in run.databases:
        rows = shown(run, name)
        if drawn(rows):
            title = f"{database(name)}, {edges(rows[0].edges)}"
            (folder / f"{name}.svg").write_text(chart(rows, title))
    _save(folder / "figures.csv", _FIGURES, figures(run))
    _save(folder / "growth.csv", _GROWTH, growth(run))
    path = docs / "benchmarks.md"
    reasons = reasons_of(tomllib.loads((HERE / "reasons.toml").read_text())["reason"])
    files = sorted(file.name for file in folder.glob("*.csv"))  # also that of a soak, where there is one
    path.write_text(page(run, (HERE / "page.md.in").read_text(), reasons, files))
    return path


def shown(run: Run, name: str) -> list[Row]:
    """Return the rows of a database that the page shows: of one size, or of the size at which they were measured."""
    size = min(run.sizes(name), key=lambda edges: abs(edges - SHOWN))
    rows = {row.operation: row for row in sorted(run.of(name), key=lambda row: row.edges == size)}
    return [rows[operation] for operation in dict.fromkeys(row.operation for row in run.of(name))]


def page(run: Run, template: str, reasons: Reasons, files: Sequence[str] = ()) -> str:
    """Return the page as Markdown, with links to the *files* that lie beside its charts."""
    of = {name: shown(run, name) for name in run.databases}
    words = {
        "charts": "\n\n".join(_chart(name) for name, rows in of.items() if drawn(rows)),
        "calls": _table(of, calls=True),
        "loads": _table(of, calls=False),
        "missed": "\n".join(_missed(of, reasons)) or "No goal is missed.",
        "growth": "\n".join([*_growth_in_words(run), *_in_time(of)]) or "One size was measured.",
        "files": ", ".join(f"[{name}](benchmarks/{name})" for name in files),
        "machine": ", ".join(f"{name} {value}" for name, value in run.machine.items()),
        "versions": ", ".join(f"{database(name)} {version}" for name, version in run.versions.items()),
    }
    return Template(template).substitute(words).rstrip() + "\n"


def _chart(name: str) -> str:
    alt = f"For each operation, how many times as long as the bare driver each way takes on {database(name)}"
    return f"![{alt}](benchmarks/{name}.svg)"


# --- Goals ---------------------------------------------------------------------------------------


def _table(of: Mapping[str, Sequence[Row]], *, calls: bool) -> str:
    """Return operations by databases: Retinue's ratio to the floor, and its goal."""
    cells: dict[str, dict[str, str]] = {}
    for name, rows in of.items():
        for row in rows:
            if row.is_call is calls and (row.ratio_goal or not calls) and row.of(RETINUE):
                cells.setdefault(row.operation, {})[name] = _cell(row)
    names = [name for name in of if any(name in found for found in cells.values())]
    head = ["", *map(database, names)]
    return _markdown(
        [head, *([operation, *(found.get(name, "") for name in names)] for operation, found in cells.items())]
    )


def _cell(row: Row) -> str:
    ours, goal = row.of(RETINUE), row.ratio_goal
    words = times(ours.ratio) if ours else ""
    if goal and not goal.reached:
        words = f"**{words}**"
    words += f" ({_wanted(goal)})" if goal else ""
    if row.is_call or ours is None:
        return words
    slow = next((duration(one.value) for one in row.stated if one.what.startswith(f"{RETINUE}: p99 of")), None)
    return ", ".join([amount(ours.p50, row), *([f"p99 {slow}"] if slow else []), words])


def _wanted(goal: Stated) -> str:
    return f"{'≥' if goal.at_least else '≤'} {goal.goal:g}"


def _missed(of: Mapping[str, Sequence[Row]], reasons: Reasons) -> Iterator[str]:
    """Yield why goals are missed, as it is written by hand, and behind each reason the goals of which it tells."""
    found: dict[str, dict[str, list[str]]] = {}
    for name, rows in of.items():
        for row in rows:
            goals = [*([row.ratio_goal] if row.ratio_goal else []), *row.stated]
            missed = [f"{_of_what(goal)}{times(goal.value)} ({_wanted(goal)})" for goal in goals if not goal.reached]
            if missed:
                why = reasons.get(name, {}).get(row.operation, "Not explained yet.")
                found.setdefault(why, {}).setdefault(name, []).append(f"*{row.operation}* {', '.join(missed)}")
    for why, places in found.items():
        yield f"- {why} " + " ".join(f"**{database(name)}:** {'; '.join(some)}." for name, some in places.items())


def _of_what(goal: Stated) -> str:
    return "" if goal.what == RATIO else f"{goal.what} "


def reasons_of(tables: Sequence[Mapping[str, Any]]) -> Reasons:
    """Return by database and operation the reasons that stand in *tables*."""
    found: dict[str, dict[str, str]] = {}
    for table in tables:
        for name, operations in table.items():
            if name != "why":
                found.setdefault(name, {}).update(dict.fromkeys(operations, table["why"].strip()))
    return found


def _markdown(lines: Sequence[Line]) -> str:
    """Return a table whose first column is a text, and the others numbers."""
    head, *body = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    rule = ["---", *["--:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, rule, *body])


# --- How it grows --------------------------------------------------------------------------------


def _growth_in_words(run: Run) -> Iterator[str]:
    """Say of each database how Retinue's calls grow with the graph, and which of them faster than a logarithm."""
    for name in run.databases:
        found = [curve for curve in curves(run.of(name)) if curve.competitor == RETINUE]
        if not found:
            continue
        sizes = run.sizes(name)
        fast = [curve for curve in found if curve.power > LOGARITHMIC]
        grow = "; ".join(f"{curve.operation}, {_growth_of(curve)}" for curve in fast)
        slowest = max((curve for curve in found if curve not in fast), key=lambda curve: curve.power, default=None)
        words = f"- {database(name)}, {edges(sizes[0])} to {edges(sizes[-1])}: "
        if slowest:
            words += f"{len(found) - len(fast)} of {len(found)} calls are flat or grow like a logarithm"
            words += f" (the steepest: {slowest.operation}, {_growth_of(slowest)})"
        yield words + (f". Faster: {grow}." if fast else ".")


def _in_time(of: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    """Yield what is known of databases beside figures: how they do in the course of time."""
    for name, rows in of.items():
        for row in rows:
            if not row.figures:
                numbers = "; ".join(f"{one.what} {times(one.value)}" for one in row.stated)
                yield f"- {row.operation}, {database(name)}: {numbers}. {row.note}".rstrip()


def _growth_of(curve: Curve) -> str:
    (_, first), *_, (_, last) = curve.points
    return f"{times(last / first)} times as long, power {curve.power:.2f}"


# --- Files ---------------------------------------------------------------------------------------

_FIGURES = ("database", "edges", "operation", "what", "p50", "p99", "unit", "ratio", "low", "high", "goal", "reached")
_GROWTH = ("database", "operation", "competitor", "growth", "power", "edges and medians in microseconds")


def figures(run: Run) -> Iterator[Sequence[Any]]:
    """Yield a line for each figure, and for each number beside them."""
    for row in run.rows:
        unit = "per second" if row.throughput else row.unit
        for figure in row.figures:
            goal = row.ratio_goal if figure.competitor == RETINUE else None
            yield row.database, row.edges, row.operation, figure.competitor, *_of(figure, unit), *_reached(goal)
        for one in row.stated:
            yield row.database, row.edges, row.operation, one.what, _short(one.value), *[""] * 5, *_reached(one)


def _of(figure: Figure, unit: str) -> Sequence[Any]:
    p50, p99, ratio, low, high = map(_short, (figure.p50, figure.p99, figure.ratio, figure.low, figure.high))
    return p50, p99, unit, ratio, low, high


def _short(number: float | None) -> str:
    return "" if number is None else f"{number:.4g}" if abs(number) < 1000 else f"{number:.0f}"


def _reached(goal: Stated | None) -> Sequence[str]:
    return ("", "") if goal is None or goal.goal is None else (_wanted(goal), "yes" if goal.reached else "no")


def growth(run: Run) -> Iterator[Sequence[Any]]:
    """Yield a line for each curve."""
    for name in run.databases:
        for curve in curves(run.of(name)):
            points = " ".join(f"{edges}:{took:.4g}" for edges, took in curve.points)
            yield name, curve.operation, curve.competitor, curve.words, f"{curve.power:.2f}", points


def _save(path: Path, head: Line, lines: Iterator[Sequence[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *lines])
