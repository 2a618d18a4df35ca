"""
The calls whose work is guarded, each for people of very different sizes.

One number holds for all of an operation's calls: that is how a page of 15,000 followers
is found to cost what a page of 60 does. Where what is read depends on how many
somebody follows, there is one operation for each number of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from retinue import Graph, Sort
from tests.performance.crowd import (
    CELEBRITY,
    FANS,
    FOLLOWS_500,
    FOLLOWS_5000,
    FRIEND_OF_CELEBRITY,
    LITTLE,
    ORDINARY,
    ORDINARY_FRIEND,
    STRANGER,
    at,
)
from tests.performance.models import Models


class Place:
    """A loaded database, one of the graphs on it, and the cursors found so far, which hold for every graph."""

    def __init__(self, engine: Engine, models: Models, cursors: dict[tuple[str, int, int], str]) -> None:
        self.engine = engine
        self.models = models
        self._cursors = cursors

    def graph(self, session: Session) -> Graph[Any]:
        return Graph(session, self.models.user)

    def cursor(self, list_: str, user: int, pages: int) -> str:
        """Return the cursor behind so many pages of 100 of a list."""
        key = (list_, user, pages)
        if key not in self._cursors:
            with Session(self.engine) as session:
                cursor = None
                for _ in range(pages):
                    page = getattr(self.graph(session), list_)(user, limit=100, cursor=cursor)
                    cursor = page.next
                assert cursor
            self._cursors[key] = cursor
        return self._cursors[key]


#: What one does in a session, at a place.
Call = Callable[[Place, Session], object]


def _asks(call: Callable[[Graph[Any]], object]) -> Call:
    return lambda place, session: call(place.graph(session))


def _searches(user: int, text: str, order: Sort) -> Call:
    return _asks(lambda g: g.followers(user, search=text, sort=order))


def _deep(list_: str, user: int, pages: int) -> Call:
    def call(place: Place, session: Session) -> object:
        return getattr(place.graph(session), list_)(user, cursor=place.cursor(list_, user, pages))

    return call


def _post(author: int) -> Call:
    def call(place: Place, session: Session) -> None:
        session.add(place.models.post(author_id=author, made_at=at(41_000 * 60)))

    return call


def _delete(user: int) -> Call:
    def call(place: Place, session: Session) -> None:
        session.delete(session.get_one(place.models.user, user))

    return call


_FIFTY = list(FANS[:25]) + list(range(30, 55))


@cache
def operations() -> dict[str, list[Call]]:
    """Return the calls of each operation."""
    return {
        "is_following": [
            _asks(lambda g: g.is_following(ORDINARY_FRIEND, ORDINARY)),
            _asks(lambda g: g.is_following(CELEBRITY, STRANGER)),
        ],
        "relationships with 50": [
            _asks(lambda g: g.relationships(ORDINARY, _FIFTY)),
            _asks(lambda g: g.relationships(CELEBRITY, _FIFTY)),
            _asks(lambda g: g.relationships(FOLLOWS_5000, _FIFTY)),
        ],
        "page of 20 followers": [
            _asks(lambda g: g.followers(ORDINARY)),
            _asks(lambda g: g.followers(CELEBRITY)),
            _deep("followers", CELEBRITY, 120),
        ],
        "page of 20 followed": [
            _asks(lambda g: g.following(ORDINARY)),
            _asks(lambda g: g.following(FOLLOWS_5000)),
            _deep("following", FOLLOWS_5000, 40),
        ],
        "page of 20 followers for a viewer": [
            _asks(lambda g: g.followers(ORDINARY, viewer=STRANGER)),
            _asks(lambda g: g.followers(CELEBRITY, viewer=FOLLOWS_5000)),
        ],
        "page of 20 of a list of one's own": [
            _asks(lambda g: g.followers(CELEBRITY, viewer=CELEBRITY)),
            _asks(lambda g: g.following(FOLLOWS_5000, viewer=FOLLOWS_5000)),
        ],
        # Of 20,000 people more than half have a word that begins so, 110, one, and nobody.
        **{
            f"search for a word of {found}, {order.value}": [
                _searches(user, text, order) for user in (ORDINARY, CELEBRITY) for text in texts
            ]
            for found, texts in {"many": ["family1"], "few": ["family77", "family77 user77", "nobody"]}.items()
            for order in (Sort.NEWEST, Sort.NAME)
        },
        "counts of 1": [
            _asks(lambda g: g.counts([ORDINARY])),
            _asks(lambda g: g.counts([CELEBRITY])),
        ],
        "counts of 50": [_asks(lambda g: g.counts([CELEBRITY, *_FIFTY[1:]]))],
        "follow, new": [
            _asks(lambda g: g.follow(ORDINARY, STRANGER)),
            _asks(lambda g: g.follow(ORDINARY, CELEBRITY)),
            _asks(lambda g: g.follow(CELEBRITY, ORDINARY)),
        ],
        "follow, repeated": [
            _asks(lambda g: g.follow(ORDINARY_FRIEND, ORDINARY)),
            _asks(lambda g: g.follow(FRIEND_OF_CELEBRITY, CELEBRITY)),
        ],
        "unfollow": [
            _asks(lambda g: g.unfollow(ORDINARY_FRIEND, ORDINARY)),
            _asks(lambda g: g.unfollow(FRIEND_OF_CELEBRITY, CELEBRITY)),
        ],
        "unfollow, repeated": [
            _asks(lambda g: g.unfollow(ORDINARY, STRANGER)),
            _asks(lambda g: g.unfollow(ORDINARY, CELEBRITY)),
        ],
        "mutuals of one who follows 60": [
            _asks(lambda g: g.mutuals(ORDINARY)),
            _asks(lambda g: g.mutuals(CELEBRITY)),
        ],
        "followers known to one who follows 60": [
            _asks(lambda g: g.followers_you_know(ORDINARY, FRIEND_OF_CELEBRITY)),
            _asks(lambda g: g.followers_you_know(ORDINARY, CELEBRITY)),
        ],
        "followers known to one who follows 500": [
            _asks(lambda g: g.followers_you_know(FOLLOWS_500, CELEBRITY)),
        ],
        "suggestions for one who follows 60": [
            _asks(lambda g: g.suggestions(ORDINARY)),
            _asks(lambda g: g.suggestions(CELEBRITY)),
        ],
        "suggestions for one who follows 500": [_asks(lambda g: g.suggestions(FOLLOWS_500))],
        "suggestions for one who follows 5,000": [_asks(lambda g: g.suggestions(FOLLOWS_5000))],
        "home timeline of one who follows 500": [
            _asks(lambda g: g.home_timeline(FOLLOWS_500)),
            _deep("home_timeline", FOLLOWS_500, 5),
        ],
        "home timeline of one who follows 5,000": [
            _asks(lambda g: g.home_timeline(FOLLOWS_5000)),
            _deep("home_timeline", FOLLOWS_5000, 6),
        ],
        "post": [_post(ORDINARY), _post(CELEBRITY)],
        "delete a user with 10 followers": [_delete(LITTLE)],
        "delete a user with 15,000 followers": [_delete(CELEBRITY)],
    }


#: The row of each operation in `tests/costs/table.py`, which says how many statements each of its calls takes.
ROWS: Final = {
    "is_following": "is_following(me, fan)",
    "relationships with 50": "relationships(me, fans)",
    "page of 20 followers": "followers(me)",
    "page of 20 followed": "following(me)",
    "page of 20 followers for a viewer": "followers(me, viewer=stranger)",
    "page of 20 of a list of one's own": "followers(me, viewer=me)",
    **{
        f"search for a word of {found}, {order.value}": "followers(me, search='u')"
        for found in ("many", "few")
        for order in (Sort.NEWEST, Sort.NAME)
    },
    "counts of 1": "counts([me])",
    "counts of 50": "counts([me, *fans])",
    "follow, new": "follow(me, stranger)",
    "follow, repeated": "follow(me, fan)",
    "unfollow": "unfollow(me, fan)",
    "unfollow, repeated": "unfollow(me, stranger)",
    "mutuals of one who follows 60": "mutuals(me)",
    "followers known to one who follows 60": "followers_you_know(settled, idol)",
    "followers known to one who follows 500": "followers_you_know(settled, idol)",
    "suggestions for one who follows 60": "suggestions(settled)",
    "suggestions for one who follows 500": "suggestions(settled)",
    "suggestions for one who follows 5,000": "suggestions(settled)",
    "home timeline of one who follows 500": "home_timeline(me, viewer=me)",
    "home timeline of one who follows 5,000": "home_timeline(me, viewer=me)",
    "post": "session.add_all(posts(1))",
    "delete a user with 10 followers": "session.delete(session.get(User, key(me)))",
    "delete a user with 15,000 followers": "session.delete(session.get(User, key(me)))",
}
