"""What the extension adds to templates: the follow button, relationships, and the addresses of its own files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

from flask import Flask, render_template, request, url_for
from markupsafe import Markup

from retinue import BlockMixin, DismissedSuggestionMixin, FollowRequestMixin, MuteMixin, NotificationMixin
from retinue.flask import addresses, cards
from retinue.flask.asked import asked
from retinue.flask.cards import Card
from retinue.flask.state import current
from retinue.flask.unread import unread_badge

_STATIC: Final = Path(__file__).parent / "static"
#: The key of the request under which it stands whether the page has the style sheet already.
_STYLED: Final = "retinue.flask.styled"
_DIGESTS: Final = {file.name: hashlib.sha256(file.read_bytes()).hexdigest()[:12] for file in _STATIC.iterdir()}


def init_app(app: Flask) -> None:
    """Give the templates of *app* their globals."""
    app.add_template_global(follow_button)
    app.add_template_global(cards.relationship)
    app.add_template_global(asset, "retinue_asset")
    app.add_template_global(unread_badge)
    app.add_template_global(viewer_mark, "retinue_viewer")


def follow_button(user: Any) -> Markup:
    """
    Return the follow button for *user*: it shows whether the viewer follows them, and changes it.

    For any template of the application: the button has a form of its own, which leads back
    to the page it is on. One select for a whole page: see `cards.relationship()`. On a page
    without ``_head.html`` the first button brings the style sheet and the script with it.
    """
    person = cards.card_without_counts(user)
    return button(person) if _STYLED in request.environ else _head() + button(person)


def viewer_mark() -> str:
    """
    Return what tells the viewer from others in a page of theirs, for the script; empty if they are not logged in.

    No statement, once it is known who is looking.
    """
    return asked().viewer_mark


def _head() -> Markup:
    return Markup(current().templates.get_template("retinue/_head.html").render())  # noqa: S704 - made by a template that escapes


def button(person: Card) -> Markup:
    """Return the follow button for a card. No statement."""
    macros: Any = current().templates.get_template("retinue/_buttons.html").module
    return Markup(macros.follow_form(person, addresses.here()))  # noqa: S704 - made by a template that escapes


def asset(name: str) -> str:
    """Return the address of a file of the extension; the address changes when the file does."""
    if name.endswith(".css"):
        request.environ[_STYLED] = True
    return url_for("retinue.static", filename=name, v=_DIGESTS[name])


def render(template: str, **values: Any) -> str:
    """Render a page of the extension; ``here`` is its own address, ``there_is`` says which models are declared."""
    models = current().schema.models
    declared = {
        "requests": FollowRequestMixin in models,
        "blocks": BlockMixin in models,
        "dismissals": DismissedSuggestionMixin in models,
        "mutes": MuteMixin in models,
        "notifications": NotificationMixin in models,
    }
    return render_template(f"retinue/{template}", here=addresses.here(), there_is=declared, **values)
