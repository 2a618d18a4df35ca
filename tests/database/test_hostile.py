"""
Bad input gets a typed error and changes nothing; the caller's transaction goes on.

Each test has an edge that is not committed yet. If anything had ended the
transaction, or the savepoint, it would be gone.
"""

from __future__ import annotations

import base64
import itertools
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, String, Uuid
from sqlalchemy.orm import Session

from retinue import (
    Counts,
    Graph,
    InvalidCursor,
    InvalidUserError,
    NoSessionError,
    Outcome,
    Page,
    Relationship,
    RetinueError,
    SelfFollowError,
    Settings,
    UnknownUserError,
)
from retinue.cursors import Place, Scope, Way
from retinue.testing import count_statements, make_users
from tests.database.models_plain import Base, Follow, FollowCount, UncountedUser, User, crowd
from tests.models import declare

pytestmark = pytest.mark.tables(Base.metadata)


@contextmanager
def unharmed(session: Session, a: Any, b: Any) -> Iterator[Graph[Any]]:
    """Give a graph in a transaction with an uncommitted edge; it is there at the end, and can be committed."""
    graph = Graph(session, type(a))
    assert graph.follow(a, b) is Outcome.FOLLOWED
    yield graph
    assert graph.is_following(a, b)
    assert graph.follow(b, a) is Outcome.FOLLOWED
    session.commit()
    assert [person.user for person in graph.mutuals(a)] == [b]


def keyed(name: str, key: Any, **settings: Any) -> list[type[Any]]:
    """Declare users with a key of this type, and their edges."""
    models = declare("Follow", settings=Settings(**settings), key=key, prefix=f"{name}_")
    return [models.user, models.follow]


TEXT = keyed("text", String(20))
UUID = keyed("uuid", Uuid)
SECRET = keyed("secret", None, secret="the server's own")

THING = object()

#: What no key is, whatever its type.
NEVER: list[Any] = [
    float("nan"),
    1.0,
    1 + 0j,
    Decimal(1),
    b"1",
    [1],
    (1,),
    {"id": 1},
    {1},
    THING,
    int,
    User,
    Follow,
    datetime(2026, 1, 1, tzinfo=UTC),
    10**30,
    -(10**30),
    10**5000,
    2**63,
    True,
    False,
    Ellipsis,
    "\ud800",
    "a\0b",
    "x" * 10**6,
]

IMPOSSIBLE: dict[str, tuple[list[type[Any]], Callable[[int], Any], list[Any]]] = {
    "int": ([User, Follow], lambda n: n, [*NEVER, "1", "", "1; DROP TABLE users", uuid.UUID(int=1), 2**64]),
    "text": (TEXT, lambda n: f"user {n}", [*NEVER, 1, 0, "x" * 21, uuid.UUID(int=1)]),
    "uuid": (UUID, lambda n: uuid.UUID(int=n), [*NEVER, 1, str(uuid.UUID(int=1)), "x"]),
}


def calls_with(graph: Graph[Any], a: Any, b: Any, value: Any) -> list[Callable[[], Any]]:
    """Return every call that takes a user, with *value* in its place."""
    return [
        lambda: graph.follow(a, value),
        lambda: graph.follow(value, a),
        lambda: graph.follow(value, value),
        lambda: graph.unfollow(a, value),
        lambda: graph.remove_follower(value, a),
        lambda: graph.is_following(value, a),
        lambda: graph.is_following(a, value),
        lambda: graph.relationships(value, [a]),
        lambda: graph.relationships(a, [b, value]),
        lambda: graph.relationships(None, [value]),
        lambda: graph.counts([value]),
        lambda: graph.followers(value),
        lambda: graph.following(value),
        lambda: graph.mutuals(value),
        lambda: graph.followers(a, viewer=value),
        lambda: a.follow(value),
        lambda: a.unfollow(value),
        lambda: a.is_following(value),
        lambda: a.is_a_follower(value),
    ]


@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_what_cannot_be_a_key_is_refused_before_any_statement(engine: Engine, kind: str) -> None:
    """Values of another type, out of range, too long, or not to be stored: in every argument of every call."""
    (user_class, *_), key, values = IMPOSSIBLE[kind]
    user_class.metadata.create_all(engine)
    with Session(engine) as session:
        a, b = make_users(session, user_class, 2, id=key)
        values = [*values, UncountedUser(id=1), Follow(), FollowCount()]
        with unharmed(session, a, b) as graph, count_statements(engine) as statements:
            for value in values:
                for call in calls_with(graph, a, b, value):
                    with pytest.raises(InvalidUserError) as error:
                        call()
                    assert len(str(error.value)) < 300
            assert statements == []


