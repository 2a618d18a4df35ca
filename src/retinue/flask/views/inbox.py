"""Requests to follow: those that one has got, with the answers to them, and those that one has made."""

from __future__ import annotations

from flask import flash, request, url_for
from werkzeug.wrappers import Response

from retinue import Graph
from retinue.flask import addresses
from retinue.flask.cards import key_of, listed
from retinue.flask.state import current
from retinue.flask.templating import render
from retinue.flask.viewers import somebody
from retinue.flask.views.routing import form, page
from retinue.flask.wording import count


@page("/requests")
def requests() -> str:
    """Who waits for one's answer, newest first. Six statements."""
    return _list("received")


@page("/requests/sent")
def sent_requests() -> str:
    """For whose answer one waits, newest first. Six statements."""
    return _list("sent")


@form("/requests/<any(accept, reject):answer>")
def answer_all(answer: str) -> Response:
    """Give everybody who waits the same answer."""
    viewer = key_of(somebody())
    verb = {"accept": Graph.accept_all, "reject": Graph.reject_all}[answer]
    number = current().transact(lambda session: verb(current().graph(session), viewer))
    people = count(number, "person", "people")
    if number:
        flash({"accept": f"You said yes to {people}.", "reject": f"You said no to {people}."}[answer])
    return addresses.back(url_for("retinue.requests"))


def _list(kind: str) -> str:
    viewer, limit, graph = somebody(), addresses.rows_asked_for(), current().graph()
    read = {"received": graph.requests, "sent": graph.sent_requests}[kind]
    found = read(viewer, viewer=viewer, limit=limit, cursor=request.args.get("cursor"))
    return render(
        "requests.html",
        kind=kind,
        people=listed(found),
        locked=current().is_locked(viewer),
        hidden=found.hidden,
        **addresses.links_of(found),
    )
