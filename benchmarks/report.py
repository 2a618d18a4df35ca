"""
What the benchmark found, as tables: for the terminal, and as the page docs/benchmarks.md.

    python -m benchmarks.report run.json [another.json ...]     print the tables of these runs
    python -m benchmarks.report run.json --write                make docs/benchmarks.md and its charts anew

The page's words are in report.md.in, and why a goal is missed in reasons.toml: both beside this file.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Sequence
from pathlib import Path
from string import Template

from benchmarks.amounts import database, edges, three_figures, times
from benchmarks.charts import growth_chart, ratio_chart
from benchmarks.growth import by_operation, curves
from benchmarks.runs import Run, recall
from benchmarks.standing import Standing, Wish
from benchmarks.tables import Table, calls, in_words, loads, table, yes_or_no

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"

#: Of several sizes of the graph, the page shows the one nearest to this at once, and the others on demand.
SHOWN = 2_000_000

Reasons = dict[str, dict[str, str]]


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
    shown = _shown(sizes)
    parts = [f"### {database(name)}", _section(run, name, shown)]
    for size in sizes:
        if size != shown:
            inside = _section(run, name, size)
            parts.append(f"<details>\n<summary>{database(name)}, {edges(size)}</summary>\n\n{inside}\n\n</details>")
    return "\n\n".join(parts)


def _shown(sizes: Sequence[int]) -> int:
    return min(sizes, key=lambda size: abs(size - SHOWN))


def _section(run: Run, name: str, size: int) -> str:
    """Return everything about one database and size."""
    rows = run.of(name, size)
    parts = [f"{edges(size)}."]
    if any(row.figures for row in rows):
        alt = f"For each operation, how many times as long as the bare driver each contestant takes on {database(name)}"
        parts.append(f"![{alt}](benchmarks/{ratio_file(name, size)})")
    parts += [_markdown(one, texts) for one, texts in ((calls(rows), 1), (loads(rows), 2)) if len(one) > 1]
    wishes = [[row.operation, *_wish(wish)] for row in rows for wish in Standing(row).wishes]
    if wishes:
        parts += ["What else was wanted:", _markdown([["operation", "what", "value", "goal", "met"], *wishes], 2)]
    stated = [
        [row.operation, what, three_figures(value)] for row in rows for what, value in Standing(row).stated.items()
    ]
    if stated:
        parts += ["Stated without a goal:", _markdown([["operation", "what", "value"], *stated], 2)]
    notes = {row.operation: row.note for row in rows if row.note}
    if notes:
        parts.append(_list({f"*{operation}*": note for operation, note in notes.items()}))
    return "\n\n".join(parts)


def _wish(wish: Wish) -> list[str]:
    return [wish.what, times(wish.value), in_words(wish), yes_or_no(wish)]


def _markdown(lines: Table, texts: int = 1) -> str:
    """Return a table whose first columns are *texts*, and the others numbers."""
    head, *body = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    rule = ["---"] * texts + ["--:"] * (len(head) - texts)
    strong = [[("**no**" if cell == "no" else cell) for cell in line] for line in body]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, rule, *strong])


def _missed(run: Run, reasons: Reasons) -> str:
    """Return the goals that are missed, each with the reason that is kept for it by hand."""
    missed: dict[tuple[str, str], dict[str, list[str]]] = {}
    for row in run.rows:
        standing = Standing(row)
        for wish in [*([standing.wish] if standing.wish else []), *standing.wishes]:
            if not wish.met:
                goal = f"{wish.what} {in_words(wish)}"
                found = missed.setdefault((row.database, row.operation), {}).setdefault(goal, [])
                found.append(f"{times(wish.value)} with {edges(row.edges)}")
    lines = []
    for (name, operation), goals in missed.items():
        how = "; ".join(f"{goal} was wanted, and it is {', '.join(found)}" for goal, found in goals.items())
        why = reasons.get(name, {}).get(operation, "Not explained yet.")
        lines.append(f"- **{operation}** on {database(name)}: {how}. {why.strip()}")
    return "\n".join(lines) or "No goal is missed."


def _growth(run: Run, name: str) -> str:
    """Return how the curves on one database grow, as a table of words and powers."""
    operations = by_operation(curves(run.of(name)))
    if not operations:
        return ""
    names = list(dict.fromkeys(curve.contestant for found in operations.values() for curve in found))
    lines = [["operation", *names]]
    for operation, found in operations.items():
        said = {curve.contestant: f"{curve.words} ({curve.power:.2f})" for curve in found}
        lines.append([operation, *(said.get(one, "-") for one in names)])
    sizes = " to ".join(edges(size) for size in (run.sizes(name)[0], run.sizes(name)[-1]))
    alt = f"Median time of each operation against the edges of the graph, on {database(name)}"
    picture = f"![{alt}](benchmarks/{growth_file(name)})"
    return f"{database(name)}, {sizes}:\n\n{picture}\n\n{_markdown(lines)}"


# --- Files ----------------------------------------------------------------------------------------


def ratio_file(name: str, size: int) -> str:
    """Return the name of the chart of one database and size."""
    return f"{name}-{size}.svg"


def growth_file(name: str) -> str:
    """Return the name of the chart of one database's curves."""
    return f"{name}-growth.svg"


def write(run: Run, docs: Path = DOCS) -> Path:
    """Make the page and its charts anew below *docs*, and return where the page is."""
    folder = docs / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    for name, size, rows in run.blocks():
        timed = [row for row in rows if row.figures]
        if timed:
            title = f"{database(name)}, {edges(size)}"
            (folder / ratio_file(name, size)).write_text(ratio_chart(timed, title))
    for name in run.databases:
        found = curves(run.of(name))
        if found:
            (folder / growth_file(name)).write_text(growth_chart(found, database(name)))
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
    run = recall(arguments.runs)
    print(table(run.rows))
    if arguments.write:
        print(f"\nwritten: {write(run)}")


if __name__ == "__main__":
    main()
