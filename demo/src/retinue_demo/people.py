"""The application's own questions about people: by username, and all of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, false, insert, select
from sqlalchemy.orm import Session

from retinue import fold_name, search_texts
from retinue_demo.models import SearchText, User
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


def invented(session: Session, number: int) -> list[User]:
    """
    Return up to *number* people whom anybody may be, as their password is the public one. One select.

    They were there first: among a few dozen of the first there are some, or there are none any more. Those
    who are private come before the others: they have requests to answer.
    """
    first = session.scalars(select(User).order_by(User.id).limit(_FIRST))
    there = [user for user in first if user.active and user.password_hash == public_hash()]
    return sorted(there, key=lambda user: not user.locked)[:number]


@dataclass(frozen=True, slots=True)
class Directory:
    """A page of everybody, who has been here longest first; the ids are where the pages beside it begin."""

    users: Sequence[User]
    after: int | None
    before: int | None


def directory(
    session: Session,
    search: str,
    limit: int,
    after: int | None = None,
    before: int | None = None,
    *,
    whom: ColumnElement[bool],
) -> Directory:
    """
    Return those of *whom* whom *search* finds, as it does in lists, in the order in which they joined. One select.

    Args:
        session: Where they are.
        search: What one of the words of a name begins with, however it is spelt; empty for everybody.
        limit: People on the page.
        after: The id that the page comes after.
        before: The id that the page comes before, if *after* is None.
        whom: What holds for everybody who may be shown: `Graph.visible_to()`.
    """
    query = select(User).where(whom)
    if search:
        text = fold_name(search)
        found_by = select(SearchText.user_id).where(SearchText.text.startswith(text, autoescape=True))
        query = query.where(User.id.in_(found_by) if text else false())
    backward = after is None and before is not None
    if after is not None:
        query = query.where(User.id > after)
    elif before is not None:
        query = query.where(User.id < before)
    order = User.id.desc() if backward else User.id.asc()
    found = list(session.scalars(query.order_by(order).limit(limit + 1)))
    more, users = len(found) > limit, found[:limit]
    if backward:
        users.reverse()
    first, last = (users[0].id, users[-1].id) if users else (None, None)
    return Directory(
        users,
        after=last if more or backward else None,
        before=first if (more and backward) or after is not None else None,
    )
