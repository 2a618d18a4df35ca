"""What happens to edges: each kind of it, what it means to effects; and a change as they read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import CTE, BigInteger, Delete, Table, bindparam, delete, exists, func, literal_column, select
from sqlalchemy.engine import CursorResult
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue.engines import EngineRules
from retinue.events import (
    EdgeEvent,
    Followed,
    FollowerRemoved,
    FollowRestored,
    RequestAccepted,
    Requested,
    RequestRejected,
    Unfollowed,
)
from retinue.models import RANDOM_BITS, UTCDateTime, new_id
from retinue.schema import Schema
from retinue.values import HistoryKind, NotificationKind
from retinue.work import Work
from retinue.work.building import OPTION, moment, user_key

_RANDOM: Final[ColumnElement[int]] = literal_column(str(RANDOM_BITS))


@dataclass(frozen=True, slots=True)
class Notice:
    """What one of the two users is notified of."""

    kind: NotificationKind
    #: Whether the follower is notified; else the followed is.
    to_follower: bool = False
    #: Whether it is a question or an answer, which comes again whatever ``notify_again_after`` says.
    always: bool = False
    #: Whether it was the recipient's own doing: then it stands on their list, but is not news.
    read: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of change."""

    #: How many more edges there are.
    edges: int
    history: HistoryKind
    notices: tuple[Notice, ...] = ()


#: What each event means.
KINDS: Final[dict[type[EdgeEvent], Kind]] = {
    Followed: Kind(+1, HistoryKind.FOLLOWED, (Notice(NotificationKind.FOLLOW),)),
    Unfollowed: Kind(-1, HistoryKind.UNFOLLOWED),
    FollowerRemoved: Kind(-1, HistoryKind.FOLLOWER_REMOVED),
    Requested: Kind(0, HistoryKind.REQUESTED, (Notice(NotificationKind.FOLLOW_REQUEST, always=True),)),
    RequestAccepted: Kind(
        +1,
        HistoryKind.REQUEST_ACCEPTED,
        (
            Notice(NotificationKind.REQUEST_ACCEPTED, to_follower=True, always=True),
            # Takes the place of the request's own notification, which goes with the request.
            Notice(NotificationKind.FOLLOW, read=True),
        ),
    ),
    FollowRestored: Kind(+1, HistoryKind.RESTORED),
    RequestRejected: Kind(0, HistoryKind.REQUEST_REJECTED),
}

#: A user leaves: closes what is said of them.
REMOVED: Final = Kind(0, HistoryKind.REMOVED)

#: An edge that comes by an import: there is no event.
IMPORTED: Final = Kind(+1, HistoryKind.IMPORTED)


# --- A change ------------------------------------------------------------------------------------


class Changed(NamedTuple):
    """One change as four values; or changes as four columns, of a table that a statement reads."""

    follower: Any
    followed: Any
    timestamp: Any
    #: Grows with time, and names new rows.
    number: Any

    @classmethod
    def of(cls, event: EdgeEvent) -> Changed:
        """Return the change that *event* tells of, as values."""
        return cls(event.follower_id, event.followed_id, event.at, new_id())

    @property
    def table(self) -> FromClause:
        """The table of the columns."""
        rows: FromClause = self.number.table
        return rows


def given(schema: Schema) -> Changed:
    """Return the one change of *follower* and *followed*, *at* a time and with the number *change_id*, which are parameters."""
    at, number = bindparam("at", type_=UTCDateTime), bindparam("change_id", type_=BigInteger)
    return Changed(user_key(schema, "follower"), user_key(schema, "followed"), at, number)


def parameters_of(schema: Schema, event: EdgeEvent) -> dict[str, Any]:
    """Return the parameters of `given()` for the change that *event* tells of, and what has ended by then."""
    return {
        "follower": event.follower_id,
        "followed": event.followed_id,
        "at": event.at,
        "change_id": new_id(),
        **moment(schema, event.at),
    }


def returned_by(schema: Schema, engine: EngineRules, change: Any, name: str = "edge") -> Changed:
    """
    Return the edge or request that *change*, an insert or a delete, returns as *name* within one statement, if it has one.

    Its time is later than that of what it undoes, however long the change had to wait for that; *since* is the row's own.
    """
    table: Table = change.table
    if isinstance(change, Delete) and change.whereclause is not None:
        # Made anew: one that another engine has compiled remembers for its copies that it returned nothing.
        change = delete(change.table).where(change.whereclause)
    row, sent, clock = table.c, given(schema), engine.micros().op("<<")(_RANDOM)
    columns = {
        "follower": row.follower_id,
        "followed": row.following_id,
        "timestamp": func.greatest(sent.timestamp, row.timestamp, type_=UTCDateTime),
        "number": func.greatest(sent.number, clock, type_=BigInteger),
    }
    since = row.timestamp.label("since")
    rows = change.returning(*(column.label(label) for label, column in columns.items()), since).cte(name).c
    return Changed(*(rows[label] for label in columns))


class Possible(NamedTuple):
    """A change that a statement makes, or does not make: what it means, and the row that it is if it is made."""

    kind: Kind
    changed: Changed
    #: Whether the parameter *follower* is the user with the lower key of the two.
    ascending: bool

    def number(self) -> ColumnElement[int]:
        """Return how often it was made: 0 or 1."""
        return select(func.count()).select_from(self.changed.table).scalar_subquery()

    def answer(self) -> ColumnElement[int]:
        """Return the same as what the statement answers, called as what it made."""
        made = cast("CTE", self.changed.table)
        return self.number().label(made.name)

    def is_made(self) -> ColumnElement[bool]:
        """Return whether it was made."""
        return exists(select(literal_column("1")).select_from(self.changed.table))


class Selected(NamedTuple):
    """Changes of one kind that were just made, many of them."""

    #: Their columns.
    changed: Changed
    #: Their users, ascending: ``person``, ``more_followers`` and ``more_following``.
    users: FromClause
    #: What statements that read these tables take.
    parameters: Mapping[str, Any]
    #: Returns them as values, for what Python makes row by row.
    values: Callable[[], Sequence[Changed]]
    #: How the names of the statements begin.
    prefix: str

    def run(self, work: Work, name: str, statement: Any) -> CursorResult[Any]:
        """Run *statement*, which reads the changes."""
        named = statement.execution_options(**{OPTION: f"{self.prefix}{name}"})
        return work.execute(named, self.parameters)


def as_sent(rows: Any) -> Any:
    """Let MariaDB read what was sent before what is looked up by it: it locks in the order in which it reads."""
    return rows.prefix_with("STRAIGHT_JOIN", dialect="mysql").prefix_with("STRAIGHT_JOIN", dialect="mariadb")
