"""The application's own questions about posts: who may read them, and the newest of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import abort, request
from sqlalchemy import ColumnElement, and_, exists, or_, select, true
from sqlalchemy.orm import Session, contains_eager

from retinue import Graph
from retinue_demo.models import Follow, Mute, Post, User

#: Holds for some authors, or some posts.
Condition = ColumnElement[bool]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: A place in an address: microseconds since 1970, and the post's number.
_PLACE = re.compile(r"([0-9]{1,17})-([0-9]{1,10})")


@dataclass(frozen=True, slots=True)
class Written:
    """One post, as the templates get it."""

    id: int
    username: str
    name: str
    #: Its author approves who follows them: only those read this.
    locked: bool
    at: datetime
    body: str
    is_own: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins or ends: the time and the number of a post, which may be gone by now."""

    at: datetime
    id: int

    def __str__(self) -> str:
        """Return it as it stands in an address."""
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}-{self.id}"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of posts, newest first, and the places at which those beside it begin."""

    posts: list[Post]
    #: The last post here, if older ones follow.
    older: Place | None
    #: The first post here, if newer ones may be there.
    newer: Place | None


def place_asked_for(name: str) -> Place | None:
    """Return the place of that *name* in the address, if it is there; 400 if it is none."""
    text = request.args.get(name)
    if text is None:
        return None
    found = _PLACE.fullmatch(text) or abort(400, f"The “{name}” in this address isn’t a place among posts.")
    return Place(_EPOCH + timedelta(microseconds=int(found[1])), int(found[2]))


def written(posts: Iterable[Post], viewer: User | None) -> list[Written]:
    """Return *posts* as the templates get them. No statement."""
    return [
        Written(
            id=post.id,
            username=post.author.username,
            name=post.author.name,
            locked=post.author.locked,
            at=post.created_at,
            body=post.body,
            is_own=viewer is not None and post.author_id == viewer.id,
        )
        for post in posts
    ]


def readable_by(graph: Graph[User], viewer: User | None) -> Condition:
    """
    Return what holds for every author whose posts *viewer* may read.

    The viewer may know of them, so no block stands between the two; and they are
    the viewer, or are followed by them, or let everybody read.
    """
    public: Condition = User.locked.is_(False)
    if viewer is not None:
        accepted = exists().where(Follow.follower_id == viewer.id, Follow.following_id == User.id)
        public = or_(public, User.id == viewer.id, accepted)
    return and_(graph.visible_to(viewer), public)


def wanted_by(viewer: User | None) -> Condition:
    """Return what holds for every author whom *viewer* does not mute."""
    if viewer is None:
        return true()
    lasts = or_(Mute.until.is_(None), Mute.until > datetime.now(UTC))
    return ~exists().where(Mute.muter_id == viewer.id, Mute.muted_id == User.id, lasts)


def one_of(session: Session, number: int, whose: Condition) -> Post | None:
    """Return the post of that *number* with its author, or None if *whose* does not hold for it. One select."""
    query = select(Post).join(Post.author).options(contains_eager(Post.author))
    return session.scalars(query.where(Post.id == number, whose)).one_or_none()


def newest(
    session: Session,
    whose: Condition,
    limit: int,
    *,
    before: Place | None = None,
    after: Place | None = None,
) -> Sheet:
    """
    Return a page of the newest posts, with their authors. One select.

    Args:
        session: Where they are.
        whose: What holds for their authors, or for the posts: `readable_by()` who looks, and more.
        limit: Posts on the page.
        before: The place after which the page begins.
        after: The place before which the page ends, if *before* is None.
    """
    query = select(Post).join(Post.author).options(contains_eager(Post.author)).where(whose)
    backward = before is None and after is not None
    if before is not None:
        query = query.where(Post.created_at <= before.at, or_(Post.created_at < before.at, Post.id < before.id))
    elif after is not None:
        query = query.where(Post.created_at >= after.at, or_(Post.created_at > after.at, Post.id > after.id))
    columns = (Post.created_at, Post.id)
    order = [column.asc() if backward else column.desc() for column in columns]
    found = list(session.scalars(query.order_by(*order).limit(limit + 1)))
    more, posts = len(found) > limit, found[:limit]
    if backward:
        posts.reverse()
    if not posts:
        return Sheet([], None, None)
    first, last = (Place(post.created_at, post.id) for post in (posts[0], posts[-1]))
    return Sheet(
        posts,
        older=last if more or backward else None,
        newer=first if (more and backward) or before is not None else None,
    )
