"""
The Flask extension: buttons, pages and commands for the users of an application who follow each other.

::

    db = SQLAlchemy(app)
    retinue = Retinue(app, user_model=User)

The blueprint's pages are under ``RETINUE_URL_PREFIX``; templates get ``follow_button(user)``,
``person_menu(user)`` and ``relationship(user)``. The other names here are for an application's own pages: the
extension's pages are made of them. docs/flask.md explains all of it.
"""

from __future__ import annotations

from retinue.flask.addresses import back, here, links_of, local_path, rows_asked_for, same_page
from retinue.flask.cards import Card, ask, card_of, cards_of, listed, relationship, suggested
from retinue.flask.extension import Retinue
from retinue.flask.periods import PERIODS
from retinue.flask.permissions import Attempt, May
from retinue.flask.state import State, current
from retinue.flask.templating import follow_button, person_menu
from retinue.flask.unread import unread, unread_badge
from retinue.flask.viewers import somebody, viewer
from retinue.flask.views.people import user_or_404

__all__ = [
    "PERIODS",
    "Attempt",
    "Card",
    "May",
    "Retinue",
    "State",
    "ask",
    "back",
    "card_of",
    "cards_of",
    "current",
    "follow_button",
    "here",
    "links_of",
    "listed",
    "local_path",
    "person_menu",
    "relationship",
    "rows_asked_for",
    "same_page",
    "somebody",
    "suggested",
    "unread",
    "unread_badge",
    "user_or_404",
    "viewer",
]
