"""What an effect reads of a change: the two users, the time, and a number."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Delete, bindparam, delete, func, literal_column
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue.engines import EngineRules
from retinue.events import EdgeEvent
from retinue.models import RANDOM_BITS, UTCDateTime, new_id
from retinue.schema import Schema
from retinue.work.building import user_key

_RANDOM: Final[ColumnElement[int]] = literal_column(str(RANDOM_BITS))


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


def returned_by(schema: Schema, engine: EngineRules, change: Any) -> Changed:
    """
    Return the edge that *change*, an insert or a delete, returns within one statement; none if it changed nothing.

    Its time is later than that of what it undoes, however long the change had to wait for that.
    """
    if isinstance(change, Delete) and change.whereclause is not None:
        # Made anew: one that another engine has compiled remembers for its copies that it returned nothing.
        change = delete(change.table).where(change.whereclause)
    edge, sent, clock = schema.follows.c, given(schema), engine.micros().op("<<")(_RANDOM)
    columns = {
        "follower": edge.follower_id,
        "followed": edge.following_id,
        "timestamp": func.greatest(sent.timestamp, edge.timestamp, type_=UTCDateTime),
        "number": func.greatest(sent.number, clock, type_=BigInteger),
    }
    rows = change.returning(*(column.label(name) for name, column in columns.items())).cte("edge").c
    return Changed(*(rows[name] for name in columns))
