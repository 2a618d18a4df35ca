"""E: times are taken for what Retinue itself would write, and not for what the application's columns hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Column, DateTime, Engine, ForeignKey, Index, Integer, func
from sqlalchemy.orm import Session

from retinue import Only, Settings, TimelineEntryMixin, declare_posts, fanout
from tests.expected.models import Club, club

E_TEXT = "E: SQLite's CURRENT_TIMESTAMP has no microseconds, and is compared as text with times that have"
E_ENDS = "E: the ends of time are accepted as settings, and overflow later"

EACH = pytest.mark.parametrize(
    "database",
    [
        pytest.param("sqlite", marks=pytest.mark.xfail(strict=True, raises=AssertionError, reason=E_TEXT)),
        "postgresql",
        "mariadb",
    ],
    indirect=True,
)


def reviews(*, kept: bool, settings: Settings | None = None, **columns: Any) -> tuple[Club, Any]:
    """Declare a club whose readers write reviews that the database dates; with timelines that are *kept*."""
    readers = club(settings=settings, **columns)
    review = type(
        "Review",
        (readers.base,),
        {
            "__tablename__": "reviews",
            "__module__": __name__,
            "id": Column(Integer, primary_key=True),
            "author_id": Column(ForeignKey("readers.id", ondelete="CASCADE"), nullable=False),
            "written": Column(DateTime, server_default=func.now(), nullable=False),
            "__table_args__": (
                Index("ix_reviews_author", "author_id", "written", "id"),
                Index("ix_reviews_written", "written", "id"),
            ),
        },
    )
    declare_posts(review, author="author_id", time="written")
    if kept:
        readers.models["Entry"] = type(
            "Entry", (TimelineEntryMixin, readers.base), {"__tablename__": "entries", "__module__": __name__}
        )
    return readers, review


def write(engine: Engine, review: Any, author: int) -> None:
    """Write four reviews, each in a transaction of its own."""
    for _ in range(4):
        with Session(engine) as session, session.begin():
            session.add(review(author_id=author))


@EACH
def test_a_timeline_goes_on_where_the_database_dates_the_posts(engine: Engine) -> None:
    """Page by page, each post once: ghaering/pysqlite#127."""
    readers, review = reviews(kept=False)
    ada, ben = readers.open(engine, "ada", "ben")
    with Session(engine) as session, session.begin():
        readers.graph(session).follow(ada, ben)
    write(engine, review, ben)

    def numbers(session: Session) -> Iterator[int]:
        cursor = None
        for _ in range(4):
            page = readers.graph(session).home_timeline(ada, limit=2, cursor=cursor)
            yield from (post.id for post in page)
            cursor = page.next
            if cursor is None:
                return

    with Session(engine) as session:
        assert list(numbers(session)) == [4, 3, 2, 1]


@EACH
def test_a_kept_timeline_has_the_posts_that_the_database_dates(engine: Engine) -> None:
    """A post is not older than the moment in which its author was followed."""
    readers, review = reviews(kept=True)
    ada, ben = readers.open(engine, "ada", "ben")
    with Session(engine) as session, session.begin():
        readers.graph(session).follow(ada, ben)
        readers.graph(session).mark_active(ada)
    fanout.work(engine, readers.reader)
    write(engine, review, ben)
    fanout.work(engine, readers.reader)
    with Session(engine) as session:
        assert [post.id for post in readers.graph(session).home_timeline(ada)] == [4, 3, 2, 1]


@pytest.mark.parametrize(
    "field",
    [
        "notify_again_after",
        "request_expiry",
        "request_cooldown",
        "restore_window",
        "dormant_after",
        "history_retention",
        "timeline_kept",
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.xfail(strict=True, raises=OverflowError, reason=E_ENDS)
def test_for_ever_is_a_setting_or_an_error_when_given(engine: Engine, field: str) -> None:
    """`timedelta.max` is refused at once, or every verb and list works with it."""
    given: dict[str, Any] = {field: timedelta.max}
    try:
        settings = Settings(name="name", last_active="last_active", **given)
    except ValueError:
        return
    readers, _ = reviews(kept=True, settings=settings, last_active=Column(DateTime))
    ada, ben, eve = readers.open(engine, "ada", "ben", "eve")
    with Session(engine) as session:
        graph = readers.graph(session)
        session.get_one(readers.reader, eve).locked = True
        session.flush()
        for _ in range(2):
            graph.follow(ada, eve)
            graph.reject(eve, ada)
        graph.follow(ada, ben)
        graph.block(ben, ada)
        graph.unblock(ben, ada, restore=True)
        graph.followers(ben, only=Only.DORMANT)
        graph.history(ada, ben)
        graph.expire()
