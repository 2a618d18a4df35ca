"""
How much code there is, by part: ``python -m tests.size``.

A line of code is one that has any: no docstring, no comment, nothing blank. What grows is to be a decision, so
`LIMITS` is a ratchet: a part that shrinks lowers its number, and one that grows past it fails a test.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent

#: The folders and files of each part, below the root; whatever else is in the library is its core.
PARTS: Final = {
    "timeline": ("src/retinue/timeline", "src/retinue/fanout.py", "src/retinue/models/timeline.py"),
    "discovery": ("src/retinue/discovery", "src/retinue/suggesting.py"),
    "insight": ("src/retinue/insight",),
    "doctor": ("src/retinue/doctor",),
    "transfer": ("src/retinue/transfer",),
    "testing": ("src/retinue/testing",),
    "async": ("src/retinue/aio.py",),
    "flask": ("src/retinue/flask",),
    "fastapi": ("src/retinue/fastapi",),
    "demo": ("demo",),
    "benchmarks": ("benchmarks",),
    "examples": ("examples",),
    "core": ("src/retinue",),
}

#: So many lines of code each part may have. When this count began: 7,021 in the core, 20,742 in all.
LIMITS: Final = {
    "timeline": 1_110,
    "discovery": 290,
    "insight": 334,
    "doctor": 488,
    "transfer": 1_067,
    "testing": 611,
    "async": 318,
    "flask": 2_318,
    "fastapi": 323,
    "demo": 2_967,
    "benchmarks": 4_746,
    "examples": 650,
    "core": 9_437,
}

#: Tokens that are no code.
_NOTHING: Final = frozenset(
    {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
)


def lines_of_code(source: str) -> int:
    """Return how many lines of *source* have code."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NOTHING:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                lines.difference_update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return len(lines)


def part_of(path: Path) -> str | None:
    """Return the part that the file *path*, below the root, belongs to; None: it is no code of the project's own."""
    inside = path.parts
    # Revisions are drafted by a program; what is about them in the library is not.
    is_revision = "migrations" in inside[-2:-1] and "retinue" not in inside
    if "tests" in inside or is_revision or any(part.startswith(".") for part in inside):
        return None
    return next((part for part, places in PARTS.items() if any(path.is_relative_to(place) for place in places)), None)


def sizes(root: Path = ROOT) -> Counter[str]:
    """Return the lines of code of each part."""
    found: Counter[str] = Counter()
    for top in ("src", "demo", "benchmarks", "examples"):
        for file in (root / top).rglob("*.py"):
            part = part_of(file.relative_to(root))
            if part is not None:
                found[part] += lines_of_code(file.read_text())
    return found


def main() -> None:
    """Print the lines of code of each part, and of all together."""
    found = sizes()
    for part in PARTS:
        print(f"{part:12}{found[part]:8,}")
    print(f"{'all':12}{found.total():8,}")


if __name__ == "__main__":
    main()
