"""People as the templates get them: how they and the viewer stand is asked once for a whole page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, Final

from flask import request

from retinue import Counts, Person, Relationship, Suggestion
from retinue.flask import addresses
from retinue.flask.state import State, current
from retinue.flask.viewers import viewer
from retinue.flask.wording import why_suggested
from retinue.schema import identity
from retinue.settings import BATCH_MOST
from retinue.values import Key

#: Where a request keeps what it has asked.
_ASKED: Final = "retinue.asked"


@dataclass(frozen=True, slots=True)
class Card:
    """One person, and how the viewer and they stand. Nothing here can reach the database."""

    #: The user, as the application's own class.
    user: Any
    #: What names them in an address, what people read, and where their page is.
    slug: str
    label: str
    url: str
    #: They approve who follows them.
    locked: bool
    #: Without ``blocked_by``: no template can show what is nobody's to know.
    relationship: Relationship
    #: Who looks: these very people, or nobody who is logged in.
    is_viewer: bool
    is_anonymous: bool
    #: None where the page does not show it.
    counts: Counts | None = None
    #: When the row was made that put them on a list, and when it ends by itself (None: never).
    since: datetime | None = None
    until: datetime | None = None
    #: Why they are suggested.
    why: str = ""


class _Asked:
    """What one request has asked about people, as one viewer."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.viewer = viewer()
        self.relationships: dict[Key, Relationship] = {}
        self.counts: dict[Key, Counts] = {}

    def relate(self, users: Iterable[Any]) -> None:
        """Ask how the viewer and those of *users* stand of whom it is not known. One select, or none."""
        unknown = [user for user in users if key_of(user) not in self.relationships]
        if unknown:
            found = self.state.graph().relationships(self.viewer, unknown)
            self.relationships.update({key: replace(how, blocked_by=False) for key, how in found.items()})

    def count(self, users: Iterable[Any]) -> None:
        """Ask for the counts of those of *users* of whom they are not known. One select, or none."""
        unknown = [user for user in users if key_of(user) not in self.counts]
        if unknown:
            self.counts.update(self.state.graph().counts(unknown))

    def card(self, user: Any) -> Card:
        """Return the card of *user*, about whom has been asked. No statement."""
        state, key = self.state, key_of(user)
        return Card(
            user=user,
            slug=state.slug_of(user),
            label=state.label_of(user),
            url=addresses.user_url(user),
            locked=state.is_locked(user),
            relationship=self.relationships[key],
            is_viewer=self.viewer is not None and key == key_of(self.viewer),
            is_anonymous=self.viewer is None,
            counts=self.counts.get(key),
        )


def _asked() -> _Asked:
    """Return what this request has asked, as whoever was looking when it began to."""
    asked: _Asked | None = request.environ.get(_ASKED)
    if asked is None:
        asked = request.environ[_ASKED] = _Asked(current())
    return asked


def key_of(user: Any) -> Key:
    """Return the key of *user*, who is in the database. No statement."""
    key: Key = identity(user)[0]
    return key


def ask(users: Iterable[Any]) -> None:
    """Ask about everybody whom a page will show, at most 1,000: then their cards cost nothing. Two selects."""
    chosen, asked = list(users), _asked()
    asked.relate(chosen)
    asked.count(chosen)


def cards_of(users: Iterable[Any]) -> list[Card]:
    """Return the cards of *users*, at most 1,000, with their counts. Two selects, or none after `ask()`."""
    chosen = list(users)
    ask(chosen)
    return [_asked().card(user) for user in chosen]


def card_of(user: Any) -> Card:
    """Return the card of one user, with their counts. Two selects, or none after `ask()`."""
    return cards_of([user])[0]


def listed(people: Iterable[Person[Any]]) -> list[Card]:
    """Return the cards of a list's *people*, with the time they came onto it, and go; as `cards_of()`."""
    rows = list(people)
    return [
        replace(card, since=row.since, until=getattr(row, "until", None))
        for card, row in zip(cards_of(row.user for row in rows), rows, strict=True)
    ]


def suggested(suggestions: Iterable[Suggestion[Any]]) -> list[Card]:
    """Return the cards of those who are suggested, with the reason; as `cards_of()`."""
    rows = list(suggestions)
    label = current().label_of
    return [
        replace(card, why=why_suggested(row, label))
        for card, row in zip(cards_of(row.user for row in rows), rows, strict=True)
    ]


def relationship(user: Any) -> Relationship:
    """
    Return how the viewer and *user* stand, for a template; ``blocked_by`` is always False there.

    The first time on a page, it is asked about everybody whom the session has loaded by
    then: one select for the whole page. A page that loads its people before it renders
    pays no more, however many they are.
    """
    asked = _asked()
    if key_of(user) not in asked.relationships:
        asked.relate([user, *islice(_loaded(asked.state, user), BATCH_MOST - 1)])
    return asked.relationships[key_of(user)]


def plain_card(user: Any) -> Card:
    """Return the card of *user* without counts; it costs what `relationship()` costs."""
    relationship(user)
    return _asked().card(user)


def _loaded(state: State, but: Any) -> Iterable[Any]:
    """Yield the users whom the session has loaded, other than *but*."""
    people = list(state.session().identity_map.values())
    return (one for one in people if isinstance(one, state.user_class) and one is not but)
