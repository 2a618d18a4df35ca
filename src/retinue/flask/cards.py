"""People as templates get them, as cards: relationships and counts are read once for a whole page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, Final, TypeVar

from flask import request

from retinue import Counts, Person, Relationship, Suggestion
from retinue.flask import addresses
from retinue.flask.state import State, current
from retinue.flask.viewers import viewer
from retinue.flask.wording import why_suggested
from retinue.schema import identity
from retinue.settings import BATCH_MOST
from retinue.values import Key

R = TypeVar("R", bound=Person[Any] | Suggestion[Any])

#: Where a request keeps what it has read.
_CACHE: Final = "retinue.people"


@dataclass(frozen=True, slots=True)
class Card:
    """One person, and their relationship with the viewer. Nothing here can reach the database."""

    #: The user, as the application's own class.
    user: Any
    #: Their name in an address, the name that people read, and the address of their page.
    slug: str
    label: str
    url: str
    #: They approve who follows them.
    locked: bool
    #: Without ``blocked_by``: nobody may learn of it, so no template can show it.
    relationship: Relationship
    #: Whether they are the viewer; and whether the viewer is not logged in.
    is_viewer: bool
    is_anonymous: bool
    #: None where the page does not show it.
    counts: Counts | None = None
    #: Since when they are on the list, and when that ends by itself (None: never).
    since: datetime | None = None
    until: datetime | None = None
    #: Why they are suggested.
    why: str = ""


class _PeopleCache:
    """What one request has read about people, for one viewer."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.viewer = viewer()
        self.relationships: dict[Key, Relationship] = {}
        self.counts: dict[Key, Counts] = {}

    def relate(self, users: Iterable[Any]) -> None:
        """Read the relationships of the viewer with those of *users* who are not cached. One select, or none."""
        unknown = [user for user in users if key_of(user) not in self.relationships]
        if unknown:
            found = self.state.graph().relationships(self.viewer, unknown)
            self.relationships.update({key: replace(how, blocked_by=False) for key, how in found.items()})

    def count(self, users: Iterable[Any]) -> None:
        """Read the counts of those of *users* who are not cached. One select, or none."""
        unknown = [user for user in users if key_of(user) not in self.counts]
        if unknown:
            self.counts.update(self.state.graph().counts(unknown))

    def card(self, user: Any) -> Card:
        """Return the card of *user*, whose relationship is cached. No statement."""
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


def _cache() -> _PeopleCache:
    """Return the cache of this request, for the viewer who was looking when it was made."""
    cache: _PeopleCache | None = request.environ.get(_CACHE)
    if cache is None:
        cache = request.environ[_CACHE] = _PeopleCache(current())
    return cache


def key_of(user: Any) -> Key:
    """Return the key of *user*, who is in the database. No statement."""
    key: Key = identity(user)[0]
    return key


def ask(users: Iterable[Any]) -> None:
    """Read what the cards of *users* need, at most 1,000: then their cards cost nothing. Two selects."""
    people, cache = list(users), _cache()
    cache.relate(people)
    cache.count(people)


def cards_of(users: Iterable[Any]) -> list[Card]:
    """Return the cards of *users*, at most 1,000, with their counts. Two selects, or none after `ask()`."""
    people = list(users)
    ask(people)
    return [_cache().card(user) for user in people]


def card_of(user: Any) -> Card:
    """Return the card of one user, with their counts. Two selects, or none after `ask()`."""
    return cards_of([user])[0]


def listed(people: Iterable[Person[Any]]) -> list[Card]:
    """Return the cards of the *people* on a list, with since when and until when; as `cards_of()`."""
    return [replace(card, since=row.since, until=getattr(row, "until", None)) for card, row in _with_cards(people)]


def suggested(suggestions: Iterable[Suggestion[Any]]) -> list[Card]:
    """Return the cards of suggested users, with the reason; as `cards_of()`."""
    label = current().label_of
    return [replace(card, why=why_suggested(row, label)) for card, row in _with_cards(suggestions)]


def _with_cards(rows: Iterable[R]) -> Iterable[tuple[Card, R]]:
    """Yield each of *rows* with the card of its user."""
    rows = list(rows)
    return zip(cards_of(row.user for row in rows), rows, strict=True)


def relationship(user: Any) -> Relationship:
    """
    Return the relationship of the viewer with *user*, for a template; ``blocked_by`` is always False there.

    The first call on a page reads it for everybody whom the session has loaded by
    then: one select for the whole page. A page that loads its people before it renders
    pays no more, however many they are.
    """
    cache = _cache()
    if key_of(user) not in cache.relationships:
        cache.relate([user, *islice(_loaded(cache.state, user), BATCH_MOST - 1)])
    return cache.relationships[key_of(user)]


def card_without_counts(user: Any) -> Card:
    """Return the card of *user* without counts; it costs what `relationship()` costs."""
    relationship(user)
    return _cache().card(user)


def _loaded(state: State, but: Any) -> Iterable[Any]:
    """Yield the users whom the session has loaded, except *but*."""
    people = list(state.session().identity_map.values())
    return (one for one in people if isinstance(one, state.user_class) and one is not but)
