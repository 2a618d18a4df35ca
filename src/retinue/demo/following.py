"""Following and no longer following: the two forms that change the graph."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from retinue import Graph, transact
from retinue.demo.choosing import send_to_choose
from retinue.demo.models import User, db
from retinue.demo.pages import user_or_404
from retinue.demo.security import local_path
from retinue.demo.visitor import visitor

following = Blueprint("following", __name__)

Verb = Callable[[Graph[User], int, int], object]


@following.post("/@<username:username>/follow")
def follow(username: str) -> Response:
    """Follow somebody; no harm if one does already."""
    return _change(username, "You follow {}.", Graph.follow)


@following.post("/@<username:username>/unfollow")
def unfollow(username: str) -> Response:
    """Follow somebody no longer; no harm if one does not."""
    return _change(username, "You no longer follow {}.", Graph.unfollow)


def _change(username: str, done: str, verb: Verb) -> Response:
    viewer = visitor()
    if viewer is None:
        return send_to_choose()
    user = user_or_404(username)
    pair, name = (viewer.id, user.id), user.name
    # What has been read is over, and its connection free, before the unit of work takes one.
    db.session.remove()
    transact(db.session.session_factory, lambda session: verb(Graph(session, User), *pair))
    flash(done.format(name))
    return redirect(local_path(request.form.get("next")) or url_for("pages.profile", username=username), 303)
