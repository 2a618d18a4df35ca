"""
The change of an edge and all that is kept of it, as one statement.

For engines that can change several tables in one statement, one after the other: what
takes five round trips to the database takes one. What each part does is written
where it is written for the others; here is only how the parts hang together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import BigInteger, String, bindparam, exists, func, insert, literal_column, select, update
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import CTE

from retinue.effects.counting import count_rows
from retinue.effects.records import upsert_notification
from retinue.engines import EngineRules, Rows
from retinue.models import RANDOM_BITS, FollowEventMixin, UTCDateTime
from retinue.schema import Schema
from retinue.ties import delete_edge, is_edge
from retinue.work.building import OPTION, once, user_key

#: `insert_edge`, `insert_agreed_edge` or `delete_edge`.
Change = Callable[..., Any]

_RANDOM: Final[ColumnElement[int]] = literal_column(str(RANDOM_BITS))


def is_possible(schema: Schema, engine: EngineRules) -> bool:
    """
    Return whether `change_edge()` can be used.

    Not where the application's own columns have values that Python makes for each row: only SQLAlchemy can
    put them into single statements.
    """
    possible: bool | None = schema.built.get((is_possible, engine))
    if possible is None:
        inserted = [table for table in (schema.follows, schema.history, schema.notifications) if table is not None]
        updated = [] if schema.counts is None else [column.onupdate for column in schema.counts.columns]
        by_python = any(schema.own_of(table).by_python for table in inserted) or any(
            maker is not None and not maker.is_clause_element for maker in updated
        )
        possible = schema.built[is_possible, engine] = engine.changes_together and not by_python
    return possible


@once
def change_edge(schema: Schema, engine: EngineRules, change: Change, told: bool) -> Rows:
    """
    Let *change* happen; and if it did, count it, write it down, and notify of it, if anybody is to be *told*.

    One row: how many edges changed; how many count rows of the user with the lower
    key, and of the one with the higher; and whether the edge was there before.
    The parts run in this order, as each asks what the one before it changed. The second count waits
    for the first also where that is not there: it is for the caller to make, before the next is locked.
    """
    made = change(schema) if change is delete_edge else change(schema, engine)
    edge = made.returning(schema.follows.c.timestamp).cte("edge")
    changed = exists(select(literal_column("1")).select_from(edge))
    numbers: list[ColumnElement[Any]] = [_number(edge)]
    if schema.counts is not None:
        first = _counted(schema, "first", changed)
        second = _counted(schema, "second", exists(select(literal_column("1")).select_from(first)))
        numbers += [_number(first), _number(second)]
    else:
        numbers += [literal_column("1"), literal_column("1")]
    done = select(*numbers, is_edge(schema, engine)).execution_options(**{OPTION: change.__name__})
    if schema.history is not None:
        done = done.add_cte(_written_down(schema, engine, edge))
    if told and schema.notifications is not None:
        done = done.add_cte(upsert_notification(schema, engine, changed).cte("notice"))
    return done


def _number(part: CTE) -> ColumnElement[int]:
    return select(func.count()).select_from(part).scalar_subquery()


def _counted(schema: Schema, which: str, condition: ColumnElement[bool]) -> CTE:
    """Return the change of one count row, if *condition* holds: its user, slot and numbers are the parameters *which*."""
    rows = count_rows(schema)
    added = {name: rows.c[name] + bindparam(f"{which}_{name}") for name in ("followers", "following")}
    mine = rows.c.user_id == user_key(schema, f"{which}_user"), rows.c.slot == bindparam(f"{which}_slot")
    return update(rows).where(*mine, condition).values(added).returning(rows.c.slot).cte(f"{which}_count")


def _written_down(schema: Schema, engine: EngineRules, edge: CTE) -> CTE:
    """Return the entry in the history: later than what it undoes, however long the change had to wait for that."""
    row = {
        "follower_id": user_key(schema, "follower"),
        "following_id": user_key(schema, "followed"),
        "timestamp": func.greatest(bindparam("at", type_=UTCDateTime), edge.c.timestamp),
        "id": func.greatest(bindparam("history_id", type_=BigInteger), engine.micros().op("<<")(_RANDOM)),
        "kind": bindparam("history_kind", type_=String),
    }
    entry = select(*(value.label(column) for column, value in row.items())).select_from(edge)
    return insert(schema.table(FollowEventMixin)).from_select(list(row), entry).cte("entry")
