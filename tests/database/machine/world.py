"""
A follow system in plain Python: sets and dictionaries, one after the other, with no database.

What the library must agree with. It is written from DESIGN.md, as short as that allows,
and asks nothing of the library but its settings, its errors and its events.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from retinue import (
    BlockedError,
    Event,
    Expired,
    Followed,
    FollowerRemoved,
    FollowRestored,
    HistoryEntry,
    HistoryKind,
    LimitError,
    NotificationKind,
    Outcome,
    RequestAccepted,
    Requested,
    RequestRejected,
    SelfFollowError,
    Settings,
    Unfollowed,
    UnknownUserError,
)
from retinue.events import Blocked, EdgeEvent, Muted, Unblocked, Unmuted
from tests.database.clock import Clock
from tests.database.machine.facts import MEANINGS, Asked, Barred, Silenced, Told
from tests.database.plain_view import Member, Pair, Sight

DAY = timedelta(days=1)


@dataclass
class World:
    """What a transaction sees, and what it has to say when it is over."""

    rules: Settings
    clock: Clock
    users: dict[int, Member] = field(default_factory=dict)
    edges: dict[Pair, datetime] = field(default_factory=dict)
    requests: dict[Pair, Asked] = field(default_factory=dict)
    blocks: dict[Pair, Barred] = field(default_factory=dict)
    mutes: dict[Pair, Silenced] = field(default_factory=dict)
    #: Who is told, of whom, and what.
    notifications: dict[tuple[int, int, NotificationKind], Told] = field(default_factory=dict)
    history: list[HistoryEntry] = field(default_factory=list)
    said: list[Event] = field(default_factory=list)

    def copy(self) -> World:
        other = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, (dict, list)):
                setattr(other, name, value.copy())
        return other

    @property
    def now(self) -> datetime:
        return self.clock.time

    # --- What is so ------------------------------------------------------------------------------

    def live(self, bars: dict[Pair, Any], pair: Pair) -> bool:
        """Return whether a block or mute of *pair* has not ended."""
        return pair in bars and (bars[pair].until is None or bars[pair].until > self.now)

    def pending(self, pair: Pair) -> bool:
        asked, expiry = self.requests.get(pair), self.rules.request_expiry
        return asked is not None and asked.rejected is None and (expiry is None or asked.at > self.now - expiry)

    def apart(self, a: int, b: int) -> bool:
        return self.live(self.blocks, (a, b)) or self.live(self.blocks, (b, a))

    def waiting_for(self, user: int) -> list[Pair]:
        return sorted(pair for pair in self.requests if pair[1] == user and self.pending(pair))

    @property
    def sight(self) -> Sight:
        return Sight(self.users, self.edges, self.apart)

    # --- Edges and requests ----------------------------------------------------------------------

    def check(self, pair: Pair) -> None:
        if pair[0] == pair[1]:
            raise SelfFollowError(pair[0])
        self.check_known(*pair)

    def check_known(self, *users: int) -> None:
        unknown = [user for user in users if user not in self.users]
        if unknown:
            raise UnknownUserError(unknown)

    def follow(self, a: int, b: int) -> Outcome:
        pair = a, b
        self.check(pair)
        if pair in self.edges:
            return Outcome.UNCHANGED
        if self.apart(*pair):
            raise BlockedError(*pair)
        if self.users[b].locked:
            if self.pending(pair):
                return Outcome.UNCHANGED
            self.check_limits(a, asks=True)
            self.check_cooldown(pair)
            self.requests[pair] = Asked(self.now)
            self.happen(Requested(a, b, self.now))
            return Outcome.REQUESTED
        self.check_limits(a, instead=pair)
        self.drop_request(pair)
        self.add(pair)
        return Outcome.FOLLOWED

    def drop_request(self, pair: Pair) -> None:
        """Forget a request, pending or not, and what was told of it."""
        if self.requests.pop(pair, None) is not None:
            self.notifications.pop((*pair[::-1], NotificationKind.FOLLOW_REQUEST), None)

    def put(self, pair: Pair, *, told: bool = True) -> None:
        """Let the application write an edge by itself, without asking anybody; what was asked for is there."""
        self.drop_request(pair)
        self.edges[pair] = self.now
        self.happen(Followed(*pair, self.now), told=told)

    def add(self, pair: Pair, kind: type[EdgeEvent] = Followed) -> None:
        self.edges[pair] = self.now
        self.happen(kind(*pair, self.now))

    def unfollow(self, a: int, b: int) -> bool:
        self.check((a, b))
        if self.pending((a, b)):
            self.drop_request((a, b))
            return True
        return self.remove((a, b))

    def remove_follower(self, user: int, follower: int) -> bool:
        self.check((follower, user))
        return self.remove((follower, user), FollowerRemoved)

    def remove(self, pair: Pair, kind: type[EdgeEvent] = Unfollowed, *, told: bool = True) -> bool:
        if self.edges.pop(pair, None) is None:
            return False
        self.happen(kind(*pair, self.now), told=told)
        return True

    def accept(self, user: int, requester: int) -> bool:
        pair = requester, user
        self.check(pair)
        if not self.pending(pair):
            return False
        self.drop_request(pair)
        self.add(pair, RequestAccepted)
        return True

    def reject(self, user: int, requester: int) -> bool:
        pair = requester, user
        self.check(pair)
        if not self.pending(pair):
            return False
        asked = self.requests[pair]
        self.drop_request(pair)
        if self.rules.request_cooldown:
            self.requests[pair] = replace(asked, rejected=self.now)
        self.happen(RequestRejected(*pair, self.now))
        return True

    def accept_all(self, user: int) -> int:
        self.check_known(user)
        return sum([self.accept(user, requester) for requester, _ in self.waiting_for(user)])

    def reject_all(self, user: int) -> int:
        self.check_known(user)
        return sum([self.reject(user, requester) for requester, _ in self.waiting_for(user)])

    def unlock(self, user: int) -> int:
        self.check_known(user)
        self.choose(user, locked=False)
        return self.accept_all(user)

    # --- Limits ----------------------------------------------------------------------------------

    def check_limits(self, user: int, *, asks: bool = False, instead: Pair | None = None) -> None:
        """Refuse one more edge or request of *user*; an edge *instead* of a request that pends is not one more."""
        rules = self.rules
        following, followers = (sum(pair[side] == user for pair in self.edges) for side in (0, 1))
        pending = sum(pair[0] == user and pair != instead and self.pending(pair) for pair in self.requests)
        if rules.max_following is not None:
            most = max(rules.max_following, int(rules.max_following_ratio * followers))
            self.check_limit("max_following", most, following + pending)
        if rules.max_follows_per_day is not None:
            days = [entry.at for entry in self.history_of(user) if entry.at > self.now - DAY]
            again = min(days) + DAY if days else None
            self.check_limit("max_follows_per_day", rules.max_follows_per_day, len(days), again)
        if rules.max_pending_requests is not None and asks:
            self.check_limit("max_pending_requests", rules.max_pending_requests, pending)

    def check_limit(self, name: str, most: int, current: int, again: datetime | None = None) -> None:
        if current >= most:
            raise LimitError(name, most, current, again)

    def check_cooldown(self, pair: Pair) -> None:
        rejected = self.requests[pair].rejected if pair in self.requests else None
        again = rejected + self.rules.request_cooldown if rejected and self.rules.request_cooldown else None
        if again is not None and again > self.now:
            raise LimitError("request_cooldown", 0, 1, again)

    def history_of(self, user: int) -> list[HistoryEntry]:
        """Return what whoever has the key *user* now did of their own accord."""
        done = (HistoryKind.FOLLOWED, HistoryKind.REQUESTED)
        return [
            entry for entry in self.history[self.opened(user) :] if entry.follower_id == user and entry.kind in done
        ]

    # --- Blocks and mutes ------------------------------------------------------------------------

    def block(self, a: int, b: int, until: datetime | None = None) -> bool:
        pair = a, b
        self.check(pair)
        if self.live(self.blocks, pair):
            self.blocks[pair] = replace(self.blocks[pair], until=until)
            return False
        both = (pair, (b, a))
        edges = tuple((each, self.edges[each]) for each in both[::-1] if each in self.edges)
        asked = tuple((each, self.requests[each].at) for each in both if self.pending(each))
        for each in both:
            self.remove(each, Unfollowed if each == pair else FollowerRemoved)
            if self.pending(each):
                del self.requests[each]
        self.blocks[pair] = Barred(self.now, until, edges, asked)
        self.notifications = {key: told for key, told in self.notifications.items() if {*key[:2]} != {a, b}}
        self.said.append(Blocked(a, b, self.now, until))
        return True

    def unblock(self, a: int, b: int, *, restore: bool = False) -> bool:
        self.check((a, b))
        live, barred = self.live(self.blocks, (a, b)), self.blocks.pop((a, b), None)
        if live:
            self.said.append(Unblocked(a, b, self.now))
        if restore and barred and barred.at > self.now - self.rules.restore_window and not self.apart(a, b):
            for pair, since in barred.edges:
                self.restore(pair, since, agreed=pair == (b, a))
            for pair, _ in barred.requests:
                self.restore(pair, self.now)
        return live

    def restore(self, pair: Pair, since: datetime, *, agreed: bool = False) -> None:
        """Bring back an edge; only a request where it takes one, and the followed has not *agreed*."""
        if pair in self.edges:
            return
        if agreed or not self.users[pair[1]].locked:
            self.drop_request(pair)
            self.edges[pair] = since
            self.happen(FollowRestored(*pair, self.now))
        elif pair not in self.requests:
            self.requests[pair] = Asked(self.now)
            self.happen(Requested(*pair, self.now))

    def mute(self, a: int, b: int, until: datetime | None = None, *, notifications: bool = True) -> bool:
        self.check((a, b))
        new = not self.live(self.mutes, (a, b))
        at = self.now if new else self.mutes[a, b].at
        self.mutes[a, b] = Silenced(at, until, notifications)
        if new:
            self.said.append(Muted(a, b, self.now, until, notifications))
        return new

    def unmute(self, a: int, b: int) -> bool:
        self.check((a, b))
        live = self.live(self.mutes, (a, b))
        self.mutes.pop((a, b), None)
        if live:
            self.said.append(Unmuted(a, b, self.now))
        return live

    # --- Users -----------------------------------------------------------------------------------

    def choose(self, user: int, **choices: bool) -> None:
        self.users[user] = replace(self.users[user], **choices)

    def bury(self, gone: set[int]) -> None:
        """Take users out, and all that names them; the history stays, and is closed."""
        for user in sorted(gone & self.users.keys()):
            del self.users[user]
            self.history.append(HistoryEntry(HistoryKind.REMOVED, user, user, self.now))
        self.notifications = {key: told for key, told in self.notifications.items() if not gone & {*key[:2]}}
        for rows in (self.edges, self.requests, self.blocks, self.mutes):
            forget(rows, lambda pair: bool(gone & {*pair}))

    # --- What is written down --------------------------------------------------------------------

    def happen(self, event: EdgeEvent, *, told: bool = True) -> None:
        """Write it down, say it, and tell the other side; what is done in bulk is only written down."""
        a, b = int(str(event.follower_id)), int(str(event.followed_id))
        history, notification = MEANINGS[type(event)]
        self.history.append(HistoryEntry(history, a, b, event.at))
        if told:
            self.said.append(event)
        if told and notification is not None:
            recipient, actor = (a, b) if isinstance(event, RequestAccepted) else (b, a)
            self.tell(recipient, actor, notification, event.at)
        if told and isinstance(event, RequestAccepted):
            self.tell(b, a, NotificationKind.FOLLOW, event.at, read=event.at)

    def tell(
        self, recipient: int, actor: int, kind: NotificationKind, at: datetime, read: datetime | None = None
    ) -> None:
        """Tell again after a while; questions and answers at once."""
        key = recipient, actor, kind
        last = self.notifications.get(key)
        if self.live(self.mutes, key[:2]) and self.mutes[key[:2]].notifications:
            return
        at_once = kind is not NotificationKind.FOLLOW
        if last is None or at_once or last.at <= at - self.rules.notify_again_after:
            self.notifications[key] = Told(at, self.next_number, read)

    def expired(self, about: tuple[int, int, NotificationKind]) -> bool:
        """Return whether a notification tells of a request that has expired."""
        expiry, at = self.rules.request_expiry, self.notifications[about].at
        return about[2] is NotificationKind.FOLLOW_REQUEST and expiry is not None and at <= self.now - expiry

    @property
    def next_number(self) -> int:
        return 1 + max((told.number for told in self.notifications.values()), default=0)

    def mark_read(self, user: int, which: Container[tuple[int, NotificationKind]] | None = None) -> int:
        unread = [
            key
            for key, told in self.notifications.items()
            if key[0] == user and told.read is None and not self.expired(key) and (which is None or key[1:] in which)
        ]
        for key in unread:
            self.notifications[key] = replace(self.notifications[key], read=self.now)
        return len(unread)

    def story(self, a: int, b: int) -> list[HistoryEntry]:
        """
        Return what there is to read of the pair, newest first.

        Of those who have the keys now, or had them last: not of whoever had them before.
        """
        first = max(self.opened(a), self.opened(b))
        kept = self.rules.history_retention
        return [
            entry
            for entry in reversed(self.history[first:])
            if (entry.follower_id, entry.followed_id) == (a, b) and (kept is None or entry.at > self.now - kept)
        ]

    def opened(self, user: int) -> int:
        """Return from which entry of the history on it is about the last who has, or had, the key *user*."""
        marks = [
            number
            for number, entry in enumerate(self.history, start=1)
            if entry.kind is HistoryKind.REMOVED and entry.follower_id == user
        ]
        return ([0, *marks] if user in self.users else [0, 0, *marks][:-1] if marks else [0])[-1]

    def erase_history(self, user: int) -> int:
        before = len(self.history)
        self.history = [entry for entry in self.history if user not in (entry.follower_id, entry.followed_id)]
        return before - len(self.history)

    def expire(self) -> Expired:
        """Delete what has ended: but keep a block as long as it can be restored."""
        rules, now = self.rules, self.now

        def request_ended(pair: Pair) -> bool:
            rejected = self.requests[pair].rejected
            return rejected <= now - (rules.request_cooldown or timedelta()) if rejected else not self.pending(pair)

        def block_ended(pair: Pair) -> bool:
            return not self.live(self.blocks, pair) and self.blocks[pair].at <= now - rules.restore_window

        kept = [e for e in self.history if rules.history_retention is None or e.at > now - rules.history_retention]
        old, self.history = len(self.history) - len(kept), kept
        self.notifications = {about: told for about, told in self.notifications.items() if not self.expired(about)}
        return Expired(
            requests=forget(self.requests, request_ended),
            blocks=forget(self.blocks, block_ended),
            mutes=forget(self.mutes, lambda pair: not self.live(self.mutes, pair)),
            history=old,
        )


def forget(rows: dict[Pair, Any], which: Callable[[Pair], bool]) -> int:
    """Take out the rows of those pairs; return how many."""
    gone = [pair for pair in rows if which(pair)]
    for pair in gone:
        del rows[pair]
    return len(gone)
