"""The home timeline, against a plain reading of the same rows."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from sqlalchemy import BigInteger, DateTime, Engine, ForeignKey, Index, Integer, MetaData, String, Uuid, insert
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from retinue import (
    ALL,
    Graph,
    InvalidCursor,
    InvalidUserError,
    ModelMissingError,
    NotVisibleError,
    Settings,
    declare_posts,
)
from retinue.cursors import Place, Scope, Way
from retinue.models import UTCDateTime, now
from retinue.testing import count_statements
from retinue.timeline.newest.mariadb import NewestOnMariaDB
from retinue.timeline.newest.postgresql import NewestOnPostgreSQL
from retinue.timeline.newest.sqlite import NewestOnSQLite
from tests import models
from tests.models import Models

START = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE = 30
READER, STRANGER = 1, 2

#: Long texts in an order of their own, and numbers that an INTEGER does not hold.
KEYS: dict[str, tuple[Any, Callable[[int], Any]]] = {
    "int": (Integer, lambda n: n),
    "big": (BigInteger, lambda n: n + 2**40),
    "str": (String(40), lambda n: f"post-{n:05}"),
    "uuid": (Uuid, lambda n: uuid.UUID(int=n, version=4)),
}
TIMES: dict[str, Any] = {"naive": DateTime(), "aware": DateTime(timezone=True), "utc": UTCDateTime()}


@dataclass
class World:
    """Models, and the rows as a plain program sees them."""

    user: Any
    post: Any
    metadata: Any
    key: Callable[[int], Any]
    bare: bool
    #: Kept, as SQLAlchemy forgets a class that nobody holds.
    kept: Models
    posts: list[dict[str, Any]] = field(default_factory=list)
    follows: set[tuple[int, int]] = field(default_factory=set)
    hidden: set[int] = field(default_factory=set)

    def page(self, reader: int) -> list[Any]:
        """Return the keys of the whole timeline, newest first."""
        shown = {b for a, b in self.follows if a == reader} - self.hidden | {reader}
        ended = [post for post in self.posts if post["until"] and self.utc(post["until"]) <= now()]
        rows = [post for post in self.posts if post["author_id"] in shown and post not in ended]
        return [row["id"] for row in sorted(rows, key=lambda row: (row["at"], row["id"]), reverse=True)]

    def utc(self, time: datetime) -> datetime:
        return time.replace(tzinfo=UTC) if self.bare else time

    def stored(self, time: datetime) -> datetime:
        return time.replace(tzinfo=None) if self.bare else time


def declare(key: str = "int", time: str = "utc", **choices: Any) -> World:
    """Return a new world, on models that are declared once for all worlds of these *choices*."""
    return World(*_models(key, time, **choices))


def tables_of(**choices: Any) -> MetaData:
    """Return what the tables of such a world are in."""
    found: MetaData = declare(**choices).metadata
    return found


@cache
def _models(
    key: str,
    time: str,
    *,
    indexed: bool = True,
    until: bool = True,
    lazy: Any = "select",
    how: str = "as it is",  # statements are built once for each class, by what is patched then
) -> tuple[Any, ...]:
    def posts(base: Any, user: type[Any]) -> type[Any]:
        class Post(base):  # type: ignore[misc]
            __tablename__ = "posts"
            id = mapped_column(KEYS[key][0], primary_key=True, autoincrement=False)
            author_id: Mapped[int] = mapped_column(ForeignKey(user.id))
            at = mapped_column("created_at", TIMES[time], nullable=False)
            until = mapped_column(TIMES[time])
            author = relationship(user, lazy=lazy)
            __table_args__ = (Index("ix_posts_author", "author_id", "created_at", "id"),)

        if indexed:
            Index("ix_posts_time", Post.at, Post.id)
        return declare_posts(Post, author="author_id", time="at", until="until" if until else None)

    settings = Settings(active="active")
    kept = models.declare("Follow", "Mute", "Block", settings=settings, key=Integer, flags=("active",), posts=posts)
    return kept.user, kept.post, kept.metadata, KEYS[key][1], time == "naive", kept


def fill(session: Session, world: World, dice: random.Random, posts: int = 400) -> None:
    """Make users who follow, mute and are inactive, and posts of which many share a time."""
    world.metadata.create_all(session.get_bind())
    gone = {5, 6, READER}
    session.execute(insert(world.user), [{"id": n, "active": n not in gone} for n in range(1, PEOPLE + 1)])
    world.follows = {(READER, n) for n in dice.sample(range(3, PEOPLE + 1), 15)} | {(READER, n) for n in (5, 7, 8, 9)}
    world.follows |= {(STRANGER, n) for n in (10, 11)}
    add(session, world, dice, posts)
    graph = Graph(session, world.user)
    for follower, followed in world.follows:
        graph.follow(follower, followed)
    graph.mute(READER, 7)
    graph.mute(READER, 8, until=now() + timedelta(hours=1))
    session.flush()
    table = world.metadata.tables["mutes"]
    ended = now() - timedelta(hours=1)
    session.execute(
        insert(table), {"muter_id": READER, "muted_id": 9, "until": ended, "timestamp": ended, "notifications": True}
    )
    world.hidden = {5, 6, 7, 8}


def add(session: Session, world: World, dice: random.Random, many: int, *, later: int = 0) -> None:
    """Add posts of anybody; those of the first authors come in crowds."""
    first = len(world.posts)
    over = [None, None, None, now() - timedelta(minutes=1), now() + timedelta(hours=1)]
    numbers = dice.sample(range(first, first + many), many)
    rows = [
        {
            "id": world.key(number + 1),
            "author_id": dice.choice([1, 1, 3, 4, 5, 7, *range(1, PEOPLE + 1)]),
            "at": world.stored(START + timedelta(seconds=later + dice.randrange(many // 3))),
            "until": end and world.stored(end),
        }
        for number, end in ((number, dice.choice(over)) for number in numbers)
    ]
    session.execute(insert(world.post), rows)
    world.posts += rows


pytestmark = pytest.mark.tables(tables_of())


@contextmanager
def looks(how: str) -> Iterator[None]:
    """Let the looks reach so far that each of them, and the merge, answers for some pages."""
    reaches = {"as it is": {}, "short": {"near": 8, "far": 40, "few": 3, "dense": 1}, "none": {"near": 1, "far": 2}}
    each = {
        "as it is": {},
        "short": {"near": 8, "far": 3, "few": 3, "crowd": 3},
        "none": {"near": 1, "far": 1, "few": 1},
    }
    with pytest.MonkeyPatch.context() as patch:
        for kind in (NewestOnSQLite, NewestOnPostgreSQL, NewestOnMariaDB):
            of_kind = each if kind is NewestOnPostgreSQL else reaches
            for name, value in of_kind[how].items():
                patch.setattr(kind, name, value)
        yield


def keys(page: Any) -> list[Any]:
    return [post.id for post in page]


def walk(graph: Graph[Any], reader: int, limit: int) -> tuple[list[Any], list[Any]]:
    """Return the keys of all pages to the end, and of all pages from there back."""
    page = graph.home_timeline(reader, limit=limit)
    there, pages = keys(page), [page]
    while page.next:
        page = graph.home_timeline(reader, limit=limit, cursor=page.next)
        pages.append(page)
        there += keys(page)
    assert all(len(page) == limit for page in pages[:-1])
    back = keys(page)
    while page.prev:
        page = graph.home_timeline(reader, limit=limit, cursor=page.prev)
        back = keys(page) + back
    return there, back


@pytest.mark.tables.with_args(lambda how: tables_of(how=how))
@pytest.mark.parametrize("how", ["as it is", "short", "none"])
@pytest.mark.parametrize("limit", [1, 7, 100])
def test_every_page_is_what_a_plain_reading_says(engine: Engine, how: str, limit: int) -> None:
    """Mutes, ended posts and inactive authors are left out; equal times go by key; no page is short; both ways."""
    world = declare(how=how)
    with looks(how), Session(engine) as session:
        fill(session, world, random.Random(limit))
        expected = world.page(READER)
        assert walk(Graph(session, world.user), READER, limit) == (expected, expected)
        assert len(expected) > 100


@pytest.mark.tables(None)
@pytest.mark.parametrize(
    ("time", "key"),
    [
        # A cursor writes down the one and the other by itself.
        pytest.param(time, key, marks=() if key == "int" or time == "utc" else pytest.mark.long)
        for time in TIMES
        for key in KEYS
    ],
)
def test_all_kinds_of_keys_and_times(engine: Engine, key: str, time: str) -> None:
    """A cursor holds the key of a post, of whatever type, and a time that the column compares with its own."""
    world = declare(key, time, how="short")
    with looks("short"), Session(engine) as session:
        if engine.dialect.name == "postgresql":
            session.connection().exec_driver_sql("SET TIME ZONE 'Asia/Tokyo'")
        fill(session, world, random.Random(3), posts=120)
        expected = world.page(READER)
        assert walk(Graph(session, world.user), READER, 10) == (expected, expected)


@pytest.mark.tables.with_args(lambda indexed: tables_of(indexed=indexed))
@pytest.mark.parametrize("indexed", [True, False])
def test_without_an_index_by_time_the_authors_alone_are_asked(engine: Engine, indexed: bool) -> None:
    """No look at everybody's posts then: it would sort them all."""
    world = declare(indexed=indexed)
    with Session(engine) as session:
        fill(session, world, random.Random(5), posts=90)
        with count_statements(engine) as ran:
            page = Graph(session, world.user).home_timeline(READER)
        assert keys(page) == world.page(READER)[:20]
    (statement,) = ran
    assert ("near" in str(statement)) is indexed


