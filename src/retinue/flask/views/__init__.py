"""The blueprint: the buttons, and the pages of who follows whom."""

from __future__ import annotations

from retinue.flask.views import lists, log_in, notices, own_lists, state, suggestions, verbs
from retinue.flask.views.routing import blueprint

__all__ = ["blueprint", "lists", "log_in", "notices", "own_lists", "state", "suggestions", "verbs"]
