"""
Limits: how many one may follow, how many in a day, how many requests may be pending.

Asked while the follower's guard is held, so that nobody adds to the numbers until
the transaction ends.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from retinue import counters, guards
from retinue.engines import EngineRules
from retinue.errors import LimitError
from retinue.schema import Schema
from retinue.settings import DAY
from retinue.statements import limits as statements
from retinue.statements import moment
from retinue.values import Key


def take_guards(
    connection: Connection, schema: Schema, rules: EngineRules, follower: Key, *others: Key, at: datetime, taking: bool
) -> LimitError | None:
    """
    Hold the guards of *follower* and *others*; return the limit that *follower* has reached, if any.

    *others*: whom *follower* is going to ask, as a request is limited as well. *taking*:
    whether the edge takes the place of a request that was counted already. Cost: one statement for each guard, and where there are limits one more (two, if the
    follower was never counted; two more, where a transaction reads a snapshot).
    """
    if not schema.settings.limits:
        guards.take(connection, schema, rules, follower, *others)
        return None
    before = guards.version(connection, schema, follower) if rules.keeps_snapshot else 0
    guards.take(connection, schema, rules, follower, *others)
    # What this transaction's snapshot shows is still so if nobody else held the guard since.
    stale = rules.keeps_snapshot and guards.version(connection, schema, follower) != before + 1
    return _reached(connection, schema, rules, follower, at, asks=bool(others), taking=taking, locking=stale)


def _reached(
    connection: Connection,
    schema: Schema,
    rules: EngineRules,
    follower: Key,
    at: datetime,
    *,
    asks: bool,
    taking: bool,
    locking: bool,
) -> LimitError | None:
    settings = schema.settings
    parameters = {"follower": follower, "since": at - DAY, **moment(schema, at)}
    statement = statements.usage(schema, rules, locking=locking)
    following, followers, pending, lately, first = connection.execute(statement, parameters).one()
    if settings.max_following is not None:
        if following is None:
            counted = counters.count_edges(connection, schema, follower)
            following, followers = counted.following, counted.followers
        # A pending request counts: accepted, it makes no more than there may be.
        allowed = max(settings.max_following, int(settings.max_following_ratio * int(followers)))
        current = int(following) + pending - taking
        if current >= allowed:
            return LimitError("max_following", allowed, current)
    allowed_a_day = settings.max_follows_per_day
    if allowed_a_day is not None and lately >= allowed_a_day:
        return LimitError("max_follows_per_day", allowed_a_day, lately, None if first is None else first + DAY)
    if asks and settings.max_pending_requests is not None and pending >= settings.max_pending_requests:
        return LimitError("max_pending_requests", settings.max_pending_requests, pending)
    return None
