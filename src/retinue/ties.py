"""
Ties: every kind of row that one user has about another, as one table.

What is alike in all kinds is derived from it: their common statements (here), how two users stand
(`relationships`), the lists of one's own, what time ends, totals, and what goes with a user. The insert that decides
a follow or a request belongs to its verb. A new kind is its mixin, its line in `TIES` and its verbs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Delete,
    Executable,
    Table,
    Update,
    and_,
    bindparam,
    delete,
    exists,
    false,
    literal,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import class_mapper
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
    key_of,
)
from retinue.models.ownership import GraphModel
from retinue.schema import BY_TARGET, Schema
from retinue.values import BlockedPerson, MutedPerson, Person
from retinue.work import Pair, Work
from retinue.work.building import OPTION, insert_row, moment, once, people, user_key

_NOTHING: Final[Mapping[str, Any]] = {}

#: The condition that rows of a kind meet; each is read with the times of `moment()` or `ends_at()`.
Condition = Callable[[Schema, FromClause], ColumnElement[bool]]


def not_ended(rows: FromClause, at: datetime | None = None) -> ColumnElement[bool]:
    """Return whether a block or mute of *rows* has not ended by the parameter *now*, or by the time *at*."""
    time = _time("now") if at is None else literal(at, UTCDateTime)
    return or_(rows.c.until.is_(None), rows.c.until > time)


def pending(schema: Schema, rows: FromClause) -> ColumnElement[bool]:
    """Return whether a request of *rows* waits for an answer: neither rejected nor expired."""
    waits = rows.c.rejected_at.is_(None)
    if schema.settings.request_expiry is None:
        return waits
    return and_(waits, rows.c.timestamp > _time("asked_after"))


def lasts(_schema: Schema, rows: FromClause) -> ColumnElement[bool]:
    """Return whether a row with an end has not ended."""
    return not_ended(rows)


def has_ended(_schema: Schema, rows: FromClause) -> ColumnElement[bool]:
    """Return whether a row with an end has ended."""
    return rows.c.until <= _time("now")


def _request_ended(schema: Schema, rows: FromClause) -> ColumnElement[bool]:
    # What a rejection left has ended when they may ask again.
    ended = rows.c.rejected_at <= _time("rejected_before")
    if schema.settings.request_expiry is None:
        return ended
    return or_(ended, and_(rows.c.rejected_at.is_(None), rows.c.timestamp <= _time("asked_after")))


def _block_ended(schema: Schema, rows: FromClause) -> ColumnElement[bool]:
    # It stays as long as what it cut can be restored.
    return and_(has_ended(schema, rows), rows.c.timestamp <= _time("restored_after"))


def _users(schema: Schema) -> type[Any]:
    return schema.user


@dataclass(frozen=True, slots=True, eq=False)
class Tie:
    """One kind of tie: whose row it is, about whom, which rows count, and how it is called."""

    mixin: type[GraphModel]
    #: What its statements are called after, and its total, its sweep and its alias, with an s.
    name: str
    #: The parameters for the user whose row it is, and for the user whom it is about.
    ends: tuple[str, str]
    #: Which rows count; None: each does.
    counts: Condition | None = None
    #: Which rows time has ended, and may be deleted; None: none.
    ended: Condition | None = None
    #: Its words in `Relationship`, as its owner stands, and as the other does.
    words: tuple[str, ...] = ()
    #: The field of `Relationship` for the time since when its owner stands so.
    since: str | None = None
    #: The lists of its owner's own, and of the other's own. One for the other needs an index by time from that end.
    lists: tuple[str | None, str | None] = (None, None)
    #: What a row of these lists is, and the columns that it has beside user and time.
    item: Callable[..., Any] = Person
    shows: tuple[str, ...] = ()
    #: The verb that alone may make a row; None: the application may, too.
    verb: str | None = None
    #: The class whom it is about.
    other_class: Callable[[Schema], type[Any]] = _users

    @property
    def owner(self) -> str:
        """The column of the user whose row it is."""
        return key_of(self.mixin)[0]

    @property
    def other(self) -> str:
        """The column of the user whom it is about."""
        return key_of(self.mixin)[1]

    @property
    def plural(self) -> str:
        """What many of its rows are called."""
        return f"{self.name}s"

    @property
    def row(self) -> dict[str, str]:
        """The columns that every row has, each with its parameter."""
        return {self.owner: self.ends[0], self.other: self.ends[1], "timestamp": "at"}

    def is_declared(self, schema: Schema) -> bool:
        """Return whether there can be such ties."""
        return self.mixin in schema.models

    def table(self, schema: Schema) -> Table:
        """Return the table; `ModelMissingError` if none is declared."""
        return schema.table(self.mixin)

    def by_target(self, schema: Schema, name: str | None = None) -> FromClause:
        """Return where these ties are read from the other end: this table today, a mirror of it elsewhere."""
        return self.table(schema).alias(f"{name or self.plural}{BY_TARGET}")

    def live(self, schema: Schema, rows: FromClause) -> Sequence[ColumnElement[bool]]:
        """Return the conditions for those of *rows* that count."""
        return () if self.counts is None else (self.counts(schema, rows),)

    def other_key(self, schema: Schema) -> ColumnElement[Any]:
        """Return the primary key of whom it is about."""
        other = self.other_class(schema)
        return schema.key if other is schema.user else class_mapper(other).primary_key[0]

    def pair(self, schema: Schema, rows: FromClause, which: Condition | None = None) -> Sequence[ColumnElement[bool]]:
        """Return the conditions for that of *rows* whose users are the parameters *ends*, if it is as *which* says."""
        owner, other = self.ends
        about = bindparam(other, type_=self.other_key(schema).type)
        pair = rows.c[self.owner] == user_key(schema, owner), rows.c[self.other] == about
        return pair if which is None else (*pair, which(schema, rows))

    def parameters(self, pair: Pair) -> dict[str, Any]:
        """Return *pair* as the parameters *ends*."""
        return dict(zip(self.ends, pair, strict=True))


FOLLOW: Final = Tie(
    FollowMixin,
    "edge",
    ("follower", "followed"),
    words=("following", "followed_by"),
    since="since",
)
REQUEST: Final = Tie(
    FollowRequestMixin,
    "request",
    ("follower", "followed"),
    counts=pending,
    ended=_request_ended,
    words=("requested", "requested_by"),
    lists=("sent_requests", "requests"),
    verb="graph.follow(follower, followed)",
)
BLOCK: Final = Tie(
    BlockMixin,
    "block",
    ("blocker", "blocked"),
    counts=lasts,
    ended=_block_ended,
    words=("blocking", "blocked_by"),
    lists=("blocks", None),
    item=BlockedPerson,
    shows=("until",),
    verb="graph.block(blocker, blocked)",
)
MUTE: Final = Tie(
    MuteMixin,
    "mute",
    ("muter", "muted"),
    counts=lasts,
    ended=has_ended,
    words=("muting",),
    lists=("mutes", None),
    item=MutedPerson,
    shows=("until", "notifications"),
)
DISMISSAL: Final = Tie(DismissedSuggestionMixin, "dismissal", ("user", "suggested"))

#: The columns of a block with the times at which what it cut had begun.
CUTS: Final = ("cut_following", "cut_followed_by", "cut_requested", "cut_requested_by")

#: All kinds. A new one gets its line here.
TIES: Final = (FOLLOW, REQUEST, BLOCK, MUTE, DISMISSAL)


class Apart(NamedTuple):
    """Two kinds that are never beside each other between the same two users, while both count: the verbs see to it."""

    #: The kind whose row gives way, and to which.
    first: Tie
    to: Tie
    #: Whether it also gives way to a row from the other end.
    either_way: bool


#: All such kinds.
APART: Final = (Apart(FOLLOW, BLOCK, True), Apart(REQUEST, BLOCK, True), Apart(REQUEST, FOLLOW, False))


# --- The row of two users ------------------------------------------------------------------------


def insert(work: Work, tie: Tie, pair: Pair, at: datetime, values: Mapping[str, Any] = _NOTHING) -> bool:
    """
    Insert the row of *pair* since *at*, with these *values*, unless there is one; return whether it is new.

    One statement. Raises as `Work.insert()`.
    """
    return work.insert(insert_tie, {**_parameters(tie, pair, values), "at": at}, pair, tie, tuple(values))


def locked(work: Work, tie: Tie, pair: Pair, *columns: str, at: datetime | None = None) -> Sequence[Any] | None:
    """Return *columns* of the row of *pair*, locked; None if there is none, or none that counts *at* that time."""
    times, which = ({}, None) if at is None else (moment(work.schema, at), tie.counts)
    rows = work.rows(select_tie, {**tie.parameters(pair), **times}, tie, columns, which)
    return rows[0] if rows else None


def change(
    work: Work,
    tie: Tie,
    pair: Pair,
    name: str,
    values: Mapping[str, Any],
    *,
    cleared: tuple[str, ...] = (),
    at: datetime | None = None,
    ended: bool = False,
) -> bool:
    """
    Give the row of *pair* these *values*, and NULL where it is *cleared*; return whether there was one.

    With *at*, only if it counts at that time; or, if *ended*, only if it has ended by then. One statement, called *name*.
    """
    times, which = ({}, None) if at is None else (ends_at(work.schema, at), tie.ended if ended else tie.counts)
    parameters = {**_parameters(tie, pair, values), **times}
    done = work.run(update_tie, parameters, tie, name, tuple(values), cleared, which)
    work.refresh(work.schema.models[tie.mixin], pair)
    return bool(done.rowcount)


def end(work: Work, tie: Tie, pair: Pair, *, at: datetime | None = None) -> bool:
    """
    Delete the row of *pair*; return whether there was one.

    With *at*, only if it counts at that time. One statement.
    """
    times, which = ({}, None) if at is None else (moment(work.schema, at), tie.counts)
    gone = work.run(delete_tie, {**tie.parameters(pair), **times}, tie, which).rowcount
    work.refresh(work.schema.models[tie.mixin], pair)
    return bool(gone)


def ends_at(schema: Schema, at: datetime) -> dict[str, datetime]:
    """Return the parameters by which ties have ended *at* that time: see `Tie.ended`."""
    settings = schema.settings
    return {
        **moment(schema, at),
        "rejected_before": at - (settings.request_cooldown or timedelta()),
        "restored_after": at - settings.restore_window,
    }


def _parameters(tie: Tie, pair: Pair, values: Mapping[str, Any]) -> dict[str, Any]:
    return {**tie.parameters(pair), **{f"{name}_": value for name, value in values.items()}}


def _time(name: str) -> ColumnElement[Any]:
    return bindparam(name, type_=UTCDateTime)


# --- Statements ----------------------------------------------------------------------------------


@once
def insert_tie(schema: Schema, engine: EngineRules, tie: Tie, columns: tuple[str, ...]) -> Executable:
    """The owner has a tie to the other since *at*, with values for *columns*; unless there is such a row."""
    values = {**tie.row, **{column: f"{column}_" for column in columns}}
    statement = insert_row(schema, engine, tie.table(schema), values, people(schema, *tie.ends))
    return statement.execution_options(**{OPTION: f"insert_{tie.name}"})


@once
def select_tie(schema: Schema, tie: Tie, columns: tuple[str, ...], which: Condition | None) -> Rows:
    """*columns* of the row of two users, locked; if it is as *which* says."""
    rows = tie.table(schema)
    found = select(*(rows.c[name] for name in columns)).where(*tie.pair(schema, rows, which))
    return found.with_for_update().execution_options(**{OPTION: f"select_{tie.name}"})


@once
def update_tie(
    schema: Schema, tie: Tie, name: str, columns: tuple[str, ...], cleared: tuple[str, ...], which: Condition | None
) -> Update:
    """The row of two users gets new values in *columns*, and none in those *cleared*; if it is as *which* says."""
    rows = tie.table(schema)
    values = {column: bindparam(f"{column}_", type_=rows.c[column].type) for column in columns}
    statement = update(rows).where(*tie.pair(schema, rows, which))
    return statement.values({**values, **dict.fromkeys(cleared, null())}).execution_options(**{OPTION: name})


@once
def delete_tie(schema: Schema, tie: Tie, which: Condition | None = None) -> Delete:
    """The row of two users goes; if it is as *which* says."""
    rows, name = tie.table(schema), f"delete_{'pending_' if which else ''}{tie.name}"
    return delete(rows).where(*tie.pair(schema, rows, which)).execution_options(**{OPTION: name})


@once
def delete_ended(schema: Schema, tie: Tie) -> Delete:
    """All rows go that time has ended. Goes through all owners by nature."""
    rows, ended = tie.table(schema), tie.ended
    assert ended is not None  # noqa: S101 - asked of ties that end
    return delete(rows).where(ended(schema, rows)).execution_options(**{OPTION: f"delete_ended_{tie.plural}"})


# --- Edges ---------------------------------------------------------------------------------------


@once
def delete_edge(schema: Schema) -> Delete:
    """*follower* no longer follows *followed*."""
    return delete_tie(schema, FOLLOW)


def is_edge(schema: Schema, engine: EngineRules) -> ColumnElement[bool]:
    """Return whether *follower* follows *followed*; false where it is a snapshot that says so, which may be old."""
    rows = schema.follows
    return false() if engine.keeps_snapshot else exists(select(rows.c.timestamp).where(*FOLLOW.pair(schema, rows)))


# --- Blocks between two users --------------------------------------------------------------------


def blocks_between(
    schema: Schema, one: ColumnElement[Any], other: ColumnElement[Any], at: datetime | None = None
) -> tuple[Rows, Rows]:
    """
    Return the block of *other* by *one*, and that of *one* by *other*: a select of one row at most each.

    Those that have not ended: as for `not_ended()`.
    """
    out, back = BLOCK.table(schema).alias("blocks"), BLOCK.by_target(schema)
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


@once
def are_blocked(schema: Schema, engine: EngineRules) -> Rows:
    """Whether *follower* or *followed* blocks the other now."""
    return select(~not_blocked(schema, engine, *(user_key(schema, name) for name in FOLLOW.ends), now=True))
