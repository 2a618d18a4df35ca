"""Lists of people that others may see: followers, following, mutuals, and followers whom one knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from flask import abort, request

from retinue import NotVisibleError, Only, Page, Person, Sort
from retinue.flask import addresses
from retinue.flask.cards import ask, card_of, listed
from retinue.flask.state import current
from retinue.flask.templating import render
from retinue.flask.viewers import somebody, viewer
from retinue.flask.views.people import user_or_404
from retinue.flask.views.routing import page

#: What the menus offer, by what stands in the address.
SORTS: Final = {"newest": Sort.NEWEST, "oldest": Sort.OLDEST, "name": Sort.NAME}
SHOWN: Final[dict[str, Only | None]] = {
    "everybody": None,
    "mutual": Only.MUTUAL,
    "not_followed_back": Only.NOT_FOLLOWED_BACK,
}


class Look(NamedTuple):
    """What the form above a list says; the names are those of the address."""

    q: str
    sort: str
    show: str
    #: Whether people have names to be searched and sorted by.
    named: bool

    @property
    def arguments(self) -> dict[str, Any]:
        """The same for `Graph.followers()` and `Graph.following()`."""
        return {"search": self.q, "sort": SORTS[self.sort], "only": SHOWN[self.show]}

    @property
    def narrows(self) -> bool:
        """Whether somebody may be left out."""
        return bool(self.q) or SHOWN[self.show] is not None


@page("/@<retinue_slug:slug>/<any(followers, following, mutuals):kind>")
def people(slug: str, kind: str) -> str | tuple[str, int]:
    """One of a person's lists; one that the visitor may not see is a 404 that says so. Seven statements."""
    looking = viewer()
    if kind == "mutuals":
        return _list(slug, kind, looking, lambda user, **place: current().graph().mutuals(user, **place))
    look = look_asked_for()

    def read(user: Any, **place: Any) -> Page[Person[Any]]:
        graph = current().graph()
        lists = {"followers": graph.followers, "following": graph.following}
        return lists[kind](user, **look.arguments, **place)

    return _list(slug, kind, looking, read, look)


@page("/@<retinue_slug:slug>/known")
def known(slug: str) -> str | tuple[str, int]:
    """Those of a person's followers whom one follows oneself; else as `people()`. Eight statements."""

    def read(user: Any, *, viewer: Any, **place: Any) -> Page[Person[Any]]:
        return current().graph().followers_you_know(viewer, user, **place)

    return _list(slug, "known", somebody(), read)


def look_asked_for() -> Look:
    """Return what the address says; 400 if it says what no menu offers."""
    sort, show = request.args.get("sort", "newest"), request.args.get("show", "everybody")
    text = request.args.get("q", "")[:64].strip()
    named = "name" in current().schema.flags
    if sort not in SORTS or show not in SHOWN or (not named and (text or sort == "name")):
        abort(400, "That is not an order or a choice which the menus offer.")
    return Look(text, sort, show, named)


def _list(
    slug: str, kind: str, looking: Any, read: Callable[..., Page[Person[Any]]], look: Look | None = None
) -> str | tuple[str, int]:
    # Before the user is looked for: what is wrong is so whether or not there is one.
    limit = addresses.rows_asked_for()
    user = user_or_404(slug, looking)
    try:
        found = read(user, viewer=looking, limit=limit, cursor=request.args.get("cursor"))
    except NotVisibleError:
        return render("people.html", person=card_of(user), kind=kind, people=None), 404
    # Whose list it is and who is on it: at once.
    ask([user, *(row.user for row in found)])
    return render(
        "people.html",
        person=card_of(user),
        kind=kind,
        look=look,
        people=listed(found),
        hidden=found.hidden,
        **addresses.links_of(found),
    )
