"""The number on the bell, and the badge that shows it."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from retinue import NotificationMixin
from retinue.flask.asked import asked
from retinue.flask.state import current


def unread() -> int:
    """
    Return how many notifications the viewer has not read; 0 for somebody not logged in.

    For a context processor of the application, to show it on every page. One select in a
    request, however often it is asked, and one more after each change; none where no
    `NotificationMixin` class is declared.
    """
    return asked().unread()


def unread_badge() -> Markup:
    """
    Return a badge with the number of `unread()`, which follows it as long as the page is open; costs as much.

    Hidden at zero; empty for somebody not logged in, and where no `NotificationMixin` class
    is declared. On a page with ``_head.html`` the script asks every 30 seconds, while the
    page is seen, and puts the number before the title of the page.
    """
    known = asked()
    if known.viewer is None or NotificationMixin not in known.state.schema.models:
        return Markup()
    return Markup(_macros().badge(unread(), known.viewer_mark))  # noqa: S704 - made by a template that escapes


def badge() -> str:
    """Return what stands in a badge; empty at zero."""
    number = unread()
    return str(_macros().number_in_words(number)) if number else ""


def _macros() -> Any:
    return current().templates.get_template("retinue/_badge.html").module
