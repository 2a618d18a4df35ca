"""What two users find before one of them follows or blocks the other, or follows no longer: see `guards.Before`."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import and_, bindparam, exists, false, or_, select, true
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue.engines import EngineRules, Rows
from retinue.models import UTCDateTime
from retinue.schema import Schema
from retinue.ties import BLOCK, REQUEST, Tie, is_edge, not_ended, pending
from retinue.work.building import once, user_key


@once
def before_follow(schema: Schema, engine: EngineRules) -> Rows:
    """
    (locked, unchanged, asked, waits): what *follower* meets who wants to follow *followed*; see `guards.Before`.

    It is enough if *follower* follows already, or asks already whom they have to ask.
    """
    locked: Any = false()
    asked: Any = false()
    waits: Any = false()
    there: FromClause = schema.key.table
    if REQUEST.is_declared(schema) and "locked" in schema.flags:
        requests, private = REQUEST.table(schema), schema.flag("locked", schema.key.table, engine)
        locked = cast("Any", private).is_(true())
        if engine.keeps_snapshot:
            # By looks of their own: a row that is joined would be locked with the user, before the guards.
            request = pair_of(schema, REQUEST, "timestamp")
            asked, waits = exists(request), exists(request.where(pending(schema, requests)))
        else:
            there = there.outerjoin(requests, and_(*REQUEST.pair(schema, requests)))
            asked = requests.c.follower_id.is_not(None)
            waits = and_(asked, pending(schema, requests))
    # What a snapshot shows of a request may be long over, as of an edge.
    still_asks = false() if engine.keeps_snapshot else and_(locked, waits)
    answers = labelled(locked=locked, unchanged=or_(is_edge(schema, engine), still_asks), asked=asked, waits=waits)
    return engine.current(select(*answers).select_from(there).where(schema.key == user_key(schema, "followed")))


@once
def before_unfollow(schema: Schema, engine: EngineRules) -> Rows:
    """
    (locked, unchanged, asked): what *follower* meets who wants to follow *followed* no longer; see `guards.Before`.

    Whether *followed* approves followers does not matter; it is enough if there is neither a request nor an edge.
    """
    asked = select(exists(pair_of(schema, REQUEST, "timestamp")).label("asked")).subquery("request").c.asked
    nothing = false() if engine.keeps_snapshot else and_(~asked, ~is_edge(schema, engine))
    return select(*labelled(locked=false(), unchanged=nothing, asked=asked))


@once
def before_block(schema: Schema, engine: EngineRules) -> Rows:
    """
    (locked, unchanged, asked, lasts): what *follower* meets who wants to block *followed* until *until*; see `guards.Before`.

    It is enough if they do so already. *lasts*: whether they do, maybe until another time.
    """
    del engine
    blocks = BLOCK.table(schema)
    mine = blocks.c.blocker_id == user_key(schema, "follower"), blocks.c.blocked_id == user_key(schema, "followed")
    lasts = and_(blocks.c.blocker_id.is_not(None), not_ended(blocks))
    same = blocks.c.until.is_not_distinct_from(bindparam("until", type_=UTCDateTime))
    answers = labelled(locked=false(), unchanged=and_(lasts, same), asked=true(), lasts=lasts)
    there = schema.key.table.outerjoin(blocks, and_(*mine))
    return select(*answers).select_from(there).where(schema.key == user_key(schema, "followed"))


def pair_of(schema: Schema, tie: Tie, column: str) -> Rows:
    """Return *column* of the row that *follower* has about *followed*, if there is one."""
    rows = tie.table(schema)
    return select(rows.c[column]).where(*tie.pair(schema, rows))


def labelled(**values: ColumnElement[Any]) -> list[Any]:
    """Return *values* by their names."""
    return [value.label(name) for name, value in values.items()]
