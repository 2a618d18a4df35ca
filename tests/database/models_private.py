"""Users who may be private, and everything that a graph of them can have."""

from __future__ import annotations

from retinue import Settings
from tests import models
from tests.models import Models

PrivateModels = Models


def declare(settings: Settings) -> PrivateModels:
    """Declare every model but kept timelines once more, for a user class with these *settings*."""
    return models.declare(*models.PRIVATE, settings=settings, flags=tuple(models.FLAGS))
