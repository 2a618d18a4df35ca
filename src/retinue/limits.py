"""
Limits: how many one may follow, how many in a day, how many requests may be pending.

Asked while the follower's guard is held, so that nobody adds to the numbers until
the transaction ends.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy.engine import Connection

from retinue import counters, guards, rules
from retinue.engines import EngineRules
from retinue.errors import LimitError
from retinue.schema import Schema
from retinue.settings import DAY
from retinue.statements import limits as statements
from retinue.statements import moment
from retinue.values import Key


class Reached(NamedTuple):
    """The limits that a user has reached, as errors to be raised; None where there is room."""

    #: For anything that they might do.
    any: LimitError | None = None
    #: For a request alone.
    requests: LimitError | None = None

    def by(self, *, asks: bool) -> LimitError | None:
        """Return what stands against a request, if it *asks*, or against an edge."""
        return self.any or (self.requests if asks else None)


def seen(connection: Connection, schema: Schema, engine: EngineRules, follower: Key) -> int:
    """
    Return what `reached()` has to know of the time before the guards were taken.

    No statement; one where there are limits and a transaction reads a snapshot.
    """
    return guards.version(connection, schema, follower) if _needs_version(schema, engine) else 0


def reached(
    connection: Connection,
    schema: Schema,
    engine: EngineRules,
    follower: Key,
    at: datetime,
    *,
    before: int,
    taking: bool,
) -> Reached:
    """
    Return the limits that *follower*, whose guard is held, has reached; *before* is what `seen()` returned.

    *taking*: whether the edge is to take the place of a request, which was counted
    already. Cost: one statement where there are limits, two if the follower was never
    counted; one more where a transaction reads a snapshot.
    """
    if not schema.settings.limits:
        return Reached()
    # What this transaction's snapshot shows is still so if nobody else held the guard since.
    stale = _needs_version(schema, engine) and guards.version(connection, schema, follower) != before + 1
    return _reached(connection, schema, engine, follower, at, taking=taking, locking=stale)


def _needs_version(schema: Schema, engine: EngineRules) -> bool:
    return engine.keeps_snapshot and schema.settings.limits


def _reached(
    connection: Connection,
    schema: Schema,
    engine: EngineRules,
    follower: Key,
    at: datetime,
    *,
    taking: bool,
    locking: bool,
) -> Reached:
    settings = schema.settings
    parameters = {"follower": follower, "since": at - DAY, **moment(schema, at)}
    statement = statements.usage(schema, engine, locking=locking)
    following, followers, pending, lately, first = connection.execute(statement, parameters).one()
    limit = None
    if settings.max_following is not None:
        if following is None:
            counted = counters.count_edges(connection, schema, follower)
            following, followers = counted.following, counted.followers
        # A pending request counts: accepted, it makes no more than there may be.
        allowed = rules.most_followed(settings, int(followers))
        limit = _at(allowed, "max_following", int(following) + pending - taking)
    again = None if first is None else first + DAY
    limit = limit or _at(settings.max_follows_per_day, "max_follows_per_day", lately, again)
    return Reached(limit, _at(settings.max_pending_requests, "max_pending_requests", pending))


def _at(allowed: int | None, name: str, current: int, retry_at: datetime | None = None) -> LimitError | None:
    return LimitError(name, allowed, current, retry_at) if allowed is not None and current >= allowed else None
