"""
What it costs to write posts to timelines, and to read a timeline that is kept ready.

    .venv/bin/python -m benchmarks.fanout [sqlite] [postgresql]

Both sides run in one process on one database, in turns. The floor is the bare driver with
the statements that a careful programmer writes by hand; what both answer is compared first.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import DateTime, Engine, ForeignKey, Index, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from benchmarks.databases import on_each
from benchmarks.loads.bare import Bare
from benchmarks.timing import microseconds
from retinue import (
    FollowerMixin,
    FollowMixin,
    Graph,
    Settings,
    TimelineEntryMixin,
    declare_posts,
    fanout,
)

FEW, MANY = 10, 10_000
#: Everybody follows the first so many authors, of whom all have posted.
FOLLOWED = 500
POSTS = 40
BLOCKS = 15
START = datetime(2026, 1, 1)  # noqa: DTZ001 - the column has no zone


class Base(DeclarativeBase):
    """The declarative base."""


class User(FollowerMixin, Base):
    """A user."""

    __tablename__ = "users"
    __retinue__ = Settings(fan_out_most=None)
    id: Mapped[int] = mapped_column(primary_key=True)


class Follow(FollowMixin, Base):
    """An edge."""

    __tablename__ = "follows"


class Post(Base):
    """What users post."""

    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime] = mapped_column(DateTime)
    body: Mapped[str]
    __table_args__ = (
        Index("ix_posts_author", "author_id", "made_at", "id"),
        Index("ix_posts_time", "made_at", "id"),
    )


declare_posts(Post, author="author_id", time="made_at")


class TimelineEntry(TimelineEntryMixin, Base):
    """A post on a timeline."""

    __tablename__ = "timeline_entries"


READER, KNOWN_TO_FEW, KNOWN_TO_MANY = 1, 2, 3


def populate(engine: Engine) -> None:
    """Make one author with few followers, one with many, for all of whom timelines are kept, and a reader."""
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    edges = [(READER, author) for author in range(2, FOLLOWED + 2)]
    edges += [(follower, KNOWN_TO_MANY) for follower in range(1_000, 1_000 + MANY)]
    edges += [(follower, KNOWN_TO_FEW) for follower in range(1_000, 1_000 + FEW)]
    posts = [
        {"author_id": author, "made_at": START + timedelta(seconds=number * FOLLOWED + author), "body": "x" * 200}
        for number in range(POSTS)
        for author in range(2, FOLLOWED + 2)
    ]
    with Session(engine) as session:
        session.execute(insert(User), [{"id": number} for number in range(1, MANY + 2_000)])
        session.execute(insert(Follow), [{"follower_id": a, "following_id": b} for a, b in edges])
        session.execute(insert(Post), posts)
        graph = Graph(session, User)
        for user in (READER, *range(1_000, 1_000 + MANY)):
            graph.mark_active(user)
        session.commit()
    fanout.work(sessionmaker(engine), User)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def race(what: str, floor: Callable[[], Any], ours: Callable[[], Any], calls: int) -> None:
    """Time both sides in turns, and print a row."""
    found = microseconds({"floor": floor, "ours": ours}, BLOCKS, calls)
    theirs, mine = found["floor"], found["ours"]
    print(f"  {what:34} {theirs.p50:8.0f} {mine.p50:8.0f} {mine.ratio:7.2f}   ({mine.low:.2f} to {mine.high:.2f})")


def measure(engine: Engine) -> None:
    """Compare all operations on one database."""
    populate(engine)
    floor, sessions = Bare(engine.url), sessionmaker(engine)
    session = sessions()
    graph = Graph(session, User)
    by_hand = (
        "SELECT p.id, p.author_id, p.made_at, p.body FROM timeline_entries e JOIN posts p ON p.id = e.post_id"
        " WHERE e.reader_id = :reader ORDER BY e.timestamp DESC, e.post_id DESC LIMIT 20"
    )
    assert [row[0] for row in floor.run(by_hand, reader=READER)] == [post.id for post in graph.home_timeline(READER)]
    print(f"{engine.dialect.name}:" + " " * 28 + "floor us  ours us   ratio   (middle half)")
    race(
        "page of 20, kept ready",
        lambda: floor.run(by_hand, reader=READER),
        lambda: graph.home_timeline(READER),
        100,
    )
    session.rollback()

    def post(author: int) -> Callable[[], Any]:
        def call() -> None:
            session.add(Post(author_id=author, made_at=datetime.now(UTC).replace(tzinfo=None), body="x" * 200))
            session.commit()

        return call

    race(f"post, {FEW} / {MANY:,} followers", post(KNOWN_TO_FEW), post(KNOWN_TO_MANY), 20)
    send = (
        "INSERT INTO timeline_entries (reader_id, timestamp, post_id, author_id)"
        " SELECT f.follower_id, p.made_at, p.id, p.author_id FROM posts p"
        " JOIN follows f ON f.following_id = p.author_id JOIN timeline_entries_readers r ON r.user_id = f.follower_id"
        " WHERE p.id = :post"
    )

    def fan_out_by_hand() -> None:
        floor.begin()
        floor.run("DELETE FROM timeline_entries_senders")
        floor.insert("posts", author_id=KNOWN_TO_MANY, made_at=_text(), body="x")
        ((number,),) = floor.run("SELECT max(id) FROM posts")
        floor.run(send, post=number)
        floor.commit()

    def fan_out() -> None:
        post(KNOWN_TO_MANY)()
        fanout.work(sessions, User)

    fan_out()
    race(f"post and send to {MANY:,}", fan_out_by_hand, fan_out, 1)
    session.close()
    floor.close()


def _text() -> Any:
    return datetime.now(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def main() -> None:
    """Run on the databases named, or on both."""
    on_each(sys.argv[1:] or ["sqlite", "postgresql"], measure)


if __name__ == "__main__":
    main()