def test_none_is_nobody_only_where_somebody_may_look(engine: Engine) -> None:
    """A viewer may be None; a user may not."""
    with crowd(engine, 2) as (session, (a, b)), unharmed(session, a, b) as graph:
        nobody: Any = None
        for call in (
            lambda: graph.follow(a, nobody),
            lambda: graph.unfollow(nobody, a),
            lambda: graph.is_following(a, nobody),
            lambda: graph.followers(nobody),
            lambda: graph.counts([nobody]),
            lambda: a.follow(nobody),
        ):
            with pytest.raises(InvalidUserError):
                call()
        assert graph.relationships(None, [a]) == {a.id: Relationship()}
        assert len(graph.followers(b, viewer=None)) == 1


def test_a_key_at_the_edge_of_its_range_is_a_key(engine: Engine) -> None:
    """What the column can hold is never refused: it is a user, or unknown."""
    with crowd(engine, 2) as (session, (a, b)), unharmed(session, a, b) as graph:
        for key in (0, -1, 2**31 - 1, -(2**31)):
            assert not graph.is_following(a, key)
            with pytest.raises(UnknownUserError):
                graph.follow(a, key)
        beyond = 2**31
        if engine.dialect.name == "sqlite":
            assert graph.counts([beyond]) == {beyond: Counts()}
        else:
            with pytest.raises(InvalidUserError):
                graph.counts([beyond])


def test_a_uuid_that_the_database_cannot_hold_is_no_user(engine: Engine) -> None:
    """MariaDB's own type refuses some values of version 8 and above: to the caller it is nobody's key, as elsewhere."""
    UUID[0].metadata.create_all(engine)
    with Session(engine) as session:
        a, b = make_users(session, UUID[0], 2)
        odd = uuid.UUID("67ea6fb9-b564-90d1-4a31-d91705d1bff8")
        with unharmed(session, a, b) as graph:
            for verb in (graph.follow, graph.unfollow, graph.remove_follower):
                with pytest.raises((UnknownUserError, InvalidUserError)):
                    verb(a, odd)


def test_verbs_name_the_ids_that_nobody_has(engine: Engine) -> None:
    """`UnknownUserError` carries them; reads give False, zero or nothing."""
    with crowd(engine, 2) as (session, (a, b)), unharmed(session, a, b) as graph:
        for verb in (graph.follow, graph.unfollow, graph.remove_follower):
            for pair, unknown in (((a, 999), (999,)), ((998, a.id), (998,)), ((998, 999), (998, 999))):
                with pytest.raises(UnknownUserError) as error:
                    verb(*pair)
                assert set(error.value.user_ids) == set(unknown)
                assert isinstance(error.value, LookupError)
        assert graph.is_following(a, 999) is False
        assert graph.relationships(a, [999]) == {999: Relationship()}
        assert graph.relationships(999, [a]) == {a.id: Relationship()}
        assert graph.counts([999]) == {999: Counts()}
        assert graph.followers(999) == Page()


def test_oneself_is_refused_in_every_form(engine: Engine) -> None:
    """As an instance, as a key, as both, expired, pending or transient."""
    with crowd(engine, 2) as (session, (a, b)), unharmed(session, a, b) as graph:
        key = a.id
        pending = User(username="pending")
        session.add(pending)
        for verb in (graph.follow, graph.unfollow, graph.remove_follower):
            for pair in ((a, a), (a, key), (key, a), (key, key), (pending, pending)):
                with pytest.raises(SelfFollowError):
                    verb(*pair)
        session.expire(a)
        with pytest.raises(SelfFollowError) as error:
            a.follow(key)
        assert error.value.user_id == key
        assert graph.is_following(a, a) is False


def test_users_in_every_state_a_session_knows(engine: Engine) -> None:
    """Expired, detached and transient ones work or are refused as documented; none breaks the transaction."""
    with crowd(engine, 6) as (session, (a, b, expired, detached, deleted, doomed)), unharmed(session, a, b) as graph:
        session.expire(expired)
        assert a.follow(expired)
        session.flush()
        session.expunge(detached)
        assert a.follow(detached)
        assert detached not in session
        assert graph.is_following(a, detached)
        assert {person.user.id for person in graph.following(a)} == {b.id, expired.id, detached.id}

        session.delete(deleted)
        session.flush()
        session.delete(doomed)
        for gone in (deleted, doomed):
            with pytest.raises(UnknownUserError):
                a.follow(gone)
            assert a.is_following(gone) is False

        transient = User(username="transient")
        assert transient.is_following(a) is False
        assert a.is_a_follower(transient) is False
        assert transient not in session
        for question in (lambda: graph.counts([transient]), lambda: graph.relationships(a, [transient])):
            with pytest.raises(InvalidUserError):
                question()
        assert graph.relationships(transient, [a]) == {a.id: Relationship()}
        assert transient.follow(a)
        assert transient in session
        assert transient.id

    lonely, other = User(username="lonely"), User(username="other")
    for call in (lonely.follow, lonely.unfollow, lonely.is_following, lonely.is_a_follower):
        with pytest.raises(NoSessionError):
            call(other)
    with pytest.raises(NoSessionError):
        _ = lonely.graph


