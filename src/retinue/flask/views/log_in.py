"""The redirect to the log-in page, for the buttons of visitors who are not logged in."""

from __future__ import annotations

from flask import redirect, request
from werkzeug.wrappers import Response

from retinue.flask import addresses, viewers
from retinue.flask.views.routing import page


@page("/log-in")
def log_in() -> Response:
    """Redirect to the log-in page, which leads back to the path ``next``; 401 where there is none. No statement."""
    back = addresses.local_path(request.args.get("next"))
    if viewers.viewer() is None:
        viewers.log_in(back)
    return redirect(back or addresses.home(), 303)
