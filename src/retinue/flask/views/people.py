"""The user whom an address names."""

from __future__ import annotations

from typing import Any

from flask import abort

from retinue.flask.language import gettext
from retinue.flask.state import current


def user_or_404(slug: str, viewer: Any) -> Any:
    """
    Return the user with this *slug*; 404 if there is none of whom *viewer* may know. One select.

    The select is the same for somebody who blocks the viewer, for somebody who is inactive,
    and for a name that nobody has.
    """
    user = current().user_named(slug, viewer)
    return user if user is not None else abort(404, gettext("Nobody here has this name."))
