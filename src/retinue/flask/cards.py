"""People as templates get them, as cards: relationships and counts are read once for a whole page."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar

from retinue import Counts, Relationship, Suggestion
from retinue.flask import addresses
from retinue.flask.asked import Asked, asked, key_of
from retinue.flask.permissions import Attempt, May, objection
from retinue.flask.state import current
from retinue.flask.wording import why_suggested


class OfSomebody(Protocol):
    """A row of a list of people: a `Person`, say, or a `Suggestion`."""

    @property
    def user(self) -> Any:
        """Who it is about."""


class SinceATime(OfSomebody, Protocol):
    """A row that began: a `Person`, say, or a `BlockedPerson`."""

    @property
    def since(self) -> datetime:
        """When (aware, UTC)."""
        ...


R = TypeVar("R", bound=OfSomebody)


@dataclass(frozen=True, slots=True)
class Card:
    """One person, and their relationship with the viewer. Nothing here can reach the database."""

    #: The user, as the application's own class; on lists of the extension's own, perhaps a row: see ``RETINUE_USER_COLUMNS``.
    user: Any
    #: Their name in an address, the name that people read, and the address of their page.
    slug: str
    label: str
    url: str
    #: What stands after an @: the slug, unless that is a primary key, or the label itself.
    handle: str | None
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
    #: The viewer, the verbs that there are here, and what the application says of them.
    _viewer: Any = None
    _verbs: Collection[str] = ()
    _may: May | None = None

    @property
    def anchor(self) -> str:
        """The end of an address that leads to their row, or button, on a page."""
        return addresses.anchor_of(self.slug)

    def may(self, verb: str) -> bool:
        """Return whether a button for *verb* is shown: its model is declared, and the application does not say a plain no."""
        return verb in self._verbs and objection(self._may, Attempt(verb, self._viewer, self.user)) != ""


def _card(known: Asked, user: Any) -> Card:
    """Return the card of *user*, of whom everything is *known*. No statement."""
    state, key = known.state, key_of(user)
    slug, label = state.slug_of(user), state.label_of(user)
    return Card(
        user=user,
        slug=slug,
        label=label,
        url=addresses.user_url(user),
        handle=None if state.slug_name == state.schema.key_name or slug == label else slug,
        locked=state.is_locked(user),
        relationship=known.relationships[key],
        is_viewer=known.viewer is not None and key == key_of(known.viewer),
        is_anonymous=known.viewer is None,
        counts=known.counts.get(key),
        _viewer=known.viewer,
        _verbs=state.verbs,
        _may=None if known.viewer is None else state.may,
    )


def ask(users: Iterable[Any]) -> None:
    """Read what the cards of *users* need, at most 1,000: then their cards cost nothing. Two selects."""
    _ask(list(users))


def cards_of(users: Iterable[Any]) -> list[Card]:
    """Return the cards of *users*, at most 1,000, with their counts. Two selects, or none after `ask()`."""
    people = list(users)
    known = _ask(people)
    return [_card(known, user) for user in people]


def _ask(people: Sequence[Any]) -> Asked:
    known = asked()
    known.meet(people)
    known.count(people)
    return known


def card_of(user: Any) -> Card:
    """Return the card of one user, with their counts. Two selects, or none after `ask()`."""
    return cards_of([user])[0]


def listed(people: Iterable[SinceATime]) -> list[Card]:
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
    known = asked()
    if not known.knows(user, shown=False):
        known.relate(known.page(user))
    return known.relationships[key_of(user)]


def card_without_counts(user: Any) -> Card:
    """Return the card of *user* without counts; it costs what `relationship()` costs."""
    known = asked()
    if not known.knows(user, shown=True):
        known.meet(known.page(user))
    return _card(known, user)
