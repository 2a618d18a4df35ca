"""The followers whom a user won and lost, by the history; and the most followed of the new ones."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, case, func, literal_column, select, union_all
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import Subquery

from retinue.engines import EngineRules, Rows
from retinue.lists.keyset import hydrate_users
from retinue.models import FollowCountMixin, FollowEventMixin, UTCDateTime
from retinue.schema import BY_TARGET, Schema
from retinue.values import HistoryKind
from retinue.viewer import Audience, shown_to
from retinue.work.building import once, page_limit, user_key

#: The kinds of history rows that make somebody a follower, and that end it.
_GAINS: Final = tuple(
    kind.value
    for kind in (HistoryKind.FOLLOWED, HistoryKind.REQUEST_ACCEPTED, HistoryKind.RESTORED, HistoryKind.IMPORTED)
)
_LOSSES: Final = (HistoryKind.UNFOLLOWED.value, HistoryKind.FOLLOWER_REMOVED.value)
_REMOVED: Final = HistoryKind.REMOVED.value


@once
def growth(schema: Schema, engine: EngineRules) -> Rows:
    """(UTC day, +1 or -1, how many) of the followers whom *user* won and lost since *since*."""
    changes = _changes(schema)
    day = engine.utc_day(changes.c.timestamp)
    return select(day, changes.c.change, func.count()).group_by(day, changes.c.change)


@once
def churn(schema: Schema) -> Rows:
    """
    (sum of changes, whether they came first, how many) of the followers whom *user* won or lost since *since*.

    A follower comes and goes in turns: so the sum is 1 if they are new, -1 if they are gone, else 0.
    """
    changes = _changes(schema)
    first = {
        change: func.min(case((changes.c.change == change, changes.c.id))).label(name)
        for change, name in ((1, "came"), (-1, "left"))
    }
    each = (
        select(func.sum(changes.c.change).label("sum"), *first.values())
        .group_by(changes.c.follower_id)
        .subquery("each")
    )
    came_first = case((each.c.left.is_(None), 1), (each.c.came < each.c.left, 1), else_=0)
    return select(each.c["sum"], came_first, func.count()).group_by(each.c["sum"], came_first)


@once
def top_new(schema: Schema, engine: EngineRules, audience: Audience) -> Rows:
    """(user, since, number of followers) of the followers of *user* since *since* or later, the most followed first."""
    edges, counts = schema.edges_by_target, schema.table(FollowCountMixin)
    edge = edges.c
    counted = (
        select(counts.c.user_id, func.sum(counts.c.followers).label("followers"))
        .where(counts.c.user_id.in_(_new(schema, schema.edges_by_target.c)))
        .group_by(counts.c.user_id)
        .subquery("counted")
    )
    number: ColumnElement[Any] = func.coalesce(counted.c.followers, 0).label("followers")
    new = (
        _new(schema, edge)
        .with_only_columns(edge.follower_id.label("user_key"), edge.timestamp.label("since"), number)
        .select_from(edges.outerjoin(counted, counted.c.user_id == edge.follower_id))
        .where(*shown_to(audience, schema, engine, edge.follower_id))
        .order_by(number.desc(), edge.follower_id.desc())
        .limit(page_limit())
        .subquery("page")
    )
    return hydrate_users(schema, new, ("followers", "user_key"))


def _new(schema: Schema, edge: Any) -> Rows:
    """Return the keys of the followers of *user* since *since* or later."""
    since = bindparam("since", type_=UTCDateTime)
    return select(edge.follower_id).where(edge.following_id == user_key(schema, "user"), edge.timestamp >= since)


def _changes(schema: Schema) -> Subquery:
    """
    Return (follower_id, id, timestamp, change): the followers whom *user* won (+1) and lost (-1) since *since*.

    The deletion of a user writes no row for each follow that it ends, but one mark with the time.
    """
    table = schema.table(FollowEventMixin)
    user, since = user_key(schema, "user"), bindparam("since", type_=UTCDateTime)
    rows = table.alias(f"history{BY_TARGET}")
    recorded: Rows = select(
        rows.c.follower_id, rows.c.id, rows.c.timestamp, case((rows.c.kind.in_(_GAINS), 1), else_=-1).label("change")
    ).where(
        rows.c.following_id == user,
        rows.c.timestamp >= since,
        rows.c.kind.in_(_GAINS + _LOSSES),
        rows.c.id > _last_mark(schema),
    )
    came, marks, last = table.alias(f"came{BY_TARGET}"), table.alias("marks"), table.alias("last")
    followers = select(came.c.follower_id).where(
        came.c.following_id == user, came.c.kind.in_(_GAINS), came.c.id > _last_mark(schema)
    )
    # The last row about the two before the mark; none of it counts if their key was somebody else's then.
    last_kind = (
        select(last.c.kind)
        .where(
            last.c.follower_id == marks.c.follower_id,
            last.c.following_id.in_([user, marks.c.follower_id]),
            last.c.kind.in_((*_GAINS, *_LOSSES, _REMOVED)),
            last.c.id < marks.c.id,
            last.c.id > _last_mark(schema),
        )
        .order_by(last.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    deleted = select(marks.c.follower_id, marks.c.id, marks.c.timestamp, literal_column("-1")).where(
        marks.c.follower_id.in_(followers),
        marks.c.following_id == marks.c.follower_id,
        marks.c.kind == _REMOVED,
        marks.c.timestamp >= since,
        last_kind.in_(_GAINS),
    )
    return union_all(recorded, deleted).subquery("changes")


def _last_mark(schema: Schema) -> ColumnElement[Any]:
    """Return the id of the mark before which the history is about an earlier user with the key of *user*."""
    marks, user = schema.table(FollowEventMixin).alias("own_marks"), user_key(schema, "user")
    mark = select(func.max(marks.c.id)).where(
        marks.c.follower_id == user, marks.c.following_id == user, marks.c.kind == _REMOVED
    )
    return func.coalesce(mark.scalar_subquery(), 0)
