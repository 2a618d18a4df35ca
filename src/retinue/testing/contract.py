"""
Tests of what Retinue promises, for an application's own models.

Functions and one class; they do not need pytest. The caller brings the session.
"""

from __future__ import annotations

import datetime as dt
import decimal
import itertools
import uuid
from collections.abc import Callable, Container, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Column, event, inspect
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import Mapper, Session, class_mapper, object_session

from retinue.errors import BlockedError, NotVisibleError, SelfFollowError
from retinue.graph import Graph
from retinue.models import values_of
from retinue.schema import schema_of
from retinue.schema.flags import written_by
from retinue.testing.auditor import audited, count_statements
from retinue.ties import BLOCK, REQUEST
from retinue.values import Counts, Outcome, Page, Person

T = TypeVar("T")
U = TypeVar("U")

_numbers = itertools.count(1)


# --- Users ---------------------------------------------------------------------------------------


def make_users(session: Session, user_class: type[U], count: int, **values: Any) -> list[U]:
    """
    Add *count* new users to *session*, flush, and return them. Commits nothing.

    Columns that need a value and have no default get one of their type, another one for
    each user. *values* win over that; a value that can be called is called with a running number.

    Raises:
        TypeError: A column needs a value that cannot be guessed, such as a foreign key.
    """
    users = []
    for _ in range(count):
        number = next(_numbers)
        filled = {name: make(number) for name, make in _required(user_class, values).items()}
        given = {name: value(number) if callable(value) else value for name, value in values.items()}
        users.append(user_class(**filled, **given))
    session.add_all(users)
    session.flush()
    return users


def _required(user_class: type[Any], given: Container[str]) -> dict[str, Callable[[int], Any]]:
    mapper: Mapper[Any] = class_mapper(user_class)
    makers: dict[str, Callable[[int], Any]] = {}
    for name, attribute in mapper.column_attrs.items():
        column = attribute.columns[0]
        if name in given or not isinstance(column, Column) or column.nullable or column.default is not None:
            continue
        if column.server_default is not None or column is mapper.polymorphic_on:
            continue
        if column is column.table.autoincrement_column or attribute.columns[1:]:
            continue  # the database makes it, or the parent's table has it
        makers[name] = _maker(name, column)
    if (active := user_class.__retinue__.active) in makers:
        makers[active] = lambda _: True
    return makers


def _maker(name: str, column: Column[Any]) -> Callable[[int], Any]:
    kind = _taken_by(column)
    if column.foreign_keys or (kind not in _MAKERS and not isinstance(column.type, EnumType)):
        message = f"make_users() cannot guess {name}: give {name}=... or {name}=lambda number: ..."
        raise TypeError(message)
    if isinstance(column.type, EnumType):
        first = next(iter(column.type.enum_class or column.type.enums))
        return lambda _: first
    if kind is str:
        length = getattr(column.type, "length", None) or 255
        return lambda number: f"{name}{number}"[-length:]
    return _MAKERS[kind]


def _taken_by(column: Column[Any]) -> type[Any]:
    """Return what *column* takes; if its type does not say so, what the type is made of does."""
    with suppress(NotImplementedError):
        kind = column.type.python_type
        if kind in _MAKERS:
            return kind
    return values_of(column)


_MAKERS: dict[type, Callable[[int], Any]] = {
    str: str,
    int: lambda number: number,
    float: float,
    bool: lambda _: False,
    bytes: lambda number: str(number).encode(),
    decimal.Decimal: decimal.Decimal,
    uuid.UUID: lambda number: uuid.UUID(int=number),
    dt.datetime: lambda _: dt.datetime.now(dt.UTC),
    dt.date: lambda _: dt.datetime.now(dt.UTC).date(),
}


# --- Pages ---------------------------------------------------------------------------------------


def assert_pages_join_up(read: Callable[..., Page[T]], limits: Iterable[int] = range(1, 12)) -> list[T]:
    """
    Walk a list to its end and back, by pages of each of *limits* rows; return the list.

    *read* takes ``limit`` and ``cursor``: ``functools.partial(graph.followers, user)``.
    All walks must give the same rows, each once; every page but the last must be full,
    and going back must give the same pages again. The list must not change meanwhile.

    Raises:
        AssertionError: A walk breaks one of these rules.
    """
    whole: list[T] | None = None
    for limit in limits:
        pages = _walk(read, limit)
        rows = [row for page in pages for row in page]
        whole = rows if whole is None else whole
        assert rows == whole, f"pages of {limit} rows give another list"
        assert all(len(page) == limit for page in pages[:-1]), f"a page of {limit} rows came back short"
        assert pages[0].prev is None, "the first page leads to newer rows"
        assert len(pages) == 1 or pages[-1].items, "the last page is empty"
        back = [pages[-1]]
        while (cursor := back[-1].prev) is not None:
            back.append(read(limit=limit, cursor=cursor))
            assert len(back) <= len(pages), f"going back by {limit} rows does not end"
        assert [page.items for page in reversed(back)] == [page.items for page in pages], (
            f"going back by {limit} rows gives other pages"
        )
        for page, older in zip(back[1:], back, strict=False):
            assert page.next is not None, "going back has lost the way on"
            assert read(limit=limit, cursor=page.next).items == older.items, "the way on leads elsewhere"
    return whole or []


