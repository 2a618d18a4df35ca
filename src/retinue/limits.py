"""
Limits: how many one may follow, how many in a day, how many requests may be pending.

Asked while the follower's guard is held, so that nobody adds to the numbers until
the transaction ends.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Double, and_, bindparam, false, func, literal, literal_column, select, true
from sqlalchemy.sql.elements import ColumnElement

from retinue import arguments, guards
from retinue.effects.counts.adding import count_edges
from retinue.effects.counts.rows import stored
from retinue.engines import EngineRules, Rows
from retinue.errors import LimitError
from retinue.models import FollowCountMixin, FollowEventMixin, UTCDateTime
from retinue.schema import Schema
from retinue.settings import DAY
from retinue.ties import REQUEST, pending
from retinue.values import HistoryKind, Key
from retinue.work import Work
from retinue.work.building import moment, once, user_key


class Reached(NamedTuple):
    """The limits that a user has reached, as errors to be raised; None where there is room."""

    #: For anything that they might do.
    any: LimitError | None = None
    #: For a request alone.
    requests: LimitError | None = None

    def by(self, *, asks: bool) -> LimitError | None:
        """Return what stands against a request, if it *asks*, or against an edge."""
        return self.any or (self.requests if asks else None)


def seen(work: Work, follower: Key) -> int:
    """
    Return what `reached()` has to know of the time before the guards were taken.

    No statement; one where there are limits and a transaction reads a snapshot.
    """
    return guards.version(work, follower) if _needs_version(work.schema, work.engine) else 0


def reached(work: Work, follower: Key, at: datetime, *, before: int, taking: bool) -> Reached:
    """
    Return the limits that *follower*, whose guard is held, has reached; *before* is what `seen()` returned.

    *taking*: whether the edge is to take the place of a request, which was counted
    already. Cost: one statement where there are limits, two if the follower was never
    counted; one more where a transaction reads a snapshot.
    """
    if not work.schema.settings.limits:
        return Reached()
    settings = work.schema.settings
    # What this transaction's snapshot shows is still so if nobody else held the guard since.
    stale = _needs_version(work.schema, work.engine) and guards.version(work, follower) != before + 1
    parameters = {"follower": follower, **parameters_of(work.schema, at)}
    ((following, followers, pending, lately, first),) = work.rows(usage, parameters, work.engine, stale)
    limit = None
    if settings.max_following is not None:
        if following is None:
            counted = count_edges(work, follower)
            following, followers = counted.following, counted.followers
        # A pending request counts: accepted, it makes no more than there may be.
        allowed = arguments.most_followed(settings, int(followers))
        limit = _at(allowed, "max_following", int(following) + pending - taking)
    again = None if first is None else first + DAY
    limit = limit or _at(settings.max_follows_per_day, "max_follows_per_day", lately, again)
    return Reached(limit, _at(settings.max_pending_requests, "max_pending_requests", pending))


def parameters_of(schema: Schema, at: datetime) -> dict[str, Any]:
    """Return the parameters of `usage()` beside the follower."""
    return {"since": at - DAY, **moment(schema, at)}


def _needs_version(schema: Schema, engine: EngineRules) -> bool:
    return engine.keeps_snapshot and schema.settings.limits


def _at(allowed: int | None, name: str, current: int, retry_at: datetime | None = None) -> LimitError | None:
    return LimitError(name, allowed, current, retry_at) if allowed is not None and current >= allowed else None


# --- Statements ----------------------------------------------------------------------------------


#: What counts against ``max_follows_per_day``: what a user did of their own accord.
_DONE = (HistoryKind.FOLLOWED.value, HistoryKind.REQUESTED.value)


@once
def usage(schema: Schema, engine: EngineRules, locking: bool) -> Rows:
    """
    (following, followers, pending, lately, first) of *follower*: numbers, and when the first of *lately* was done.

    *following* and *followers* are NULL for a user who was never counted. With
    *locking* it is what is committed now, whatever the transaction's snapshot.
    """
    follower = user_key(schema, "follower")

    def asked(rows: Rows) -> Any:
        return (engine.current(rows) if locking else rows).scalar_subquery()

    following: Any = literal_column("NULL")
    followers: Any = following
    if FollowCountMixin in schema.models:
        followers, following = map(asked, stored(schema, follower))
    requests: Any = literal_column("0")
    if REQUEST.is_declared(schema):
        rows = REQUEST.table(schema)
        requests = asked(select(func.count()).where(rows.c.follower_id == follower, pending(schema, rows)))
    lately: Any = literal_column("0")
    first: Any = literal_column("NULL")
    if schema.settings.max_follows_per_day is not None:
        done = schema.table(FollowEventMixin).c
        # A former user may have had the same key.
        mark = schema.table(FollowEventMixin).alias("mark").c
        removed = asked(
            select(func.max(mark.id)).where(
                mark.follower_id == follower,
                mark.following_id == follower,
                mark.kind == HistoryKind.REMOVED.value,
            )
        )
        in_a_day = (
            done.follower_id == follower,
            done.id > func.coalesce(removed, 0),
            done.timestamp > bindparam("since", type_=UTCDateTime),
            done.kind.in_(_DONE),
        )
        lately = asked(select(func.count(done.id)).where(*in_a_day))
        first = asked(select(func.min(done.timestamp)).where(*in_a_day))
    numbers = {"following": following, "followers": followers, "pending": requests, "lately": lately, "first": first}
    return select(*(number.label(name) for name, number in numbers.items()))


class Room(NamedTuple):
    """What a statement knows of the limits of *follower*, whose guard it holds: false also where they were never counted."""

    #: Whether there is room for anything.
    any: ColumnElement[bool]
    #: Whether there is room for a request more.
    requests: ColumnElement[bool]


def room(schema: Schema, engine: EngineRules, taking: ColumnElement[int]) -> Room:
    """Return, for a statement of engines that keep no snapshot, whether there is room; *taking*: as for `reached()`, 0 or 1."""
    settings = schema.settings
    if not settings.limits:
        return Room(true(), true())
    used = usage(schema, engine, False).cte("used").c
    free: list[ColumnElement[bool]] = []
    if settings.max_following is not None:
        most = literal(settings.max_following)
        by_followers = func.floor(literal(settings.max_following_ratio, Double) * used.followers)
        free.append(used.following + used.pending - taking < func.greatest(most, by_followers))
    if settings.max_follows_per_day is not None:
        free.append(used.lately < literal(settings.max_follows_per_day))
    requests = (
        true() if settings.max_pending_requests is None else used.pending < literal(settings.max_pending_requests)
    )
    return Room(*(select(func.coalesce(one, false())).scalar_subquery() for one in (and_(true(), *free), requests)))
