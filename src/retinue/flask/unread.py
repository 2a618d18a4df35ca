"""The number on the bell."""

from __future__ import annotations

from retinue.flask.asked import asked


def unread() -> int:
    """
    Return how many notifications the viewer has not read; 0 for somebody not logged in.

    For a context processor of the application, to show it on every page. One select in a
    request, however often it is asked, and one more after each change; none where no
    `NotificationMixin` class is declared.
    """
    return asked().unread()
