"""Every call takes the number of statements that its docstring says: for one row or fifty, loaded or expired."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event
from sqlalchemy.orm import Session

from retinue import FollowerMixin, Graph
from retinue.testing import count_statements, make_users
from tests.database.models_plain import Base, Follow, UncountedBase, UncountedFollow, UncountedUser, User, crowd

SIZES = (1, 10, 50)


pytestmark = pytest.mark.tables(Base.metadata)


@contextmanager
def statements(engine: Engine, number: int) -> Iterator[None]:
    """Fail unless the block runs exactly *number* statements."""
    with count_statements(engine) as ran:
        yield
    assert len(ran) == number, ran


def surround(graph: Graph[Any], user: Any, others: list[Any]) -> None:
    """Let *user* and each of *others* follow each other, and *others* be followed."""
    for other in others:
        graph.follow(user, other)
        graph.follow(other, user)


def repeated(engine: Engine) -> int:
    """Return what a repeated follow takes: only SQLite's insert does not say that the row was there."""
    return 2 if engine.dialect.name == "sqlite" else 1


def changed(engine: Engine) -> int:
    """Return what a change takes: PostgreSQL changes the edge and two counts in one statement."""
    return 1 if engine.dialect.name == "postgresql" else 3


def says(method: Any, *phrases: str) -> None:
    """Fail unless the docstring of *method* names the cost in these words."""
    text = " ".join(method.__doc__.split())
    for phrase in phrases:
        assert phrase in text


def test_the_docstrings_say_what_the_tests_below_count() -> None:
    """A number that changes here changes in what `help()` says as well."""
    says(
        Graph.follow,
        "one insert, and two updates where counts are kept",
        "at most one select",
        "on PostgreSQL, in one statement",
    )
    says(Graph.unfollow, "one delete, and two updates where counts are kept", "one delete and one select")
    says(Graph.remove_follower, "As `unfollow()`")
    says(Graph.is_following, "One select.")
    says(Graph.relationships, "One select.")
    says(Graph.counts, "one select, of the count rows; it counts the edges of those of *users* who were never")
    says(Graph.followers, "One select, at any depth.")
    for list_ in (Graph.following, Graph.mutuals):
        says(list_, "else as `followers()`")
    says(FollowerMixin.is_following, "One select.")
    says(FollowerMixin.is_a_follower, "One select.")
    says(FollowerMixin.follow, "as `Graph.follow()`")
    says(FollowerMixin.unfollow, "as `Graph.unfollow()`")


@pytest.mark.parametrize("expired", [False, True], ids=["loaded", "expired"])
def test_the_graphs_calls_take_a_fixed_number_of_statements(engine: Engine, expired: bool) -> None:
    """Verbs, questions and lists, given instances or keys, in a transaction that has just begun."""
    with crowd(engine, max(SIZES) + 2) as (session, (a, stranger, *others)):
        graph = Graph(session, User)
        keys = {user: user.id for user in (a, stranger, *others)}
        people: list[User] = []
        done = 0
        for size in SIZES:
            surround(graph, a, others[done:size])
            done = size
            people[:] = others[:size]
            graph.follow(stranger, a)
            graph.unfollow(stranger, a)
            # What changes something can be called once.
            changes, both = changed(engine), ("instances", "keys")
            calls: list[tuple[int, tuple[str, ...], Callable[[Any, Any], Any]]] = [
                (changes, ("instances",), graph.follow),
                (repeated(engine), both, graph.follow),
                (1, both, graph.is_following),
                (changes, ("keys",), graph.unfollow),
                (2, both, graph.unfollow),
                (1, both, graph.is_following),
                (changes, ("keys",), lambda x, y: graph.follow(y, x)),
                (changes, ("instances",), graph.remove_follower),
                (2, both, graph.remove_follower),
                (1, both, lambda x, _: graph.relationships(x, people)),
                (1, both, lambda _, y: graph.relationships(y, people)),
                (1, both, lambda x, y: graph.counts([x, y, *people])),
                (1, both, lambda x, _: graph.followers(x)),
                (1, both, lambda x, _: graph.following(x, limit=100)),
                (1, both, lambda x, _: graph.mutuals(x, limit=1)),
                (1, both, lambda _, y: graph.followers(y)),
            ]
            for number, forms, call in calls:
                for form in forms:
                    arguments = (a, stranger) if form == "instances" else (keys[a], keys[stranger])
                    session.commit()
                    if expired:
                        session.expire_all()
                    with statements(engine, number):
                        call(*arguments)


def test_a_page_costs_the_same_at_any_depth(engine: Engine) -> None:
    """One statement for each page, first and last, forward and back."""
    with crowd(engine, 31) as (session, (a, *others)):
        graph = Graph(session, User)
        surround(graph, a, others)
        for read in (graph.followers, graph.following, graph.mutuals):
            page = read(a, limit=4)
            while page.next:
                with statements(engine, 1):
                    page = read(a, limit=4, cursor=page.next)
            with statements(engine, 1):
                read(a, limit=4, cursor=page.prev)


def test_a_first_ever_count_takes_at_most_four_more_for_each_user(engine: Engine) -> None:
    """A user who was never counted is counted on the first change."""
    with crowd(engine, 2) as (session, (a, b)):
        with count_statements(engine) as ran:
            a.follow(b)

        assert 3 < len(ran) <= 3 + 2 * 4
        with statements(engine, changed(engine)):
            a.unfollow(b)
        session.rollback()


def test_counts_of_a_user_who_was_never_counted_take_no_statement_more(engine: Engine) -> None:
    """However many there are of them."""
    with crowd(engine, 12) as (session, (a, b, *others)):
        a.follow(b)
        for people in ([a, b], [a, others[0]], [a, b, *others], others):
            with statements(engine, 1):
                counts = a.graph.counts(people)
            assert sum(count.followers + count.following for count in counts.values()) == len({a, b} & set(people))
        session.rollback()


