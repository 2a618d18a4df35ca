"""Times as applications keep them: by the database's clock, without microseconds, as text of several forms."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import DateTime, Engine, ForeignKey, Index, Integer, func, insert, text
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, mapped_column, sessionmaker

from retinue import (
    ALL,
    FollowerMixin,
    FollowMixin,
    Graph,
    InvalidCursor,
    TimelineEntryMixin,
    declare_posts,
    fanout,
)
from retinue.cursors import Place, Scope, StoredTime, Way, time_of

AUTHOR, READER = 1, 2

#: SQLite's type takes a format; SQLAlchemy has not typed it.
SQLITE_TIME: Any = sqlite.DATETIME

#: The types of a column of times that keep whole seconds somewhere.
TYPES: dict[str, Any] = {
    "bare": DateTime(),
    "with a zone": DateTime(timezone=True),
    "whole seconds": DateTime()
    .with_variant(mysql.DATETIME(fsp=0), "mariadb", "mysql")
    .with_variant(postgresql.TIMESTAMP(precision=0), "postgresql")
    .with_variant(SQLITE_TIME(truncate_microseconds=True), "sqlite"),
    "iso": DateTime().with_variant(
        SQLITE_TIME(storage_format="%(year)04d-%(month)02d-%(day)02dT%(hour)02d:%(minute)02d:%(second)02d"),
        "sqlite",
    ),
}


def declare(time: Any) -> tuple[Any, Any, Any]:
    """Declare users, posts whose time the database gives, and timelines that are kept."""

    class Base(DeclarativeBase):
        pass

    class User(FollowerMixin, Base):
        __tablename__ = "users"
        id = mapped_column(Integer, primary_key=True)

    class Follow(FollowMixin, Base):
        __tablename__ = "follows"

    class Post(Base):
        __tablename__ = "posts"
        id = mapped_column(Integer, primary_key=True)
        author_id = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), nullable=False)
        made_at = mapped_column(time, server_default=func.now(), nullable=False)
        __table_args__ = (Index("ix_author", "author_id", "made_at", "id"), Index("ix_time", "made_at", "id"))

    declare_posts(Post, author="author_id", time="made_at")

    class TimelineEntry(TimelineEntryMixin, Base):
        __tablename__ = "timeline_entries"

    return User, Post, (Follow, TimelineEntry)


def begin(engine: Engine, user: Any, *, kept: bool) -> Any:
    """Make two users, one of whom follows the other; return what makes sessions."""
    user.metadata.create_all(engine)
    sessions = sessionmaker(engine)
    with sessions.begin() as session:
        session.add_all([user(id=AUTHOR), user(id=READER)])
        graph: Graph[Any] = Graph(session, user)
        graph.follow(READER, AUTHOR)
        if kept:
            graph.mark_active(READER)
    fanout.work(engine, user)
    return sessions


def walk(graph: Graph[Any], limit: int) -> list[int]:
    """Return the keys of the posts on all pages; fail unless the way back has them, too."""
    pages = [graph.home_timeline(READER, limit=limit)]
    while pages[-1].next and len(pages) < 20:
        pages.append(graph.home_timeline(READER, limit=limit, cursor=pages[-1].next))
    page, back = pages[-1], list(pages[-1].items)
    while page.prev:
        page = graph.home_timeline(READER, limit=limit, cursor=page.prev)
        back[:0] = page.items
    found = [post.id for page in pages for post in page]
    assert [post.id for post in back] == found
    return found


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kept", [False, True], ids=["looked up", "kept"])
@pytest.mark.parametrize("kind", TYPES)
def test_posts_of_one_second(engine: Engine, kind: str, kept: bool) -> None:
    """The database's clock gave their times: every page goes on behind the last, and a kept timeline has all."""
    User, Post, _kept = declare(TYPES[kind])  # noqa: N806 - classes
    sessions = begin(engine, User, kept=kept)
    with sessions.begin() as session:
        session.execute(insert(Post), [{"id": number, "author_id": AUTHOR} for number in range(1, 6)])
    if kept:
        with sessions.begin() as session:
            Graph(session, User).note_posts(range(1, 6))
        fanout.work(engine, User)
    with sessions() as session:
        for limit in (1, 2, 5):
            assert walk(Graph(session, User), limit) == [5, 4, 3, 2, 1]


#: Texts of one column, the newest first: what several programs wrote.
FORMS = [
    "2026-01-02T00:00:00",
    "2026-01-02 10:00:00.500000",
    "2026-01-02 10:00:00.5",
    "2026-01-02 10:00:00.000000",
    "2026-01-02 10:00:00",
    "2026-01-02 09:59:59.999999",
    "2026-01-01T23:00:00+02:00",
    "2026-01-01T10:00:00.123",
    "2026-01-01 23:00:00",
]


@pytest.mark.parametrize("kept", [False, True], ids=["looked up", "kept"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_texts_of_many_forms(engine: Engine, kept: bool) -> None:
    """SQLite sorts them as the texts that they are: nothing is repeated, and nothing is lost."""
    User, _, _kept = declare(DateTime())  # noqa: N806 - classes
    sessions = begin(engine, User, kept=kept)
    ordered = sorted([*FORMS, *FORMS], reverse=True)
    with sessions.begin() as session:
        for number, form in enumerate(ordered):
            row = {"id": 100 - number, "author": AUTHOR, "form": form}
            session.execute(text("INSERT INTO posts (id, author_id, made_at) VALUES (:id, :author, :form)"), row)
        if kept:
            Graph(session, User).note_posts(100 - number for number in range(len(ordered)))
    fanout.work(engine, User)
    with sessions() as session:
        for limit in (1, 4, 100):
            assert walk(Graph(session, User), limit) == [100 - number for number in range(len(ordered))]


@pytest.mark.parametrize("stored", ["nonsense", "2026-13-01 00:00:00", "", "-", "9999-12-31T23:59:59-12:00"])
def test_a_forged_time_is_no_time(engine: Engine, stored: str) -> None:
    """A cursor that says so leads nowhere, on any engine, and the transaction goes on."""
    User, _, _kept = declare(DateTime())  # noqa: N806 - a class
    sessions = begin(engine, User, kept=False)
    scope = Scope(("home_timeline", READER, ALL), b"", int)
    cursor = scope.encode(Place(Way.ON, StoredTime.of(time_of(0), stored), 1))
    with sessions() as session:
        graph: Graph[Any] = Graph(session, User)
        with pytest.raises(InvalidCursor):
            graph.home_timeline(READER, cursor=cursor)
        assert graph.home_timeline(READER).items == ()


@pytest.mark.parametrize("stored", ["2026-01-02 10:00:00", "2026-01-02T10:00:00Z", "20260102"])
def test_a_time_of_another_engine_is_a_time(engine: Engine, stored: str) -> None:
    """Whatever the words are in which a cursor has it."""
    User, _, _kept = declare(DateTime())  # noqa: N806 - a class
    sessions = begin(engine, User, kept=False)
    cursor = Scope(("home_timeline", READER, ALL), b"", int).encode(Place(Way.ON, StoredTime.of(time_of(0), stored), 1))
    with sessions() as session:
        assert Graph(session, User).home_timeline(READER, cursor=cursor).items == ()
