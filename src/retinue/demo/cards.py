"""People as the templates get them: values that cannot reach the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from retinue import Counts, Graph, Person, Relationship, Suggestion
from retinue.demo.models import User
from retinue.demo.wording import why_suggested


@dataclass(frozen=True, slots=True)
class Card:
    """One person, and how the viewer and they stand."""

    id: int
    username: str
    name: str
    bio: str
    circle: str
    joined_at: datetime
    locked: bool
    counts: Counts
    #: Without ``blocked_by``: no template can show what is nobody's to know.
    relationship: Relationship
    is_viewer: bool
    #: When the row was made that put them on a list.
    since: datetime | None = None
    #: When that row ends by itself; None: never.
    until: datetime | None = None
    #: Why they are suggested.
    why: str = ""


class Cards:
    """
    The cards of everybody on a page. Two statements, however many people there are.

    Args:
        graph: Answers for all of them at once.
        viewer: Who looks; None for somebody who has not chosen who they are.
        users: Everybody whom the page will ask for; at most 1,000.
    """

    def __init__(self, graph: Graph[User], viewer: User | None, users: Iterable[User]) -> None:
        by_id = {user.id: user for user in users}
        counts = graph.counts(by_id)
        relationships = graph.relationships(viewer, by_id)
        self._cards = {
            key: Card(
                id=key,
                username=user.username,
                name=user.name,
                bio=user.bio,
                circle=user.circle,
                joined_at=user.joined_at,
                locked=user.locked,
                counts=counts[key],
                relationship=replace(relationships[key], blocked_by=False),
                is_viewer=viewer is not None and key == viewer.id,
            )
            for key, user in by_id.items()
        }

    def of(self, user: User) -> Card:
        """Return the card of *user*. No statement."""
        return self._cards[user.id]

    def listed(self, people: Iterable[Person[User]]) -> list[Card]:
        """Return the cards of a list's *people*, with the time they came onto it, and go. No statement."""
        return [
            replace(self._cards[person.user.id], since=person.since, until=getattr(person, "until", None))
            for person in people
        ]

    def suggested(self, suggestions: Iterable[Suggestion[User]]) -> list[Card]:
        """Return the cards of those who are suggested, with the reason. No statement."""
        return [replace(self._cards[one.user.id], why=why_suggested(one)) for one in suggestions]
