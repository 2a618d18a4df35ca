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
    false,
    func,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines import EngineRules, Rows
from retinue.lists.columns import Attributes
from retinue.models import UTCDateTime
from retinue.schema import Schema
from retinue.viewer import Context, Row, may_see, shown
from retinue.work.building import once, page_limit, people, whichever_user
from retinue.work.criteria import passing

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


# --- Who is asked --------------------------------------------------------------------------------


@once
def neighbours(schema: Schema, engine: EngineRules) -> Rows:
    """(kind, key, whether *user* may see whom they follow): the newest at the other end of the user's edges."""
    out, back, user = schema.follows.alias("out"), schema.edges_by_target, whichever_user(schema, engine, "user")
    newest = [
        (OUT, out.c.following_id, out.c.timestamp, out.c.follower_id == user),
        (IN, back.c.follower_id, back.c.timestamp, back.c.following_id == user),
    ]
    parts = [
        select(literal_column(str(kind)).label("kind"), key.label("key"), time.label("since"))
        .select_from(engine.perhaps_many(key.table))
        .where(own)
        .order_by(time.desc(), key.desc())
        .limit(literal_column(str(NEAR)))
        .subquery()
        for kind, key, time, own in newest
    ]
    near = union_all(*(select(part) for part in parts)).subquery("near")
    row = Row(schema, engine, near.c.key, user, followed=near.c.kind == OUT)
    has_a_say = _one_if(shown(row, Context.SUGGESTED_BY))
    found = select(near.c.kind, near.c.key, has_a_say).select_from(near).where(*passing(schema, near.c.key))
    return found.order_by(near.c.kind, near.c.since.desc(), near.c.key.desc())


@once
def strangers(schema: Schema, engine: EngineRules) -> Rows:
    """Those with the least and with the greatest keys, of whom *user* may see whom they follow; none for nobody."""
    user, ends = whichever_user(schema, engine, "user"), []
    for number, direction in enumerate(("asc", "desc")):
        key = schema.key.table.alias(f"end_{number}").c[schema.key.key]
        end = select(key.label("key")).order_by(getattr(key, direction)()).limit(literal_column(str(NEAR // 2)))
        ends.append(select(end.subquery(f"few_{number}").c.key))
    both = union_all(*ends).subquery("both")
    (me,) = people(schema, "reader").values()
    user_exists = exists(select(me.c[schema.key.key]).where(me.c[schema.key.key] == user))
    conditions = shown(Row(schema, engine, both.c.key, user, followed=false()), Context.SUGGESTED_BY)
    return select(both.c.key).where(both.c.key != user, user_exists, *conditions).distinct()


def _one_if(conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[int]:
    """Return 1 if *conditions* hold, else 0."""
    return case((and_(*conditions), 1), else_=0) if conditions else literal_column("1")


# --- Who is suggested ----------------------------------------------------------------------------


@once
def suggested(schema: Schema, engine: EngineRules, slots: int) -> Rows:
    """
    (key, points): who is suggested to *user*, most points first.

    By the lists of *middles*, some of whom the user has *followed*, and some of whom are
    *followers*; and *fans* follow the user, which is worth *back*.
    """
    user, users = whichever_user(schema, engine, "user"), people(schema, "middle", "fan")
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
    weight = case((back, worth_back), (edges.c.worth == 0, STRANGER), else_=edges.c.worth)
    fan = users["fan"].c[schema.key.key]
    votes = union_all(
        select(
            case((back, edges.c.middle), else_=edges.c.other).label("key"),
            ((weight * HALF) // (edges.c.number + HALF)).label("points"),
        ),
        select(fan, worth_back).where(engine.one_of(fan, "fans")),
    ).subquery("votes")
    points = func.sum(votes.c.points).label("points")
    ranked = select(votes.c.key, points).group_by(votes.c.key).order_by(points.desc(), votes.c.key)
    # Sorted first, which the limit sees to, so that no more of them are asked about than fill the page.
    cast = ranked.limit(literal_column(str(4 * NEAR * (FAR + 1)))).subquery("candidates")
    return (
        select(cast.c.key, cast.c.points)
        .where(cast.c.key != user, *shown(Row(schema, engine, cast.c.key, user), Context.SUGGESTION))
        .order_by(cast.c.points.desc(), cast.c.key)
        .limit(page_limit())
    )


@once
def evidence(schema: Schema, engine: EngineRules) -> Rows:
    """(who follows, whom, whether since *lately*, whether *user* may see that): edges from *middles* to *chosen*."""
    edge, user = schema.follows, whichever_user(schema, engine, "user")
    row = Row(schema, engine, edge.c.following_id, user, followed=false())
    seen = _one_if(may_see(row, Context.FOLLOWERS, passed=Context.SUGGESTION))
    new = case((edge.c.timestamp >= bindparam("lately", type_=UTCDateTime), 1), else_=0)
    found = select(edge.c.follower_id, edge.c.following_id, new, seen)
    return found.where(engine.one_of(edge.c.follower_id, "middles"), engine.one_of(edge.c.following_id, "chosen"))


@once
def users_of(schema: Schema, engine: EngineRules, attributes: Attributes | None) -> Rows:
    """Those of *users* who exist, as the application's own class; or (key, attributes), where *attributes* are enough."""
    user: Any = schema.user
    key = getattr(user, schema.key_name)
    found: Rows = select(user) if attributes is None else select(key, *attributes.selected()).select_from(user)
    return found.where(engine.one_of(key, "users"))
