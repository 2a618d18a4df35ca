"""Posts in the order of time: of those whom one follows, of everybody, and of one person."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, abort, jsonify, render_template, request
from sqlalchemy import and_

from retinue import Graph, InvalidCursor
from retinue.flask import (
    ask,
    card_of,
    links_of,
    listed,
    rows_asked_for,
    same_page,
    somebody,
    suggested,
    user_or_404,
    viewer,
)
from retinue_demo import reading
from retinue_demo.landing import landing
from retinue_demo.models import POST_MOST, Post, User, db

#: Posts of a page, where nobody asks for another number.
POSTS: Final = 12

#: People beside the posts.
NEWEST: Final = 4
SUGGESTED: Final = 4

#: Who follows fewer than this is shown whom to follow above the posts, and not beside or below them.
FEW: Final = 5

timelines = Blueprint("timelines", __name__)


@timelines.get("/")
def home() -> str:
    """The newest posts of those whom one follows, whom to follow, and who follows one lately. Ten statements."""
    looking = viewer()
    if looking is None:
        return landing()
    graph = Graph(db.session, User)
    limit, cursor = _limit(), request.args.get("cursor")
    try:
        page = graph.home_timeline(looking, viewer=looking, limit=limit, cursor=cursor)
    except InvalidCursor:
        abort(400, "This link only works for the person it was made for.")
    suggestions = graph.suggestions(looking, limit=SUGGESTED)
    newest = graph.followers(looking, viewer=looking, limit=NEWEST)
    ask([looking, *(one.user for one in suggestions), *(person.user for person in newest)])
    return render_template(
        "home.html",
        mine=card_of(looking),
        few=FEW,
        posts=reading.written(page, looking),
        suggested=suggested(suggestions),
        newest=listed(newest),
        first_page=cursor is None,
        most=POST_MOST,
        **links_of(page),
    )


@timelines.get("/newest.json")
def newest() -> Response:
    """The number of the newest post on one's first page, as JSON; null where there is none. Two statements."""
    looking = somebody()
    page = Graph(db.session, User).home_timeline(looking, viewer=looking, limit=1)
    return jsonify(newest=page.items[0].id if page else None)


@timelines.get("/public")
def public() -> str:
    """The newest posts of everybody whose posts one may read, but for whom one mutes. Three statements."""
    looking = viewer()
    sheet = _sheet(and_(reading.readable_by(Graph(db.session, User), looking), reading.wanted_by(looking)))
    return render_template("public.html", posts=reading.written(sheet.posts, looking), **_beside(sheet))


@timelines.get("/@<username:username>/posts")
def posts_of(username: str) -> str:
    """The posts of one person, newest first; none are shown to who may not read them. Six statements."""
    looking = viewer()
    user: User = user_or_404(username, looking)
    graph = Graph(db.session, User)
    sheet = _sheet(and_(Post.author_id == user.id, reading.readable_by(graph, looking)))
    return render_template(
        "posts.html", person=card_of(user), posts=reading.written(sheet.posts, looking), **_beside(sheet)
    )


def _limit() -> int:
    return rows_asked_for() if "limit" in request.args else POSTS


def _sheet(whose: reading.Condition) -> reading.Sheet:
    before, after = reading.place_asked_for("before"), reading.place_asked_for("after")
    return reading.newest(db.session(), whose, _limit(), before=before, after=after)


def _beside(sheet: reading.Sheet) -> dict[str, str | None]:
    """Return the addresses of the pages beside *sheet*, as the templates take them."""
    return {
        "older": None if sheet.older is None else same_page(before=str(sheet.older)),
        "newer": None if sheet.newer is None else same_page(after=str(sheet.newer)),
    }
