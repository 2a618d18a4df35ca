"""The pages: each reads everything first, and then renders values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, redirect, request, url_for
from sqlalchemy import ColumnElement
from werkzeug.routing import BaseConverter
from werkzeug.wrappers import Response

from retinue import Graph, NotVisibleError, Page, Person
from retinue.demo import looking, people
from retinue.demo.cards import Cards
from retinue.demo.models import User, db
from retinue.demo.periods import PERIODS
from retinue.demo.visitor import render, somebody, visitor

#: Rows: of the lists, and what is shown of a list on another page.
ROWS = 20
ROWS_MOST = 100
GLIMPSE = 6
NEWEST = 5
SUGGESTED = 12
KNOWN = 2

pages = Blueprint("pages", __name__)


class UsernameConverter(BaseConverter):
    """Matches a username in an address; anything else is not found, without asking the database."""

    regex = people.USERNAME.pattern


pages.record_once(lambda setup: setup.app.url_map.converters.update(username=UsernameConverter))


def user_or_404(username: str, viewer: User | None) -> User:
    """Return the user of that name; 404 if there is none of whom *viewer* may know. One select."""
    return people.known_by_username(db.session(), username, viewer) or abort(404, "Nobody here has this name.")


def rows_asked_for() -> int:
    """Return the ``limit`` of the address; 400 if it is not a number of rows that may be had."""
    limit = number_asked_for("limit")
    if limit is None:
        return ROWS
    if not 1 <= limit <= ROWS_MOST:
        abort(400, f"A page has 1 to {ROWS_MOST} rows.")
    return limit


def number_asked_for(name: str) -> int | None:
    """Return the number of that *name* in the address, if it is there; 400 if it is no number."""
    text = request.args.get(name)
    if text is not None and not (text.isascii() and text.isdigit() and len(text) <= 9):
        abort(400, f"The “{name}” in this address is not a number that makes sense.")
    return None if text is None else int(text)


def same_page(**place: str | int) -> str:
    """Return the address of this page at another place in its list."""
    # By name: whatever else stands in the query must not become an argument of url_for().
    kept = {name: request.args[name] for name in (*looking.NAMES, "limit", "next") if name in request.args}
    query: dict[str, Any] = {**(request.view_args or {}), **kept, **place}
    return url_for(request.endpoint or "", **query)


def links_of(page: Page[Any]) -> dict[str, str | None]:
    """Return the addresses of the pages beside *page* of a graph's list, as the templates take them."""
    return {
        "older": page.next and same_page(cursor=page.next),
        "newer": page.prev and same_page(cursor=page.prev),
    }


@pages.get("/")
def home() -> str | Response:
    """Whom to follow, and who has come to follow one lately. Ten statements."""
    viewer = visitor()
    if viewer is None:
        return redirect(url_for("choosing.choose"))
    graph = Graph(db.session, User)
    suggestions = graph.suggestions(viewer, limit=SUGGESTED)
    newest = graph.followers(viewer, viewer=viewer, limit=NEWEST)
    cards = Cards(graph, viewer, [viewer, *(one.user for one in suggestions), *(person.user for person in newest)])
    return render(
        "home.html",
        mine=cards.of(viewer),
        suggested=cards.suggested(suggestions),
        newest=cards.listed(newest),
    )


@pages.get("/people")
def everybody() -> str:
    """Everybody whom one may know of, who has been here longest first, with a search. Five statements."""
    return render("people.html", **directory_page(people.listed_for(visitor())))


def directory_page(whom: ColumnElement[bool]) -> dict[str, Any]:
    """Return what a page of the directory of *whom* shows. Three statements, and one for who is looking."""
    viewer = visitor()
    search = request.args.get("q", "")[:64].strip()
    found = people.directory(
        db.session(), search, rows_asked_for(), number_asked_for("after"), number_asked_for("before"), whom=whom
    )
    cards = Cards(Graph(db.session, User), viewer, found.users)
    return {
        "search": search,
        "everybody": [cards.of(user) for user in found.users],
        "older": None if found.after is None else same_page(after=found.after),
        "newer": None if found.before is None else same_page(before=found.before),
    }


@pages.get("/@<username:username>")
def profile(username: str) -> str:
    """One person, and, if one may see them, the newest of their followers and those whom one knows. Ten statements."""
    viewer = visitor()
    user = user_or_404(username, viewer)
    graph = Graph(db.session, User)
    newest: Page[Person[User]] | None = None
    known: Page[Person[User]] = Page()
    try:
        newest = graph.followers(user, viewer=viewer, limit=GLIMPSE)
        if viewer is not None and viewer != user:
            known = graph.followers_you_know(viewer, user, limit=KNOWN)
    except NotVisibleError:
        newest = None
    cards = Cards(graph, viewer, [user, *(person.user for page in (newest, known) for person in page or ())])
    return render(
        "profile.html",
        person=cards.of(user),
        periods=PERIODS,
        newest=None if newest is None else cards.listed(newest),
        known=cards.listed(known),
        known_total=known.total,
    )


@pages.get("/@<username:username>/<any(followers, following, mutuals):kind>")
def people_of(username: str, kind: str) -> str | tuple[str, int]:
    """One of a person's lists; one that the visitor may not see is a 404 that says so. Seven statements."""
    viewer = visitor()
    if kind == "mutuals":
        return _list(username, kind, viewer, lambda graph, user, **place: graph.mutuals(user, viewer=viewer, **place))
    look = looking.look_asked_for()

    def read(graph: Graph[User], user: User, **place: Any) -> Page[Person[User]]:
        lists = {"followers": graph.followers, "following": graph.following}
        return lists[kind](user, viewer=viewer, **look.arguments, **place)

    return _list(username, kind, viewer, read, look)


@pages.get("/@<username:username>/known")
def known_of(username: str) -> str | tuple[str, int]:
    """Those of a person's followers whom one follows oneself; else as `people_of()`. Eight statements."""
    viewer = somebody()

    return _list(
        username, "known", viewer, lambda graph, user, **place: graph.followers_you_know(viewer, user, **place)
    )


def _list(
    username: str,
    kind: str,
    viewer: User | None,
    read: Callable[..., Page[Person[User]]],
    look: looking.Look | None = None,
) -> str | tuple[str, int]:
    # Before the user is looked for: what is wrong is so whether or not there is one.
    limit = rows_asked_for()
    user = user_or_404(username, viewer)
    graph = Graph(db.session, User)
    try:
        page = read(graph, user, limit=limit, cursor=request.args.get("cursor"))
    except NotVisibleError:
        return render("list.html", person=Cards(graph, viewer, [user]).of(user), kind=kind, listed=None), 404
    cards = Cards(graph, viewer, [user, *(person.user for person in page)])
    return render(
        "list.html",
        person=cards.of(user),
        kind=kind,
        look=look,
        listed=cards.listed(page),
        hidden=page.hidden,
        **links_of(page),
    )
