"""
Whatever an application may use has its place in the reference: names, settings, config keys, commands, signals, errors.

The pages of docs/api are written from docstrings, and say which; the tables of the other pages are written by hand. Both
are compared with what there is, and each comparison is tried with something planted that no page has.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import fields
from types import ModuleType
from typing import Final

import click
import pytest
from blinker import Signal

import retinue
from retinue.flask import cli, config, signals
from tests.pages import DOCS

#: The modules that applications import from; and what of those without ``__all__`` is no name of theirs.
MODULES: Final[dict[str, set[str]]] = {
    "retinue": set(),
    "retinue.doctor": set(),
    "retinue.fanout": set(),
    "retinue.fastapi": set(),
    "retinue.flask": set(),
    "retinue.flask.signals": {"init_app"},
    "retinue.flask.wording": {"init_app", "limit_reached", "why_suggested"},
    "retinue.insight": set(),
    "retinue.migrations": set(),
    "retinue.suggesting": set(),
    "retinue.testing": set(),
    "retinue.transfer": set(),
}

_DIRECTIVE: Final = re.compile(r"^\.\. (?:auto(?:class|function|data)|py:data):: ([\w.]+)$", re.MULTILINE)


def public() -> set[str]:
    """Return the full names of all that applications may import."""
    return {f"{module}.{name}" for module, inner in MODULES.items() for name in _names(module) - inner}


def _names(module: str) -> set[str]:
    there = importlib.import_module(module)
    if hasattr(there, "__all__"):
        return set(there.__all__)
    return {name for name, value in vars(there).items() if not name.startswith("_") and _is_of(value, there)}


def _is_of(value: object, module: ModuleType) -> bool:
    if inspect.isfunction(value) or inspect.isclass(value):
        return bool(value.__module__ == module.__name__)
    return value is signals.signals or value is signals.SIGNALS or value in signals.signals.values()


def generated() -> set[str]:
    """Return the full names that the pages of docs/api describe."""
    return {name for page in (DOCS / "api").glob("*.md") for name in _DIRECTIVE.findall(page.read_text())}


def test_every_public_name_is_described_once() -> None:
    """By the docstring that `help()` shows; and nothing is described that is not there."""
    described = [name for page in (DOCS / "api").glob("*.md") for name in _DIRECTIVE.findall(page.read_text())]

    assert set(described) == public()
    assert len(described) == len(set(described))


# --- Tables --------------------------------------------------------------------------------------


def rows(page: str, heading: str) -> set[str]:
    """Return what stands as code in the first column of the tables of a section of *page*, each name without its arguments."""
    text = (DOCS / page).read_text()
    found = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^#{{1,2}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no section {heading}"
    cells = re.findall(r"^\| (`[^|]*?) \|", found[2], re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(?:user\.)?([\w.]+)", cell)}


def methods(cls: type) -> set[str]:
    """Return the names of the public methods of a class."""
    return {name for name, value in vars(cls).items() if inspect.isfunction(value) and not name.startswith("_")}


def errors() -> set[str]:
    """Return the names of all errors."""
    return {
        name
        for name in retinue.__all__
        if isinstance(thing := getattr(retinue, name), type) and issubclass(thing, Exception)
    }


def events() -> set[str]:
    """Return the names of all events."""
    return {
        name
        for name in retinue.__all__
        if isinstance(thing := getattr(retinue, name), type) and issubclass(thing, retinue.Event)
    }


#: What there is, and where a table has it.
TABLES: Final[dict[str, tuple[Callable[[], set[str]], str, str]]] = {
    "settings": (lambda: {field.name for field in fields(retinue.Settings)}, "reference.md", "Settings"),
    "calls of a graph": (lambda: methods(retinue.Graph), "reference.md", "Graph"),
    "errors": (errors, "reference.md", "Errors"),
    "events": (events, "reference.md", "Events"),
    "config keys": (lambda: set(config.DEFAULTS), "flask.md", "Config"),
    "signals": (lambda: {_name_of(signal) for signal in signals.SIGNALS.values()}, "flask.md", "Signals"),
    "signals, again": (
        lambda: {_name_of(signal) for signal in signals.SIGNALS.values()},
        "reference.md",
        "Signals: `retinue.flask.signals`",
    ),
}


def _name_of(signal: Signal) -> str:
    return next(name for name, value in vars(signals).items() if value is signal)


def missing(what: Iterable[str], page: str, heading: str) -> list[str]:
    """Return what of *what* the table does not have."""
    return sorted(set(what) - rows(page, heading))


@pytest.mark.parametrize("kind", TABLES)
def test_each_has_its_line_in_the_table(kind: str) -> None:
    """And one that is planted is found to be missing."""
    what, page, heading = TABLES[kind]

    assert what()
    assert missing(what(), page, heading) == []
    assert missing({*what(), "planted"}, page, heading) == ["planted"]


def commands(group: click.Group) -> dict[str, list[str]]:
    """Return the long options of each command, by its name."""
    return {
        name: [max(option.opts, key=len) for option in command.params if isinstance(option, click.Option)]
        for name, command in group.commands.items()
    }


def unexplained(group: click.Group) -> list[str]:
    """Return the commands, and options of them, that docs/command-line.md does not explain in the command's section."""
    text = (DOCS / "command-line.md").read_text()
    found = []
    for name, options in commands(group).items():
        section = re.search(rf"^## `{name}`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        found += [name] if section is None or f"`flask retinue {name}" not in text else []
        shown = section[1] if section else ""
        found += [
            f"{name} {option}" for option in options if option not in ("--json", "--help") and f"`{option}" not in shown
        ]
    return found


def test_each_command_and_each_option_is_explained() -> None:
    """In a section of its own; ``--json`` and ``--help``, which all of them have, once."""
    planted = click.Group(
        commands={**cli.group.commands, "planted": click.Command("planted", params=[click.Option(["--now"])])}
    )

    assert cli.group.commands
    assert unexplained(cli.group) == []
    assert unexplained(planted) == ["planted", "planted --now"]


def test_the_tree_of_errors_in_the_code_is_the_table_of_the_reference() -> None:
    """`retinue.errors` draws it; both have every error."""
    drawn = set(re.findall(r"[├└]── (\w+)", retinue.errors.__doc__ or "")) | {"RetinueError"}

    assert drawn == errors()


def test_a_name_that_is_planted_is_found_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new public name fails until its page has it."""
    monkeypatch.setattr(retinue, "__all__", [*retinue.__all__, "planted"])

    assert public() - generated() == {"retinue.planted"}
