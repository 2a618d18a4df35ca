"""The pages: each reads everything first, and then renders values."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from sqlalchemy import ColumnElement, and_
from werkzeug.routing import BaseConverter

from retinue import Graph, NotVisibleError, Page, Person
from retinue.flask import PERIODS, ask, card_of, cards_of, listed, rows_asked_for, same_page, user_or_404, viewer
from retinue_demo import people, reading
from retinue_demo.models import Post, User, db
from retinue_demo.people import Look
from retinue_demo.vocabulary import CIRCLES

#: Rows of a list that is shown on another page.
GLIMPSE = 6
KNOWN = 2
POSTS = 7

pages = Blueprint("pages", __name__)


class UsernameConverter(BaseConverter):
    """Matches a username in an address; anything else is not found, without asking the database."""

    regex = people.USERNAME.pattern


pages.record_once(lambda setup: setup.app.url_map.converters.update(username=UsernameConverter))


def _look_asked_for() -> Look:
    """Return what the address asks for; 400 if that cannot be."""
    order, interest = request.args.get("sort", Look().order), request.args.get("show", "")
    if order not in people.ORDERS or interest not in {"", *CIRCLES}:
        abort(400, "This address asks for people in a way that isn’t on offer.")
    return Look(
        search=request.args.get("q", "")[:64].strip(),
        interest=interest,
        order=order,
        after=_place_asked_for("after", order),
        before=_place_asked_for("before", order),
    )


def _place_asked_for(name: str, order: str) -> int | str | None:
    """Return the place of that *name* in the address, if it is there; 400 if it is none in that *order*."""
    text = request.args.get(name)
    if text is None:
        return None
    by_name = people.ORDERS[order][0] is User.username
    if not (people.USERNAME.fullmatch(text) if by_name else re.fullmatch("[0-9]{1,9}", text)):
        abort(400, f"The “{name}” in this address isn’t a place in this list.")
    return text if by_name else int(text)


@pages.get("/people")
def everybody() -> str:
    """Everybody whom one may know of, to be searched, narrowed down to an interest, and sorted. Five statements."""
    return render_template("people.html", **directory_page(Graph(db.session, User).visible_to(viewer())))


def directory_page(whom: ColumnElement[bool]) -> dict[str, Any]:
    """Return what a page of the directory of *whom* shows. Three statements, and one for who is looking."""
    look = _look_asked_for()
    found = people.directory(db.session(), look, rows_asked_for(), whom=whom)
    return {
        "look": look,
        "interests": list(CIRCLES),
        "everybody": cards_of(found.users),
        "older": None if found.after is None else same_page(after=found.after),
        "newer": None if found.before is None else same_page(before=found.before),
    }


@pages.get("/@<username:username>")
def profile(username: str) -> str:
    """One person; if one may see them, their newest posts, followers, and those whom one knows. Eight statements."""
    looking = viewer()
    user: User = user_or_404(username, looking)
    graph = Graph(db.session, User)
    newest: Page[Person[User]] | None = None
    known: Page[Person[User]] = Page()
    try:
        newest = graph.followers(user, viewer=looking, limit=GLIMPSE)
        if looking is not None and looking != user:
            known = graph.followers_you_know(looking, user, limit=KNOWN)
    except NotVisibleError:
        newest = None
    whose = and_(Post.author_id == user.id, reading.readable_by(graph, looking))
    posts = reading.newest(db.session(), whose, POSTS)
    ask([user, *(person.user for page in (newest, known) for person in page or ())])
    return render_template(
        "profile.html",
        person=card_of(user),
        periods=PERIODS,
        posts=reading.written(posts.posts, looking),
        older_posts=posts.older and url_for("timelines.posts_of", username=username, before=str(posts.older)),
        newest=None if newest is None else listed(newest),
        known=listed(known),
        known_total=known.total,
    )
