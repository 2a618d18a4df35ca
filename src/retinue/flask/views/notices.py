"""The page of notifications: new followers, requests, and accepted requests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import abort, flash, jsonify, request, url_for
from werkzeug.wrappers import Response

from retinue.flask import addresses
from retinue.flask.asked import asked, key_of
from retinue.flask.cards import Card, ask, card_of, listed
from retinue.flask.language import gettext
from retinue.flask.pieces import unread_piece
from retinue.flask.state import current
from retinue.flask.templating import render
from retinue.flask.unread import unread
from retinue.flask.viewers import somebody
from retinue.flask.views.routing import form, page
from retinue.settings import PAGE_MOST

#: How many of those who wait for an answer are shown.
WAITING: Final = 3

#: The greatest id of a notification that the database can hold.
_MAX_ID: Final = 2**63 - 1


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
    """Show the notifications, newest first, and who waits for an answer. Six statements. Marks nothing as read."""
    viewer, limit, graph = somebody(), addresses.rows_asked_for(), current().graph()
    found = graph.notifications(
        viewer, viewer=viewer, limit=limit, cursor=request.args.get("cursor"), columns=current().columns
    )
    all_waiting = asked().waiting()
    waiting = all_waiting[:WAITING]
    ask([*(notice.user for notice in found), *(row.user for row in waiting)])
    items = [Item(notice.id, notice.kind.value, card_of(notice.user), notice.at, notice.read) for notice in found]
    return render(
        "notifications.html",
        items=items,
        unread=unread(),
        waiting=listed(waiting),
        more_wait=len(all_waiting) > WAITING,
        **addresses.links_of(found),
    )


@form("/notifications/read")
def mark_read() -> Response:
    """Mark the notifications with each ``id`` as read, or all of them. To the script, what a badge says then."""
    viewer, ids = key_of(somebody()), _ids_asked_for()
    number = current().transact(lambda session: current().graph(session).mark_read(viewer, ids))
    if addresses.wants_json():
        return jsonify(**unread_piece())
    if ids is None and number:
        flash(gettext("Everything is marked as read."))
    return addresses.back(url_for("retinue.notifications"))


def _ids_asked_for() -> list[int] | None:
    """Return each id in the form; None if it has none. 400 if no notification can have one, or they are more than a page has."""
    texts = request.form.getlist("id")
    if len(texts) > PAGE_MOST or not all(_is_id(text) for text in texts):
        abort(400, gettext("No notification has this number."))
    return [int(text) for text in texts] or None


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= _MAX_ID
