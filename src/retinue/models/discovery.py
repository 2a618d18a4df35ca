"""Who is not to be suggested to a user again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index, Table
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from retinue.models.columns import completes, named, not_oneself, user_column, user_of
from retinue.models.ownership import GraphModel
from retinue.models.times import UTCDateTime, now


class DismissedSuggestionMixin(GraphModel):
    """*user* does not want *suggested* to be suggested again, since *timestamp*. Made by ``graph.dismiss()``."""

    __retinue_own_rows__: ClassVar[bool] = True

    @declared_attr
    def user_id(cls) -> Mapped[Any]:
        """The key of the user who dismissed."""
        return user_column(cls)

    @declared_attr
    def suggested_id(cls) -> Mapped[Any]:
        """The key of the user who was suggested."""
        return user_column(cls)

    @declared_attr
    def timestamp(cls) -> Mapped[datetime]:
        """When it was dismissed (aware, UTC)."""
        return mapped_column(UTCDateTime, nullable=False, insert_default=now)

    @declared_attr
    def user(cls) -> Mapped[Any]:
        """The user who dismissed."""
        return user_of(cls, cls.user_id)

    @declared_attr
    def suggested(cls) -> Mapped[Any]:
        """The user who was suggested."""
        return user_of(cls, cls.suggested_id)


@completes(DismissedSuggestionMixin, key=("user_id", "suggested_id"))
def _complete_dismissals(table: Table, _user: type[Any]) -> None:
    user, suggested = table.c.user_id, table.c.suggested_id
    table.info.update(shard_key="user_id", reverse_key="suggested_id")
    table.append_constraint(not_oneself(table, user != suggested))
    # For the deletion of a user, who may have been dismissed by many.
    Index(named("ix", table, "reverse"), suggested, user)
