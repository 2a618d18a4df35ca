"""
Ties: every kind of row that one user has about another, as one table.

What is alike in all kinds is derived from it. The insert that decides a follow or a request belongs to its verb.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table, and_, bindparam, literal, or_, select, true
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue.engines import EngineRules, Rows
from retinue.models import (
    BlockMixin,
    DismissedSuggestionMixin,
    FollowMixin,
    FollowRequestMixin,
    MuteMixin,
    UTCDateTime,
)
from retinue.models.ownership import GraphModel
from retinue.schema import BY_TARGET, Schema


def not_ended(rows: FromClause, at: datetime | None = None) -> ColumnElement[bool]:
    """Return whether a block or mute of *rows* has not ended by the parameter *now*, or by the time *at*."""
    time = bindparam("now", type_=UTCDateTime) if at is None else literal(at, UTCDateTime)
    return or_(rows.c.until.is_(None), rows.c.until > time)


def pending(schema: Schema, rows: FromClause) -> ColumnElement[bool]:
    """Return whether a request of *rows* waits for an answer: neither rejected nor expired."""
    waits = rows.c.rejected_at.is_(None)
    if schema.settings.request_expiry is None:
        return waits
    return and_(waits, rows.c.timestamp > bindparam("asked_after", type_=UTCDateTime))


@dataclass(frozen=True, slots=True)
class Tie:
    """One kind of tie: whose row it is, about whom, and which rows count."""

    mixin: type[GraphModel]
    #: The column of the user whose row it is, and that of the user whom it is about.
    owner: str
    other: str
    #: Returns the condition for a row that counts; None: each does.
    counts: Callable[[Schema, Any], ColumnElement[bool]] | None = None

    def is_declared(self, schema: Schema) -> bool:
        """Return whether there can be such ties."""
        return self.mixin in schema.models

    def table(self, schema: Schema) -> Table:
        """Return the table; `ModelMissingError` if none is declared."""
        return schema.table(self.mixin)

    def by_target(self, schema: Schema, name: str) -> FromClause:
        """Return where these ties are read from the other end: this table today, a mirror of it elsewhere."""
        return self.table(schema).alias(f"{name}{BY_TARGET}")

    def live(self, schema: Schema, rows: Any) -> Sequence[ColumnElement[bool]]:
        """Return the conditions for those of *rows* that count."""
        return () if self.counts is None else (self.counts(schema, rows),)


def _lasts(_schema: Schema, rows: Any) -> ColumnElement[bool]:
    return not_ended(rows)


FOLLOW: Final = Tie(FollowMixin, "follower_id", "following_id")
REQUEST: Final = Tie(FollowRequestMixin, "follower_id", "following_id", pending)
BLOCK: Final = Tie(BlockMixin, "blocker_id", "blocked_id", _lasts)
MUTE: Final = Tie(MuteMixin, "muter_id", "muted_id", _lasts)
DISMISSAL: Final = Tie(DismissedSuggestionMixin, "user_id", "suggested_id")

#: All kinds. A new one gets its line here.
TIES: Final = (FOLLOW, REQUEST, BLOCK, MUTE, DISMISSAL)


# --- Blocks between two users --------------------------------------------------------------------


def blocks_between(
    schema: Schema, one: ColumnElement[Any], other: ColumnElement[Any], at: datetime | None = None
) -> tuple[Rows, Rows]:
    """
    Return the block of *other* by *one*, and that of *one* by *other*: a select of one row at most each.

    Those that have not ended: as for `not_ended()`.
    """
    out, back = BLOCK.table(schema).alias("blocks"), BLOCK.by_target(schema, "blocks")
    outgoing = select(out.c.blocker_id).where(out.c.blocker_id == one, out.c.blocked_id == other, not_ended(out, at))
    incoming = select(back.c.blocker_id).where(
        back.c.blocked_id == one, back.c.blocker_id == other, not_ended(back, at)
    )
    return outgoing.correlate_except(out), incoming.correlate_except(back)


def not_blocked(
    schema: Schema, engine: EngineRules, one: ColumnElement[Any], other: ColumnElement[Any], *, now: bool = False
) -> ColumnElement[bool]:
    """
    Return whether neither of two users blocks the other; true where nothing is ever blocked.

    With *now*, as it is committed now, whatever the transaction's snapshot.
    """
    if not BLOCK.is_declared(schema):
        return true()
    rows = blocks_between(schema, one, other)
    outgoing, incoming = (engine.current(block) for block in rows) if now else rows
    return and_(engine.no_row(outgoing), engine.no_row(incoming))
