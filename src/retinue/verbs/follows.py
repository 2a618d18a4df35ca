"""Follow and unfollow."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy.engine import CursorResult

from retinue import guards, limits
from retinue.effects import changes
from retinue.effects import single_statement as together
from retinue.errors import BlockedError, LimitError, UnknownUserError
from retinue.events import Followed, FollowerRemoved, RequestAccepted, Requested, Unfollowed
from retinue.models import FollowMixin, FollowRequestMixin, now
from retinue.values import Outcome
from retinue.verbs import edge_statements as edges
from retinue.verbs import request_statements as requests
from retinue.verbs.whole import whole
from retinue.work import Pair, Work, edge_parameters
from retinue.work.building import known_users, known_users_now, moment


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


def is_following(work: Work, follower: Any, followed: Any) -> bool:
    """See `Graph.is_following()`."""
    work.read()
    pair = (work.key(follower), work.key(followed))
    if None in pair:
        return False
    return _edge_exists(work, cast("Pair", pair))


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
    version = limits.seen(work, pair[0])
    before = guards.ask_and_take(work, pair, edges.before_follow, at)
    if before.enough:
        return Outcome.UNCHANGED
    asks, asked = before.both, before.asked
    limit = limits.reached(work, pair[0], at, before=version, taking=before.waits)
    while True:
        reached = limit.by(asks=asks)
        if reached is None and asks and insert_request(work, pair, at):
            changes.record(work, Requested(*pair, at))
            return Outcome.REQUESTED
        if reached is None and not asks:
            added = add_edge(work, Followed(*pair, at))
            if added.done and asked and delete_request(work, pair):
                changes.close_requests(work, [pair])
            if added.done or added.was_there:
                return Outcome.FOLLOWED if added.done else Outcome.UNCHANGED
        standing = _standing(work, pair, at)
        if standing.edge is not None:
            return Outcome.UNCHANGED
        if standing.blocked:
            raise BlockedError(*pair)
        if standing.locked and standing.asked is not None:
            return _ask_again(work, pair, at, standing, reached)
        if reached is not None:
            raise reached
        if standing.locked and not asks:
            work.schema.table(FollowRequestMixin)  # raises if there is none
            guards.take(work, pair[1])
        asks, asked = standing.locked, standing.asked is not None


def insert_request(work: Work, pair: Pair, at: datetime) -> bool:
    """Insert a request, unless something stands against it; return whether it is new."""
    parameters = {**edge_parameters(pair), "at": at, "now": at}
    return work.insert(requests.insert_request, parameters, pair)


def delete_request(work: Work, pair: Pair) -> bool:
    """Delete a request, pending or not; return whether there was one."""
    gone = bool(work.run(requests.delete_request, edge_parameters(pair)).rowcount)
    work.refresh(work.schema.models[FollowRequestMixin], pair)
    return gone


def _ask_again(work: Work, pair: Pair, at: datetime, standing: _Standing, reached: LimitError | None) -> Outcome:
    """Leave a pending request as it is; renew one that has expired, or was rejected long enough ago."""
    settings = work.schema.settings
    expiry, cooldown = settings.request_expiry, settings.request_cooldown or timedelta()
    asked, rejected = cast("datetime", standing.asked), standing.rejected
    if rejected is None and (expiry is None or asked > at - expiry):
        return Outcome.UNCHANGED
    if reached is not None:
        raise reached
    if rejected is not None and rejected > at - cooldown:
        raise LimitError("request_cooldown", 0, 1, rejected + cooldown)
    parameters = {**edge_parameters(pair), "at": at, "rejected_before": at - cooldown, **moment(work.schema, at)}
    work.run(requests.renew_request, parameters)
    work.refresh(work.schema.models[FollowRequestMixin], pair)
    changes.record(work, Requested(*pair, at))
    return Outcome.REQUESTED


def _standing(work: Work, pair: Pair, at: datetime) -> _Standing:
    """Return how the two stand now; `UnknownUserError` if one does not exist."""
    statement = edges.standing(work.schema, work.engine)
    rows = {
        row[0]: row[1:]
        for row in work.connection.execute(statement, {**edge_parameters(pair), **moment(work.schema, at)})
    }
    unknown = [key for key in pair if key not in rows]
    if unknown:
        raise UnknownUserError(unknown)
    return _Standing(*rows[pair[1]])


def add_edge(work: Work, event: Followed) -> changes.Changed:
    """Insert the edge of *event*, unless something stands against it, and write down what follows."""
    agreed = isinstance(event, RequestAccepted)
    pair = (event.follower_id, event.followed_id)
    if not together.is_possible(work.schema, work.engine):
        done = insert_edge(work, pair, event.at, agreed=agreed)
        if done:
            changes.record(work, event)
        return changes.Changed(done)
    build = edges.insert_agreed_edge if agreed else edges.insert_edge
    added = changes.change_edge(work, build, event)
    work.refresh(work.schema.follow, pair)
    return added


def insert_edge(work: Work, pair: Pair, at: datetime, *, agreed: bool = False) -> bool:
    """Insert an edge since *at*, unless something stands against it; return whether it is new."""
    build = edges.insert_agreed_edge if agreed else edges.insert_edge
    parameters = {**edge_parameters(pair), "at": at, "now": now()}
    inserted = work.insert(build, parameters, pair)
    # A row of this pair that the session has loaded may be of an edge that somebody has replaced.
    work.refresh(work.schema.follow, pair)
    return inserted


def _edge_exists(work: Work, pair: Pair) -> bool:
    return work.run(edges.is_following, edge_parameters(pair)).first() is not None


def _remove(work: Work, follower: Any, followed: Any, kind: type[Unfollowed | FollowerRemoved]) -> bool:
    pair = work.write(follower, followed)
    withdrawn = kind is Unfollowed and _withdraw(work, pair)
    if _end(work, kind(*pair, now())):
        return True
    if not withdrawn:
        # Who holds a guard has locked both users before all else.
        guarded = kind is Unfollowed and work.schema.requests is not None
        ask = known_users_now if guarded else known_users
        work.refuse_unknown(pair, ask)
    return withdrawn


def _withdraw(work: Work, pair: Pair) -> bool:
    """
    Delete a pending request; return whether there was one.

    Before the edge is looked for: who accepts it deletes the request first as
    well, so that one of the two finds what the other left.
    """
    if work.schema.requests is None:
        return False
    # Whoever answers all requests at once holds the guard of the followed alone.
    at = now()
    guards.ask_and_take(work, pair, edges.before_unfollow, at)
    parameters = {**edge_parameters(pair), **moment(work.schema, at)}
    gone = work.connection.execute(requests.delete_pending_request(work.schema), parameters).rowcount
    if gone:
        changes.close_requests(work, [pair])
    work.refresh(work.schema.models[FollowRequestMixin], pair)
    return bool(gone)


def _end(work: Work, event: Unfollowed | FollowerRemoved) -> bool:
    """Delete the edge of *event*, if there is one, and write down what follows; return whether there was one."""
    pair = (event.follower_id, event.followed_id)
    if work.loaded(work.schema.follow, pair) is None and together.is_possible(work.schema, work.engine):
        return changes.change_edge(work, edges.delete_edge, event).done
    gone = delete_edge(work, pair)
    if gone:
        changes.record(work, event)
    return gone


def delete_edge(work: Work, pair: Pair) -> bool:
    """Delete an edge; return whether there was one."""
    row = work.loaded(work.schema.follow, pair)
    if row is None:
        return bool(work.run(edges.delete_edge, edge_parameters(pair)).rowcount)
    statement = edges.delete_loaded_edge(work.schema)
    gone = cast("CursorResult[Any]", work.session.execute(statement, edge_parameters(pair))).rowcount
    if not gone:
        work.session.expire(row)  # another session has deleted it
    return bool(gone)


class _Standing(NamedTuple):
    """How two users stand, as `statements.edges.standing` says."""

    locked: bool
    edge: datetime | None
    asked: datetime | None
    rejected: datetime | None
    blocked: bool
