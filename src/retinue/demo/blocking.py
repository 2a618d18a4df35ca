"""Blocking and muting, and the lists of those whom one blocks or mutes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from retinue import Graph, Page
from retinue.demo.cards import Cards
from retinue.demo.models import User, db
from retinue.demo.pages import links_of, rows_asked_for
from retinue.demo.periods import end_asked_for
from retinue.demo.verbs import towards
from retinue.demo.visitor import render, somebody

blocking = Blueprint("blocking", __name__)


@blocking.post("/@<username:username>/block")
def block(username: str) -> Response:
    """Keep somebody away, for good or for a time."""
    until = end_asked_for()

    def change(graph: Graph[User], viewer: int, user: int) -> str:
        graph.block(viewer, user, until)
        return "You block {}."

    return towards(username, change)


@blocking.post("/@<username:username>/unblock")
def unblock(username: str) -> Response:
    """Keep somebody away no longer, and bring back what was, if asked."""
    restore = "restore" in request.form

    def change(graph: Graph[User], viewer: int, user: int) -> str:
        graph.unblock(viewer, user, restore=restore)
        return "You no longer block {}."

    return towards(username, change)


@blocking.post("/@<username:username>/mute")
def mute(username: str) -> Response:
    """Hear no more of somebody, for good or for a time."""
    until = end_asked_for()

    def change(graph: Graph[User], viewer: int, user: int) -> str:
        graph.mute(viewer, user, until)
        return "You hear no more of {}."

    return towards(username, change)


@blocking.post("/@<username:username>/unmute")
def unmute(username: str) -> Response:
    """Hear of somebody again."""

    def change(graph: Graph[User], viewer: int, user: int) -> str:
        graph.unmute(viewer, user)
        return "You hear of {} again."

    return towards(username, change)


@blocking.get("/settings/<any(blocked, muted):kind>")
def kept_away(kind: str) -> str:
    """Whom one blocks, or mutes, newest first. Six statements."""
    viewer, limit = somebody(), rows_asked_for()
    graph = Graph(db.session, User)
    lists: dict[str, Callable[..., Page[Any]]] = {"blocked": graph.blocks, "muted": graph.mutes}
    page = lists[kind](viewer, viewer=viewer, limit=limit, cursor=request.args.get("cursor"))
    cards = Cards(graph, viewer, [person.user for person in page])
    return render("kept_away.html", kind=kind, listed=cards.listed(page), hidden=page.hidden, **links_of(page))
