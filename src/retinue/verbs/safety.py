"""Block and unblock, mute and unmute."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from retinue import arguments, effects, guards, ties
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
from retinue.models import BlockMixin, FollowMixin, MuteMixin, now
from retinue.ties import BLOCK, CUTS, FOLLOW, MUTE, REQUEST
from retinue.verbs import at_once, follows
from retinue.work import Pair, Work
from retinue.work.whole import whole


@whole()
def block(work: Work, blocker: Any, blocked: Any, until: datetime | None = None) -> bool:
    """See `Graph.block()`."""
    work.schema.table(BlockMixin)
    at = now()
    until = arguments.end_of(until, at)
    pair = work.write(blocker, blocked)
    tried = at_once.block(work, pair, at, until)
    if tried.answer is not None:
        return bool(tried.answer)
    _hold(work, pair)
    while not ties.insert(work, BLOCK, pair, at, {"until": until}):
        before = _found(work, pair)
        if before is None:
            work.refuse_unknown(pair)
            continue
        if before.lasts(at):
            if before.until != until:
                ties.change(work, BLOCK, pair, "prolong_block", {"until": until})
            return False
        ties.change(work, BLOCK, pair, "renew_block", {"timestamp": at, "until": until}, cleared=CUTS)
        break
    cut(work, pair, at)
    effects.record(work, Blocked(*pair, at, until))
    return True


@whole(makes_edges=True)
def unblock(work: Work, blocker: Any, blocked: Any, restore: bool = False) -> bool:
    """See `Graph.unblock()`."""
    work.schema.table(BlockMixin)
    if restore:
        work.schema.refuse_missing(FollowMixin)
    pair = work.write(blocker, blocked)
    _hold(work, pair)
    at = now()
    before = _found(work, pair)
    if before is None:
        work.refuse_unknown(pair)
        return False
    ties.end(work, BLOCK, pair)
    if before.lasts(at):
        effects.record(work, Unblocked(*pair, at))
    if restore and before.timestamp > at - work.schema.settings.restore_window:
        _restore(work, pair, before, at)
    return before.lasts(at)


def _hold(work: Work, pair: Pair) -> None:
    """Hold the guards of both; what this session has loaded of them may be of the time before."""
    guards.take(work, *pair)
    for edge in (pair, (pair[1], pair[0])):
        work.refresh(work.schema.follow, edge)
    work.refresh(work.schema.models[BlockMixin], pair)


class _Block(NamedTuple):
    """A block, and since when there was what it cut."""

    timestamp: datetime
    until: datetime | None
    following: datetime | None
    followed_by: datetime | None
    requested: datetime | None
    requested_by: datetime | None

    def lasts(self, at: datetime) -> bool:
        """Return whether it has not ended *at* that time."""
        return not _has_ended(self.until, at)


def _found(work: Work, pair: Pair) -> _Block | None:
    row = ties.locked(work, BLOCK, pair, "timestamp", "until", *CUTS)
    return None if row is None else _Block(*row)


# --- What a block cuts, and what comes back ------------------------------------------------------


def cut(work: Work, pair: Pair, at: datetime) -> None:
    """
    End what is between the two of *pair*, whose guards are held, and remember since when it was.

    The first of them blocks the other. What the block has cut before, it remembers still.
    """
    back = (pair[1], pair[0])
    following, followed_by = _cut_edge(work, pair), _cut_edge(work, back)
    times = (following, followed_by, _cut_request(work, pair, at), _cut_request(work, back, at))
    remembered = {name: since for name, since in zip(CUTS, times, strict=True) if since is not None}
    if remembered:
        ties.change(work, BLOCK, pair, "remember_cut", remembered)
    ended: list[Event] = []
    if following:
        ended.append(Unfollowed(*pair, at))
    if followed_by:
        ended.append(FollowerRemoved(*back, at))
    effects.record(work, *ended)
    effects.block(work, pair)


def _cut_edge(work: Work, pair: Pair) -> datetime | None:
    row = ties.locked(work, FOLLOW, pair, "timestamp")
    if row is not None or work.loaded(work.schema.follow, pair) is not None:
        follows.remove_edge(work, pair)
    return None if row is None else row[0]


def _cut_request(work: Work, pair: Pair, at: datetime) -> datetime | None:
    if not REQUEST.is_declared(work.schema):
        return None
    row = ties.locked(work, REQUEST, pair, "timestamp", at=at)
    if row is not None:
        ties.end(work, REQUEST, pair)
    return None if row is None else row[0]


def _restore(work: Work, pair: Pair, cut: _Block, at: datetime) -> None:
    """Let what the block *cut* come back; edges and requests first, then what follows from all of them."""
    events: list[FollowRestored | Requested] = []
    back = (pair[1], pair[0])
    # That the blocker wants to be followed again is all the consent it needs.
    if cut.followed_by is not None and follows.put_edge(work, back, cut.followed_by, agreed=True):
        events.append(FollowRestored(*back, at))
    # A request that was cut may find that its user is public by now: then it is an edge, made now.
    for users, since in ((pair, cut.following), (pair, cut.requested and at), (back, cut.requested_by and at)):
        if since is None:
            continue
        if follows.put_edge(work, users, since):
            events.append(FollowRestored(*users, at))
        elif REQUEST.is_declared(work.schema) and follows.ask(work, users, at):
            events.append(Requested(*users, at))
    closed: list[Pair] = []
    if REQUEST.is_declared(work.schema):
        # Those that were made since, after the block had ended by itself.
        restored = [(event.follower_id, event.followed_id) for event in events if isinstance(event, FollowRestored)]
        closed = [edge for edge in restored if ties.end(work, REQUEST, edge)]
    effects.record(work, *events)
    effects.close_requests(work, closed)


# --- Mutes --------------------------------------------------------------------------------------


@whole(alone=True)
def mute(work: Work, muter: Any, muted: Any, until: datetime | None = None, notifications: bool = True) -> bool:
    """See `Graph.mute()`."""
    work.schema.refuse_missing(MuteMixin)
    at = now()
    until = arguments.end_of(until, at)
    pair = work.write(muter, muted)
    terms: dict[str, Any] = {"until": until, "notifications": bool(notifications)}
    while not (new := ties.insert(work, MUTE, pair, at, terms)):
        row = ties.locked(work, MUTE, pair, "until")
        if row is None:  # gone since: then it is new after all
            work.refuse_unknown(pair)
            continue
        new = _has_ended(row[0], at)
        if new:
            ties.change(work, MUTE, pair, "renew_mute", {"timestamp": at, **terms})
        else:
            ties.change(work, MUTE, pair, "change_mute", terms)
        break
    if new:
        effects.record(work, Muted(*pair, at, until, bool(notifications)))
    return new


@whole(alone=True)
def unmute(work: Work, muter: Any, muted: Any) -> bool:
    """See `Graph.unmute()`."""
    work.schema.table(MuteMixin)
    pair, at = work.write(muter, muted), now()
    row = ties.locked(work, MUTE, pair, "until")
    if row is None:
        work.refuse_unknown(pair)
        return False
    ties.end(work, MUTE, pair)
    if _has_ended(row[0], at):
        return False
    effects.record(work, Unmuted(*pair, at))
    return True


def _has_ended(until: datetime | None, at: datetime) -> bool:
    return until is not None and until <= at
