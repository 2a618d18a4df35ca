"""A picture of those around somebody, and of who follows whom among them; the same in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, render_template
from sqlalchemy import select
from sqlalchemy.orm import Session

from retinue import Graph, NotVisibleError
from retinue.flask import Card, ask, card_of, cards_of, user_or_404, viewer
from retinue_demo.layout import SIDE, places
from retinue_demo.models import Follow, User, db
from retinue_demo.wording import names

#: People around the one in the middle.
AROUND: Final = 20

#: Half the width of a portrait: of the one in the middle, and of the others.
_LARGE, _SMALL = 40, 24

#: Between a portrait and the end of a line, and for the head of an arrow.
_GAP, _HEAD = 3, 4

neighbourhood = Blueprint("neighbourhood", __name__)

#: (who follows, whom), by their ids.
Edge = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Node:
    """Somebody in the picture."""

    username: str
    name: str
    #: As much of the name as has room.
    short: str
    x: int
    y: int
    radius: int


@dataclass(frozen=True, slots=True)
class Line:
    """Between two people: who follow each other, or the first of whom follows the second."""

    x1: int
    y1: int
    x2: int
    y2: int
    mutual: bool
    #: The two, by their places among the nodes.
    ends: tuple[int, int]

    @property
    def own(self) -> bool:
        """Whether one of the two is the one in the middle."""
        return 0 in self.ends


@dataclass(frozen=True, slots=True)
class Sentence:
    """What one person does in the picture."""

    username: str
    name: str
    follows: str


@dataclass(frozen=True, slots=True)
class Picture:
    """All of it, as the template gets it."""

    nodes: list[Node]
    lines: list[Line]
    sentences: list[Sentence]
    side: int = SIDE
    head: int = _HEAD


@neighbourhood.get("/@<username:username>/neighbourhood")
def around(username: str) -> str | tuple[str, int]:
    """
    The people around one, those first who follow each other; a 404 that says so if the visitor may not see.

    At most thirteen statements, however many there are.
    """
    looking = viewer()
    user: User = user_or_404(username, looking)
    near = _near(Graph(db.session, User), user, looking)
    ask([user, *(near or ())])
    if near is None:
        return render_template("neighbourhood.html", person=card_of(user), picture=None), 404
    people = cards_of([user, *near])
    picture = picture_of(people, _seen(_edges(db.session(), people), people))
    return render_template("neighbourhood.html", person=card_of(user), picture=picture)


def _near(graph: Graph[User], user: User, viewer: User | None) -> list[User] | None:
    """Return who is around *user*, as far as *viewer* may see; None if that is not at all."""
    found: dict[int, User] = {}
    seen = False
    for read in (graph.mutuals, graph.following, graph.followers):
        try:
            page = read(user, viewer=viewer, limit=AROUND)
        except NotVisibleError:
            continue
        seen = True
        found.update((person.user.id, person.user) for person in page)
    return list(found.values())[:AROUND] if seen else None


def _edges(session: Session, people: Iterable[Card]) -> list[Edge]:
    """Return who of *people* follows whom of them. One select."""
    ids = [person.user.id for person in people]
    query = select(Follow.follower_id, Follow.following_id)
    rows = session.execute(query.where(Follow.follower_id.in_(ids), Follow.following_id.in_(ids)))
    return sorted((follower, followed) for follower, followed in rows)


def _seen(edges: Iterable[Edge], people: Iterable[Card]) -> list[Edge]:
    """Return those of *edges* that stand on a list which the viewer may see: the one's, or the other's."""
    let_in = [person for person in people if person.is_viewer or not person.locked or person.relationship.following]
    following = {person.user.id for person in let_in if person.is_viewer or not person.user.hide_following}
    followers = {person.user.id for person in let_in if person.is_viewer or not person.user.hide_followers}
    return [edge for edge in edges if edge[0] in following or edge[1] in followers]


def picture_of(people: Sequence[Card], edges: Iterable[Edge]) -> Picture:
    """Return the picture of *people*, the first of them in the middle, and of the *edges* among them."""
    number = {person.user.id: place for place, person in enumerate(people)}
    pairs = {(number[follower], number[followed]) for follower, followed in edges}
    ties = sorted({(min(pair), max(pair)) for pair in pairs})
    at = places(len(people), ties)
    shorts = _short_names(people)
    nodes = [
        Node(person.slug, person.label, short, round(point.real), round(point.imag), _SMALL if place else _LARGE)
        for place, (person, short, point) in enumerate(zip(people, shorts, at, strict=True))
    ]
    lines = [_line(nodes, *((one, other) if (one, other) in pairs else (other, one)), pairs) for one, other in ties]
    return Picture(nodes, lines, list(_sentences(people, pairs)))


def _line(nodes: Sequence[Node], start: int, end: int, pairs: set[tuple[int, int]]) -> Line:
    mutual = (end, start) in pairs
    one, other = (complex(nodes[place].x, nodes[place].y) for place in (start, end))
    way = (other - one) / (abs(other - one) or 1)
    one += way * (nodes[start].radius + _GAP)
    other -= way * (nodes[end].radius + _GAP + (0 if mutual else _HEAD))
    return Line(round(one.real), round(one.imag), round(other.real), round(other.imag), mutual, (start, end))


def _short_names(people: Sequence[Card]) -> list[str]:
    """Return everybody's first name; with a letter more where two have the same."""
    first = [person.label.split()[0] if person.label.split() else person.slug for person in people]
    return [
        f"{name} {person.label.split()[-1][0]}." if first.count(name) > 1 and " " in person.label.strip() else name
        for name, person in zip(first, people, strict=True)
    ]


def _sentences(people: Sequence[Card], pairs: set[tuple[int, int]]) -> Iterable[Sentence]:
    for place, person in enumerate(people):
        followed = [other.label for number, other in enumerate(people) if (place, number) in pairs]
        if followed:
            yield Sentence(person.slug, person.label, names(followed))
