"""What must be equal after every step: rows, counts, lists as everybody sees them, events, history, notifications."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import groupby
from typing import Any

from hypothesis.stateful import invariant
from sqlalchemy import func, inspect, select

from retinue import ALL, Counts, Event, NotificationKind, NotVisibleError, Page, Relationship
from retinue.testing import assert_pages_join_up
from tests.database.machine.core import Core, result_of
from tests.database.machine.privacy import Privacy
from tests.database.machine.world import World
from tests.database.plain_view import LISTS, Pair, Viewer


class Agreement(Core):
    """What every follow system must agree in."""

    #: Grows with each step, so that a step may ask for one of several things.
    turn = 0

    @invariant()
    def all_agree(self) -> None:
        self.turn += 1
        self.session.flush()
        self.events_are_told_after_commit_and_only_then()
        self.rows_agree()
        self.counts_agree()
        for key in self.named or self.keys[-1:]:
            self.lists_agree(key)
            self.relationships_of_the_user_agree(key)
        self.relationships_agree()
        self.a_loaded_row_agrees()
        self.last = self.named or self.last
        self.named, self.touched = None, False

    def rows(self, model: type[Any]) -> list[Any]:
        return list(self.session.execute(select(model.__table__)))

    def events_are_told_after_commit_and_only_then(self) -> None:
        assert in_order(self.heard) == in_order(self.told)

    def rows_agree(self) -> None:
        assert {(row[0], row[1]): row.timestamp for row in self.rows(self.models.follow)} == self.world.edges

    def counts_agree(self) -> None:
        counts: Any = self.models.count.__table__
        expected = {key: self.count(key) for key in self.keys}
        assert self.graph.counts(self.keys) == expected
        kept = self.session.execute(
            select(counts.c.user_id, func.sum(counts.c.followers), func.sum(counts.c.following)).group_by(
                counts.c.user_id
            )
        )
        for user, followers, following in kept:
            assert user in self.world.users
            assert (int(followers), int(following)) == (expected[user].followers, expected[user].following)

    def count(self, key: int) -> Counts:
        edges = self.world.edges
        return Counts(sum(pair[1] == key for pair in edges), sum(pair[0] == key for pair in edges))

    def viewers(self, key: int) -> list[Viewer]:
        """Return who looks at the lists of the user *key* this time."""
        everybody = [ALL, None, key, *self.world.users]
        return [ALL, everybody[self.turn % len(everybody)]]

    def lists_agree(self, key: int) -> None:
        sight = self.world.sight
        for number, viewer in enumerate(self.viewers(key)):
            for name in LISTS[:3]:
                read = partial(getattr(self.graph, name), key, viewer=viewer)
                if key in sight.users and not sight.allows(name, key, viewer):
                    assert result_of(read) == (NotVisibleError, {"user_id": key})
                    continue
                page = read(limit=100)
                assert [(person.since, person.user.id) for person in page] == sight.rows(name, key, viewer)
                assert page.hidden is sight.leaves_out(name, key, viewer)
                if number and name == LISTS[self.turn % 3]:
                    self.pages_give(read, page)

    def pages_give(self, read: Callable[..., Page[Any]], whole: Page[Any]) -> None:
        """Fail unless walking a list by small pages, there and back, gives the *whole* of it."""
        found: list[Any] = assert_pages_join_up(read, limits=[self.turn % 4 + 1])
        assert found == list(whole)

    def relationships_of_the_user_agree(self, key: int) -> None:
        user, edges = self.session.get(self.models.user, key), self.world.edges
        if user is not None:
            assert {other.id for other in user.followed_by} == {a for a, b in edges if b == key}
            assert {(row.follower.id, row.following.id) for row in user.following} == {
                pair for pair in edges if pair[0] == key
            }

    def relationships_agree(self) -> None:
        viewer = self.keys[self.turn % len(self.keys)]
        expected = {key: relationship(self.world, viewer, key) for key in self.keys}
        assert self.graph.relationships(viewer, self.keys) == expected
        if self.named:
            assert self.graph.is_following(*self.named) is (self.named in self.world.edges)

    def a_loaded_row_agrees(self) -> None:
        """That of the pair that a verb was about; others may be stale, as SQLAlchemy's rows are."""
        if self.named and self.touched:
            row = self.row(self.named)
            assert (row is not None) == (self.named in self.world.edges)
            if row is not None:
                assert inspect(row).persistent
                assert row.timestamp == self.world.edges[self.named]


