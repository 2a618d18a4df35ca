"""What `import retinue` gives: every name is meant, documented, and explained to a reader."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import retinue

REPOSITORY = Path(__file__).resolve().parent.parent

CALLABLES = [name for name in retinue.__all__ if callable(getattr(retinue, name))]


def members(cls: type) -> list[str]:
    """Return the names of the public methods and properties that Retinue's own code gives a class."""
    own = [base for base in cls.__mro__ if base.__module__.partition(".")[0] == "retinue"]
    found = {name: value for base in own for name, value in vars(base).items() if not name.startswith("_")}
    kinds = (property, staticmethod, classmethod)
    return [name for name, value in found.items() if inspect.isfunction(value) or isinstance(value, kinds)]


def test_all_lists_exactly_the_public_names_sorted() -> None:
    """What a star import brings is what there is, and a reader finds a name at its place."""
    language = {"annotations"}  # what `from __future__ import annotations` leaves behind
    public = [
        name
        for name, value in vars(retinue).items()
        if not name.startswith("_") and not inspect.ismodule(value) and name not in language
    ]

    assert retinue.__all__ == sorted(public)


@pytest.mark.parametrize("name", CALLABLES)
def test_a_public_class_or_function_has_a_docstring(name: str) -> None:
    """`help()` explains each name, and each public method and property of a class."""
    thing = getattr(retinue, name)

    assert (thing.__doc__ or "").strip()
    assert not thing.__doc__.startswith(f"{name}("), "this docstring is the one that dataclass makes"
    if inspect.isclass(thing):
        assert [member for member in members(thing) if not inspect.getdoc(getattr(thing, member))] == []


@pytest.mark.parametrize("name", retinue.__all__)
def test_a_public_name_is_explained_in_the_documentation(name: str) -> None:
    """A name that is not in README.md or docs/ does not exist for a user."""
    pages = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
    text = "\n".join(page.read_text() for page in pages)

    assert re.search(rf"\b{name}\b", text)