def _walk(read: Callable[..., Page[T]], limit: int) -> list[Page[T]]:
    pages, seen = [read(limit=limit, cursor=None)], set[str]()
    while (cursor := pages[-1].next) is not None:
        assert cursor not in seen, f"pages of {limit} rows go in a circle"
        seen.add(cursor)
        pages.append(read(limit=limit, cursor=cursor))
    return pages


# --- The contract --------------------------------------------------------------------------------


class GraphContract:
    """
    Tests for pytest of what holds for every user class.

    Inherit it, and give it a fixture ``users``: at least six users of one session,
    saved, whom nobody follows yet. Each test writes to their session and commits
    nothing, so the fixture rolls back, or throws its database away::

        class TestGraph(GraphContract):
            @pytest.fixture
            def users(self, session):
                return make_users(session, User, 6)
    """

    def test_a_follow_is_there_once_until_it_is_taken_back(self, users: Sequence[Any]) -> None:
        """Following twice, or unfollowing twice, changes nothing the second time."""
        a, b = users[:2]
        assert (a.is_following(b), b.is_a_follower(a)) == (False, False)
        assert (a.follow(b), a.follow(b)) == (Outcome.FOLLOWED, Outcome.UNCHANGED)
        assert (a.is_following(b), b.is_a_follower(a), b.is_following(a)) == (True, True, False)
        assert (a.follows.all(), b.followed_by.all()) == ([b], [a])
        assert (a.unfollow(b), a.unfollow(b)) == (True, False)
        assert (a.follows.all(), b.followed_by.all()) == ([], [])

    def test_nobody_follows_themselves(self, users: Sequence[Any]) -> None:
        """It is refused, and the transaction goes on."""
        for attempt in (users[0].follow, users[0].unfollow):
            assert _raises(SelfFollowError, attempt, users[0]), "a user could follow themselves"
        assert users[0].follow(users[1]) is Outcome.FOLLOWED

    def test_a_row_brings_both_users(self, users: Sequence[Any]) -> None:
        """A list of rows, and the users of each row, are one statement."""
        session, (a, *others) = _session(users)
        for other in others:
            other.follow(a)
        session.flush()
        session.expire_all()
        _key(a)
        with count_statements(_bind(session, a)) as statements:
            read = {(_key(row.follower), _key(row.following)) for row in a.followers.all()}
        assert read == {(_key(other), _key(a)) for other in others}
        assert len(statements) == 1

    def test_lists_are_newest_first_and_pages_join_up(self, users: Sequence[Any]) -> None:
        """Walking every page, either way, gives exactly the list."""
        session, (a, *others) = _session(users)
        graph = Graph(session, type(a))
        for other in others:
            other.follow(a)
        for other in others[::2]:
            a.follow(other)
        for read, expected in (
            (graph.followers, others[::-1]),
            (graph.following, others[::2][::-1]),
            (graph.mutuals, others[::2][::-1]),
        ):
            found: list[Person[Any]] = assert_pages_join_up(partial(read, a), limits=range(1, 7))
            assert [person.user for person in found] == expected

    def test_counts_and_relationships_say_what_the_rows_say(self, users: Sequence[Any]) -> None:
        """After verbs and after writes through the ORM alike."""
        session, (a, b, c, d, *_) = _session(users)
        follow: Any = schema_of(type(a)).follow
        a.follow(b)
        b.follow(a)
        session.add(follow(follower=c, following=a))
        a.following.append(follow(following=d))
        session.flush()
        assert _counts(a, b, c, d) == [(2, 2), (1, 1), (0, 1), (1, 0)]
        found = a.graph.relationships(a, users)
        edges = [(found[_key(user)].following, found[_key(user)].followed_by) for user in (b, c, d)]
        assert edges == [(True, True), (False, True), (True, False)]
        session.delete(a.followers.filter_by(follower_id=_key(b)).one())
        session.flush()
        a.graph.remove_follower(a, c)
        assert _counts(a, b, c, d) == [(0, 2), (1, 0), (0, 0), (1, 0)]

    def test_what_is_rolled_back_was_never_there(self, users: Sequence[Any]) -> None:
        """A savepoint that is rolled back takes rows and counts with it."""
        session, (a, b, c, *_) = _session(users)
        a.follow(b)
        savepoint = session.begin_nested()
        a.follow(c)
        a.unfollow(b)
        savepoint.rollback()
        assert (a.follows.all(), _counts(a, b, c)) == ([b], [(0, 1), (1, 0), (0, 0)])

    def test_a_user_who_goes_leaves_nothing_behind(self, users: Sequence[Any]) -> None:
        """Their rows go on both sides, and the counts of the others stay right."""
        session, (a, b, c, *_) = _session(users)
        a.follow(b)
        b.follow(c)
        c.follow(a)
        loaded = a.following.all() + c.following.all()
        session.delete(b)
        session.flush()
        assert (a.follows.all(), c.follows.all(), _counts(a, c)) == ([], [a], [(1, 0), (0, 1)])
        assert [inspect(row).persistent for row in loaded] == [False, True]

    def test_statements_are_shard_safe(self, users: Sequence[Any]) -> None:
        """Every statement of the graph holds the rows that it reads to their owner."""
        session, (a, b, *_) = _session(users)
        graph = Graph(session, type(a))
        with audited(_bind(session, a)) as audit:
            a.follow(b)
            b.follow(a)
            graph.relationships(a, users)
            graph.counts(users)
            for read in (graph.followers, graph.following, graph.mutuals):
                assert len(read(a)) == 1
            a.is_following(b)
            a.unfollow(b)
            session.delete(b)
            session.flush()
        assert audit.seen

    def test_a_request_waits_for_its_answer(self, users: Sequence[Any]) -> None:
        """If users approve their followers: a request waits, and asking twice changes nothing."""
        _, (a, b, c, *_) = _session(users)
        schema, graph = schema_of(type(a)), a.graph
        locked = schema.flags.get("locked")
        if not REQUEST.is_declared(schema) or locked is None or written_by(schema.user, locked) is None:
            return
        setattr(b, locked, True)
        assert [graph.follow(who, b) for who in (a, a, c)] == [Outcome.REQUESTED, Outcome.UNCHANGED, Outcome.REQUESTED]
        assert [person.user for person in graph.requests(b)] == [c, a]
        assert (graph.accept(a, b), graph.accept(b, a), graph.reject(b, c)) == (False, True, True)
        assert [person.user for person in graph.followers(b)] == [a]
        assert graph.follow(a, b) is Outcome.UNCHANGED
        assert _raises(NotVisibleError, graph.followers, b, viewer=c), "a stranger saw the followers of a private user"

    def test_a_block_wins(self, users: Sequence[Any]) -> None:
        """If users can block: a block ends what is between the two, and prevents anything new, until it is ended."""
        session, (a, b, c, *_) = _session(users)
        schema, graph = schema_of(type(a)), a.graph
        if not BLOCK.is_declared(schema):
            return
        a.follow(b)
        b.follow(a)
        b.follow(c)
        assert (graph.block(a, b), graph.block(a, b)) == (True, False)
        assert (a.is_following(b), b.is_following(a), _counts(a, b, c)) == (False, False, [(0, 0), (0, 1), (1, 0)])
        for pair in ((a, b), (b, a)):
            assert _raises(BlockedError, graph.follow, *pair), "an edge came beside a block"
        assert [person.user for person in graph.followers(c, viewer=a)] == []
        assert [person.user for person in graph.followers(c, viewer=None)] == [b]
        assert (graph.unblock(a, b, restore=True), _counts(a, b)) == (True, [(1, 1), (1, 2)])
        session.flush()

    def test_nothing_is_committed(self, users: Sequence[Any]) -> None:
        """Every verb works in the caller's transaction, and leaves it open."""
        session, (a, b, *_) = _session(users)
        ended: list[object] = []
        note = ended.append
        for name in ("after_commit", "after_rollback"):
            event.listen(session, name, note)
        a.follow(b)
        a.graph.remove_follower(b, a)
        a.graph.followers(b)
        if BLOCK.is_declared(schema_of(type(a))):
            a.graph.block(a, b)
        for name in ("after_commit", "after_rollback"):
            event.remove(session, name, note)
        assert ended == []
        assert session.in_transaction()


def _raises(error: type[Exception], call: Callable[..., object], *arguments: Any, **named: Any) -> bool:
    try:
        call(*arguments, **named)
    except error:
        return True
    return False


def _session(users: Sequence[Any]) -> tuple[Session, Sequence[Any]]:
    session = object_session(users[0])
    assert session is not None, "the fixture `users` gives users of a session"
    assert len(users) >= 6, "the fixture `users` gives at least six users"
    return session, users


def _bind(session: Session, user: Any) -> Any:
    return session.get_bind(mapper=class_mapper(schema_of(type(user)).follow))


def _key(user: Any) -> Any:
    return getattr(user, schema_of(type(user)).key_name)


def _counts(*users: Any) -> list[tuple[int, int]]:
    """Return (followers, following) of each user, as the graph counts them, after comparing with the rows."""
    counts: dict[Any, Counts] = users[0].graph.counts(users)
    found = [(counts[_key(user)].followers, counts[_key(user)].following) for user in users]
    assert found == [(user.followers.count(), user.following.count()) for user in users]
    return found
