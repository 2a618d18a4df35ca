"""What the benchmark found, in tables: lists of lines of cells, heads first, and the same for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap

from benchmarks.amounts import amount, database, edges, three_figures, times
from benchmarks.results import Figure, Row
from benchmarks.runs import Run
from benchmarks.standing import OURS, Standing, Wish, is_call, others

Table = list[list[str]]


def calls(rows: Iterable[Row]) -> Table:
    """Return the table of what was timed call by call, heads first: each peer as a multiple of Retinue."""
    timed = list(filter(is_call, rows))
    peers = others(timed)
    return [
        ["operation", "floor", OURS, "ratio (quarters)", "goal", "met", *peers],
        *(_call(row, peers) for row in timed),
    ]


def _call(row: Row, peers: Sequence[str]) -> list[str]:
    standing = Standing(row)
    return [
        row.operation,
        amount(standing.floor.p50, row) if standing.floor else "-",
        amount(standing.ours.p50, row) if standing.ours else "-",
        _ratio(standing.ours),
        *_goal_and_met(standing.wish),
        *(times(standing.slower(peer)) for peer in peers),
    ]


def loads(rows: Iterable[Row]) -> Table:
    """Return the table of all other figures, heads first: a line for each contestant, as each load has its own."""
    lines = [["operation", "contestant", "figure", "ratio (quarters)", "goal", "met"]]
    for row in rows:
        if not is_call(row):
            lines += [_load(row, figure) for figure in row.figures]
    return lines


def _load(row: Row, figure: Figure) -> list[str]:
    standing = Standing(row)
    wish = standing.wish if figure is standing.ours else None
    return [row.operation, figure.contestant, amount(figure.p50, row), _ratio(figure), *_goal_and_met(wish)]


def _ratio(figure: Figure | None) -> str:
    if figure is None or figure.ratio is None:
        return "-"
    if figure.low is None or figure.high is None:
        return times(figure.ratio)
    return f"{times(figure.ratio)} ({times(figure.low)} to {times(figure.high)})"


def _goal_and_met(wish: Wish | None) -> list[str]:
    return [in_words(wish), yes_or_no(wish)] if wish else ["-", "-"]


def in_words(wish: Wish) -> str:
    """Return the goal with its direction."""
    return f"{'≥' if wish.at_least else '≤'} {wish.goal:g}"


def yes_or_no(wish: Wish) -> str:
    """Return whether it is met."""
    return "yes" if wish.met else "no"


def table(rows: Iterable[Row]) -> str:
    """Return the tables for the terminal: one for each database and size."""
    run = Run(tuple(rows), {}, {})
    parts = []
    for name, size, found in run.blocks():
        lines = [f"{database(name)}, {edges(size)} (peers: how many times as long as {OURS})"]
        for one, texts in ((calls(found), 1), (loads(found), 2)):
            lines += [*_aligned(one, texts), ""] if len(one) > 1 else []
        lines += [
            f"    {row.operation}: {wish.what} {times(wish.value)} ({in_words(wish)}: {yes_or_no(wish)})"
            for row in found
            for wish in Standing(row).wishes
        ]
        lines += [
            f"    {row.operation}: {what} {three_figures(value)}"
            for row in found
            for what, value in Standing(row).stated.items()
        ]
        parts.append("\n".join(lines).rstrip())
    return "\n\n".join(parts)


def _aligned(lines: Table, texts: int) -> list[str]:
    """Return the lines in columns, the first of them *texts*; the heads take as many lines as they need."""
    heads = [wrap(head, 10, break_long_words=False) for head in lines[0]]
    tall = max(map(len, heads))
    lines = [*([head[line] if line < len(head) else "" for head in heads] for line in range(tall)), *lines[1:]]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    pads = ["<"] * texts + [">"] * (len(widths) - texts)
    return ["  ".join(map(_padded, line, pads, widths)).rstrip() for line in lines]


def _padded(cell: str, pad: str, width: int) -> str:
    return f"{cell:{pad}{width}}"