class PrivateAgreement(Privacy, Agreement):
    """And what one that has everything must agree in."""

    def rows_agree(self) -> None:
        super().rows_agree()
        world, models = self.world, self.models
        requests = {(row[0], row[1]): (row.timestamp, row.rejected_at) for row in self.rows(models.request)}
        blocks = {(row[0], row[1]): (row.timestamp, row.until) for row in self.rows(models.block)}
        mutes = {(row[0], row[1]): (row.timestamp, row.until, row.notifications) for row in self.rows(models.mute)}
        assert requests == {pair: (asked.at, asked.rejected) for pair, asked in world.requests.items()}
        assert blocks == {pair: (barred.at, barred.until) for pair, barred in world.blocks.items()}
        assert mutes == {pair: (mute.at, mute.until, mute.notifications) for pair, mute in world.mutes.items()}
        self.nothing_stands_beside_a_block()

    def nothing_stands_beside_a_block(self) -> None:
        """As the rows say; and no request stands beside an edge."""
        world = self.world
        pending = {pair for pair in world.requests if world.pending(pair)}
        assert not pending & world.edges.keys()
        assert not [pair for pair in pending | world.edges.keys() if world.apart(*pair)]

    def lists_agree(self, key: int) -> None:
        super().lists_agree(key)
        self.known_followers_agree(key)
        self.own_lists_agree(key)
        self.notifications_agree(key)
        if self.named:
            self.history_agrees(*self.named)

    def known_followers_agree(self, key: int) -> None:
        sight, name = self.world.sight, LISTS[3]
        for viewer in {self.turn % len(self.keys) + 1, *(self.named or ())} & sight.users.keys():
            read = partial(self.graph.followers_you_know, viewer, key)
            if key in sight.users and not sight.allows(name, key, viewer):
                assert result_of(read) == (NotVisibleError, {"user_id": key})
            else:
                page = read(limit=100)
                assert [(person.since, person.user.id) for person in page] == sight.rows(name, key, viewer)
                assert (page.total, page.hidden) == (len(page), sight.leaves_out(name, key, viewer))

    def own_lists_agree(self, key: int) -> None:
        """Those that a user alone sees: all of it; others see nothing."""
        world, graph = self.world, self.graph
        pending: dict[Pair, tuple[Any, ...]] = {
            pair: (asked.at,) for pair, asked in world.requests.items() if world.pending(pair)
        }
        blocks = {p: (block.at, block.until) for p, block in world.blocks.items() if world.live(world.blocks, p)}
        mutes = {
            pair: (mute.at, mute.until, mute.notifications)
            for pair, mute in world.mutes.items()
            if world.live(world.mutes, pair)
        }
        lists: list[tuple[Callable[..., Page[Any]], dict[Pair, tuple[Any, ...]]]] = [
            (graph.requests, {pair[::-1]: row for pair, row in pending.items()}),
            (graph.sent_requests, pending),
            (graph.blocks, blocks),
            (graph.mutes, mutes),
        ]
        viewer = self.viewers(key)[1]
        for number, (read, rows) in enumerate(lists):
            if viewer not in (ALL, key):
                assert result_of(partial(read, key, viewer=viewer)) == (NotVisibleError, {"user_id": key})
                continue
            there = read(key, viewer=viewer, limit=100)
            found = [(person.id, tuple(told)) for person, *told in there]
            seen = {b: row for (a, b), row in rows.items() if a == key and (viewer is ALL or world.users[b].active)}
            assert found == sorted(seen.items(), key=lambda item: (item[1][0], item[0]), reverse=True)
            if number == self.turn % 4:
                self.pages_give(partial(read, key, viewer=viewer), there)

    def notifications_agree(self, key: int) -> None:
        world = self.world
        told = {
            about: notice
            for about, notice in world.notifications.items()
            if about[0] == key and not world.expired(about)
        }
        rows = {
            (row.recipient_id, row.actor_id, NotificationKind(row.kind)): (row.timestamp, row.read_at)
            for row in self.rows(self.models.notification)
        }
        assert rows == {about: (notice.at, notice.read) for about, notice in world.notifications.items()}
        newest = sorted(told.items(), key=lambda item: (item[1].at, item[1].number), reverse=True)
        for viewer in (ALL, key):
            read = partial(self.graph.notifications, key, viewer=viewer, unread=bool(self.turn % 2))
            notices = read(limit=100)
            assert [(notice.user.id, notice.kind, notice.at, notice.read) for notice in notices] == [
                (actor, kind, notice.at, notice.read is not None)
                for (_, actor, kind), notice in newest
                if (viewer is ALL or world.users[actor].active) and not (self.turn % 2 and notice.read)
            ]
            if viewer == key:
                self.pages_give(read, notices)
        unread = sum(notice.read is None and world.users[about[1]].active for about, notice in told.items())
        assert self.graph.unread_notifications(key) == unread

    def history_agrees(self, a: int, b: int) -> None:
        read = partial(self.graph.history, a, b)
        page = read(limit=100)
        assert list(page) == self.world.story(a, b)
        self.pages_give(read, page)
        kept = [(row.kind, row.follower_id, row.following_id, row.timestamp) for row in self.rows(self.models.event)]
        expected = [(entry.kind, entry.follower_id, entry.followed_id, entry.at) for entry in self.world.history]
        assert Counter(kept) == Counter(expected)


def in_order(events: list[Any]) -> list[Event]:
    """Return *events* with those of one kind and time in the order of their users: a bulk statement has no other."""
    runs = groupby(events, key=lambda event: (type(event), event.at))
    return [event for _, run in runs for event in sorted(run, key=repr)]


def relationship(world: World, viewer: int, user: int) -> Relationship:
    """Return how *viewer* and *user* stand."""
    there, back = (viewer, user), (user, viewer)
    return Relationship(
        following=there in world.edges,
        followed_by=back in world.edges,
        requested=world.pending(there),
        requested_by=world.pending(back),
        blocking=world.live(world.blocks, there),
        blocked_by=world.live(world.blocks, back),
        muting=world.live(world.mutes, there),
        since=world.edges.get(there),
    )
