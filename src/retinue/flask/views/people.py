"""The person in an address."""

from __future__ import annotations

from typing import Any

from flask import abort

from retinue.flask.state import current


def user_or_404(slug: str, viewer: Any) -> Any:
    """
    Return the user of that *slug*; 404 if there is none of whom *viewer* may know. One select.

    It is one and the same select for somebody who blocks the viewer, for somebody who
    takes a break, and for a name that nobody has.
    """
    user = current().user_named(slug, viewer)
    return user if user is not None else abort(404, "Nobody here has this name.")
