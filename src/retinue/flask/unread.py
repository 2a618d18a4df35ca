"""The number on the bell."""

from __future__ import annotations

from typing import Final

from flask import request

from retinue import NotificationMixin
from retinue.flask.state import current
from retinue.flask.viewers import viewer

_KNOWN: Final = "retinue.unread"


def unread() -> int:
    """
    Return how many notifications the viewer has not read; 0 for somebody not logged in.

    For a context processor of the application, to show it on every page. One select in a
    request, however often it is asked; none where no `NotificationMixin` class is declared.
    """
    number: int | None = request.environ.get(_KNOWN)
    if number is None:
        user, state = viewer(), current()
        has_notifications = user is not None and NotificationMixin in state.schema.models
        number = state.graph().unread_notifications(user) if has_notifications else 0
        request.environ[_KNOWN] = number
    return number
