"""History: a row for each change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import (
    BigInteger,
    Delete,
    Insert,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import CTE

from retinue.effects.changes import (
    IMPORTED,
    KINDS,
    REMOVED,
    Changed,
    Kind,
    Possible,
    Selected,
    given,
    parameters_of,
)
from retinue.effects.effect import Change, InStatement, Parts
from retinue.engines import EngineRules, Rows
from retinue.events import Event
from retinue.faults import Fault, RowKey, Severity
from retinue.models import FIRST, LAST, FollowEventMixin, UTCDateTime, new_id, now
from retinue.schema import Schema
from retinue.values import Key
from retinue.work import Work, inserting
from retinue.work.building import OPTION, known_users_now, once, user_key


class History(InStatement):
    """What happened to edges: rows that never change. They stay when their edges go, and when their users go."""

    outlives_users: ClassVar[bool] = True

    def faults(self, schema: Schema) -> Sequence[Fault]:
        """Return that its last word about two users is not what is so, or that it does not know that a user is gone."""
        return faults(schema)

    def write(self, work: Work, changes: Sequence[Change], *, bulk: bool) -> Sequence[Event]:
        """Append a row for each. One insert."""
        del bulk
        if len(changes) == 1 and not work.schema.own_of(work.schema.table(self.mixin)).by_python:
            ((event, kind),) = changes
            work.run(insert_change, parameters_of(work.schema, event), kind)
        else:
            _append(work, [_row(kind, Changed.of(event)) for event, kind in changes])
        return ()

    def write_selected(self, work: Work, kind: Kind, selected: Selected) -> None:
        """Append a row for each. One insert."""
        if work.schema.own_of(work.schema.table(FollowEventMixin)).per_row:
            _append(work, [_row(kind, one) for one in selected.values()])
        else:
            selected.run(work, "insert_history", _insert(work.schema, (kind, selected.changed)))

    def parts(self, schema: Schema, engine: EngineRules, possible: Sequence[Possible], after: Sequence[CTE]) -> Parts:
        """Return the insert of the rows."""
        del engine, after
        return Parts([_insert(schema, *((one.kind, one.changed) for one in possible)).cte("history")])

    def after_leaving(self, work: Work, users: Sequence[Key]) -> None:
        """Close what is said of *users* by a mark: their keys may be given to others."""
        _append(work, [_row(REMOVED, Changed(user, user, now(), new_id())) for user in users])

    def expire(self, work: Work, at: datetime) -> Mapping[str, int]:
        """Delete what is past its retention. One delete, where it has one."""
        retention = work.schema.settings.history_retention
        if retention is None:
            return {}
        return {"history": work.run(delete_old_history, {"kept_after": at - retention}).rowcount}


HISTORY: Final = History(FollowEventMixin)


def _row(kind: Kind, changed: Changed) -> dict[str, Any]:
    """Return the row for a change of *kind*, of its values or of its columns."""
    return {
        "follower_id": changed.follower,
        "id": changed.number,
        "following_id": changed.followed,
        "kind": kind.history.value,
        "timestamp": changed.timestamp,
    }


def _append(work: Work, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        table = work.schema.table(FollowEventMixin)
        work.run_each(insert_history, inserting.complete(work.schema, table, rows))


# --- What can be wrong ---------------------------------------------------------------------------

_FIX: Final = "Nobody knows when that happened, so it stays: leave it, or append the row that is missing."

#: A limit that PostgreSQL knows when it plans.
_ONE: Final[ColumnElement[int]] = literal_column("1")

#: What is written down when an edge comes, and when it goes.
_CAME: Final = sorted({one.history.value for one in (*KINDS.values(), IMPORTED) if one.edges > 0})
_WENT: Final = sorted({one.history.value for one in KINDS.values() if one.edges < 0})


def faults(schema: Schema) -> Sequence[Fault]:
    """Return what can be wrong between the history, the edges and the users."""
    history, closed = schema.table(FollowEventMixin), "Let the doctor repair it: it writes down that the user is gone."
    return (
        Fault("history_without_edge", history, _without_edge, Severity.NOTE, _FIX),
        Fault("edge_without_history", schema.follows, _without_history, Severity.NOTE, _FIX, given=_kept_since),
        Fault("history_of_gone", history, _of_gone, Severity.NOTE, closed, _close),
    )


def _mark(schema: Schema, user: ColumnElement[Any], after: ColumnElement[Any]) -> Rows:
    """Return the mark later than *after* that *user* is gone."""
    mark = schema.table(FollowEventMixin).alias("mark").c
    removed = mark.kind == REMOVED.history.value
    return select(mark.id).where(mark.follower_id == user, mark.following_id == user, removed, mark.id > after)


def _without_edge(schema: Schema, engine: EngineRules) -> ColumnElement[bool]:
    rows, edge = schema.table(FollowEventMixin), schema.follows.c
    follower, followed, number = rows.c.follower_id, rows.c.following_id, rows.c.id
    later = rows.alias("later").c
    more = select(later.id).where(
        later.follower_id == follower, later.following_id == followed, later.kind.in_(_CAME + _WENT), later.id > number
    )
    follows = select(edge.follower_id).where(edge.follower_id == follower, edge.following_id == followed)
    return and_(
        rows.c.kind.in_(_CAME),
        ~exists(more),
        engine.no_row(follows, one_by_one=True),
        *(exists(_user(schema, user)) for user in (follower, followed)),
        *(~exists(_mark(schema, user, number)) for user in (follower, followed)),
    )


def _without_history(schema: Schema, _engine: EngineRules) -> ColumnElement[bool]:
    edge, said = schema.follows.c, schema.table(FollowEventMixin).alias("said").c
    of_edge = said.follower_id == edge.follower_id, said.following_id == edge.following_id
    # The last row of two users: as a NOT EXISTS, it would be looked for among all that happened to the followed.
    word = select(said.kind).where(*of_edge, said.kind.in_(_CAME + _WENT)).order_by(said.id.desc()).limit(_ONE)
    last = word.scalar_subquery()
    nothing = and_(edge.timestamp > bindparam("written_since", type_=UTCDateTime), last.is_(None))
    return or_(nothing, last.in_(_WENT))


def _kept_since(work: Work) -> Mapping[str, Any]:
    """Return since when all is written down: its first row, or as far back as it is kept. One select, of all rows."""
    retention, ((first,),) = work.schema.settings.history_retention, work.rows(first_written, {})
    kept = FIRST if retention is None else now() - retention
    return {"written_since": LAST if first is None else max(first, kept)}


def _of_gone(schema: Schema, engine: EngineRules) -> ColumnElement[bool]:
    rows = schema.table(FollowEventMixin)

    def gone(user: ColumnElement[Any]) -> ColumnElement[bool]:
        return and_(engine.no_row(_user(schema, user), one_by_one=True), ~exists(_mark(schema, user, rows.c.id)))

    return and_(rows.c.kind != REMOVED.history.value, or_(gone(rows.c.follower_id), gone(rows.c.following_id)))


def _user(schema: Schema, key: ColumnElement[Any]) -> Rows:
    return select(schema.key).where(schema.key == key).correlate_except(schema.key.table)


def _close(work: Work, _fault: Fault, rows: Sequence[RowKey], _given: Mapping[str, Any]) -> None:
    """Write the mark of those whom *rows* name and who are gone. A select for each row, another one and an insert."""
    named = (work.rows(ends_of, {"follower": follower, "id": number}) for follower, number in rows)
    keys = sorted({user for ends in named for one in ends for user in one})
    there = {key for (key,) in work.rows(known_users_now, {"users": keys}, work.engine)}
    HISTORY.after_leaving(work, [key for key in keys if key not in there])


@once
def first_written(schema: Schema) -> Rows:
    """When the first row was written. Goes through all owners by nature."""
    return select(func.min(schema.table(FollowEventMixin).c.timestamp))


@once
def ends_of(schema: Schema) -> Rows:
    """Both users of the row *id* of *follower*."""
    rows = schema.table(FollowEventMixin).c
    mine = rows.follower_id == user_key(schema, "follower"), rows.id == bindparam("id", type_=BigInteger)
    return select(rows.follower_id, rows.following_id).where(*mine)


# --- Statements ----------------------------------------------------------------------------------


@once
def insert_history(schema: Schema) -> Insert:
    """Rows that come as parameters."""
    return insert(schema.table(FollowEventMixin))


@once
def insert_change(schema: Schema, kind: Kind) -> Insert:
    """The row for the change of *follower* and *followed*, *at* a time and with the number *change_id*."""
    statement: Insert = _insert(schema, (kind, given(schema))).execution_options(**{OPTION: "insert_history"})
    return statement


def _insert(schema: Schema, *made: tuple[Kind, Changed]) -> Insert:
    """Return the insert of a row for each change that was *made*."""
    table = schema.table(FollowEventMixin)
    selects, names = [], list[str]()
    for kind, changed in made:
        values = {
            name: value if isinstance(value, ColumnElement) else literal_column(f"'{value}'", table.c[name].type)
            for name, value in _row(kind, changed).items()
        }
        selects.append(select(*(one.label(name) for name, one in values.items())))
        names = list(values)
    # Several as one: only to a plain select does SQLAlchemy add what defaults of the application's own are in SQL.
    rows = selects[0] if len(selects) == 1 else select(union_all(*selects).subquery("rows"))
    return insert(table).from_select(names, rows)


@once
def delete_old_history(schema: Schema) -> Delete:
    """What happened by *kept_after*. Goes through all owners by nature."""
    rows = schema.table(FollowEventMixin)
    return delete(rows).where(rows.c.timestamp <= bindparam("kept_after", type_=UTCDateTime))
