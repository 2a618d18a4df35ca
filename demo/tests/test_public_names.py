"""
The demo is written as a user of Retinue writes an app: with the names that the documentation gives, and no others.

`import retinue` gives public names alone. A name of another module is public where the documentation imports it, or
has it in a table below a heading that names the module.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import retinue

REPOSITORY = Path(__file__).resolve().parents[2]
DEMO = REPOSITORY / "demo"
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


def documented(text: str) -> Iterator[str]:
    """Yield the full names of what a page of the documentation imports, or explains in a module's tables."""
    for module, names in re.findall(r"^[ +]*from (retinue[\w.]*) import (.+)$", text, re.MULTILINE):
        yield from (f"{module}.{name}" for name in re.findall(r"\w+", names))
    for section in re.split(r"^#+ ", text, flags=re.MULTILINE):
        heading, _, rest = section.partition("\n")
        for module in re.findall(r"`(retinue\.[\w.]+)`", heading):
            cells = re.findall(r"^\| (`.*?) \|", rest, re.MULTILINE)
            yield from (f"{module}.{name}" for cell in cells for name in re.findall(r"`(\w+)", cell))


def taken(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the full name of everything of Retinue that a module of the demo takes."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and is_ours(node.module or ""):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if is_ours(alias.name))
        elif isinstance(node, ast.Attribute) and (name := dotted(node)) and imports_the_package(tree):
            yield node.lineno, name


def is_ours(name: str) -> bool:
    """Tell whether a full name begins with the package."""
    return name.partition(".")[0] == "retinue"


def dotted(node: ast.expr) -> str:
    """Return "retinue.a.b" for that expression, and nothing for those that begin with something else."""
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return before and f"{before}.{node.attr}"
    return "retinue" if isinstance(node, ast.Name) and node.id == "retinue" else ""


def imports_the_package(tree: ast.Module) -> bool:
    """Tell whether the name `retinue` means the package: elsewhere in the demo it is its extension."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    return any(is_ours(alias.name) for node in nodes for alias in node.names)


PUBLIC = {
    "retinue",
    *(f"retinue.{name}" for name in ["__all__", *retinue.__all__]),
    *(name for page in PAGES for name in documented(page.read_text())),
}


def private(source: str) -> list[str]:
    """Return what a module of the demo takes of Retinue, and may not."""
    modules = {name.rpartition(".")[0] for name in PUBLIC}
    return [f"line {line}: {name}" for line, name in taken(source) if name not in PUBLIC | modules]


def test_the_documentation_names_what_there_is() -> None:
    """What is public by these rules can be imported: the rules read the documentation as it is meant."""
    modules = {name.rpartition(".")[0] for name in PUBLIC} - {"", "retinue"}
    assert modules >= {"retinue.flask", "retinue.flask.wording", "retinue.insight", "retinue.migrations"}
    assert [module for module in modules if find_spec(module) is None] == []


def test_the_demo_takes_public_names_alone() -> None:
    """In the app and in its tests; if a name is missing, an app's author misses it, too."""
    files = sorted(DEMO.rglob("*.py"))
    assert files

    assert {str(file.relative_to(DEMO)): breaches for file in files if (breaches := private(file.read_text()))} == {}


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("from retinue.values import DayCount", "retinue.values.DayCount"),
        ("from retinue import statements", "retinue.statements"),
        ("from retinue.flask import state", "retinue.flask.state"),
        ("from retinue.flask.state import current", "retinue.flask.state.current"),
        ("from retinue.flask import current", "retinue.flask.current"),
        ("import retinue.flask.state", "retinue.flask.state"),
        ("from retinue.insight import DAYS_MOST", "retinue.insight.DAYS_MOST"),
        ("import retinue\n\ndef late():\n    return retinue.keys", "retinue.keys"),
        ("def late():\n    from retinue.flask.wording import limit_reached", "retinue.flask.wording.limit_reached"),
    ],
)
def test_a_planted_breach_is_found(source: str, name: str) -> None:
    """The check turns red for each way to get at what is private."""
    assert [one.partition(": ")[2] for one in private(source)] == [name]
