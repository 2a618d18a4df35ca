"""Users who post: with home timelines that are looked up, and with such as are kept ready."""

from __future__ import annotations

from retinue import Settings
from tests import models
from tests.models import Models

PostingModels = Models


def declare_posting(settings: Settings, *, kept: bool) -> PostingModels:
    """Declare users who post once more; with *kept*, their home timelines are kept ready."""
    kinds = ("Follow", "FollowRequest", "Block", "Mute", *(["TimelineEntry"] if kept else []))
    return models.declare(*kinds, settings=settings, flags=("locked", "active"), posts=models.posts_that_end)
