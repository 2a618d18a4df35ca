"""The lists that others may see: followers, following, mutuals, and followers whom the viewer knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from flask import abort, request

from retinue import NotVisibleError, Only, Page, Person, Sort
from retinue.flask import addresses
from retinue.flask.cards import ask, card_of, listed
from retinue.flask.language import gettext
from retinue.flask.state import current
from retinue.flask.templating import render
from retinue.flask.viewers import somebody, viewer
from retinue.flask.views.people import user_or_404
from retinue.flask.views.routing import page

#: The choices of the menus, by their value in the address.
SORTS: Final = {"newest": Sort.NEWEST, "oldest": Sort.OLDEST, "name": Sort.NAME}
SHOWN: Final[dict[str, Only | None]] = {
    "everybody": None,
    "mutual": Only.MUTUAL,
    "not_followed_back": Only.NOT_FOLLOWED_BACK,
}


class ListForm(NamedTuple):
    """The values of the form above a list, by their names in the address."""

    q: str
    sort: str
    show: str
    #: Whether users have names by which a list can be searched and sorted.
    named: bool
    #: Whether a search finds any word of a name, and not its beginning alone.
    by_words: bool

    @property
    def arguments(self) -> dict[str, Any]:
        """The values as arguments of `Graph.followers()` and `Graph.following()`."""
        return {"search": self.q, "sort": SORTS[self.sort], "only": SHOWN[self.show]}

    @property
    def narrows(self) -> bool:
        """Whether the form leaves anybody out."""
        return bool(self.q) or SHOWN[self.show] is not None


@page("/@<retinue_slug:slug>/<any(followers, following, mutuals):kind>")
def people(slug: str, kind: str) -> str | tuple[str, int]:
    """Show one of a user's lists; 404, on a page that says so, if the viewer may not see it. Seven statements."""
    reader = viewer()
    if kind == "mutuals":
        return _list(slug, kind, reader, lambda user, **place: current().graph().mutuals(user, **place))
    form = _list_form()

    def read(user: Any, **place: Any) -> Page[Person[Any]]:
        graph = current().graph()
        lists = {"followers": graph.followers, "following": graph.following}
        return lists[kind](user, **form.arguments, **place)

    return _list(slug, kind, reader, read, form)


@page("/@<retinue_slug:slug>/known")
def known(slug: str) -> str | tuple[str, int]:
    """Show those followers of a user whom the viewer follows, too; else as `people()`. Seven statements."""

    def read(user: Any, *, viewer: Any, **place: Any) -> Page[Person[Any]]:
        return current().graph().followers_you_know(viewer, user, **place)

    return _list(slug, "known", somebody(), read)


def _list_form() -> ListForm:
    """Return the values in the address; 400 if the menus do not offer them."""
    sort, show = request.args.get("sort", "newest"), request.args.get("show", "everybody")
    text = request.args.get("q", "")[:64].strip()
    named, by_words = "name" in current().schema.flags, current().schema.search is not None
    if sort not in SORTS or show not in SHOWN or (not named and (sort == "name" or (text and not by_words))):
        abort(400, gettext("There is no such order or filter."))
    return ListForm(text, sort, show, named, by_words)


def _list(
    slug: str, kind: str, reader: Any, read: Callable[..., Page[Person[Any]]], form: ListForm | None = None
) -> str | tuple[str, int]:
    # Before the user is read: a wrong address gives the same error whether or not there is such a user.
    limit = addresses.rows_asked_for()
    user = user_or_404(slug, reader)
    try:
        place = {"limit": limit, "cursor": request.args.get("cursor"), "columns": current().columns}
        found = read(user, viewer=reader, **place)
    except NotVisibleError:
        nothing = {"people": None, "hidden": False, **addresses.links_of(Page())}
        return render("people.html", person=card_of(user), kind=kind, look=form, **nothing), 404
    # The owner of the list and everybody on it, in one batch.
    ask([user, *(row.user for row in found)])
    return render(
        "people.html",
        person=card_of(user),
        kind=kind,
        look=form,
        people=listed(found),
        hidden=found.hidden,
        **addresses.links_of(found),
    )
