"""What the extension adds to templates: the follow button, relationships, and the addresses of its own files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final, NamedTuple

from flask import Flask, render_template, request, url_for
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from retinue import BlockMixin, FollowRequestMixin, MuteMixin, NotificationMixin
from retinue.flask import addresses, cards
from retinue.flask.asked import WAITING_MOST, asked
from retinue.flask.cards import Card
from retinue.flask.language import number_of
from retinue.flask.periods import PERIODS
from retinue.flask.state import current
from retinue.flask.unread import unread_badge

_STATIC: Final = Path(__file__).parent / "static"
#: The key of the request under which it stands whether the page has the style sheet already.
_STYLED: Final = "retinue.flask.styled"
#: The key under which it stands whose buttons on the page have an address of their own: the first of each.
_ANCHORED: Final = "retinue.flask.anchored"
_DIGESTS: Final = {file.name: hashlib.sha256(file.read_bytes()).hexdigest()[:12] for file in _STATIC.iterdir()}


def init_app(app: Flask) -> None:
    """Give the templates of *app* their globals."""
    app.add_template_global(follow_button)
    app.add_template_global(person_menu)
    app.add_template_global(cards.relationship)
    app.add_template_global(asset, "retinue_asset")
    app.add_template_global(unread_badge)
    app.add_template_global(viewer_mark, "retinue_viewer")
    app.add_template_global(_layout_has_place, "retinue_layout_has_place")
    app.jinja_env.globals["retinue_periods"] = tuple(PERIODS)


def follow_button(user: Any) -> Markup:
    """
    Return the follow button for *user*: it shows whether the viewer follows them, and changes it.

    For any template of the application: the button has a form of its own, which leads back
    to the page it is on. One select for a whole page: see `cards.relationship()`. On a page
    without ``_head.html`` the first button brings the style sheet and the script with it.
    """
    person = cards.card_without_counts(user)
    anchored: set[str] = request.environ.setdefault(_ANCHORED, set())
    is_first = person.slug not in anchored
    anchored.add(person.slug)
    return _head() + _made("follow_form", person, is_first)


def person_menu(user: Any) -> Markup:
    """
    Return a menu of what the viewer can do about *user* beside following them: mute, block, remove them as a follower.

    For any template, as `follow_button()`, with which it shares the one select. Nothing for the viewer themselves, for
    somebody who is not logged in, and where there is nothing to do.
    """
    person = cards.card_without_counts(user)
    return _head() + _made("menu_form", person)


def viewer_mark() -> str:
    """
    Return what tells the viewer from others in a page of theirs, for the script; empty if they are not logged in.

    No statement, once it is known who is looking.
    """
    return asked().viewer_mark


def _head() -> Markup:
    """Return the style sheet and the script, if the page has them not yet."""
    if _STYLED in request.environ:
        return Markup()
    return Markup(current().templates.get_template("retinue/_head.html").render())  # noqa: S704 - made by a template that escapes


def button(person: Card) -> Markup:
    """Return the follow button for a card. No statement."""
    return _made("follow_form", person)


def _made(macro: str, person: Card, *more: Any) -> Markup:
    macros: Any = current().templates.get_template("retinue/_buttons.html").module
    return Markup(getattr(macros, macro)(person, addresses.here(), *more))  # noqa: S704 - made by a template that escapes


def asset(name: str) -> str:
    """Return the address of a file of the extension; the address changes when the file does."""
    if name.endswith(".css"):
        request.environ[_STYLED] = True
    return url_for("retinue.static", filename=name, v=_DIGESTS[name])


@pass_context
def _layout_has_place(context: Context) -> bool:
    """Return whether the layout says where a page stands, with a block ``retinue_content`` of its own."""
    return len(context.blocks["retinue_content"]) > 1


class Mine(NamedTuple):
    """What the way between the viewer's own pages shows."""

    #: Where their lists begin.
    lists: str
    #: The badge of their notifications.
    unread: Markup
    #: How many people wait for their answer, in figures; empty: nobody.
    waiting: str


def _mine() -> Mine | None:
    """Return what is the viewer's own; None for somebody not logged in. Two selects at most."""
    known, state = asked(), current()
    if known.viewer is None:
        return None
    lists = url_for("retinue.people", slug=state.slug_of(known.viewer), kind="followers")
    number = len(known.waiting())
    figure = f"{number_of(WAITING_MOST - 1)}+" if number == WAITING_MOST else number_of(number) if number else ""
    return Mine(lists, unread_badge(), figure)


def render(template: str, **values: Any) -> str:
    """
    Render a page of the extension. Two selects at most.

    ``here`` is its own address, ``there_is`` says which models are declared, ``mine`` is what is the viewer's own.
    """
    models = current().schema.models
    declared = {
        "requests": FollowRequestMixin in models,
        "blocks": BlockMixin in models,
        "mutes": MuteMixin in models,
        "notifications": NotificationMixin in models,
    }
    return render_template(f"retinue/{template}", here=addresses.here(), there_is=declared, mine=_mine(), **values)
