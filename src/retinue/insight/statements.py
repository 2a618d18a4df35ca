"""Who came and went: what the history says of one user's followers, and the most followed of those who came."""

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
from retinue.work.building import most, once, user_key

#: What makes somebody a follower, and what ends it.
_GAINS: Final = tuple(
    kind.value
    for kind in (HistoryKind.FOLLOWED, HistoryKind.REQUEST_ACCEPTED, HistoryKind.RESTORED, HistoryKind.IMPORTED)
)
_LOSSES: Final = (HistoryKind.UNFOLLOWED.value, HistoryKind.FOLLOWER_REMOVED.value)
_REMOVED: Final = HistoryKind.REMOVED.value


@once
def growth(schema: Schema, engine: EngineRules) -> Rows:
    """(UTC day, +1 or -1, how many) of those who came to *user* and left since *since*."""
    changes = _changes(schema)
    day = engine.utc_day(changes.c.timestamp)
    return select(day, changes.c.change, func.count()).group_by(day, changes.c.change)


@once
def churn(schema: Schema) -> Rows:
    """
    (sum of changes, whether they came first, how many) of those who came to *user* or left since *since*.

    One follower comes and goes in turns: so the sum is 1 if they are new, -1 if they are gone, else 0.
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
    """(user, since, number of followers) of who follows *user* since *since* or later, the most followed first."""
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
        .limit(most())
        .subquery("page")
    )
    return hydrate_users(schema, new, ("followers", "user_key"))


def _new(schema: Schema, edge: Any) -> Rows:
    """Return the keys of who follows *user* since *since* or later."""
    since = bindparam("since", type_=UTCDateTime)
    return select(edge.follower_id).where(edge.following_id == user_key(schema, "user"), edge.timestamp >= since)


def _changes(schema: Schema) -> Subquery:
    """
    Return (follower_id, id, timestamp, change): who came to *user* (+1) and left (-1) since *since*.

    A user who is deleted leaves without a word to those they followed; the mark that it leaves says when.
    """
    table = schema.table(FollowEventMixin)
    user, since = user_key(schema, "user"), bindparam("since", type_=UTCDateTime)
    rows = table.alias(f"history{BY_TARGET}")
    told: Rows = select(
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
    # What was the last word between the two when the mark was made: nothing, if their key was somebody else's then.
    word = (
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
    untold = select(marks.c.follower_id, marks.c.id, marks.c.timestamp, literal_column("-1")).where(
        marks.c.follower_id.in_(followers),
        marks.c.following_id == marks.c.follower_id,
        marks.c.kind == _REMOVED,
        marks.c.timestamp >= since,
        word.in_(_GAINS),
    )
    return union_all(told, untold).subquery("changes")


def _last_mark(schema: Schema) -> ColumnElement[Any]:
    """Return the mark before which the history is about somebody else who had the key of *user*."""
    marks, user = schema.table(FollowEventMixin).alias("own_marks"), user_key(schema, "user")
    mark = select(func.max(marks.c.id)).where(
        marks.c.follower_id == user, marks.c.following_id == user, marks.c.kind == _REMOVED
    )
    return func.coalesce(mark.scalar_subquery(), 0)
