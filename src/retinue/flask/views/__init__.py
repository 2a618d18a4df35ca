"""The blueprint: what people press, and the pages of who follows whom."""

from __future__ import annotations

from retinue.flask.views import inbox, kept_away, lists, log_in, notices, suggestions, verbs
from retinue.flask.views.routing import blueprint

__all__ = ["blueprint", "inbox", "kept_away", "lists", "log_in", "notices", "suggestions", "verbs"]