@pytest.mark.tables(tables_of(how="short"))
def test_posts_that_come_between_pages_move_nothing(engine: Engine) -> None:
    """The next page goes on where the last one ended; what is new is before the first."""
    world, dice = declare(how="short"), random.Random(8)
    with looks("short"), Session(engine) as session:
        fill(session, world, dice, posts=150)
        graph, before = Graph(session, world.user), world.page(READER)
        page = graph.home_timeline(READER, limit=10)
        add(session, world, dice, 40, later=1_000)
        assert keys(graph.home_timeline(READER, limit=10, cursor=page.next)) == before[10:20]
        fresh = [key for key in world.page(READER) if key not in before]
        newer = graph.home_timeline(READER, limit=5, cursor=graph.home_timeline(READER, limit=1, cursor=page.next).prev)
        assert keys(newer) == before[5:10]
        newer = graph.home_timeline(READER, limit=10, cursor=newer.prev)
        assert keys(newer) == [*fresh[-5:], *before[:5]]


@pytest.mark.tables.with_args(lambda lazy: tables_of(lazy=lazy))
@pytest.mark.parametrize(("lazy", "more"), [("joined", 0), ("selectin", 1), ("raise", 0)])
def test_the_authors_come_as_the_application_says(engine: Engine, lazy: str, more: int) -> None:
    """An eager strategy of its own stays; what would be a statement for each post, or an error, does not."""
    world = declare(lazy=lazy)
    with Session(engine) as session:
        fill(session, world, random.Random(2))
        session.commit()
        session.connection()
        with count_statements(engine) as ran:
            page = Graph(session, world.user).home_timeline(READER)
            assert {post.author.id for post in page}
        assert len(ran) == 1 + more


