"""
The house rules that a program can check: what may import what, and what no module may do.

`LAYERS` is the picture of the package. A new module gets a line here, with a reason to be
where it is. Imports count wherever they stand: in a function, and under TYPE_CHECKING too, as
a module that has to name another one's types knows it all the same.
"""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from retinue import Graph

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "src" / "retinue"
DEMO = REPOSITORY / "demo" / "src" / "retinue_demo"
EXAMPLES = REPOSITORY / "examples"

ROOT = "__init__"

# A module imports lower layers only. A folder is one entry; its modules may import one another.
LAYERS = {
    "errors": 0,
    "settings": 0,
    "values": 0,
    "folding": 1,  # names as they are searched for
    "cursors": 1,
    "events": 1,
    "engines": 1,  # what SQL leaves open
    "keys": 2,
    "models": 2,  # the mixins
    "retry": 2,
    "arguments": 2,
    "migrations": 3,  # for revisions, which know tables by their names: no graph
    "schema": 3,  # a user class with the models declared for it
    "work": 4,  # a session with its connection, engine and schema; how statements are built, prepared and run
    "faults": 5,  # rows that no verb leaves behind
    "ties": 5,  # the kinds of rows that one user has about another
    "viewer": 6,  # what a viewer may see
    "guards": 6,
    "relationships": 6,  # how two users stand
    "effects": 7,  # what follows from a change
    "limits": 8,
    "lists": 8,  # a page of anything
    "verbs": 9,  # follow, requests, blocks and mutes
    "orm": 10,  # what the application writes by itself
    "timeline": 10,  # from here on: packages above the core, which never imports them
    "discovery": 10,
    "insight": 10,
    "doctor": 10,
    "graph": 11,  # the face of all that
    "aio": 12,  # the same, awaited
    "user": 12,
    "transfer": 12,
    "suggesting": 12,
    "fanout": 12,
    ROOT: 13,  # the public names: above what it gathers, below those who only use it
    "testing": 14,
    "flask": 14,
    "fastapi": 14,
}

# It belongs to an application: only this may import more than Python, SQLAlchemy and Retinue.
WEB = {"flask", "fastapi"}
CORE_IMPORTS = sys.stdlib_module_names | {"sqlalchemy", "retinue"}
# What calls a module has been imported by then.
CALLED_BY = {"migrations": {"alembic"}}

# Names that say nothing about what a module holds.
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base"}

# The graph's lists: what takes a viewer. Web layers always say who that is.
LISTS = {
    name
    for name, method in inspect.getmembers(Graph, inspect.isfunction)
    if not name.startswith("_") and {"viewer", "cursor"} <= set(inspect.signature(method).parameters)
} - {"followers_you_know"}  # which has no other way

# Where a unit of work is Retinue's own. Everywhere else the session is the caller's.
MAY_COMMIT = {"retry", "transfer", "doctor", "fanout", "testing", *WEB}


class Module(NamedTuple):
    """One file of the package."""

    path: str
    unit: str
    dotted: list[str]
    tree: ast.Module


def modules(package: Path) -> Iterator[Module]:
    """Parse every file of a package."""
    for file in sorted(package.rglob("*.py")):
        inside = file.relative_to(package)
        parts = inside.with_suffix("").parts
        # The package that `from . import x` means: the folder, also for its __init__.
        yield Module(str(inside), parts[0], ["retinue", *parts[:-1]], ast.parse(file.read_text(), str(inside)))


