"""The page of suggestions: whom the viewer may want to follow, and why."""

from __future__ import annotations

from flask import current_app

from retinue.flask import config
from retinue.flask.cards import suggested
from retinue.flask.state import current
from retinue.flask.templating import render
from retinue.flask.viewers import somebody
from retinue.flask.views.routing import page


@page("/suggestions")
def suggestions() -> str:
    """Show whom the viewer may want to follow, the best first. Ten statements at most."""
    limit = current_app.config[config.SUGGESTIONS]
    return render("suggestions.html", people=suggested(current().graph().suggestions(somebody(), limit=limit)))
