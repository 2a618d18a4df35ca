"""Follow and unfollow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    Delete,
    Executable,
    delete,
    exists,
    false,
    null,
    select,
    true,
)
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue import effects, guards, limits, ties
from retinue.engines import EngineRules, Rows
from retinue.errors import BlockedError, LimitError, UnknownUserError
from retinue.events import Followed, FollowerRemoved, RequestAccepted, Requested, Unfollowed
from retinue.models import FollowMixin, FollowRequestMixin, now
from retinue.relationships import is_following
from retinue.schema import Schema
from retinue.ties import BLOCK, FOLLOW, REQUEST, Tie, is_edge, not_blocked
from retinue.values import Outcome
from retinue.verbs import at_once
from retinue.verbs.before import before_follow, before_unfollow, labelled, pair_of
from retinue.work import Pair, Work, edge_parameters
from retinue.work.building import insert_row, moment, once, people, user_key
from retinue.work.criteria import may_hide
from retinue.work.whole import whole


@whole()
def follow(work: Work, follower: Any, followed: Any) -> Outcome:
    """See `Graph.follow()`."""
    work.schema.refuse_missing(FollowMixin)
    pair = work.write(follower, followed)
    if work.schema.guards is None and "locked" not in work.schema.flags:
        return _follow_freely(work, pair)
    return _follow_by_the_rules(work, pair, now())


@whole()
def unfollow(work: Work, follower: Any, followed: Any) -> bool:
    """See `Graph.unfollow()`."""
    return _remove(work, follower, followed, Unfollowed)


@whole()
def remove_follower(work: Work, user: Any, follower: Any) -> bool:
    """See `Graph.remove_follower()`."""
    return _remove(work, follower, user, FollowerRemoved)


def _follow_freely(work: Work, pair: Pair) -> Outcome:
    """Follow where nothing can stand against it but an edge that is there."""
    added = add_edge(work, Followed(*pair, now()))
    if added.done:
        return Outcome.FOLLOWED
    # The edge was there, so its users are; only where it is not, somebody may be missing.
    if not (work.engine.unknown_user_fails or added.was_there or _edge_exists(work, pair)):
        work.refuse_unknown(pair)
    return Outcome.UNCHANGED


def _follow_by_the_rules(work: Work, pair: Pair, at: datetime) -> Outcome:
    """
    Follow or ask, whichever *followed* wants.

    The insert itself has the last word on that, and on blocks; where it makes no
    row, we ask why. Should the answer be "nothing", it was changed just before:
    then again.
    """
    tried = at_once.follow(work, pair, at)
    if tried.answer is not None:
        return cast("Outcome", tried.answer)
    version = limits.seen(work, pair[0])
    before = tried.before or guards.ask_and_take(work, pair, before_follow, at)
    if before.unchanged:
        return Outcome.UNCHANGED
    asks, asked = before.locked, before.asked
    limit = limits.reached(work, pair[0], at, before=version, taking=before.waits)
    while True:
        reached = limit.by(asks=asks)
        if reached is None and asks and ask(work, pair, at):
            effects.record(work, Requested(*pair, at))
            return Outcome.REQUESTED
        if reached is None and not asks:
            added = add_edge(work, Followed(*pair, at))
            if added.done and asked and ties.end(work, REQUEST, pair):
                effects.close_requests(work, [pair])
            if added.done or added.was_there:
                return Outcome.FOLLOWED if added.done else Outcome.UNCHANGED
        found = _standing(work, pair, at)
        if found.edge is not None:
            return Outcome.UNCHANGED
        if found.blocked:
            raise BlockedError(*pair)
        if found.locked and found.asked is not None:
            return _ask_again(work, pair, at, found, reached)
        if reached is not None:
            raise reached
        if found.locked and not asks:
            work.schema.table(FollowRequestMixin)  # raises if there is none
            guards.take(work, pair[1])
        asks, asked = found.locked, found.asked is not None


def ask(work: Work, pair: Pair, at: datetime) -> bool:
    """Insert a request, unless something stands against it; return whether it is new."""
    return work.insert(insert_request, {**edge_parameters(pair), "at": at, "now": at}, pair)


def _ask_again(work: Work, pair: Pair, at: datetime, found: _Standing, reached: LimitError | None) -> Outcome:
    """Leave a pending request as it is; renew one that has expired, or was rejected long enough ago."""
    settings = work.schema.settings
    expiry, cooldown = settings.request_expiry, settings.request_cooldown or timedelta()
    asked, rejected = cast("datetime", found.asked), found.rejected
    if rejected is None and (expiry is None or asked > at - expiry):
        return Outcome.UNCHANGED
    if reached is not None:
        raise reached
    if rejected is not None and rejected > at - cooldown:
        raise LimitError("request_cooldown", 0, 1, rejected + cooldown)
    renewed = {"timestamp": at}
    ties.change(work, REQUEST, pair, "renew_request", renewed, cleared=("rejected_at",), at=at, ended=True)
    effects.record(work, Requested(*pair, at))
    return Outcome.REQUESTED


def _standing(work: Work, pair: Pair, at: datetime) -> _Standing:
    """Return how the two stand now; `UnknownUserError` if one does not exist."""
    parameters = {**edge_parameters(pair), **moment(work.schema, at)}
    rows = {row[0]: row[1:] for row in work.rows(standing, parameters, work.engine)}
    unknown = [key for key in pair if key not in rows]
    if unknown:
        raise UnknownUserError(unknown)
    return _Standing(*rows[pair[1]])


def add_edge(work: Work, event: Followed) -> effects.EdgeChange:
    """Insert the edge of *event*, unless something stands against it, and write what follows."""
    pair = (event.follower_id, event.followed_id)
    build = insert_agreed_edge if isinstance(event, RequestAccepted) else insert_edge
    parameters = {**edge_parameters(pair), "at": event.at, "now": event.at}
    added = effects.change(work, event, lambda: work.insert(build, parameters, pair), build, work.engine)
    # A row of this pair that the session has loaded may be of an edge that somebody has replaced.
    work.refresh(work.schema.follow, pair)
    return added


def put_edge(work: Work, pair: Pair, at: datetime, *, agreed: bool = False) -> bool:
    """Insert an edge since *at*, unless something stands against it; return whether it is new."""
    build = insert_agreed_edge if agreed else insert_edge
    parameters = {**edge_parameters(pair), "at": at, "now": now()}
    inserted = work.insert(build, parameters, pair)
    # A row of this pair that the session has loaded may be of an edge that somebody has replaced.
    work.refresh(work.schema.follow, pair)
    return inserted


def _edge_exists(work: Work, pair: Pair) -> bool:
    return work.run(is_following, edge_parameters(pair)).first() is not None


def _remove(work: Work, follower: Any, followed: Any, kind: type[Unfollowed | FollowerRemoved]) -> bool:
    pair = work.write(follower, followed)
    if kind is Unfollowed:
        tried = at_once.unfollow(work, pair, now())
        if tried.answer is not None:
            if not tried.answer:
                work.refuse_unknown(pair)
            return bool(tried.answer)
    withdrawn = kind is Unfollowed and _withdraw(work, pair)
    if _end(work, kind(*pair, now())):
        return True
    if not withdrawn:
        work.refuse_unknown(pair)
    return withdrawn


def _withdraw(work: Work, pair: Pair) -> bool:
    """
    Delete a pending request; return whether there was one.

    Before the edge is looked for: who accepts it deletes the request first as
    well, so that one of the two finds what the other left.
    """
    if not REQUEST.is_declared(work.schema):
        return False
    # Whoever answers all requests at once holds the guard of the followed alone.
    at = now()
    guards.ask_and_take(work, pair, before_unfollow, at)
    withdrawn = ties.end(work, REQUEST, pair, at=at)
    if withdrawn:
        effects.close_requests(work, [pair])
    return withdrawn


def _end(work: Work, event: Unfollowed | FollowerRemoved) -> bool:
    """Delete the edge of *event*, if there is one, and write down what follows; return whether there was one."""
    pair = (event.follower_id, event.followed_id)
    if work.loaded(work.schema.follow, pair) is None:
        parameters, build = edge_parameters(pair), ties.delete_edge
        return effects.change(work, event, lambda: bool(work.run(build, parameters).rowcount), build).done
    gone = remove_edge(work, pair)
    if gone:
        effects.record(work, event)
    return gone


def remove_edge(work: Work, pair: Pair) -> bool:
    """Delete an edge; return whether there was one."""
    row = work.loaded(work.schema.follow, pair)
    if row is None:
        return bool(work.run(ties.delete_edge, edge_parameters(pair)).rowcount)
    if work.entities(delete_loaded_edge, edge_parameters(pair)).rowcount:
        return True
    if may_hide(work.session) and work.run(ties.delete_edge, edge_parameters(pair)).rowcount:
        work.session.expunge(row)  # criteria of the session have kept it from that, but they decide nothing here
        return True
    work.session.expire(row)  # another session has deleted it
    return False


class _Standing(NamedTuple):
    """How two users stand, as `standing()` says."""

    locked: bool
    edge: datetime | None
    asked: datetime | None
    rejected: datetime | None
    blocked: bool


# --- Statements ----------------------------------------------------------------------------------


@once
def insert_edge(schema: Schema, engine: EngineRules) -> Executable:
    """*follower* follows *followed* since *at*, unless they do already, or may not without being asked."""
    users = people(schema, *FOLLOW.ends)
    conditions = _unblocked(schema, engine)
    if not engine.unknown_user_fails:
        # The insert decides. This spares a repeated follow the locks on its users, and so a write to the disk.
        conditions.append(~is_edge(schema, engine))
    locked = schema.flag("locked", users["followed"], engine)
    if locked is not None:
        conditions.append(locked.is_not(true()))
    return _insert(schema, engine, FOLLOW, users, *conditions)


@once
def insert_agreed_edge(schema: Schema, engine: EngineRules) -> Executable:
    """As `insert_edge()`, where *followed* has said yes."""
    return _insert(schema, engine, FOLLOW, people(schema, *FOLLOW.ends), *_unblocked(schema, engine))


@once
def insert_request(schema: Schema, engine: EngineRules) -> Executable:
    """*follower* asks *at* that time to follow *followed*: who approves that, and whom they do not follow yet."""
    users = people(schema, *REQUEST.ends)
    locked: Any = schema.flag("locked", users["followed"], engine)
    edge = exists(pair_of(schema, FOLLOW, "timestamp"))
    return _insert(schema, engine, REQUEST, users, locked.is_(true()), *_unblocked(schema, engine), ~edge)


@once
def delete_loaded_edge(schema: Schema) -> Delete:
    """As `ties.delete_edge()`, through the ORM: a `Follow` that the session has loaded is then deleted in it."""
    edge: Any = schema.follow
    mine = edge.follower_id == user_key(schema, "follower"), edge.following_id == user_key(schema, "followed")
    return delete(edge).where(*mine).execution_options(synchronize_session="fetch")


@once
def standing(schema: Schema, engine: EngineRules) -> Rows:
    """
    How *follower* and *followed* stand now: a row (user, locked, edge, asked, rejected, blocked) for each who exists.

    *edge*, *asked* and *rejected* are times; *blocked* says whether either blocks the other.
    """

    def time(tie: Tie, column: str) -> Any:
        if not tie.is_declared(schema):
            return null()
        return engine.current(pair_of(schema, tie, column)).scalar_subquery()

    both = [user_key(schema, name) for name in FOLLOW.ends]
    locked = schema.flag("locked", schema.key.table, engine)
    answers = labelled(
        locked=false() if locked is None else locked.is_(true()),
        edge=time(FOLLOW, "timestamp"),
        asked=time(REQUEST, "timestamp"),
        rejected=time(REQUEST, "rejected_at"),
        blocked=~not_blocked(schema, engine, *both, now=True),
    )
    return engine.current(select(schema.key, *answers).where(schema.key.in_(both)))


def _insert(
    schema: Schema, engine: EngineRules, tie: Tie, users: Mapping[str, FromClause], *conditions: ColumnElement[bool]
) -> Executable:
    return insert_row(schema, engine, tie.table(schema), tie.row, users, *conditions)


def _unblocked(schema: Schema, engine: EngineRules) -> list[ColumnElement[bool]]:
    if not BLOCK.is_declared(schema):
        return []  # without any condition, MariaDB's own foreign keys say that a user is missing
    return [not_blocked(schema, engine, *(user_key(schema, name) for name in FOLLOW.ends))]
