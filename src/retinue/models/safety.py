"""Whom a user keeps away, whom they do not want to hear of, and who is not to be suggested to them again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Boolean, Table
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

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


class BlockMixin(GraphModel):
    """
    *blocker* blocks *blocked*, since *timestamp* and until *until* (None: for good).

    Made by ``graph.block()`` alone. The ``cut_`` columns say what the block ended,
    for ``graph.unblock(restore=True)``; each holds the time at which it had begun.
    """

    #: The keys of the user who blocks, and of the user who is blocked.
    blocker_id: declared_attr[Any] = attribute(user_column)
    blocked_id: declared_attr[Any] = attribute(user_column)
    #: When the block was made (aware, UTC).
    timestamp: declared_attr[datetime] = attribute(time_of_row)
    #: When it ends by itself (aware, UTC); None: never.
    until: declared_attr[datetime | None] = attribute(optional_time)
    #: Since when the blocker had followed the blocked, and the blocked the blocker.
    cut_following: declared_attr[datetime | None] = attribute(optional_time)
    cut_followed_by: declared_attr[datetime | None] = attribute(optional_time)
    #: When the blocker had asked to follow the blocked, and the blocked to follow the blocker.
    cut_requested: declared_attr[datetime | None] = attribute(optional_time)
    cut_requested_by: declared_attr[datetime | None] = attribute(optional_time)
    #: The user who blocks, and the user who is blocked.
    blocker: declared_attr[Any] = attribute(user_by("blocker_id"))
    blocked: declared_attr[Any] = attribute(user_by("blocked_id"))


class MuteMixin(GraphModel):
    """*muter* does not want to hear of *muted*, since *timestamp* and until *until* (None: for good)."""

    __retinue_own_rows__: ClassVar[bool] = True

    #: The keys of the user who mutes, and of the user who is muted.
    muter_id: declared_attr[Any] = attribute(user_column)
    muted_id: declared_attr[Any] = attribute(user_column)
    #: When the mute was made (aware, UTC).
    timestamp: declared_attr[datetime] = attribute(time_of_row)
    #: When it ends by itself (aware, UTC); None: never.
    until: declared_attr[datetime | None] = attribute(optional_time)

    @attribute
    def notifications(cls) -> Mapped[bool]:
        """Whether notifications of what the muted does are left out as well."""
        return mapped_column(Boolean, nullable=False, insert_default=True)

    #: The user who mutes, and the user who is muted.
    muter: declared_attr[Any] = attribute(user_by("muter_id"))
    muted: declared_attr[Any] = attribute(user_by("muted_id"))


class DismissedSuggestionMixin(GraphModel):
    """*user* does not want *suggested* to be suggested again, since *timestamp*. Made by ``graph.dismiss()``."""

    __retinue_own_rows__: ClassVar[bool] = True

    #: The keys of the user who dismissed, and of the user who was suggested.
    user_id: declared_attr[Any] = attribute(user_column)
    suggested_id: declared_attr[Any] = attribute(user_column)
    #: When it was dismissed (aware, UTC).
    timestamp: declared_attr[datetime] = attribute(time_of_row)
    #: The user who dismissed, and the user who was suggested.
    user: declared_attr[Any] = attribute(user_by("user_id"))
    suggested: declared_attr[Any] = attribute(user_by("suggested_id"))


@completes(BlockMixin, key=("blocker_id", "blocked_id"))
def _complete_blocks(table: Table, user: type[Any]) -> None:
    complete_tie(table, listed="list", reverse="reverse")
    needs_guards(user)


@completes(MuteMixin, key=("muter_id", "muted_id"))
def _complete_mutes(table: Table, _user: type[Any]) -> None:
    complete_tie(table, listed="list", reverse="reverse")


@completes(DismissedSuggestionMixin, key=("user_id", "suggested_id"))
def _complete_dismissals(table: Table, _user: type[Any]) -> None:
    complete_tie(table, listed=None, reverse="reverse")
