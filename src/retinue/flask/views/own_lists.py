"""The viewer's own lists: requests, with the answer to all of them at once, and whom they block or mute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, request, url_for
from werkzeug.wrappers import Response

from retinue import Graph, Page
from retinue.flask import addresses
from retinue.flask.asked import key_of
from retinue.flask.cards import listed
from retinue.flask.language import ngettext
from retinue.flask.state import current
from retinue.flask.templating import render
from retinue.flask.viewers import somebody
from retinue.flask.views.asking import ask_application
from retinue.flask.views.routing import form, page


@page("/requests")
def requests() -> str:
    """Show who waits for the viewer's answer, newest first. Six statements."""
    return _list("requests.html", "received", Graph.requests)


@page("/requests/sent")
def sent_requests() -> str:
    """Show for whose answer the viewer waits, newest first. Six statements."""
    return _list("requests.html", "sent", Graph.sent_requests)


@form("/requests/<any(accept, reject):answer>")
def answer_all(answer: str) -> Response:
    """Give everybody who waits the same answer."""
    viewer = somebody()
    ask_application(f"{answer}_all", viewer, None)
    verb = {"accept": Graph.accept_all, "reject": Graph.reject_all}[answer]
    number = current().transact(lambda session: verb(current().graph(session), key_of(viewer)))
    if number:
        said_yes = ngettext("You accepted %(number)s request.", "You accepted %(number)s requests.", number)
        said_no = ngettext("You rejected %(number)s request.", "You rejected %(number)s requests.", number)
        flash(said_yes if answer == "accept" else said_no)
    return addresses.back(url_for("retinue.requests"))


@page("/<any(blocked, muted):kind>")
def kept_away(kind: str) -> str:
    """Show whom the viewer blocks, or mutes, newest first. Six statements."""
    lists: dict[str, Callable[..., Page[Any]]] = {"blocked": Graph.blocks, "muted": Graph.mutes}
    return _list("kept_away.html", kind, lists[kind])


def _list(template: str, kind: str, read: Callable[..., Page[Any]]) -> str:
    viewer, limit = somebody(), addresses.rows_asked_for()
    place = {"limit": limit, "cursor": request.args.get("cursor"), "columns": current().columns}
    found = read(current().graph(), viewer, viewer=viewer, **place)
    return render(
        template,
        kind=kind,
        people=listed(found),
        locked=current().is_locked(viewer),
        hidden=found.hidden,
        **addresses.links_of(found),
    )