def test_without_counts_a_verb_is_one_statement(engine: Engine) -> None:
    """Where no `FollowCountMixin` class is declared, nothing is spent on it."""
    UncountedBase.metadata.create_all(engine)
    with Session(engine) as session:
        a, b = make_users(session, UncountedUser, 2)
        for number, call in ((1, a.follow), (repeated(engine), a.follow), (1, a.unfollow), (2, a.unfollow)):
            with statements(engine, number):
                call(b)
        with statements(engine, 1):
            a.graph.counts([a, b])
        a.follow(b)
        with statements(engine, 4):  # three of the graph's, and the user
            session.delete(b)
            session.flush()
        assert session.query(UncountedFollow).count() == 0


@pytest.mark.parametrize("expired", [False, True], ids=["loaded", "expired"])
def test_the_users_own_methods_take_a_fixed_number_of_statements(engine: Engine, expired: bool) -> None:
    """What the lesson teaches: the same as the graph's calls, and one for each list."""
    with crowd(engine, max(SIZES) + 2) as (session, (a, stranger, *others)):
        graph = Graph(session, User)
        done = 0
        for size in SIZES:
            surround(graph, a, others[done:size])
            done = size
            graph.follow(stranger, a)
            graph.unfollow(stranger, a)
            calls: list[tuple[int, Callable[[], Any]]] = [
                (changed(engine), lambda: a.follow(stranger)),
                (repeated(engine), lambda: a.follow(stranger)),
                (1, lambda: a.is_following(stranger)),
                (1, lambda: stranger.is_a_follower(a)),
                (changed(engine), lambda: a.unfollow(stranger)),
                (2, lambda: a.unfollow(stranger)),
                (1, lambda: list(a.follows)),
                (1, lambda: sorted(user.username for user in a.followed_by)),
                (0, lambda: a.graph.__class__),
            ]
            for number, call in calls:
                session.commit()
                if expired:
                    session.expire_all()
                with statements(engine, number):
                    call()


@pytest.mark.parametrize("expired", [False, True], ids=["loaded", "expired"])
def test_ten_followers_and_both_users_of_every_row_are_one_statement(engine: Engine, expired: bool) -> None:
    """The lesson's own example: george.followers.all(), and then everything about them."""
    with crowd(engine, 11) as (session, (george, *others)):
        surround(george.graph, george, others)
        session.commit()
        for list_, side in (("followers", "follower"), ("following", "following")):
            session.expire_all()
            if not expired:
                session.refresh(george)
            with statements(engine, 1):
                rows = getattr(george, list_).all()
                names = {(row.follower.username, row.following.username, row.timestamp) for row in rows}
            assert len(names) == 10
            assert {getattr(row, side) for row in rows} == set(others)


def test_deleting_a_user_takes_as_many_statements_for_fifty_rows_as_for_one(engine: Engine) -> None:
    """Their rows are not loaded, and the others' counts are corrected all the same."""
    numbers = set()
    with crowd(engine, sum(SIZES) + 2 * len(SIZES)) as (session, users):
        for size in SIZES:
            a, keeper, *others = users[: size + 2]
            del users[: size + 2]
            surround(a.graph, a, others)
            a.graph.follow(keeper, others[0])
            for expired in (False, True):
                session.commit()
                if expired:
                    session.expire(a)
                savepoint = session.begin_nested()
                with count_statements(engine) as ran:
                    session.delete(a)
                    session.flush()
                assert not any(isinstance(row, Follow) for row in session)
                numbers.add(len(ran))
                counts = keeper.graph.counts([keeper, *others])
                assert sum(count.followers + count.following for count in counts.values()) == 2
                if not expired:
                    savepoint.rollback()
            session.commit()

    assert len(numbers) == 1
    assert numbers <= set(range(9, 12))


def test_deleting_users_in_bulk_takes_a_fixed_number_of_statements(engine: Engine) -> None:
    """However many users go at once: one to find them, and the same as for a single one."""
    numbers = set()
    with crowd(engine, 2 * sum(SIZES) + 1) as (session, (keeper, *users)):
        for size in SIZES:
            going = users[: 2 * size]
            del users[: 2 * size]
            surround(keeper.graph, keeper, going)
            session.commit()

            with count_statements(engine) as ran:
                session.execute(delete(User).where(User.id.in_([user.id for user in going])))

            numbers.add(len(ran))
            assert keeper.graph.counts([keeper])[keeper.id].followers == 0
            session.commit()

    assert len(numbers) == 1
    assert numbers <= set(range(10, 13))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_count_rows_are_changed_in_the_order_of_their_keys(engine: Engine) -> None:
    """Whoever follows whom: so that two who follow each other at once never wait in a circle."""
    with Session(engine) as session:
        session.add_all([User(id=key, username=f"user{key}") for key in (701, 702)])
        session.commit()
        graph = Graph(session, User)
        for follower, followed in ((701, 702), (702, 701)):
            for verb in (graph.follow, graph.unfollow, graph.follow):  # at first their rows are made
                changed: list[int] = []

                def note(
                    _connection: Any, _cursor: Any, sql: str, values: Any, *_: Any, to: list[int] = changed
                ) -> None:
                    if sql.startswith("UPDATE follow_counts"):
                        given = values.values() if isinstance(values, dict) else values
                        to.extend(key for key in (701, 702) if key in given)

                event.listen(engine, "before_cursor_execute", note)
                verb(follower, followed)
                event.remove(engine, "before_cursor_execute", note)
                assert changed == sorted(changed)
        assert changed == [701, 702]
