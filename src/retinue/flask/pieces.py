"""What a page shows of people and a press may change, piece by piece: for the script, which puts each into its places."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from retinue import NotificationMixin
from retinue.flask.asked import asked
from retinue.flask.cards import Card
from retinue.flask.state import current
from retinue.flask.unread import badge
from retinue.flask.wording import count


def people(cards: Iterable[Card], here: str, answered: str = "") -> dict[str, Any]:
    """
    Return what is so of each of these people, by their names in addresses. No statement.

    Args:
        cards: The people, with their counts.
        here: The path of the page on which they are.
        answered: The verb with which the viewer has just answered them, if they have.
    """
    return {person.slug: {"how": _how(person), "pieces": _pieces(person, here, answered)} for person in cards}


def unread_piece() -> dict[str, str]:
    """Return what a badge says, where notifications are declared and somebody is logged in. One select, or none."""
    known = asked()
    return {"unread": badge()} if known.viewer is not None and NotificationMixin in known.state.schema.models else {}


def _how(person: Card) -> list[str]:
    """Return what is true of the relationship, by the names of its fields; nobody learns who blocks them."""
    how = person.relationship
    return [field.name for field in fields(how) if getattr(how, field.name) is True]


def _pieces(person: Card, here: str, answered: str) -> dict[str, str]:
    """Return each piece by its name: in a page, its places have the attribute ``data-retinue-<name>="<slug>"``."""
    templates = current().templates
    buttons: Any = templates.get_template("retinue/_buttons.html").module
    rows: Any = templates.get_template("retinue/_people.html").module
    counts = person.counts
    numbers = {} if counts is None else {"followers": count(counts.followers), "following": count(counts.following)}
    return {
        "user": buttons.follow_button_itself(person, here),
        "standing": buttons.badges(person),
        "answers": buttons.answers(person, said=answered),
        "since": rows.since_when(person),
        "follower-count": rows.follower_count(person),
        "following-count": rows.following_count(person),
        **numbers,
    }
