"""Pages: walking them gives exactly the list, in either direction, also while rows come and go."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, String, Uuid, delete
from sqlalchemy.orm import Session

from retinue import Graph, Page, Person
from retinue.testing import assert_pages_join_up, make_users
from tests.database.models_plain import Base, Follow, User, crowd
from tests.models import Models, declare

START = datetime(2026, 1, 1, tzinfo=UTC)

#: How the times of thirty edges lie: how many share one.
SHARED = {"all different": 1, "in groups": 4, "all the same": 30}

pytestmark = pytest.mark.tables(Base.metadata)


def link(session: Session, follower: Any, followed: Any, minute: float) -> None:
    """Add an edge that was made so many minutes after START."""
    session.add(Follow(follower=follower, following=followed, timestamp=START + timedelta(minutes=minute)))


def names(page: Any) -> list[int]:
    """Return the keys of the users on a page, in their order."""
    return [person.user.id for person in page]


@pytest.mark.parametrize("shared", SHARED.values(), ids=SHARED)
def test_pages_join_up(engine: Engine, shared: int) -> None:
    """Pages of one to eleven rows, there and back, give the list: newest first, then by key."""
    with crowd(engine, 31) as (session, (a, *others)):
        graph = Graph(session, User)
        shuffled = random.Random(shared).sample(others, len(others))
        expected: dict[str, list[tuple[datetime, int]]] = {"followers": [], "following": [], "mutuals": []}
        for number, other in enumerate(shuffled):
            minute = number // shared
            link(session, other, a, minute)
            expected["followers"].append((START + timedelta(minutes=minute), other.id))
            if number % 3:
                link(session, a, other, -minute)
                expected["following"].append((START - timedelta(minutes=minute), other.id))
                expected["mutuals"].append((START - timedelta(minutes=minute), other.id))
        session.commit()

        for name, rows in expected.items():
            people: list[Person[User]] = assert_pages_join_up(partial(getattr(graph, name), a))

            assert [(person.since, person.user.id) for person in people] == sorted(rows, reverse=True)


KEYS: dict[str, tuple[Models, Callable[[int], Any]]] = {
    "uuid": (declare("Follow", key=Uuid), lambda n: uuid.UUID(int=random.Random(n).getrandbits(128), version=4)),
    "text": (declare("Follow", key=String(80)), lambda n: f"{n * 37 % 101:03}-'\"\\%:é-{n}"),
}


@pytest.mark.tables.with_args(lambda kind: KEYS[kind][0].metadata)
@pytest.mark.parametrize("kind", KEYS)
def test_pages_join_up_whatever_order_the_database_gives_its_keys(engine: Engine, kind: str) -> None:
    """Equal times and keys that the database sorts in its own way: still each row once."""
    models, key = KEYS[kind]
    with Session(engine) as session:
        a, *others = make_users(session, models.user, 24, id=key)
        session.add_all(models.follow(follower=other, following=a, timestamp=START) for other in others)
        session.flush()

        people: list[Person[Any]] = assert_pages_join_up(partial(a.graph.followers, a))

        assert {person.user for person in people} == set(others)
        assert len(people) == len(others)


@pytest.mark.parametrize("limit", [1, 3, 7])
@pytest.mark.parametrize("shared", [1, 5])
def test_nothing_that_stays_is_repeated_or_lost_while_rows_come_and_go(engine: Engine, shared: int, limit: int) -> None:
    """Between any two pages rows vanish, the one that the cursor names too, and new ones are made."""
    rng = random.Random(limit)
    with crowd(engine, 42) as (session, (a, *others)):
        graph = Graph(session, User)
        old, fresh = others[:30], others[30:]
        for number, other in enumerate(old):
            link(session, other, a, number // shared)
        session.commit()
        gone: set[int] = set()
        there: list[int] = []
        back: list[int] = []

        def disturb(page: Page[Person[User]]) -> None:
            doomed = {rng.choice(old).id, *names(page)[-1:][: rng.randrange(2)]}
            session.execute(delete(Follow).where(Follow.follower_id.in_(doomed), Follow.following_id == a.id))
            gone.update(doomed)
            if fresh:
                fresh.pop().follow(a)
            session.commit()

        before = sorted(((START + timedelta(minutes=n // shared), user.id) for n, user in enumerate(old)), reverse=True)
        order = [key for _, key in before]
        page = graph.followers(a, limit=limit)
        there += names(page)
        while page.next:
            disturb(page)
            page = graph.followers(a, limit=limit, cursor=page.next)
            there += names(page)
        assert len(set(there)) == len(there)
        assert set(there) <= set(order)
        stayed = [key for key in order if key not in gone]
        assert [key for key in there if key not in gone] == stayed

        back[:0] = names(page)
        while page.prev:
            disturb(page)
            page = graph.followers(a, limit=limit, cursor=page.prev)
            back[:0] = names(page)
        assert len(set(back)) == len(back)
        stayed = [key for key in order if key not in gone]
        assert [key for key in back if key in set(order) - gone] == stayed


def test_an_empty_page_has_a_way_back(engine: Engine) -> None:
    """Who stands where everything vanished is led back to the rest, in both directions."""
    with crowd(engine, 10) as (session, (a, *others)):
        graph = Graph(session, User)
        for number, other in enumerate(others):
            link(session, other, a, number)
        session.commit()
        newest = [other.id for other in reversed(others)]

        def without(*users: User) -> None:
            session.execute(delete(Follow).where(Follow.follower_id.in_([user.id for user in users])))

        first = graph.followers(a, limit=3)
        second = graph.followers(a, limit=3, cursor=first.next)
        without(*others[:6])
        empty = graph.followers(a, limit=3, cursor=first.next)
        assert (names(empty), empty.next) == ([], None)
        again = graph.followers(a, limit=3, cursor=empty.prev)
        assert names(again) == names(first) == newest[:3]
        session.rollback()

        without(*others[6:])
        empty = graph.followers(a, limit=3, cursor=second.prev)
        assert (names(empty), empty.prev) == ([], None)
        again = graph.followers(a, limit=3, cursor=empty.next)
        assert names(again) == names(second) == newest[3:6]
        session.rollback()

        without(*others)
        for cursor in (first.next, second.prev):
            empty = graph.followers(a, cursor=cursor)
            assert names(empty) == []
            nowhere = graph.followers(a, cursor=empty.prev or empty.next)
            assert names(nowhere) == []
        assert graph.followers(a) == Page()


def test_who_follows_again_is_at_the_top_again(engine: Engine) -> None:
    """The list goes by the edge that there is, not by one that there was."""
    with crowd(engine, 4) as (session, (a, b, c, d)):
        for other in (b, c, d):
            other.follow(a)
        session.commit()
        b.unfollow(a)
        b.follow(a)

        assert names(a.graph.followers(a)) == [b.id, d.id, c.id]
        since = a.graph.followers(a).items[0].since
        assert since.tzinfo is not None
        assert since == b.graph.relationships(b, [a])[a.id].since


def test_a_page_has_twenty_rows_unless_asked_and_a_hundred_at_most(engine: Engine) -> None:
    """The default, the largest, and a list that ends exactly at the end of a page."""
    with crowd(engine, 102) as (session, (a, *others)):
        for other in others:
            a.follow(other)
        graph = a.graph

        assert len(graph.following(a)) == 20
        page = graph.following(a, limit=100)
        assert (len(page), bool(page)) == (100, True)
        last = graph.following(a, limit=100, cursor=page.next)
        assert (len(last), last.next) == (1, None)
        a.unfollow(others[0])
        assert graph.following(a, limit=100).next is None
        session.rollback()


def test_a_list_of_somebody_unknown_is_empty(engine: Engine) -> None:
    """No row, no way on, no error; and for a user who has no key yet, no statement."""
    with crowd(engine, 1) as (session, (a,)):
        for nobody in (10**6, User(username="nobody yet")):
            for read in (a.graph.followers, a.graph.following, a.graph.mutuals):
                assert read(nobody) == Page()
        assert session.query(User).count() == 1
