"""The lists of those whom one blocks or mutes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request

from retinue import Page
from retinue.flask import addresses
from retinue.flask.cards import listed
from retinue.flask.state import current
from retinue.flask.templating import render
from retinue.flask.viewers import somebody
from retinue.flask.views.routing import page


@page("/<any(blocked, muted):kind>")
def kept_away(kind: str) -> str:
    """Whom one blocks, or mutes, newest first. Six statements."""
    viewer, limit, graph = somebody(), addresses.rows_asked_for(), current().graph()
    lists: dict[str, Callable[..., Page[Any]]] = {"blocked": graph.blocks, "muted": graph.mutes}
    found = lists[kind](viewer, viewer=viewer, limit=limit, cursor=request.args.get("cursor"))
    return render("kept_away.html", kind=kind, people=listed(found), hidden=found.hidden, **addresses.links_of(found))
