"""Nobody sees what they may not: each viewer calls each read, and the plain rules of `plain_view` say what comes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from retinue import ALL, BlockedError, Graph, InvalidCursor, NotVisibleError, Page, Settings
from retinue.testing import assert_pages_join_up, count_statements, make_users
from tests.database.clock import Clock, stopped_clock
from tests.database.models_private import declare
from tests.database.plain_view import LISTS, Member, Pair, Sight, Viewer
from tests.long import few_or_many, in_every_run

MODELS = declare(Settings(active="active"))

DAY = timedelta(days=1)

#: Every kind of privacy, alone and together.
MEMBERS = dict(
    enumerate(
        [
            Member(),
            Member(),
            Member(),
            Member(locked=True),
            Member(locked=True, hide_followers=True),
            Member(hide_followers=True),
            Member(hide_following=True),
            Member(hide_followers=True, hide_following=True),
            Member(active=False),
            Member(active=False, locked=True),
            Member(locked=True),
        ],
        start=1,
    )
)

#: Who blocks whom, for how long; those of an hour have ended when somebody looks.
BLOCKS: dict[Pair, timedelta | None] = {
    (1, 2): None,
    (3, 1): None,
    (5, 6): 2 * DAY,
    (8, 2): None,
    (2, 4): timedelta(hours=1),
    (7, 10): timedelta(hours=1),
    (6, 3): None,
}
MUTES: list[Pair] = [(1, 3), (2, 1), (4, 5)]


@dataclass
class Town:
    """Some people who know each other, as the library has them and as the plain rules do."""

    session: Session
    clock: Clock
    sight: Sight
    requests: dict[Pair, datetime]

    @property
    def graph(self) -> Graph[Any]:
        return Graph(self.session, MODELS.user)

    def list(self, name: str, owner: int, viewer: Viewer) -> Callable[..., Page[Any]]:
        """Return the read of the list *name*, of which limit and cursor are missing."""
        if name == "followers_you_know":
            return partial(self.graph.followers_you_know, viewer, owner)
        return partial(getattr(self.graph, name), owner, viewer=viewer)

    def glances(self) -> Iterator[tuple[str, int, Viewer]]:
        """Go through every list, everybody whose it is, and everybody who looks."""
        for owner in self.sight.users:
            for viewer in (ALL, None, *self.sight.users):
                for name in LISTS:
                    if isinstance(viewer, int) or name != "followers_you_know":
                        yield name, owner, viewer

    def change(self, user: int, **choices: bool) -> None:
        """Let *user* choose otherwise."""
        person = self.session.get_one(MODELS.user, user)
        for name, value in choices.items():
            setattr(person, name, value)
        self.session.flush()
        users = {**self.sight.users, user: replace(self.sight.users[user], **choices)}
        self.sight = replace(self.sight, users=users)


pytestmark = pytest.mark.tables(MODELS.metadata)


@contextmanager
def town(engine: Engine) -> Iterator[Town]:
    """Let people follow each other, some at the same time; then become private; then ask, block and mute."""
    MODELS.metadata.create_all(engine)
    dice = random.Random(3)
    with stopped_clock() as clock, Session(engine) as session:
        graph = Graph(session, MODELS.user)
        for user in MEMBERS:
            make_users(session, MODELS.user, 1, id=user)
        edges: dict[Pair, datetime] = {}
        requests: dict[Pair, datetime] = {}
        pairs = list(permutations(MEMBERS, 2))
        for pair in dice.sample(pairs, len(pairs) * 3 // 4):
            clock.move(timedelta(minutes=dice.choice([0, 1])))
            graph.follow(*pair)
            edges[pair] = clock.time
        for user, member in MEMBERS.items():
            person = session.get_one(MODELS.user, user)
            for name, value in vars(member).items():
                setattr(person, name, value)
        for a, b in pairs:
            if (a, b) not in edges and MEMBERS[b].locked:
                graph.follow(a, b)
                requests[a, b] = clock.time
        live = set()
        for (a, b), span in BLOCKS.items():
            graph.block(a, b, until=None if span is None else clock.time + span)
            live |= {(a, b), (b, a)} if span is None or span > DAY else set()
            for gone in ((a, b), (b, a)):
                edges.pop(gone, None)
                requests.pop(gone, None)
        for pair in MUTES:
            graph.mute(*pair)
        clock.move(timedelta(hours=2))
        session.commit()
        yield Town(session, clock, Sight(MEMBERS, edges, lambda a, b: (a, b) in live), requests)


def walk(read: Callable[..., Page[Any]], limit: int) -> tuple[list[tuple[datetime, int]], bool]:
    """Return the rows of a list, of which no page came short, and whether a page says that some were left out."""
    said = []

    def page(**place: Any) -> Page[Any]:
        page = read(**place)
        said.append(page.hidden)
        return page

    rows: list[Any] = assert_pages_join_up(page, limits=[limit, 100])
    return [(row.since, row.user.id) for row in rows], any(said)


@in_every_run("sqlite", "postgresql")
@few_or_many("of_so_many", 4, 1)
def test_every_viewer_sees_of_every_list_what_the_rules_allow(engine: Engine, of_so_many: int) -> None:
    """Neither more nor less; every page but the last is full, and only the owner hears that rows were left out."""
    with town(engine) as place:
        for number, glance in enumerate(place.glances()):
            read = place.list(*glance)
            if place.sight.allows(*glance):
                expected = place.sight.rows(*glance), place.sight.leaves_out(*glance)
                # One list of so many by short pages too, there and back.
                assert walk(read, 100 if number % of_so_many else number % 3 + 1) == expected, glance
                assert read().total in (None, len(expected[0])), glance
            else:
                with pytest.raises(NotVisibleError):
                    read()


def test_a_refusal_does_not_say_why(engine: Engine) -> None:
    """Hidden, private or blocked, whoever looks: for one owner all errors are equal."""
    with town(engine) as place:
        reasons: dict[int, set[tuple[object, ...]]] = {}
        for glance in place.glances():
            if not place.sight.allows(*glance):
                with pytest.raises(NotVisibleError) as raised:
                    place.list(*glance)()
                error = raised.value
                reasons.setdefault(glance[1], set()).add((str(error), *vars(error).items(), error.__cause__))
        assert len(reasons) > 7
        assert {owner: len(errors) for owner, errors in reasons.items()} == dict.fromkeys(reasons, 1)


def test_who_is_refused_is_not_told_who_blocked(engine: Engine) -> None:
    """Following one whom I block, and one who blocks me, fails in the same words."""
    with town(engine) as place:

        def refused(follower: int, followed: int) -> str:
            with pytest.raises(BlockedError) as raised:
                place.graph.follow(follower, followed)
            assert vars(raised.value) == {"follower_id": follower, "followed_id": followed}
            return str(raised.value).replace(str(follower), "A").replace(str(followed), "B")

        blocked, blocker = refused(1, 2), refused(2, 1)
        assert blocked == blocker
        assert "block" not in blocked


def test_a_page_takes_the_same_number_of_statements_however_much_is_left_out(engine: Engine) -> None:
    """For one kind of viewer: of short and long lists, on first and on later pages."""
    with town(engine) as place:
        numbers: dict[tuple[str, str], set[int]] = {}
        for glance in place.glances():
            name, owner, viewer = glance
            if not place.sight.allows(*glance) or len(place.sight.rows(*glance)) < 2:
                continue
            kind = "owner" if viewer == owner else "user" if isinstance(viewer, int) else str(viewer)
            read, cursor = place.list(*glance), None
            for _ in range(2):
                with count_statements(engine) as statements:
                    cursor = read(limit=1, cursor=cursor).next
                numbers.setdefault((name, kind), set()).add(len(statements))
        assert len(numbers) == 14
        assert {key: len(each) for key, each in numbers.items()} == dict.fromkeys(numbers, 1)


def test_requests_are_seen_by_their_owner_alone(engine: Engine) -> None:
    """Those that one got and those that one made."""
    with town(engine) as place:
        graph = place.graph
        for owner in MEMBERS:
            got = {a: at for (a, b), at in place.requests.items() if b == owner}
            made = {b: at for (a, b), at in place.requests.items() if a == owner}
            for read, asked in ((graph.requests, got), (graph.sent_requests, made)):
                for viewer in (ALL, owner):
                    expected = [(at, user) for user, at in asked.items() if place.sight.shows(user, viewer)]
                    assert walk(partial(read, owner, viewer=viewer), owner % 3 + 1)[0] == sorted(expected, reverse=True)
                for other in (None, *(MEMBERS.keys() - {owner})):
                    with pytest.raises(NotVisibleError):
                        read(owner, viewer=other)


def test_relationships_say_how_the_viewer_stands_and_nothing_of_others(engine: Engine) -> None:
    """Every field, for every viewer and every user; all false for somebody who is not logged in."""
    with town(engine) as place:
        edges, requests = place.sight.edges, place.requests
        live = {pair for pair in BLOCKS if place.sight.apart(*pair)}
        for viewer in MEMBERS:
            for user, stand in place.graph.relationships(viewer, MEMBERS).items():
                assert isinstance(user, int)
                there, back = (viewer, user), (user, viewer)
                assert (stand.following, stand.followed_by, stand.since) == (
                    there in edges,
                    back in edges,
                    edges.get(there),
                )
                assert (stand.requested, stand.requested_by) == (there in requests, back in requests)
                assert (stand.blocking, stand.blocked_by) == (there in live, back in live)
                assert stand.muting is (there in MUTES)
        assert len(set(place.graph.relationships(None, MEMBERS).values())) == 1


def test_a_cursor_shows_nothing_to_another_viewer(engine: Engine) -> None:
    """Nor of another list, nor of another user."""
    with town(engine) as place:
        sight = place.sight
        cursor = place.graph.followers(1, viewer=1, limit=1).next
        assert cursor
        others = [user for user in MEMBERS if user != 1 and sight.allows("followers", 1, user)]
        viewers: list[Viewer] = [ALL, None, *others]
        for viewer in viewers:
            with pytest.raises(InvalidCursor):
                place.graph.followers(1, viewer=viewer, cursor=cursor)
        with pytest.raises(InvalidCursor):
            place.graph.following(1, viewer=1, cursor=cursor)


def test_a_cursor_from_before_the_block_leads_nowhere_after_it(engine: Engine) -> None:
    """Whoever kept a page open loses the list with the right to see it."""
    with town(engine) as place:
        viewer = next(user for user in (4, 9, 10, 11) if (user, 1) in place.sight.edges)
        cursor = place.graph.followers(1, viewer=viewer, limit=1).next
        assert cursor
        place.graph.block(1, viewer)
        with pytest.raises(NotVisibleError):
            place.graph.followers(1, viewer=viewer, cursor=cursor)


def everything_seen(place: Town, viewer: int) -> list[object]:
    """Return all that *viewer* can read."""
    graph = place.graph
    seen: list[object] = [graph.relationships(viewer, MEMBERS), graph.counts(MEMBERS)]
    for name in LISTS:
        for owner in MEMBERS:
            glance = name, owner, viewer
            seen.append(place.list(*glance)() if place.sight.allows(*glance) else None)
    seen += [read(viewer, viewer=viewer) for read in (graph.requests, graph.sent_requests, graph.notifications)]
    return seen


@pytest.mark.parametrize("notifications", [True, False])
def test_a_mute_is_invisible_to_the_muted(engine: Engine, notifications: bool) -> None:
    """They read, follow and ask as before, and get the same answers."""
    with town(engine) as place:
        before = everything_seen(place, 2)
        for muter in MEMBERS:
            if muter != 2:
                place.graph.mute(muter, 2, notifications=notifications)

        assert everything_seen(place, 2) == before


def test_who_comes_back_is_seen_as_before(engine: Engine) -> None:
    """Deactivation leaves a user out of every list, and keeps every edge and count."""
    with town(engine) as place:
        counts = place.graph.counts(MEMBERS)
        before = [everything_seen(place, viewer) for viewer in (1, 4)]

        place.change(11, active=False)
        for glance in place.glances():
            # Who is inactive meets themselves on others' lists all the same.
            if glance[2] not in (ALL, 11) and place.sight.allows(*glance):
                assert 11 not in [row.user.id for row in place.list(*glance)()], glance
        assert place.graph.counts(MEMBERS) == counts

        place.change(11, active=True)
        assert [everything_seen(place, viewer) for viewer in (1, 4)] == before
