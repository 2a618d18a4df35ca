"""Every function of the library that builds a statement, by its name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import retinue

#: They belong to an application, and issue what the core builds.
OUTSIDE = ("retinue.flask", "retinue.testing")


def modules() -> Iterator[ModuleType]:
    """Import all modules of the core and of the packages on it."""
    for found in pkgutil.walk_packages(retinue.__path__, "retinue."):
        if not found.name.startswith(OUTSIDE):
            yield importlib.import_module(found.name)


def builders_in(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """Return what *module* defines with `once`."""
    functions = inspect.getmembers(module, inspect.isfunction)
    return {
        name: function
        for name, function in functions
        if function.__module__ == module.__name__ and function.__code__.co_qualname == "once.<locals>.get"
    }


BUILDERS = {name: builder for module in modules() for name, builder in builders_in(module).items()}
