"""Who follows whom, who has asked to, and how many."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, SmallInteger, Table, inspect
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, synonym, validates

from retinue.errors import NotWritableError
from retinue.models.columns import (
    attribute,
    complete_tie,
    completes,
    needs_guards,
    optional_time,
    time_of_row,
    user_by,
    user_column,
)
from retinue.models.ownership import GraphModel


class FollowMixin(GraphModel):
    """
    One edge: *follower* follows *following*, since *timestamp* (aware, UTC).

    The pair of keys is the primary key; both are foreign keys of the users, and
    a row goes when either user goes. Add columns of your own freely: docs/writing.md says
    what they get.
    """

    __retinue_own_rows__: ClassVar[bool] = True

    #: The keys of the user who follows, and of the user who is followed.
    follower_id: declared_attr[Any] = attribute(user_column)
    following_id: declared_attr[Any] = attribute(user_column)
    #: When it began (aware, UTC), made by the application.
    timestamp: declared_attr[datetime] = attribute(time_of_row)
    #: The user who follows, and the user who is followed: joined, so that a list of rows brings them along.
    follower: declared_attr[Any] = attribute(user_by("follower_id", back_populates="following"))
    following: declared_attr[Any] = attribute(user_by("following_id", back_populates="followers"))

    #: Other names of ``following_id`` and ``following``, in queries as well.
    followed_id: declared_attr[Any] = attribute(lambda _model: synonym("following_id"))
    followed: declared_attr[Any] = attribute(lambda _model: synonym("following"))

    @validates("follower_id", "following_id", "follower", "following")
    def _keep_key(self, name: str, value: Any) -> Any:
        # None comes from remove() on a relationship, which deletes the row.
        state = inspect(self)
        if value is not None and state.persistent and value != state.dict.get(name, value):
            what = f"{name} of a Follow that is in the database cannot change"
            raise NotWritableError(what, "unfollow() and follow()")
        return value


def _count(_model: Any) -> Mapped[int]:
    return mapped_column(BigInteger, nullable=False, insert_default=0)


class FollowCountMixin(GraphModel):
    """
    How many follow a user, and how many the user follows; kept by the library.

    A user may have several slots, whose sum counts. No row at all means "not
    counted yet": the first change counts the edges.
    """

    __retinue_effect__: ClassVar[str | None] = "retinue.effects.counts:COUNTS"

    #: The key of the user.
    user_id: declared_attr[Any] = attribute(user_column)

    @attribute
    def slot(cls) -> Mapped[int]:
        """Which of the user's rows this is, from 0."""
        return mapped_column(SmallInteger, primary_key=True, autoincrement=False, insert_default=0)

    #: How many follow the user, and how many the user follows; the sums over the slots count.
    followers: declared_attr[int] = attribute(_count)
    following: declared_attr[int] = attribute(_count)


class FollowRequestMixin(GraphModel):
    """
    A request: *follower* asked to follow *following*, who approves their followers, at *timestamp*.

    Made by ``follow()`` alone. A row whose ``rejected_at`` is set asks nothing any
    more: it holds the follower to ``Settings(request_cooldown=...)``.
    """

    #: The keys of the user who asks, and of the user who is asked.
    follower_id: declared_attr[Any] = attribute(user_column)
    following_id: declared_attr[Any] = attribute(user_column)
    #: When it was asked (aware, UTC).
    timestamp: declared_attr[datetime] = attribute(time_of_row)
    #: When it was rejected (aware, UTC); None while it is pending.
    rejected_at: declared_attr[datetime | None] = attribute(optional_time)
    #: The user who asks, and the user who is asked.
    follower: declared_attr[Any] = attribute(user_by("follower_id"))
    following: declared_attr[Any] = attribute(user_by("following_id"))


@completes(FollowMixin, key=("follower_id", "following_id"))
def _complete_follows(table: Table, user: type[Any]) -> None:
    complete_tie(table, listed="following", reverse="followers", by_time=True)
    if user.__retinue__.limits:
        needs_guards(user)


@completes(FollowCountMixin, key=("user_id", "slot"))
def _complete_counts(table: Table, _user: type[Any]) -> None:
    table.info.update(shard_key="user_id")


@completes(FollowRequestMixin, key=("follower_id", "following_id"))
def _complete_requests(table: Table, user: type[Any]) -> None:
    complete_tie(table, listed="following", reverse="followers", by_time=True)
    needs_guards(user)