def test_it_is_for_the_user_alone(engine: Engine) -> None:
    """As a user's requests are; a user that is not there has none, and one without a key has none yet."""
    world = declare()
    with Session(engine) as session:
        fill(session, world, random.Random(2), posts=60)
        graph = Graph(session, world.user)
        mine = graph.home_timeline(READER, viewer=READER, limit=2)
        for viewer in (STRANGER, None):
            with pytest.raises(NotVisibleError):
                graph.home_timeline(READER, viewer=viewer)
        assert keys(mine) == keys(graph.home_timeline(session.get(world.user, READER), limit=2))
        assert not graph.home_timeline(12_345).items
        assert not graph.home_timeline(world.user(id=99)).items
        others: list[dict[str, Any]] = [{"user": STRANGER}, {"user": READER}, {"user": STRANGER, "viewer": STRANGER}]
        for other in others:
            with pytest.raises(InvalidCursor):
                graph.home_timeline(**other, cursor=mine.next)
        with pytest.raises(InvalidCursor):
            graph.following(READER, viewer=READER, cursor=mine.next)


@pytest.mark.tables(tables_of(until=False))
def test_a_block_takes_the_posts_away_both_ways(engine: Engine) -> None:
    """It ends the edge: the timeline need not ask for blocks."""
    world = declare(until=False)
    with Session(engine) as session:
        fill(session, world, random.Random(2))
        graph = Graph(session, world.user)
        authors = {post.author_id for post in graph.home_timeline(READER, limit=100)} - {READER}
        blocker, blocked = sorted(authors)[:2]
        graph.block(blocker, READER)
        graph.block(READER, blocked)
        left = {post.author_id for post in graph.home_timeline(READER, limit=100)} - {READER}
        assert left.isdisjoint({blocker, blocked})
        assert left


def test_a_wrong_limit_is_refused(engine: Engine) -> None:
    world, wrong = declare(), [0, 101, -1, True, "5", None, 2.0]
    with Session(engine) as session:
        fill(session, world, random.Random(2), posts=30)
        for limit in wrong:
            with pytest.raises(ValueError, match="limit"):
                Graph(session, world.user).home_timeline(READER, limit=limit)  # type: ignore[arg-type]


def test_what_is_no_cursor_and_no_user_is_refused_and_breaks_nothing(engine: Engine) -> None:
    """Nothing of it reaches the database; a key that the column cannot hold neither."""
    world = declare()
    with Session(engine) as session:
        fill(session, world, random.Random(2), posts=60)
        graph = Graph(session, world.user)
        good = graph.home_timeline(READER, limit=3)
        forged = Scope(("home_timeline", READER, ALL), b"", int).encode(Place(Way.ON, START, 2**70))
        for cursor in ("", "x" * 9_999, "AAAA", b"", 7, f"{good.next}A", forged, "\0", "é"):
            with pytest.raises(InvalidCursor):
                graph.home_timeline(READER, cursor=cursor)  # type: ignore[arg-type]
        for user in ("1", 2**70, 1.5, None, object()):
            with pytest.raises(InvalidUserError):
                graph.home_timeline(user)
        assert keys(graph.home_timeline(READER, limit=3)) == keys(good)


def test_without_posts_the_line_to_add_is_said(engine: Engine) -> None:
    people = models.declare("Follow")

    with Session(engine) as session, pytest.raises(ModelMissingError, match=r"declare_posts\(Post"):
        people.graph(session).home_timeline(1)