def test_a_user_of_another_session_is_taken_by_key(engine: Engine) -> None:
    """A saved one is as good as its key; one that is pending there has none."""
    with crowd(engine, 2) as (session, (a, b)), Session(engine) as elsewhere, unharmed(session, a, b) as graph:
        same = elsewhere.get_one(User, b.id)
        elsewhere.rollback()
        assert graph.follow(a, same) is Outcome.UNCHANGED
        pending = User(username="pending elsewhere")
        elsewhere.add(pending)
        with pytest.raises(InvalidUserError):
            graph.follow(a, pending)
        assert graph.is_following(a, pending) is False
        elsewhere.rollback()


LIMITS: list[Any] = [0, -1, 101, 10**9, 10**30, 10**5000, "x", "5", True, False, None, 1.0, float("nan"), b"5", [5]]


def test_a_limit_outside_its_range_is_refused(engine: Engine) -> None:
    """Before any statement, for each list."""
    with (
        crowd(engine, 2) as (session, (a, b)),
        unharmed(session, a, b) as graph,
        count_statements(engine) as statements,
    ):
        for limit in LIMITS:
            for read in (graph.followers, graph.following, graph.mutuals):
                with pytest.raises(ValueError, match="limit must be a whole number from 1 to 100"):
                    read(a, limit=limit)
        assert statements == []


def test_batches_of_more_than_a_thousand_are_refused(engine: Engine) -> None:
    """Also one that never ends; exactly a thousand is fine, and so are the same user twice and nobody."""
    with crowd(engine, 2) as (session, (a, b)), unharmed(session, a, b) as graph:
        for users in (range(1, 1_002), [a] * 1_001, itertools.count(1), (n for n in range(1, 5_000))):
            for call in (graph.counts, lambda users: graph.relationships(a, users)):
                with count_statements(engine) as statements, pytest.raises(ValueError, match="at most 1000 users"):
                    call(users)
                assert statements == []
        for text in ("ab", b"ab"):
            with pytest.raises(ValueError, match="text"):
                graph.counts(text)
        assert len(graph.counts(range(1, 1_001))) == 1_000
        assert len(graph.relationships(a, range(1, 1_001))) == 1_000
        assert graph.counts([a, a.id, a]) == {a.id: Counts(0, 1)}
        assert graph.counts([]) == {}
        assert graph.relationships(a, []) == {}


# --- Cursors -------------------------------------------------------------------------------------

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def pages_of(session: Session, user_class: type[Any]) -> tuple[list[Any], Page[Any]]:
    """Let four users follow the first; return them, and the first page of two."""
    users = make_users(session, user_class, 5)
    for other in users[1:]:
        other.follow(users[0])
    return users, Graph(session, user_class).followers(users[0], limit=2)


def altered(cursor: str) -> Iterator[Any]:
    """Yield everything that is nearly *cursor*, and much that is not."""
    for place, letter in enumerate(cursor):
        for other in {LETTERS[(LETTERS.index(letter) + step) % 64] for step in (1, 2, 16, 32, 63)}:
            yield cursor[:place] + other + cursor[place + 1 :]
    for length in range(len(cursor)):
        yield cursor[:length]
        yield cursor[length + 1 :]
    yield from (cursor + extra for extra in ("=", "A", " ", "\n", "\0", "é", "\ud800", cursor))
    yield from (f" {cursor}", cursor.swapcase(), cursor[::-1], cursor.encode(), [cursor], {cursor: 1}, (cursor,))
    yield from ("", "=", "A" * 2_048, "A" * 2_049, "x" * 10**6, "\ud800" * 100, "☃", 0, 1, -1, True, 1.5, b"", object())
    yield from (datetime(2026, 1, 1, tzinfo=UTC), uuid.UUID(int=1), Page(), User)


@pytest.mark.parametrize("models", [[User, Follow], SECRET], ids=["checksummed", "signed"])
def test_an_altered_cursor_is_refused(engine: Engine, models: list[type[Any]]) -> None:
    """Every character of it counts, and its length and type; nothing is asked of the database."""
    models[0].metadata.create_all(engine)
    with Session(engine) as session:
        (a, *_), page = pages_of(session, models[0])
        cursor = page.next
        assert cursor
        with count_statements(engine) as statements:
            for other in altered(cursor):
                with pytest.raises(InvalidCursor) as error:
                    a.graph.followers(a, cursor=other)
                assert len(str(error.value)) < 200
        assert statements == []
        assert len(a.graph.followers(a, cursor=cursor)) == 2


