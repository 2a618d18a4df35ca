"""What one is told: who follows one, asks to, or has said yes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import abort, flash, request, url_for
from werkzeug.wrappers import Response

from retinue import FollowRequestMixin, Page
from retinue.flask import addresses
from retinue.flask.cards import Card, ask, card_of, key_of, listed
from retinue.flask.state import current
from retinue.flask.templating import render
from retinue.flask.unread import unread
from retinue.flask.viewers import somebody
from retinue.flask.views.routing import form, page

#: People who are named as waiting for an answer.
WAITING: Final = 3

#: What the database holds as the number of a notification.
_ID_MOST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Item:
    """One notification, as the template gets it."""

    id: int
    kind: str
    person: Card
    at: datetime
    read: bool


@page("/notifications")
def notifications() -> str:
    """What one is told, newest first, and who waits for an answer. Eight statements. Opening it marks nothing read."""
    viewer, limit, graph = somebody(), addresses.rows_asked_for(), current().graph()
    found = graph.notifications(viewer, viewer=viewer, limit=limit, cursor=request.args.get("cursor"))
    asks = FollowRequestMixin in current().schema.models
    waiting = graph.requests(viewer, viewer=viewer, limit=WAITING) if asks else Page()
    ask([*(notice.user for notice in found), *(row.user for row in waiting)])
    items = [Item(notice.id, notice.kind.value, card_of(notice.user), notice.at, notice.read) for notice in found]
    return render(
        "notifications.html",
        items=items,
        unread=unread(),
        waiting=listed(waiting),
        more_wait=waiting.next is not None,
        **addresses.links_of(found),
    )


@form("/notifications/read")
def mark_read() -> Response:
    """Note that one has read a notification, or all of them."""
    viewer, ids = key_of(somebody()), _id_asked_for()
    number = current().transact(lambda session: current().graph(session).mark_read(viewer, ids))
    if ids is None and number:
        flash("All is marked as read.")
    return addresses.back(url_for("retinue.notifications"))


def _id_asked_for() -> list[int] | None:
    """Return the notification that the form names, if it names one; 400 if that cannot be one."""
    text = request.form.get("id")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= _ID_MOST):
        abort(400, "No notification has this number.")
    return [int(text)]
