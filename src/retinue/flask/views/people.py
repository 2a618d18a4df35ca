"""The user whom an address names, and the page about them: where the application has none of its own."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from flask import abort

from retinue import NotVisibleError, Page
from retinue.flask import addresses
from retinue.flask.asked import key_of
from retinue.flask.cards import ask, card_of, listed
from retinue.flask.language import gettext
from retinue.flask.state import current
from retinue.flask.templating import render
from retinue.flask.viewers import somebody, viewer
from retinue.flask.views.routing import page

#: How many of their followers whom the viewer follows, too, are named on a person's page.
KNOWN: Final = 3


def user_or_404(slug: str, viewer: Any) -> Any:
    """
    Return the user with this *slug*; 404 if there is none of whom *viewer* may know. One select.

    The select is the same for somebody who blocks the viewer, for somebody who is inactive,
    and for a name that nobody has.
    """
    user = current().user_named(slug, viewer)
    return user if user is not None else abort(404, gettext("There is nobody here by that name."))


@page("/@<retinue_slug:slug>/page", endpoint="person")
@page("/@<retinue_part:slug>", endpoint="person")
def person(slug: str) -> str:
    """Show one person, and who of their followers the viewer follows. Seven statements."""
    reader = viewer()
    user = user_or_404(slug, reader)
    known: Page[Any] = Page()
    if reader is not None and key_of(reader) != key_of(user):
        with suppress(NotVisibleError):
            known = current().graph().followers_you_know(reader, user, limit=KNOWN, columns=current().columns)
    ask([user, *(row.user for row in known)])
    return render("person.html", person=card_of(user), known=listed(known), known_total=known.total)


@page("/@<retinue_slug:slug>/menu")
def menu(slug: str) -> str:
    """Show what the viewer can do about one person, beside following them. Seven statements."""
    user = user_or_404(slug, somebody())
    return render("menu.html", person=card_of(user), back=addresses.came_from())