def imported(module: Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the full dotted name of everything that a module imports."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            start = module.dotted[: len(module.dotted) - node.level + 1] if node.level else []
            source = ".".join([*start, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{source}.{alias.name}"
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = called(node)
            if name in {"import_module", "__import__"} and isinstance(node.args[0].value, str):
                yield node.lineno, node.args[0].value


def called(node: ast.Call) -> str:
    """Return the last name of what is called."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def import_faults(module: Module, units: set[str]) -> Iterator[str]:
    """Yield imports that point up or sideways, and packages that the core must not need."""
    for line, name in imported(module):
        top, _, rest = name.partition(".")
        if top != "retinue":
            if module.unit not in WEB and top not in CORE_IMPORTS | CALLED_BY.get(module.unit, set()):
                yield f"{module.path}:{line} imports {top}; only flask/ and fastapi/ may need more than SQLAlchemy"
            continue
        target = rest.partition(".")[0]
        unit = target if target in units else ROOT  # `from retinue import Graph`
        if unit == module.unit != ROOT or unit not in LAYERS:  # a unit without a layer is a fault of its own
            continue
        if LAYERS[unit] >= LAYERS[module.unit]:
            yield (
                f"{module.path}:{line} (layer {LAYERS[module.unit]}) imports retinue.{unit} (layer {LAYERS[unit]}); "
                "imports point to a lower layer"
            )


def swallows_everything(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler takes every exception (one that only tidies up and raises again does not)."""
    if handler.type is None:
        return True
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {node.id for node in types if isinstance(node, ast.Name)}
    raises_again = isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None
    return "Exception" in names or ("BaseException" in names and not raises_again)


def logs(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler logs what it caught, with its traceback."""
    return any(isinstance(node, ast.Call) and called(node) == "exception" for node in ast.walk(handler))


def name_faults(module: Module) -> Iterator[str]:
    """Yield names that say nothing."""
    for name in Path(module.path).with_suffix("").parts:
        if name.strip("_") in EMPTY_NAMES:
            yield f"{module.path}: the name {name} says nothing about what it holds"


def statement_faults(module: Module, *, may_commit: bool) -> Iterator[str]:
    """Yield what no module may do."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler) and swallows_everything(node):
            if not (module.unit == "events" and logs(node)):
                yield f"{module.path}:{node.lineno} catches every exception; only a listener's may be, in events.py, logged"
        elif isinstance(node, ast.Call):
            name = called(node)
            if name == "suppress" and {"Exception", "BaseException"} & {getattr(arg, "id", "") for arg in node.args}:
                yield f"{module.path}:{node.lineno} suppresses every exception"
            elif name == "commit" and not may_commit:
                yield f"{module.path}:{node.lineno} commits; the session is the caller's"
            elif name == "offset" and isinstance(node.func, ast.Attribute):
                yield f"{module.path}:{node.lineno} uses OFFSET; lists are read by keyset"


def viewer_faults(module: Module) -> Iterator[str]:
    """Yield lists that are asked for without saying who looks, which is for trusted code alone."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LISTS:
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            if None in given:  # **arguments: the tests of that layer see what is in them
                continue
            if "viewer" not in given or getattr(given["viewer"], "id", "") == "ALL":
                yield f"{module.path}:{node.lineno} asks for {node.func.attr}() and does not say who looks"


def faults(package: Path) -> list[str]:
    """Return every breach of the house rules in a package."""
    found: list[str] = []
    units = {module.unit for module in modules(package)} | set(LAYERS)
    for module in modules(package):
        found += name_faults(module)
        if module.unit in LAYERS:
            found += import_faults(module, units)
        else:
            found.append(f"{module.path}: {module.unit} has no layer; add it to LAYERS")
        found += statement_faults(module, may_commit=module.unit in MAY_COMMIT)
        if module.unit in WEB:
            found += viewer_faults(module)
    return found


def test_the_package_keeps_the_house_rules() -> None:
    """No module imports upwards, needs a web framework, or does what none may."""
    assert len(list(modules(PACKAGE))) > 1

    assert faults(PACKAGE) == []


def test_the_demo_keeps_those_that_are_for_an_app() -> None:
    """Its sessions are its own, and it imports what it likes."""
    found = list(modules(DEMO))
    assert len(found) > 1

    assert [fault for module in found for fault in name_faults(module)] == []
    assert [fault for module in found for fault in statement_faults(module, may_commit=True)] == []
    assert [fault for module in found for fault in viewer_faults(module)] == []


def test_the_examples_keep_those_that_are_for_an_app() -> None:
    """What people copy says who looks at a list, and has no query by page number."""
    found = [module for module in modules(EXAMPLES) if "tests" not in Path(module.path).parts]
    assert len(found) > 1

    for module in found:
        assert list(name_faults(module)) == []
        assert list(statement_faults(module, may_commit=True)) == []
        assert list(viewer_faults(module)) == []


@pytest.mark.parametrize(
    ("path", "source", "fault"),
    [
        ("errors.py", "from retinue import graph", "layer 0) imports retinue.graph"),
        ("errors.py", "import retinue.graph", "layer 0) imports retinue.graph"),
        ("errors.py", "from .graph import Graph", "layer 0) imports retinue.graph"),
        ("errors.py", "from . import graph", "layer 0) imports retinue.graph"),
        ("errors.py", "from retinue import Graph", "layer 0) imports retinue.__init__"),
        ("errors.py", "import importlib\nimportlib.import_module('retinue.graph')", "imports retinue.graph"),
        ("errors.py", "def late():\n    from retinue.settings import Settings", "imports retinue.settings"),
        ("arguments.py", "from retinue.models import now", "layer 2) imports retinue.models (layer 2)"),
        ("engines/sqlite.py", "from ..verbs import follows", "layer 1) imports retinue.verbs"),
        ("engines/sqlite.py", "from .. import models", "layer 1) imports retinue.models"),
        ("graph.py", "if TYPE_CHECKING:\n    from retinue.user import FollowerMixin", "imports retinue.user"),
        ("__init__.py", "from retinue.flask import Retinue", "layer 13) imports retinue.flask"),
        ("testing.py", "from retinue.flask import Retinue", "layer 14) imports retinue.flask"),
        ("fastapi/errors.py", "from retinue.flask import Retinue", "layer 14) imports retinue.flask"),
        ("values.py", "from pydantic import BaseModel", "imports pydantic"),
        ("graph.py", "import flask", "imports flask"),
        ("testing.py", "from werkzeug.test import Client", "imports werkzeug"),
        ("doctor.py", "from click import echo", "imports click"),
        ("events.py", "import blinker", "imports blinker"),
        ("graph.py", "from flask_sqlalchemy import SQLAlchemy", "imports flask_sqlalchemy"),
        ("engines/utils.py", "", "says nothing"),
        ("engines/_helpers.py", "", "says nothing"),
        ("flask/common/views.py", "", "says nothing"),
        ("newcomer.py", "", "has no layer"),
        ("graph.py", "try:\n    x\nexcept Exception:\n    pass", "catches every exception"),
        ("graph.py", "try:\n    x\nexcept:\n    pass", "catches every exception"),
        ("graph.py", "try:\n    x\nexcept (OSError, BaseException):\n    pass", "catches every exception"),
        ("events.py", "try:\n    x\nexcept Exception:\n    pass", "catches every exception"),
        ("graph.py", "with suppress(Exception):\n    x", "suppresses every exception"),
        ("graph.py", "session.commit()", "commits"),
        ("lists.py", "select(x).limit(20).offset(40)", "uses OFFSET"),
        ("flask/views.py", "graph.followers(user, limit=20)", "asks for followers() and does not say who looks"),
        ("fastapi/pages.py", "graph.blocks(user, viewer=ALL)", "asks for blocks() and does not say who looks"),
    ],
)
def test_a_planted_breach_is_found(tmp_path: Path, path: str, source: str, fault: str) -> None:
    """The check turns red for each kind of breach, and names the file."""
    plant(tmp_path, path, source)

    (found,) = faults(tmp_path)

    assert found.startswith(path)
    assert fault in found


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("__init__.py", "from retinue.graph import Graph\nfrom .user import FollowerMixin"),
        ("graph.py", "import retinue.errors\nfrom sqlalchemy.orm import Session\nfrom . import lists"),
        ("engines/__init__.py", "from retinue.engines import sqlite\nfrom .preparing import prepare_engine"),
        ("flask/views.py", "import flask\nfrom retinue import Graph\nfrom .signals import user_followed"),
        ("flask/cli/stats.py", "import click\nfrom ...graph import Graph\nfrom .. import state"),
        ("events.py", "try:\n    x\nexcept Exception:\n    logger.exception('listener failed')"),
        ("graph.py", "try:\n    x\nexcept BaseException:\n    tidy_up()\n    raise"),
        ("retry.py", "session.commit()"),
        ("flask/views.py", "graph.followers(user, viewer=None); user.followers.filter_by(follower_id=1)"),
    ],
)
def test_what_the_rules_allow_is_not_a_breach(tmp_path: Path, path: str, source: str) -> None:
    """The check does not cry wolf."""
    plant(tmp_path, path, source)

    assert faults(tmp_path) == []


def plant(package: Path, path: str, source: str) -> None:
    """Write a module into a package."""
    file = package / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source)


def test_importing_the_core_loads_no_web_framework() -> None:
    """A worker or a script that imports Retinue does not pay for Flask, nor need it installed."""
    core = [ROOT, *(unit for unit in LAYERS if unit not in WEB | {ROOT})]
    names = [
        f"retinue.{unit}".removesuffix(f".{ROOT}")
        for unit in core
        if (PACKAGE / f"{unit}.py").exists() or (PACKAGE / unit / "__init__.py").exists()
    ]
    program = f"import sys, {', '.join(names)}; print(*{{name.partition('.')[0] for name in sys.modules}})"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    loaded = set(done.stdout.split())
    assert "retinue" in loaded
    assert loaded.isdisjoint({"flask", "werkzeug", "click", "blinker", "jinja2", "fastapi", "starlette", "pydantic"})


def test_the_package_needs_no_greenlet() -> None:
    """An application without async has none: SQLAlchemy 2.1 no longer brings it along."""
    code = "import sys; sys.modules['greenlet'] = None; import retinue, retinue.testing"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
