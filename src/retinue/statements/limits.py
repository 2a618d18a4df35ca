"""How much of what is limited a user has done."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, func, literal_column, select

from retinue.engines import EngineRules, Rows
from retinue.models import FollowEventMixin, UTCDateTime
from retinue.schema import Schema
from retinue.statements.building import once, pending, user_key
from retinue.values import HistoryKind

#: What counts against ``max_follows_per_day``: what a user did of their own accord.
_DONE = (HistoryKind.FOLLOWED.value, HistoryKind.REQUESTED.value)


@once
def usage(schema: Schema, rules: EngineRules, *, locking: bool) -> Rows:
    """
    (following, followers, pending, lately, first) of *follower*: numbers, and when the first of *lately* was done.

    *following* and *followers* are NULL for a user who was never counted. With
    *locking* it is what is committed now, whatever the transaction's snapshot.
    """
    follower = user_key(schema, "follower")

    def asked(rows: Rows) -> Any:
        return (rules.current(rows) if locking else rows).scalar_subquery()

    following: Any = literal_column("NULL")
    followers: Any = following
    if schema.counts is not None:
        counted = schema.counts.c
        following, followers = (
            asked(select(func.sum(number)).where(counted.user_id == follower))
            for number in (counted.following, counted.followers)
        )
    requests: Any = literal_column("0")
    if schema.requests is not None:
        rows = schema.requests
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
    return select(following, followers, requests, lately, first)
