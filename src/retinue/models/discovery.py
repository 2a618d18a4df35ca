"""Who is not to be suggested to a user again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Table
from sqlalchemy.orm import declared_attr

from retinue.models.columns import attribute, complete_tie, completes, time_of_row, user_by, user_column
from retinue.models.ownership import GraphModel


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


@completes(DismissedSuggestionMixin, key=("user_id", "suggested_id"))
def _complete_dismissals(table: Table, _user: type[Any]) -> None:
    complete_tie(table, listed=None, reverse="reverse")
