"""What every form that changes the graph has in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from retinue import BlockedError, Graph, LimitError, transact
from retinue.demo.models import User, db
from retinue.demo.pages import user_or_404
from retinue.demo.security import local_path
from retinue.demo.visitor import somebody
from retinue.demo.wording import limit_reached

T = TypeVar("T")

#: Changes the graph for the viewer, about another user; returns what to say, with ``{}`` for their name.
Verb = Callable[[Graph[User], int, int], str]


def towards(username: str, verb: Verb) -> Response:
    """
    Do *verb* to the user of that name, say what was done, and lead back to where the form was.

    Whom the viewer may not know of is not there for a verb either: 404.
    """
    viewer = somebody()
    user = user_or_404(username, viewer)
    ids, name = (viewer.id, user.id), user.name
    try:
        said = in_transaction(lambda session: verb(Graph(session, User), *ids))
    except BlockedError:
        # Which of the two blocks is nobody's to know, so this is all there is to say.
        flash(f"You cannot follow {name}.", "problem")
    except LimitError as error:
        flash(limit_reached(error, name), "problem")
    else:
        flash(said.format(name))
    return back(url_for("pages.profile", username=username))


def in_transaction(work: Callable[[Session], T]) -> T:
    """Do *work* in a transaction of its own, as often as it takes, and commit."""
    # What has been read is over, and its connection free, before the unit of work takes one.
    db.session.remove()
    return transact(db.session.session_factory, work)


def back(otherwise: str) -> Response:
    """Lead to where the form says that it came from, if that is here; else to *otherwise*."""
    return redirect(local_path(request.form.get("next")) or otherwise, 303)
