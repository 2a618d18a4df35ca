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


def take_guards(
    connection: Connection,
    schema: Schema,
    engine: EngineRules,
    follower: Key,
    *others: Key,
    beside: tuple[Key, ...],
    at: datetime,
    taking: bool,
) -> Reached:
    """
    Hold the guards of *follower* and *others*; return the limits that *follower* has reached.

    *taking*: whether the edge is to take the place of a request, which was counted
    already. Cost: one statement for the guards, and where there are limits one more
    (two, if the follower was never counted; two more, where a transaction reads a
    snapshot).
    """
    if not schema.settings.limits:
        guards.take(connection, schema, engine, follower, *others, beside=beside)
        return Reached()
    before = guards.version(connection, schema, follower) if engine.keeps_snapshot else 0
    guards.take(connection, schema, engine, follower, *others, beside=beside)
    # What this transaction's snapshot shows is still so if nobody else held the guard since.
    stale = engine.keeps_snapshot and guards.version(connection, schema, follower) != before + 1
    return _reached(connection, schema, engine, follower, at, taking=taking, locking=stale)


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
