"""History: a row for each change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import Delete, Insert, bindparam, delete, insert, literal, select
from sqlalchemy.sql.elements import ColumnElement

from retinue.effects.changes import REMOVED, Changed, Kind, Selected
from retinue.effects.effect import Change, InStatement, Parts
from retinue.engines import EngineRules
from retinue.events import Event
from retinue.models import FollowEventMixin, UTCDateTime, new_id, now
from retinue.schema import Schema
from retinue.values import Key
from retinue.work import Work, inserting
from retinue.work.building import once


class History(InStatement):
    """What happened to edges: rows that never change. They stay when their edges go, and when their users go."""

    outlives_users: ClassVar[bool] = True

    def write(self, work: Work, changes: Sequence[Change], *, bulk: bool) -> Sequence[Event]:
        """Append a row for each. One insert."""
        del bulk
        _append(work, [_row(kind, Changed.of(event)) for event, kind in changes])
        return ()

    def write_selected(self, work: Work, kind: Kind, selected: Selected) -> None:
        """Append a row for each. One insert."""
        if work.schema.own_of(work.schema.table(FollowEventMixin)).per_row:
            _append(work, [_row(kind, one) for one in selected.values()])
        else:
            selected.run(work, "insert_history", _insert(work.schema, kind, selected.changed))

    def parts(self, schema: Schema, engine: EngineRules, kind: Kind, changed: Changed) -> Parts:
        """Return the insert of the row."""
        del engine
        return Parts([_insert(schema, kind, changed).cte("history")])

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


@once
def insert_history(schema: Schema) -> Insert:
    """Rows that come as parameters."""
    return insert(schema.table(FollowEventMixin))


def _insert(schema: Schema, kind: Kind, changed: Changed) -> Insert:
    """Return the insert of a row for each change that *changed* has."""
    table, row = schema.table(FollowEventMixin), _row(kind, changed)
    values = {
        name: value if isinstance(value, ColumnElement) else literal(value, table.c[name].type)
        for name, value in row.items()
    }
    return insert(table).from_select(list(values), select(*(one.label(name) for name, one in values.items())))


@once
def delete_old_history(schema: Schema) -> Delete:
    """What happened by *kept_after*. Goes through all owners by nature."""
    rows = schema.table(FollowEventMixin)
    return delete(rows).where(rows.c.timestamp <= bindparam("kept_after", type_=UTCDateTime))
