"""Names of Advanced Alchemy and Litestar, and bases that each file of tests has for itself."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

from sqlalchemy.exc import SADeprecationWarning

with warnings.catch_warnings():
    warnings.simplefilter("ignore", SADeprecationWarning)  # mixins there use @declarative_mixin, which 2.1 deprecates
    from advanced_alchemy import base
    from advanced_alchemy.repository import SQLAlchemySyncRepository
    from advanced_alchemy.service import SQLAlchemySyncRepositoryService
    from litestar.testing import AsyncTestClient

__all__ = ["AsyncTestClient", "SQLAlchemySyncRepository", "SQLAlchemySyncRepositoryService", "bases_of_ones_own"]


def bases_of_ones_own() -> Any:
    """Return the module's bases, by their names, with a registry of their own: an application has but one."""
    registry = base.create_registry()
    place = {"__abstract__": True, "registry": registry, "_sa_registry": registry, "metadata": registry.metadata}
    return SimpleNamespace(
        **{
            name: type(name, (getattr(base, name),), {"__module__": __name__, **place})
            for name in base.__all__
            if name == "DefaultBase" or (name.endswith("Base") and name[0] in "UBIN")
        },
        metadata=registry.metadata,
    )
