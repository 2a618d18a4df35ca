"""The application's own questions about people: by username, and all of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, ScalarSelect, delete, false, func, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from retinue import fold_name, search_texts
from retinue_demo.models import Block, FollowRequest, Mute, Notification, SearchText, User
from retinue_demo.passwords import public_hash

#: What a username is; everything that reads one from a request goes through it.
USERNAME = re.compile(r"[a-z0-9_]{1,64}")

#: People among whom those who are invented are looked for.
_FIRST = 40

#: Letters that do not fall apart into a plain letter and an accent.
_PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "þ": "th", "ð": "d", "\N{LATIN SMALL LETTER DOTLESS I}": "i"}
)


def fold(text: str) -> str:
    """Return *text* as usernames are written: "Zoë Ødegård" is "zoe_odegard"."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_PLAIN))
    words = re.findall(r"[a-z0-9]+", re.sub(r"['\u2019\u0300-\u036f]", "", plain))
    return "_".join(words)


def by_username(session: Session, username: str, *, whom: ColumnElement[bool] | None = None) -> User | None:
    """Return the user of that name, of those of *whom* or whoever may know of them, or None. One select."""
    query = select(User).where(User.username == username)
    return session.scalars(query if whom is None else query.where(whom)).one_or_none()


def let_find(session: Session, user: User) -> None:
    """Let *user* be found by each word of what they are called now. Two statements, and a flush."""
    session.flush()
    session.execute(delete(SearchText).where(SearchText.user_id == user.id))
    session.execute(insert(SearchText), [*texts_of(user)])


def texts_of(user: User) -> Iterator[dict[str, Any]]:
    """Yield the rows of `SearchText` by which *user* is found. No statement."""
    return ({"user_id": user.id, "text": text} for text in search_texts(user.name, user.username))


class Invented(NamedTuple):
    """Somebody whom anybody may be, and how much awaits them."""

    user: User
    requests: int
    unread: int
    blocked: int
    muted: int


def invented(session: Session, number: int) -> list[Invented]:
    """
    Return up to *number* people whom anybody may be, as their password is the public one. One select.

    They were there first: among a few dozen of the first there are some, or there are none any more. Those
    for whom there are most kinds of things to see come before the others.
    """
    awaiting = (
        _number_of(FollowRequest.following_id),
        _number_of(Notification.recipient_id, Notification.read_at.is_(None)),
        _number_of(Block.blocker_id),
        _number_of(Mute.muter_id),
    )
    first = session.execute(select(User, *awaiting).order_by(User.id).limit(_FIRST))
    there = [Invented(*row) for row in first if row[0].active and row[0].password_hash == public_hash()]
    return sorted(there, key=lambda one: -sum(map(bool, one[1:])))[:number]


def _number_of(column: InstrumentedAttribute[int], *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    """Return how many rows have a user's key in that *column*."""
    return select(func.count()).where(column == User.id, *conditions).scalar_subquery()


#: In which orders everybody can be shown: by which column, and whether its last value comes first.
ORDERS: Final[Mapping[str, tuple[InstrumentedAttribute[Any], bool]]] = {
    "longest": (User.id, False),
    "newest": (User.id, True),
    "username": (User.username, False),
}


@dataclass(frozen=True, slots=True)
class Look:
    """Who of everybody is to be shown, and where a page of them begins."""

    #: What one of the words of a name begins with, however it is spelt, as in lists; empty for everybody.
    search: str = ""
    #: What they care about; empty for everybody.
    interest: str = ""
    #: One of `ORDERS`.
    order: str = "longest"
    #: What the page comes after, and what it comes before, if there is no *after*: values of the order's column.
    after: int | str | None = None
    before: int | str | None = None


@dataclass(frozen=True, slots=True)
class Directory:
    """A page of everybody, in some order; the values are where the pages beside it begin."""

    users: Sequence[User]
    after: int | str | None
    before: int | str | None


def directory(session: Session, look: Look, limit: int, *, whom: ColumnElement[bool]) -> Directory:
    """
    Return up to *limit* of *whom* for whom the *look* asks. One select.

    Args:
        session: Where they are.
        look: Who, in which order, and from where on.
        limit: People on the page.
        whom: What holds for everybody who may be shown: `Graph.visible_to()`.
    """
    query = select(User).where(whom)
    if look.search:
        text = fold_name(look.search)
        found_by = select(SearchText.user_id).where(SearchText.text.startswith(text, autoescape=True))
        query = query.where(User.id.in_(found_by) if text else false())
    if look.interest:
        query = query.where(User.circle == look.interest)
    column, falls = ORDERS[look.order]
    backward = look.after is None and look.before is not None
    if look.after is not None:
        query = query.where(column < look.after if falls else column > look.after)
    elif look.before is not None:
        query = query.where(column > look.before if falls else column < look.before)
    found = list(session.scalars(query.order_by(column.desc() if falls != backward else column.asc()).limit(limit + 1)))
    more, users = len(found) > limit, found[:limit]
    if backward:
        users.reverse()
    first, last = (getattr(users[0], column.key), getattr(users[-1], column.key)) if users else (None, None)
    return Directory(
        users,
        after=last if more or backward else None,
        before=first if (more and backward) or look.after is not None else None,
    )