def test_a_cursor_belongs_to_its_list_user_and_viewer(engine: Engine) -> None:
    """That of another one is refused as an altered one is, and works for its own."""
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        (a, b, *_), page = pages_of(session, User)
        graph, cursor = a.graph, page.next
        viewed = graph.followers(a, limit=2, viewer=b).next
        anonymous = graph.followers(a, limit=2, viewer=None).next
        assert len({cursor, viewed, anonymous}) == 3
        foreign: list[Callable[[], Any]] = [
            lambda: graph.followers(b, cursor=cursor),
            lambda: graph.following(a, cursor=cursor),
            lambda: graph.mutuals(a, cursor=cursor),
            lambda: graph.followers(a, cursor=cursor, viewer=None),
            lambda: graph.followers(a, cursor=cursor, viewer=b),
            lambda: graph.followers(a, cursor=viewed),
            lambda: graph.followers(a, cursor=viewed, viewer=a),
            lambda: graph.followers(a, cursor=anonymous, viewer=b),
            lambda: graph.followers(999, cursor=cursor),
        ]
        for call in foreign:
            with pytest.raises(InvalidCursor):
                call()
        assert len(graph.followers(a.id, cursor=cursor, limit=1)) == 1
        assert len(graph.followers(a, cursor=viewed, viewer=b.id)) == 2
        assert len(graph.followers(a, cursor=anonymous, viewer=None)) == 2


PAYLOADS: list[bytes] = [
    b"",
    b">",
    b">:",
    b">0",
    b">0:",
    b">:1",
    b"?0:1",
    b"\xff0:1",
    b">x:y",
    b">0:x",
    b">0:1.5",
    b">0:1:2",
    b">0:nan",
    b">0: 1 ",
    b">0:1_0",
    b">0:-1",
    b">0:2147483648",
    b">0:9223372036854775808",
    b">0:" + b"9" * 500,
    b">" + b"9" * 500 + b":1",
    b">99999999999999999:1",
    b">-99999999999999999:1",
    b">-62135596800000000:1",
    b">253402300799999999:1",
    b">0:a\0b",
    b">0:\xff",
    b">0:00000000-0000-0000-0000-000000000001",
    b">0:" + b"y" * 500,
    "]٣:٣".encode(),
]


@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_a_forged_cursor_breaks_nothing(engine: Engine, kind: str) -> None:
    """Without a secret anybody can make the checksum: what they put in is refused, or leads to some page."""
    (user_class, *_), key, _ = IMPOSSIBLE[kind]
    user_class.metadata.create_all(engine)
    with Session(engine) as session:
        a, b = make_users(session, user_class, 2, id=key)
        with unharmed(session, a, b) as graph:
            for way in Way:
                for payload in PAYLOADS:
                    forged = payload.replace(b">", way.value.encode(), 1)
                    cursor = sign(Scope(("followers", a.id, None), b"", type(a.id)), forged)
                    try:
                        page = graph.followers(a, cursor=cursor, viewer=None)
                    except InvalidCursor:
                        continue
                    assert isinstance(page, Page)
            good = Scope(("followers", b.id, None), b"", type(a.id)).encode(Place(Way.ON, datetime.now(UTC), b.id))
            assert [person.user for person in graph.followers(b, cursor=good, viewer=None)] == [a]


def test_a_cursor_cannot_be_forged_without_the_secret(engine: Engine) -> None:
    """With a secret only the server makes cursors: a guess of it is not enough."""
    SECRET[0].metadata.create_all(engine)
    with Session(engine) as session:
        (a, *_), page = pages_of(session, SECRET[0])
        since = page.items[1].since
        place = Place(Way.ON, since, page.items[1].user.id)
        for secret, fits in ((b"", False), (b"the server's", False), (b"the server's own", True)):
            cursor = Scope(("followers", a.id, None), secret, int).encode(place)
            if fits:
                assert len(a.graph.followers(a, viewer=None, cursor=cursor)) == 2
            else:
                with pytest.raises(InvalidCursor):
                    a.graph.followers(a, viewer=None, cursor=cursor)


def sign(scope: Scope, payload: bytes) -> str:
    """Return *payload* as a cursor whose checksum is right."""
    return base64.urlsafe_b64encode(payload + scope._digest(payload)).decode().rstrip("=")


def test_every_error_is_one_of_the_librarys(engine: Engine) -> None:
    """One `except RetinueError` is enough, and `ValueError` or `LookupError` fit as well."""
    with crowd(engine, 1) as (_, (a,)):
        follows: Any = a.follows
        for call, also in (
            (lambda: a.follow(a), ValueError),
            (lambda: a.follow("x"), ValueError),
            (lambda: a.follow(999), LookupError),
            (lambda: a.graph.followers(a, cursor="x"), ValueError),
            (lambda: follows.append(a), TypeError),
        ):
            with pytest.raises(RetinueError) as error:
                call()
            assert isinstance(error.value, also)
