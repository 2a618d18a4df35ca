"""The page of suggestions: whom the viewer may want to follow, and why."""

from __future__ import annotations

from typing import Any

from flask import current_app

from retinue import Suggestion
from retinue.flask import config
from retinue.flask.cards import suggested
from retinue.flask.state import current
from retinue.flask.templating import render
from retinue.flask.viewers import somebody
from retinue.flask.views.routing import page


@page("/suggestions")
def suggestions() -> str:
    """Show whom the viewer may want to follow, the best first. Eight statements at most."""
    limit, state = current_app.config[config.SUGGESTIONS], current()
    found: list[Suggestion[Any]] = state.graph().suggestions(somebody(), limit, columns=state.columns)
    return render("suggestions.html", people=suggested(found))
