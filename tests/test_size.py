"""The ratchet: how much code there may be, and nothing twice."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.size import LIMITS, PARTS, ROOT, lines_of_code, sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

#: So many lines of code in a row are not to stand in two places.
ALIKE = 6

PACKAGE = ROOT / "src" / "retinue"


def test_no_part_has_grown() -> None:
    """Who adds code takes some away, or raises the limit on purpose; who takes away lowers it."""
    found = sizes()
    assert {part: found[part] for part in PARTS if found[part] > LIMITS[part]} == {}
    assert {part: found[part] for part in PARTS if found[part] < LIMITS[part] - 25} == {}, "lower LIMITS"


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("", 0),
        ('"""What it is for."""\n', 0),
        ("# why\n\nx = 1  # what\n", 1),
        ('def f():\n    """Two\n    lines."""\n    return (\n        1\n    )\n', 4),
        ('x = """two\nlines"""\n', 2),
        ("class A:\n    x = 1\n\n    #: y\n    y = 2\n", 3),
    ],
)
def test_what_counts_as_code(source: str, lines: int) -> None:
    """No docstring, no comment, nothing blank; every line of what has several."""
    assert lines_of_code(source) == lines


def statements_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines with code of a file, but for imports and the heads of functions: two may take the same."""
    source = path.read_text()
    tree = ast.parse(source)
    left_out: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            left_out.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            left_out.update(range(node.lineno, node.body[0].lineno))
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                left_out.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    lines = source.splitlines()
    code = {token.start[0] for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.string.strip()}
    for number in sorted(code - left_out):
        text = lines[number - 1].strip()
        if text and not text.startswith("#"):
            yield number, text


def test_nothing_stands_twice() -> None:
    """No six lines of code in a row are the same in two places of the library."""
    places: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.name == "aio.py":
            continue  # written by a program: its overloads are alike
        lines = list(statements_of(path))
        for start in range(len(lines) - ALIKE + 1):
            run = lines[start : start + ALIKE]
            # Closing brackets and the like are no logic.
            if sum(len(text) > 3 for _, text in run) == ALIKE:
                places[tuple(text for _, text in run)].append(f"{path.relative_to(PACKAGE)}:{run[0][0]}")
    assert [found for found in places.values() if len(found) > 1] == []
