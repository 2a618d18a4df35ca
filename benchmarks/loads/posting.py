"""
Posting costs the same, however many follow.

Home timelines are kept ready for some followers of each author. What a post leaves to be done
is noted with it, and done by a worker; a page is right before that and after it, which is checked.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import ForeignKey, Index, Integer, String, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from benchmarks.data import Data
from benchmarks.databases import Place
from benchmarks.loads.bare import Bare
from benchmarks.loads.comparing import FLOOR, OURS, compared, ratios, spread
from benchmarks.loads.filling import fill
from benchmarks.results import Row
from retinue import (
    FollowerMixin,
    FollowMixin,
    Graph,
    TimelineEntryMixin,
    UTCDateTime,
    declare_posts,
    fanout,
    prepare_engine,
)

GOAL = 1.2
BODY = "x" * 200

#: For how many followers of each author a timeline is kept.
KEPT = 100


class Base(DeclarativeBase):
    """The declarative base."""


class User(FollowerMixin, Base):
    """A user with a name."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    username: Mapped[str] = mapped_column(String(64))


class Follow(FollowMixin, Base):
    """An edge."""

    __tablename__ = "follows"


class Post(Base):
    """What users post."""

    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    body: Mapped[str] = mapped_column(String(500))
    __table_args__ = (
        Index("ix_posts_author", "author_id", "made_at", "id"),
        Index("ix_posts_time", "made_at", "id"),
    )


declare_posts(Post, author="author_id", time="made_at")


class TimelineEntry(TimelineEntryMixin, Base):
    """A post on a timeline."""

    __tablename__ = "timeline_entries"


def measure(place: Place) -> list[Row]:
    """Let authors with few and with many followers post in turns, and the bare driver insert a post."""
    url, data = place.fresh(), place.data
    fill(url, Base.metadata, data)
    authors = _authors(data)
    few, *_, many = authors
    sessions = sessionmaker(prepare_engine(create_engine(url)))
    readers = _keep_timelines(sessions, data, authors)
    taken: dict[str, list[float]] = {}
    with sessions() as session, closing(Bare(url)) as bare:
        sides: dict[str, Callable[[], object]] = {FLOOR: lambda: insert_post(bare, authors[many])}
        for followers, author in authors.items():
            sides[OURS if followers == many else f"{followers}"] = poster(session, author)
        for _ in range(7 if place.quick else 15):
            for name, post in sides.items():
                taken.setdefault(name, []).append(timed(post, calls=20))
    for finish in (lambda: None, lambda: fanout.work(sessions, User)):
        finish()
        for author, reader in readers.items():
            _check(sessions, reader, author)
    sessions.kw["bind"].dispose()
    place.drop(url)
    stated = {}
    for followers in authors:
        if followers not in (few, many):
            stated[f"{followers:,} followers: of {few:,} followers"] = _middle(taken[f"{followers}"], taken[f"{few}"])
    stated[f"{many:,} followers: of {few:,} followers (goal {GOAL:g})"] = _middle(taken[OURS], taken[f"{few}"])
    return [
        Row(
            "post by the user with the most followers",
            place.kind,
            len(data.times),
            compared({name: taken[name] for name in (FLOOR, OURS)}),
            note="With home timelines that are kept ready; the floor only inserts the post. Sending it to the"
            " timelines is left to a worker; pages show it at once.",
            stated=stated,
        )
    ]


def _authors(data: Data) -> dict[int, int]:
    """Return by their number of followers: somebody with ten, with ten thousand if there is anybody, with the most."""
    followers = np.bincount(data.followed, minlength=data.users + 1)
    followers[0] = -1
    found = [int(np.argmin(np.abs(followers - wanted))) for wanted in (10, 10_000)]
    return {int(followers[author]): author for author in (*found, data.celebrity)}


def _keep_timelines(sessions: sessionmaker[Session], data: Data, authors: dict[int, int]) -> dict[int, int]:
    """Keep timelines for some followers of each author, up to date; return one reader of each author."""
    readers = {}
    with sessions.begin() as session:
        graph = Graph(session, User)
        for author in authors.values():
            near = data.followers[data.followed == author][:KEPT].tolist()
            readers[author] = near[0]
            for reader in near:
                graph.mark_active(reader)
    fanout.work(sessions, User)
    return readers


def insert_post(bare: Bare, author: int) -> int:
    """Insert a post by hand, in a transaction that is open or in one of its own; return its key."""
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    at = now + "+00" * (bare.kind == "postgresql")
    ((key,),) = bare.run(
        "INSERT INTO posts (author_id, made_at, body) VALUES (:author, :at, :body) RETURNING id",
        author=author,
        at=at,
        body=BODY,
    )
    return int(key)


def poster(session: Session, author: int) -> Callable[[], None]:
    """Return what posts as *author*, and commits."""

    def post() -> None:
        session.add(Post(author_id=author, made_at=datetime.now(UTC), body=BODY))
        session.commit()

    return post


def timed(call: Callable[[], object], *, calls: int) -> float:
    """Return the median of so many calls, in microseconds."""
    gc.collect()
    gc.disable()
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    gc.enable()
    return float(np.median(times)) * 1e6


def _check(sessions: sessionmaker[Session], reader: int, author: int) -> None:
    """Raise if a page of *reader* does not begin with what a search through the posts finds."""
    with sessions() as session:
        page = [post.id for post in Graph(session, User).home_timeline(reader)]
        followed = select(Follow.following_id).where(Follow.follower_id == reader)
        mine = Post.author_id.in_(followed) | (Post.author_id == reader)
        wanted = session.scalars(
            select(Post.id).where(mine).order_by(Post.made_at.desc(), Post.id.desc()).limit(20)
        ).all()
        if page != wanted:
            raise AssertionError(f"{reader}, who follows {author}, sees {page} and not {wanted}")


def _middle(these: list[float], those: list[float]) -> float:
    return spread(ratios(these, those))[0]
