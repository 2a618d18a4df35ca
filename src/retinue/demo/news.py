"""What one is told: who follows one, asks to, or has said yes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, flash, request, url_for
from werkzeug.wrappers import Response

from retinue import Graph
from retinue.demo.cards import Card, Cards
from retinue.demo.models import User, db
from retinue.demo.pages import links_of, rows_asked_for
from retinue.demo.verbs import back, in_transaction
from retinue.demo.visitor import render, somebody

#: People who are named as waiting for an answer.
WAITING = 3

#: What the database holds as the number of a notification.
_ID_MOST = 2**63 - 1

news = Blueprint("news", __name__)


@dataclass(frozen=True, slots=True)
class Item:
    """One notification, as the template gets it."""

    id: int
    kind: str
    person: Card
    at: datetime
    read: bool


@news.get("/notifications")
def notifications() -> str:
    """What one is told, newest first, and who waits for an answer. Eight statements. Opening it marks nothing read."""
    viewer, limit = somebody(), rows_asked_for()
    graph = Graph(db.session, User)
    page = graph.notifications(viewer, viewer=viewer, limit=limit, cursor=request.args.get("cursor"))
    waiting = graph.requests(viewer, viewer=viewer, limit=WAITING)
    cards = Cards(graph, viewer, [*(notice.user for notice in page), *(person.user for person in waiting)])
    items = [Item(notice.id, notice.kind.value, cards.of(notice.user), notice.at, notice.read) for notice in page]
    return render(
        "notifications.html",
        items=items,
        waiting=cards.listed(waiting),
        more_wait=waiting.next is not None,
        **links_of(page),
    )


@news.post("/notifications/read")
def mark_read() -> Response:
    """Note that one has read a notification, or all of them."""
    viewer, ids = somebody().id, _id_asked_for()
    number = in_transaction(lambda session: Graph(session, User).mark_read(viewer, ids))
    if ids is None and number:
        flash("All is marked as read.")
    return back(url_for("news.notifications"))


def _id_asked_for() -> list[int] | None:
    """Return the notification that the form names, if it names one; 400 if that cannot be one."""
    text = request.form.get("id")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= _ID_MOST):
        abort(400, "No notification has this number.")
    return [int(text)]
