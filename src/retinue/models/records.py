"""What is written down: the history of edges, and what a user is to be told."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, Index, String, Table
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from retinue.models.columns import attribute, completes, named, optional_time, time_of_row, user_by, user_column
from retinue.models.ids import new_id
from retinue.models.ownership import GraphModel, key_column_of, user_class_of

#: Longer than the longest kind of anything that is written down.
_KIND_MOST = 24


class FollowEventMixin(GraphModel):
    """
    One thing that happened to an edge: kept when the edge goes, and when its users go.

    Append-only, and without foreign keys. ``kind`` is a `HistoryKind`; a row of kind
    ``removed`` says that a user was deleted: what is older is not about whoever has
    the same key now.
    """

    __retinue_effect__: ClassVar[str | None] = "retinue.effects.history:HISTORY"

    @attribute
    def follower_id(cls) -> Mapped[Any]:
        """The key of the user who follows, or followed."""
        return _former_user_column(cls, primary_key=True)

    @attribute
    def id(cls) -> Mapped[int]:
        """A number that grows with time."""
        return mapped_column(BigInteger, primary_key=True, autoincrement=False, insert_default=new_id)

    @attribute
    def following_id(cls) -> Mapped[Any]:
        """The key of the user who is followed, or was."""
        return _former_user_column(cls)

    @attribute
    def kind(cls) -> Mapped[str]:
        """What happened: the value of a `HistoryKind`."""
        return mapped_column(String(_KIND_MOST), nullable=False)

    #: When it happened (aware, UTC).
    timestamp: declared_attr[datetime] = attribute(time_of_row)


class NotificationMixin(GraphModel):
    """
    *recipient* is to be told what *actor* did; unread while *read_at* is None.

    One row for each kind of thing that one user does to another: done again later,
    it comes back to the top, unread.
    """

    __retinue_effect__: ClassVar[str | None] = "retinue.effects.notifications:NOTIFICATIONS"

    #: The keys of the user who is told, and of the user who did it.
    recipient_id: declared_attr[Any] = attribute(user_column)
    actor_id: declared_attr[Any] = attribute(user_column)

    @attribute
    def kind(cls) -> Mapped[str]:
        """What was done: the value of a `NotificationKind`."""
        return mapped_column(String(_KIND_MOST), primary_key=True)

    @attribute
    def id(cls) -> Mapped[int]:
        """A number that grows with time, and is the notification's name in an API."""
        return mapped_column(BigInteger, nullable=False, insert_default=new_id)

    #: When it was done (aware, UTC).
    timestamp: declared_attr[datetime] = attribute(time_of_row)
    #: When the recipient saw it (aware, UTC); None: not yet.
    read_at: declared_attr[datetime | None] = attribute(optional_time)
    #: The user who is told, and the user who did it.
    recipient: declared_attr[Any] = attribute(user_by("recipient_id"))
    actor: declared_attr[Any] = attribute(user_by("actor_id"))


def _former_user_column(model: Any, *, primary_key: bool = False) -> Mapped[Any]:
    """Return a column of *model* for the key of a user who may be gone."""
    key: Column[Any] = key_column_of(user_class_of(model))
    return mapped_column(key.type, primary_key=primary_key, nullable=False, autoincrement=False)


@completes(FollowEventMixin, key=("follower_id", "id"))
def _complete_history(table: Table, _user: type[Any]) -> None:
    follower, following, time, number = (table.c[n] for n in ("follower_id", "following_id", "timestamp", "id"))
    table.info.update(shard_key="follower_id", reverse_key="following_id")
    # One pair's history in its order; how much one follower did lately; and who came to one followed, and left.
    Index(named("ix", table, "pair"), follower, following, number)
    Index(named("ix", table, "lately"), follower, time, table.c.kind)
    Index(named("ix", table, "following"), following, time, table.c.kind, follower, number)


@completes(NotificationMixin, key=("recipient_id", "actor_id", "kind"))
def _complete_notifications(table: Table, _user: type[Any]) -> None:
    recipient, actor, time, number = (table.c[n] for n in ("recipient_id", "actor_id", "timestamp", "id"))
    table.info.update(shard_key="recipient_id", reverse_key="actor_id")
    Index(named("ix", table, "list"), recipient, time, number)
    Index(named("ix", table, "actor"), actor)
