"""The history of an edge: what happened between two users, newest first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from sqlalchemy import BigInteger, Delete, bindparam, delete, or_, select

from retinue.cursors import Way
from retinue.engines import EngineRules, Rows
from retinue.keys import ROW_NUMBERS
from retinue.lists import pages
from retinue.lists.keyset import beside, in_order
from retinue.lists.pages import Listing, Visit
from retinue.models import FIRST, FollowEventMixin, UTCDateTime, now
from retinue.schema import Schema
from retinue.values import HistoryEntry, HistoryKind, Key, Page
from retinue.work import Pair, Work
from retinue.work.building import known_users, once, page_limit, user_key
from retinue.work.whole import whole


def page(work: Work, follower: Any, followed: Any, limit: int, cursor: str | None) -> Page[HistoryEntry]:
    """See `Graph.history()`."""
    work.schema.table(FollowEventMixin)
    work.read()
    pair, retention = (work.key(follower), work.key(followed)), work.schema.settings.history_retention
    visit = Visit(pair, empty=None in pair)
    parameters = {
        "follower": pair[0],
        "followed": pair[1],
        "kept_after": now() - retention if retention else FIRST,
        "after": 0 if visit.empty else _present_since(work, pair),  # type: ignore[arg-type]
    }
    rows = pages.read(work, _LISTING, visit, parameters, limit, cursor, work.engine)
    entries = tuple(HistoryEntry(HistoryKind(kind), *pair, at) for kind, at in rows)  # type: ignore[arg-type]
    return replace(rows, items=entries)


@whole(alone=True)
def erase(work: Work, user: Any) -> int:
    """See `Graph.erase_history()`."""
    work.schema.table(FollowEventMixin)
    return work.run(delete_history, {"user": work.write_of(user)}).rowcount


def _present_since(work: Work, pair: Pair) -> int:
    """Return the removal mark after which the history is about these two users, and not about former ones."""
    parameters = {"users": list(pair)}
    marks: dict[Key, list[int]] = {key: [] for key in pair}
    for user, mark in work.rows(removals, parameters, work.engine):
        marks[user].append(mark)
    present = {key for (key,) in work.rows(known_users, parameters, work.engine)}
    # Of a user who is gone, the last mark closes what is asked for: the one before opens it.
    return max((marks[key] if key in present else marks[key][1:])[:1] or [0] for key in pair)[0]


# --- Statements ----------------------------------------------------------------------------------


@once
def removals(schema: Schema, engine: EngineRules) -> Rows:
    """(user, id) of the removal marks of *users*, newest first: a user's key may be used again."""
    rows = schema.table(FollowEventMixin)
    return (
        select(rows.c.follower_id, rows.c.id)
        .where(
            engine.one_of(rows.c.follower_id, "users"),
            rows.c.following_id == rows.c.follower_id,
            rows.c.kind == HistoryKind.REMOVED.value,
        )
        .order_by(rows.c.id.desc())
    )


@once
def history(schema: Schema, engine: EngineRules, way: Way | None) -> Rows:
    """A page of (kind, time, id): what happened between *follower* and *followed* after the mark *after*."""
    rows = schema.table(FollowEventMixin)
    chosen = select(rows.c.kind, rows.c.timestamp, rows.c.id).where(
        rows.c.follower_id == user_key(schema, "follower"),
        rows.c.following_id == user_key(schema, "followed"),
        rows.c.id > bindparam("after", type_=BigInteger),
        rows.c.timestamp > bindparam("kept_after", type_=UTCDateTime),
    )
    # By their numbers, which grow also where the clock goes back: the time in a cursor decides nothing.
    number, place = rows.c.id, bindparam("key", type_=BigInteger)
    chosen = chosen.where(*beside(engine, number, number, way, this=place))
    return chosen.order_by(*in_order(number, number, way)[:1]).limit(page_limit())


@once
def delete_history(schema: Schema) -> Delete:
    """Nothing is known any more of what *user* did to others, and others to *user*."""
    rows, user = schema.table(FollowEventMixin), user_key(schema, "user")
    return delete(rows).where(or_(rows.c.follower_id == user, rows.c.following_id == user))


_LISTING: Final[Listing[Any]] = Listing(
    "history", history, lambda rows: [row[:2] for row in rows], key=2, keys=lambda _: ROW_NUMBERS, objects=None
)
