"""Whom a user keeps away, and whom they do not want to hear of."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Boolean, Index, Table
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from retinue.models.columns import completes, named, needs_guards, not_oneself, user_column, user_of
from retinue.models.ownership import GraphModel
from retinue.models.times import UTCDateTime, now


class BlockMixin(GraphModel):
    """
    *blocker* blocks *blocked*, since *timestamp* and until *until* (None: for good).

    Made by ``graph.block()`` alone. The ``cut_`` columns say what the block ended,
    for ``graph.unblock(restore=True)``; each holds the time at which it had begun.
    """

    @declared_attr
    def blocker_id(cls) -> Mapped[Any]:
        """The key of the user who blocks."""
        return user_column(cls)

    @declared_attr
    def blocked_id(cls) -> Mapped[Any]:
        """The key of the user who is blocked."""
        return user_column(cls)

    @declared_attr
    def timestamp(cls) -> Mapped[datetime]:
        """When the block was made (aware, UTC)."""
        return mapped_column(UTCDateTime, nullable=False, insert_default=now)

    @declared_attr
    def until(cls) -> Mapped[datetime | None]:
        """When it ends by itself (aware, UTC); None: never."""
        return mapped_column(UTCDateTime)

    @declared_attr
    def cut_following(cls) -> Mapped[datetime | None]:
        """Since when the blocker had followed the blocked."""
        return mapped_column(UTCDateTime)

    @declared_attr
    def cut_followed_by(cls) -> Mapped[datetime | None]:
        """Since when the blocked had followed the blocker."""
        return mapped_column(UTCDateTime)

    @declared_attr
    def cut_requested(cls) -> Mapped[datetime | None]:
        """When the blocker had asked to follow the blocked."""
        return mapped_column(UTCDateTime)

    @declared_attr
    def cut_requested_by(cls) -> Mapped[datetime | None]:
        """When the blocked had asked to follow the blocker."""
        return mapped_column(UTCDateTime)

    @declared_attr
    def blocker(cls) -> Mapped[Any]:
        """The user who blocks."""
        return user_of(cls, cls.blocker_id)

    @declared_attr
    def blocked(cls) -> Mapped[Any]:
        """The user who is blocked."""
        return user_of(cls, cls.blocked_id)


class MuteMixin(GraphModel):
    """*muter* does not want to hear of *muted*, since *timestamp* and until *until* (None: for good)."""

    __retinue_own_rows__: ClassVar[bool] = True

    @declared_attr
    def muter_id(cls) -> Mapped[Any]:
        """The key of the user who mutes."""
        return user_column(cls)

    @declared_attr
    def muted_id(cls) -> Mapped[Any]:
        """The key of the user who is muted."""
        return user_column(cls)

    @declared_attr
    def timestamp(cls) -> Mapped[datetime]:
        """When the mute was made (aware, UTC)."""
        return mapped_column(UTCDateTime, nullable=False, insert_default=now)

    @declared_attr
    def until(cls) -> Mapped[datetime | None]:
        """When it ends by itself (aware, UTC); None: never."""
        return mapped_column(UTCDateTime)

    @declared_attr
    def notifications(cls) -> Mapped[bool]:
        """Whether notifications of what the muted does are left out as well."""
        return mapped_column(Boolean, nullable=False, insert_default=True)

    @declared_attr
    def muter(cls) -> Mapped[Any]:
        """The user who mutes."""
        return user_of(cls, cls.muter_id)

    @declared_attr
    def muted(cls) -> Mapped[Any]:
        """The user who is muted."""
        return user_of(cls, cls.muted_id)


@completes(BlockMixin, key=("blocker_id", "blocked_id"))
def _complete_blocks(table: Table, user: type[Any]) -> None:
    _complete_pairs(table, "blocker_id", "blocked_id")
    needs_guards(user)


@completes(MuteMixin, key=("muter_id", "muted_id"))
def _complete_mutes(table: Table, _user: type[Any]) -> None:
    _complete_pairs(table, "muter_id", "muted_id")


def _complete_pairs(table: Table, owner_id: str, other_id: str) -> None:
    owner, other, time = (table.c[name] for name in (owner_id, other_id, "timestamp"))
    table.info.update(shard_key=owner_id, reverse_key=other_id)
    table.append_constraint(not_oneself(table, owner != other))
    Index(named("ix", table, "list"), owner, time, other)
    Index(named("ix", table, "reverse"), other, owner)
