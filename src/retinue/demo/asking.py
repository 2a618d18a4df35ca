"""Requests to follow: those that one has got, with the answers to them, and those that one has made."""

from __future__ import annotations

from flask import Blueprint, flash, request, url_for
from werkzeug.wrappers import Response

from retinue import Graph
from retinue.demo.cards import Cards
from retinue.demo.models import User, db
from retinue.demo.pages import links_of, rows_asked_for
from retinue.demo.verbs import back, in_transaction, towards
from retinue.demo.visitor import render, somebody
from retinue.demo.wording import count

asking = Blueprint("asking", __name__)


@asking.get("/requests")
def received() -> str:
    """Who waits for one's answer, newest first. Six statements."""
    return _list("received")


@asking.get("/requests/sent")
def sent() -> str:
    """For whose answer one waits, newest first. Six statements."""
    return _list("sent")


@asking.post("/@<username:username>/accept")
def accept(username: str) -> Response:
    """Let somebody follow who has asked to."""

    def change(graph: Graph[User], viewer: int, user: int) -> str:
        return "{} follows you now." if graph.accept(viewer, user) else _OVER

    return towards(username, change)


@asking.post("/@<username:username>/reject")
def reject(username: str) -> Response:
    """Answer no to somebody who has asked to follow."""

    def change(graph: Graph[User], viewer: int, user: int) -> str:
        return "You said no to {}." if graph.reject(viewer, user) else _OVER

    return towards(username, change)


@asking.post("/requests/<any(accept, reject):answer>")
def answer_all(answer: str) -> Response:
    """Give everybody who waits the same answer."""
    viewer = somebody().id
    verb = {"accept": Graph.accept_all, "reject": Graph.reject_all}[answer]
    number = in_transaction(lambda session: verb(Graph(session, User), viewer))
    people = count(number, "person", "people")
    if number:
        flash({"accept": f"You said yes to {people}.", "reject": f"You said no to {people}."}[answer])
    return back(url_for("asking.received"))


#: Taken back, answered in another window, or given up for a block.
_OVER = "{} is not waiting for an answer."


def _list(kind: str) -> str:
    viewer, limit = somebody(), rows_asked_for()
    graph = Graph(db.session, User)
    read = {"received": graph.requests, "sent": graph.sent_requests}[kind]
    page = read(viewer, viewer=viewer, limit=limit, cursor=request.args.get("cursor"))
    cards = Cards(graph, viewer, [person.user for person in page])
    listed = cards.listed(page)
    return render("requests.html", kind=kind, listed=listed, locked=viewer.locked, hidden=page.hidden, **links_of(page))
