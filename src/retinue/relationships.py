"""How users stand: whether one follows another, and by what ties a viewer and others stand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any, Final, cast

from sqlalchemy import literal_column, null, select, union_all
from sqlalchemy.orm import load_only
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines import EngineRules, Rows
from retinue.models import UTCDateTime, now
from retinue.schema import Schema, identity
from retinue.ties import FOLLOW, TIES, Tie
from retinue.values import Key, Relationship
from retinue.work import Pair, Work, edge_parameters
from retinue.work.building import CompoundRows, moment, once, whichever_user

#: The ways to stand, as the fields of `Relationship`: by which tie, and whether it is the other's.
_WORDS: Final = [(word, tie, bool(back)) for tie in TIES for back, word in enumerate(tie.words)]

#: How those stand who have nothing to do with each other.
_STRANGERS: Final = Relationship()


def follows(work: Work, follower: Any, followed: Any) -> bool:
    """See `Graph.is_following()`."""
    work.read()
    pair = (work.key(follower), work.key(followed))
    if None in pair:
        return False
    return work.run(is_following, edge_parameters(cast("Pair", pair))).first() is not None


def between(
    work: Work, viewer: Any | None, users: Iterable[Any], loading: Collection[str] = ()
) -> dict[Key, Relationship]:
    """
    See `Graph.relationships()`.

    The attributes *loading* of the users that the session has are loaded in the same select, where there is one.
    """
    work.read()
    keys = work.keys(users)
    key = work.viewer(viewer)
    if key is None or not keys:
        return dict.fromkeys(keys, _STRANGERS)
    parameters = {"viewer": key, "users": keys, **moment(work.schema, now())}
    ways: dict[Key, int] = {}
    times: dict[Key, dict[str, Any]] = {}
    found: Sequence[Sequence[Any]]
    if loading and not work.schema.hides:
        rows = work.entities(relationships_loading, parameters, work.engine, loading)
        found = [(number, identity(user)[0], since) for user, number, since in rows if number is not None]
    else:
        found = work.rows(relationships, parameters, work.engine)
    for number, user, since in found:
        ways[user] = ways.get(user, 0) | 1 << number
        if since is not None:
            times.setdefault(user, {})[cast("str", _WORDS[number][1].since)] = since
    standing = {user: _standing(way) for user, way in ways.items()}
    for user, since in times.items():
        standing[user] = Relationship(**_words(ways[user]), **since)
    return {user: standing.get(user, _STRANGERS) for user in keys}


@cache
def _standing(ways: int) -> Relationship:
    """Return how those stand who do in these *ways*, a bit each: the same value for all of them, as that costs most."""
    return Relationship(**_words(ways))


@cache
def _words(ways: int) -> dict[str, Any]:
    return {word: True for number, (word, _, _) in enumerate(_WORDS) if ways >> number & 1}


# --- Statements ----------------------------------------------------------------------------------


@once
def is_following(schema: Schema) -> Rows:
    """A row if *follower* follows *followed*."""
    return select(literal_column("1")).where(*FOLLOW.pair(schema, schema.follows))


@once
def relationships(schema: Schema, engine: EngineRules) -> CompoundRows:
    """(number of the way, user, since) for each way in which *viewer* and one of *users* stand."""
    ways = [_way(schema, engine, number, *way) for number, way in enumerate(_WORDS) if way[1].is_declared(schema)]
    return union_all(*ways)


def relationships_loading(schema: Schema, engine: EngineRules, attributes: Collection[str]) -> Rows:
    """(user, number of the way, since) for each of *users*, with their *attributes*; as `relationships()`."""
    standing = relationships(schema, engine).subquery("standing")
    way, other, since = standing.c
    user = schema.user
    rows = select(user, way, since).outerjoin(standing, other == schema.key).where(engine.one_of(schema.key, "users"))
    return rows.options(load_only(*(getattr(user, name) for name in attributes)))


def _way(schema: Schema, engine: EngineRules, number: int, word: str, tie: Tie, back: bool) -> Rows:
    rows = tie.by_target(schema, word) if back else tie.table(schema)
    own, other = (tie.other, tie.owner) if back else (tie.owner, tie.other)
    viewer = whichever_user(schema, engine, "viewer")
    since = rows.c.timestamp if tie.since and not back else null().cast(UTCDateTime)
    way: ColumnElement[int] = literal_column(str(number)).label("way")
    mine = select(way, rows.c[other], since).where(rows.c[own] == viewer, *tie.live(schema, rows))
    chosen = engine.of_each(mine, rows.c[other], "users")
    if tie is FOLLOW:
        return chosen
    # Who blocks, mutes and asks nobody, as most do, is asked that once, and not about each of *users*. In the order
    # of an index: PostgreSQL may look for a row of somebody with many through the whole table.
    any_of = rows.alias(f"any_{word}")
    first = any_of.c[tie.owner] if back and tie.lists[1] is None else any_of.c.timestamp
    one = select(any_of.c[own]).where(any_of.c[own] == viewer).order_by(first).limit(literal_column("1"))
    return chosen.where(one.scalar_subquery().is_not(None))
