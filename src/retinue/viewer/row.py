"""A user and a viewer, and where they may meet: what every reason against a user is asked about."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import exists, false, or_, select
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue.engines import EngineRules, Rows
from retinue.schema import Schema
from retinue.ties import FOLLOW, Tie


class Context(enum.Flag):
    """Where a viewer may meet a user."""

    #: Their list of followers, and that of whom they follow: whether the viewer may see it at all.
    FOLLOWERS = enum.auto()
    FOLLOWING = enum.auto()
    #: A row of a list of the viewer's own, such as their followers or notifications.
    OWN_LIST = enum.auto()
    #: A row of any other list, or of a search.
    LIST = enum.auto()
    #: The page on which the viewer can take back a block.
    UNBLOCKING = enum.auto()
    #: The viewer's home timeline, for what the user posts.
    TIMELINE = enum.auto()
    #: A notification for the viewer of what the user does, when it is to be written.
    NOTIFICATION = enum.auto()
    #: A suggestion of the user to the viewer.
    SUGGESTION = enum.auto()
    #: The users whose list of whom they follow makes suggestions to the viewer.
    SUGGESTED_BY = enum.auto()


#: The lists that a user may keep from others.
LISTS: Final = Context.FOLLOWERS | Context.FOLLOWING


class Row(NamedTuple):
    """A user and a viewer: what each reason is asked about."""

    schema: Schema
    engine: EngineRules
    #: The key of the user.
    key: ColumnElement[Any]
    #: The key of the viewer; None: somebody who is not logged in.
    viewer: ColumnElement[Any] | None
    #: Where the statement has the user's own row: a table, or what is mapped. None: it is looked up.
    users: Any = None
    #: Whether the viewer follows the user, where the statement knows that already.
    followed: ColumnElement[bool] | None = None
    #: When it is; None: the parameter *now* says so.
    at: datetime | None = None

    def flag(self, setting: str) -> ColumnElement[Any] | None:
        """Return what the attribute that *setting* names says of the user; None if there is none."""
        read = self.schema.flag if isinstance(self.users, FromClause) else self.schema.flag_of
        return read(setting, self.users)

    def tie(self, tie: Tie, *more: Callable[[FromClause], ColumnElement[bool]]) -> Sequence[Rows]:
        """Return a select of the viewer's *tie* to the user that counts, and is as *more* say; none if none can be."""
        if self.viewer is None or not tie.is_declared(self.schema):
            return ()
        rows = tie.table(self.schema).alias()
        own = (rows.c[tie.owner] == self.viewer, rows.c[tie.other] == self.key)
        conditions = [condition(rows) for condition in more]
        return (select(rows.c[tie.owner]).where(*own, *conditions).correlate_except(rows),)

    def is_followed(self) -> ColumnElement[bool]:
        """Return whether the viewer follows the user."""
        if self.followed is not None:
            return self.followed
        return or_(false(), *(exists(rows) for rows in self.tie(FOLLOW)))
