"""The application's own questions about people: by username, all of them, not followed yet."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from retinue.demo.models import Follow, FollowCount, User

#: What a username is; everything that reads one from a request goes through it.
USERNAME = re.compile(r"[a-z0-9_]{1,64}")

#: Letters that do not fall apart into a plain letter and an accent.
_PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "þ": "th", "ð": "d", "\N{LATIN SMALL LETTER DOTLESS I}": "i"}
)


def fold(text: str) -> str:
    """Return *text* as usernames are written: "Zoë Ødegård" is "zoe_odegard"."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_PLAIN))
    words = re.findall(r"[a-z0-9]+", re.sub(r"['\u2019\u0300-\u036f]", "", plain))
    return "_".join(words)


def by_username(session: Session, username: str) -> User | None:
    """Return the user of that name, or None. One select."""
    return session.scalars(select(User).where(User.username == username)).one_or_none()


def most_followed_strangers(session: Session, viewer: User, limit: int) -> Sequence[User]:
    """Return whom *viewer* does not follow yet, the most followed first. One select."""
    edge = exists().where(Follow.follower_id == viewer.id, Follow.following_id == User.id)
    followers = select(func.sum(FollowCount.followers)).where(FollowCount.user_id == User.id).scalar_subquery()
    strangers = select(User).where(User.id != viewer.id, ~edge)
    return session.scalars(strangers.order_by(func.coalesce(followers, 0).desc(), User.id).limit(limit)).all()


@dataclass(frozen=True, slots=True)
class Directory:
    """A page of everybody, who has been here longest first; the ids are where the pages beside it begin."""

    users: Sequence[User]
    after: int | None
    before: int | None


def directory(
    session: Session, search: str, limit: int, after: int | None = None, before: int | None = None
) -> Directory:
    """
    Return those whose name contains *search*, in the order in which they joined. One select.

    Args:
        session: Where they are.
        search: Part of a name, however it is spelt; empty for everybody.
        limit: People on the page.
        after: The id that the page comes after.
        before: The id that the page comes before, if *after* is None.
    """
    query = select(User)
    if search:
        # What folds to nothing is in no name; no username has a hyphen.
        query = query.where(User.username.contains(fold(search) or "-", autoescape=True))
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
