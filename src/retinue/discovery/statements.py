"""
Suggestions: whose lists tell of whom, and who comes first.

What is read is bounded, whatever anybody's number of followers: a user's newest
edges, and the newest few of those at their other ends. Points are whole numbers:
every engine adds them up to the same sum, in whatever order it meets them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    Integer,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue.engines import EngineRules, Rows
from retinue.models import FollowRequestMixin, UTCDateTime
from retinue.schema import Schema
from retinue.ties import not_blocked, not_ended, pending
from retinue.work.building import most, once, people, user_key

#: Of whom a user follows, and of who follows them, the newest so many are known; and so many strangers.
NEAR: Final = 100
#: Of these, on either list, the newest so many are asked whom they follow ...
ASKED: Final = 50
#: ... and each answers with the newest so many.
FAR: Final = 100

#: What an edge is worth that comes from somebody whom the user follows, from a follower, from a stranger;
#: and one to the user, if they follow everybody back. Less of it for those who follow many.
FOLLOWED, FOLLOWER, STRANGER, BACK = 1_000_000, 750_000, 20_000, 3_000_000
#: Who follows so many has half a say.
HALF: Final = 10

#: How `neighbours()` calls those whom the user follows, and those who follow them.
OUT, IN = 0, 1

#: What of a user decides whether others may see whom they follow.
_CLOSING = ("hide_following", "locked", "active")


# --- Who is asked --------------------------------------------------------------------------------


@once
def neighbours(schema: Schema, engine: EngineRules) -> Rows:
    """(kind, key, whether *user* may see whom they follow): the newest at the other end of the user's edges."""
    out, back, user = schema.follows.alias("out"), schema.edges_by_target, user_key(schema, "user")
    newest = [
        (OUT, out.c.following_id, out.c.timestamp, out.c.follower_id == user),
        (IN, back.c.follower_id, back.c.timestamp, back.c.following_id == user),
    ]
    parts = [
        select(literal_column(str(kind)).label("kind"), key.label("key"), time.label("since"))
        .where(own)
        .order_by(time.desc(), key.desc())
        .limit(literal_column(str(NEAR)))
        .subquery()
        for kind, key, time, own in newest
    ]
    near = union_all(*(select(part) for part in parts)).subquery("near")
    (users,) = people(schema, "near").values()
    conditions = _open(schema, engine, near.c.key, users, near.c.kind == OUT)
    may_see = case((and_(*conditions), 1), else_=0) if conditions else literal_column("1")
    found = select(near.c.kind, near.c.key, may_see).select_from(near)
    if _says(schema, users, *_CLOSING):
        found = found.join(users, users.c[schema.key.key] == near.c.key)
    return found.order_by(near.c.kind, near.c.since.desc(), near.c.key.desc())


