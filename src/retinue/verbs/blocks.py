"""Blocks and mutes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from retinue import arguments, guards
from retinue.effects import changes, records
from retinue.events import (
    Blocked,
    Event,
    FollowerRemoved,
    FollowRestored,
    Muted,
    Requested,
    Unblocked,
    Unfollowed,
    Unmuted,
)
from retinue.models import BlockMixin, FollowMixin, FollowRequestMixin, MuteMixin, now
from retinue.values import Key
from retinue.verbs import edge_statements as edges
from retinue.verbs import follows
from retinue.verbs import request_statements as requests
from retinue.verbs import safety_statements as statements
from retinue.verbs.whole import whole
from retinue.work import Pair, Work, edge_parameters
from retinue.work.building import known_users_now, moment


@whole()
def block(work: Work, blocker: Any, blocked: Any, until: datetime | None = None) -> bool:
    """See `Graph.block()`."""
    work.schema.table(BlockMixin)
    at = now()
    until = arguments.end_of(until, at)
    pair = work.write(blocker, blocked)
    _hold(work, pair)
    who = _names(pair)
    period = {**who, "at": at, "until_": until}
    if not work.insert(statements.insert_block, period, pair):
        before = _block_of(work, pair)
        if not _ended(before.until, at):
            if before.until != until:
                work.run(statements.prolong_block, {**who, "until_": until})
            return False
        work.run(statements.renew_block, period)
    _cut(work, pair, at)
    changes.record(work, Blocked(*pair, at, until))
    return True


@whole(makes_edges=True)
def unblock(work: Work, blocker: Any, blocked: Any, restore: bool = False) -> bool:
    """See `Graph.unblock()`."""
    work.schema.table(BlockMixin)
    if restore:
        work.schema.refuse_missing(FollowMixin)
    pair = work.write(blocker, blocked)
    _hold(work, pair)
    who = _names(pair)
    at = now()
    row = work.connection.execute(statements.select_block(work.schema), who).first()
    if row is None:
        work.refuse_unknown(pair, known_users_now)
        return False
    work.connection.execute(statements.delete_block(work.schema), who)
    before = _Block(*row)
    live = not _ended(before.until, at)
    if live:
        changes.record(work, Unblocked(*pair, at))
    if restore and before.timestamp > at - work.schema.settings.restore_window:
        _restore(work, pair, before, at)
    return live


def mute(
    work: Work,
    muter: Any,
    muted: Any,
    until: datetime | None = None,
    notifications: bool = True,
) -> bool:
    """See `Graph.mute()`."""
    work.schema.refuse_missing(MuteMixin)
    at = now()
    until = arguments.end_of(until, at)
    pair = work.write(muter, muted)
    terms = {"muter": pair[0], "muted": pair[1], "until_": until, "notifications_": bool(notifications)}
    while not (new := work.insert(statements.insert_mute, {**terms, "at": at}, pair)):
        row = work.connection.execute(statements.select_mute(work.schema), terms).first()
        if row is None:  # gone since: then it is new after all
            work.refuse_unknown(pair)
            continue
        work.refresh(work.schema.models[MuteMixin], pair)
        new = _ended(row[0], at)
        build = statements.renew_mute if new else statements.change_mute
        work.run(build, {**terms, "at": at} if new else terms)
        break
    if new:
        changes.record(work, Muted(*pair, at, until, bool(notifications)))
    return new


def unmute(work: Work, muter: Any, muted: Any) -> bool:
    """See `Graph.unmute()`."""
    work.schema.table(MuteMixin)
    pair = work.write(muter, muted)
    who, at = {"muter": pair[0], "muted": pair[1]}, now()
    row = work.connection.execute(statements.select_mute(work.schema), who).first()
    if row is None:
        work.refuse_unknown(pair)
        return False
    work.connection.execute(statements.delete_mute(work.schema), who)
    work.refresh(work.schema.models[MuteMixin], pair)
    if _ended(row[0], at):
        return False
    changes.record(work, Unmuted(*pair, at))
    return True


def _hold(work: Work, pair: Pair) -> None:
    """Hold the guards of both; what this session has loaded of them may be of the time before."""
    guards.take(work, *pair)
    for edge in (pair, (pair[1], pair[0])):
        work.refresh(work.schema.follow, edge)
    work.refresh(work.schema.models[BlockMixin], pair)


def _block_of(work: Work, pair: Pair) -> _Block:
    """Return the block that an insert met; where it met none, one of its users is not there."""
    rows = work.connection.execute(statements.select_block(work.schema), _names(pair)).all()
    if not rows:
        work.refuse_unknown(pair)
    return _Block(*rows[0])


def _cut(work: Work, pair: Pair, at: datetime) -> None:
    """End what is between the two, and remember since when it was."""
    back = (pair[1], pair[0])
    cut = {
        "cut_following_": _cut_edge(work, pair),
        "cut_followed_by_": _cut_edge(work, back),
        "cut_requested_": _cut_request(work, pair, at),
        "cut_requested_by_": _cut_request(work, back, at),
    }
    if any(cut.values()):
        who = _names(pair)
        work.run(statements.remember_cut, {**who, **cut})
    happened: list[Event] = []
    if cut["cut_following_"]:
        happened.append(Unfollowed(*pair, at))
    if cut["cut_followed_by_"]:
        happened.append(FollowerRemoved(*back, at))
    changes.record(work, *happened)
    if work.schema.notifications is not None:
        for recipient, actor in (pair, back):
            parameters = {"recipient": recipient, "actor": actor}
            work.connection.execute(records.delete_notifications_between(work.schema), parameters)


def _cut_edge(work: Work, pair: Pair) -> datetime | None:
    since: datetime | None = work.connection.execute(edges.select_edge(work.schema), edge_parameters(pair)).scalar()
    if since is not None or work.loaded(work.schema.follow, pair) is not None:
        follows.delete_edge(work, pair)
    return since


def _cut_request(work: Work, pair: Pair, at: datetime) -> datetime | None:
    if work.schema.requests is None:
        return None
    parameters = {**edge_parameters(pair), **moment(work.schema, at)}
    asked: datetime | None = work.connection.execute(requests.select_request(work.schema), parameters).scalar()
    if asked is not None:
        work.connection.execute(requests.delete_request(work.schema), edge_parameters(pair))
        work.refresh(work.schema.models[FollowRequestMixin], pair)
    return asked


def _restore(work: Work, pair: Pair, cut: _Block, at: datetime) -> None:
    """Let what the block *cut* come back; edges and requests first, then what follows from all of them."""
    back = (pair[1], pair[0])
    events: list[FollowRestored | Requested] = []
    # That the blocker wants to be followed again is all the consent it needs.
    if cut.followed_by is not None and follows.insert_edge(work, back, cut.followed_by, agreed=True):
        events.append(FollowRestored(*back, at))
    # A request that was cut may find that its user is public by now: then it is an edge, made now.
    for who, since in (
        (pair, cut.following),
        (pair, cut.requested and at),
        (back, cut.requested_by and at),
    ):
        if since is None:
            continue
        if follows.insert_edge(work, who, since):
            events.append(FollowRestored(*who, at))
        elif work.schema.requests is not None and follows.insert_request(work, who, at):
            events.append(Requested(*who, at))
    closed: list[Pair] = []
    if work.schema.requests is not None:
        # Those that were made since, after the block had ended by itself.
        restored = [(event.follower_id, event.followed_id) for event in events if isinstance(event, FollowRestored)]
        closed = [edge for edge in restored if follows.delete_request(work, edge)]
    changes.record(work, *events)
    changes.close_requests(work, closed)


class _Block(NamedTuple):
    """A block, and since when there was what it cut."""

    timestamp: datetime
    until: datetime | None
    following: datetime | None
    followed_by: datetime | None
    requested: datetime | None
    requested_by: datetime | None


def _ended(until: datetime | None, at: datetime) -> bool:
    return until is not None and until <= at


def _names(pair: Pair) -> dict[str, Key]:
    return {"blocker": pair[0], "blocked": pair[1]}