@once
def strangers(schema: Schema, engine: EngineRules) -> Rows:
    """Those with the least and with the greatest keys, of whom *user* may see whom they follow; none for nobody."""
    user, ends = user_key(schema, "user"), []
    for number, direction in enumerate(("asc", "desc")):
        key = schema.key.table.alias(f"end_{number}").c[schema.key.key]
        end = select(key.label("key")).order_by(getattr(key, direction)()).limit(literal_column(str(NEAR // 2)))
        ends.append(select(end.subquery(f"few_{number}").c.key))
    both = union_all(*ends).subquery("both")
    users, me = people(schema, "stranger", "reader").values()
    there = exists(select(me.c[schema.key.key]).where(me.c[schema.key.key] == user))
    chosen = select(both.c.key).join_from(both, users, users.c[schema.key.key] == both.c.key)
    conditions = _open(schema, engine, both.c.key, users, literal_column("1 = 0"))
    return chosen.where(both.c.key != user, there, *conditions).distinct()


def _says(schema: Schema, users: FromClause, *names: str) -> list[Any]:
    """Return those of the columns of *users* with what the settings *names* say of them, which there are."""
    return [column for name in names if (column := schema.flag(name, users)) is not None]


def _open(
    schema: Schema, engine: EngineRules, key: ColumnElement[Any], users: FromClause, followed: ColumnElement[bool]
) -> Sequence[ColumnElement[bool]]:
    """Return the conditions under which *user* may see whom the user *key* of *users* follows, and wants to hear of it."""
    user = user_key(schema, "user")
    hidden, locked, active = (schema.flag(name, users) for name in _CLOSING)
    conditions: list[ColumnElement[bool]] = []
    if hidden is not None:
        conditions.append(hidden.is_not(true()))
    if locked is not None:
        conditions.append(or_(followed, locked.is_not(true())))
    if active is not None:
        conditions.append(active.is_not(False))
    if schema.blocks is not None:
        conditions.append(not_blocked(schema, engine, user, key))
    if schema.mutes is not None:
        conditions.append(_not_muted(schema, engine, key))
    return conditions


# --- Who is suggested ----------------------------------------------------------------------------


@once
def suggested(schema: Schema, engine: EngineRules, slots: int) -> Rows:
    """
    (key, points): who is suggested to *user*, most points first.

    By the lists of *middles*, some of whom the user has *followed*, and some of whom are
    *followers*; and *fans* follow the user, which is worth *back*.
    """
    user, users = user_key(schema, "user"), people(schema, "middle", "fan")
    key = users["middle"].c[schema.key.key]
    worth = case((engine.one_of(key, "followed"), FOLLOWED), else_=0) + case(
        (engine.one_of(key, "followers"), FOLLOWER), else_=0
    )
    # The limit, which cuts nothing off, has the worth found once for each of them, and not for each of their edges.
    asked = select(key.label("middle"), worth.label("worth")).where(engine.one_of(key, "middles"))
    middles = asked.limit(literal_column(str(4 * NEAR))).subquery("middles")
    edges = engine.newest_of_each(schema.follows, middles, FAR, slots).subquery("edges")
    # An edge to the user speaks for who made it.
    back, worth_back = edges.c.other == user, bindparam("back", type_=Integer)
    say = case((back, worth_back), (edges.c.worth == 0, STRANGER), else_=edges.c.worth)
    fan = users["fan"].c[schema.key.key]
    votes = union_all(
        select(
            case((back, edges.c.middle), else_=edges.c.other).label("key"),
            ((say * HALF) // (edges.c.number + HALF)).label("points"),
        ),
        select(fan, worth_back).where(engine.one_of(fan, "fans")),
    ).subquery("votes")
    points = func.sum(votes.c.points).label("points")
    cast = select(votes.c.key, points).group_by(votes.c.key).subquery("candidates")
    return (
        select(cast.c.key, cast.c.points)
        .where(cast.c.key != user, *_welcome(schema, engine, cast.c.key))
        .order_by(cast.c.points.desc(), cast.c.key)
        .limit(most())
    )


def _welcome(schema: Schema, engine: EngineRules, key: ColumnElement[Any]) -> Sequence[ColumnElement[bool]]:
    """Return the conditions under which the user *key* may be suggested to *user*."""
    user, edge = user_key(schema, "user"), schema.follows.alias("there")
    followed = select(edge.c.timestamp).where(edge.c.follower_id == user, edge.c.following_id == key)
    conditions = [engine.no_row(followed)]
    if schema.requests is not None:
        conditions.append(engine.no_row(_asked(schema, key)))
    if schema.blocks is not None:
        conditions.append(not_blocked(schema, engine, user, key))
    if schema.mutes is not None:
        conditions.append(_not_muted(schema, engine, key))
    if schema.dismissals is not None:
        rows = schema.dismissals.alias("dismissed")
        dismissed = select(rows.c.timestamp).where(rows.c.user_id == user, rows.c.suggested_id == key)
        conditions.append(engine.no_row(dismissed))
    (users,) = people(schema, "candidate").values()
    there = users.c[schema.key.key]
    said = _says(schema, users, "active", "discoverable")
    if said:
        unwilling = or_(*(flag.is_(False) for flag in said))
        conditions.append(engine.no_row(select(there).where(there == key, unwilling)))
    return conditions


def _asked(schema: Schema, key: ColumnElement[Any]) -> Rows:
    """Return the request of *user* to follow *key*: pending, or rejected so lately that they may not ask again."""
    rows = schema.table(FollowRequestMixin).alias("asked")
    holds = pending(schema, rows)
    if schema.settings.request_cooldown is not None:
        holds = or_(holds, rows.c.rejected_at > bindparam("rejected_after", type_=UTCDateTime))
    pair = (rows.c.follower_id == user_key(schema, "user"), rows.c.following_id == key)
    return select(rows.c.timestamp).where(*pair, holds)


def _not_muted(schema: Schema, engine: EngineRules, key: ColumnElement[Any]) -> ColumnElement[bool]:
    rows = schema.mutes.alias("muted")  # type: ignore[union-attr]
    mute = select(rows.c.timestamp).where(rows.c.muter_id == user_key(schema, "user"), rows.c.muted_id == key)
    return engine.no_row(mute.where(not_ended(rows)))


@once
def evidence(schema: Schema, engine: EngineRules) -> Rows:
    """(who follows, whom, whether since *lately*, whether others may see that): edges from *middles* to *chosen*."""
    edge, (users,) = schema.follows, people(schema, "chosen").values()
    closed = _says(schema, users, "hide_followers", "locked")
    seen = case((or_(*(flag.is_(true()) for flag in closed)), 0), else_=1) if closed else literal_column("1")
    new = case((edge.c.timestamp >= bindparam("lately", type_=UTCDateTime), 1), else_=0)
    found = select(edge.c.follower_id, edge.c.following_id, new, seen)
    if closed:
        found = found.join_from(edge, users, users.c[schema.key.key] == edge.c.following_id)
    return found.where(engine.one_of(edge.c.follower_id, "middles"), engine.one_of(edge.c.following_id, "chosen"))


@once
def users_of(schema: Schema, engine: EngineRules) -> Rows:
    """Those of *users* who exist, as the application's own class."""
    user: Any = schema.user
    return select(user).where(engine.one_of(getattr(user, schema.key_name), "users"))
