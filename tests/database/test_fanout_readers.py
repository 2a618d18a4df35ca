"""For whom home timelines are kept: who comes, who stays away, who goes for good; and what that costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, create_engine, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from retinue import (
    FollowerMixin,
    FollowMixin,
    Graph,
    InvalidUserError,
    MappingError,
    ModelMissingError,
    Settings,
    TimelineEntryMixin,
    UnknownUserError,
    fanout,
)
from retinue.testing import count_statements
from tests.database.clock import stopped_clock
from tests.database.kept_timelines import Kept, at, own_engine
from tests.database.models_timeline import declare_posting

if TYPE_CHECKING:
    from tests.servers import Server

KEPT = Kept(Settings(active="active", fan_out_most=None))
PULL = declare_posting(Settings(active="active"), kept=False)


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mariadb"])
def engine(
    request: pytest.FixtureRequest, server: Callable[[str], Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    with own_engine(request.param, server, tmp_path_factory.mktemp("fanout")) as engine:
        yield engine


# --- Who comes -----------------------------------------------------------------------------------


def test_being_there_is_noted_once_an_hour(engine: Engine) -> None:
    """Somebody new is written down; within an hour nothing is written; later the time is."""
    place = KEPT.begin(engine, 2)

    def come(session: Session, user: Any) -> tuple[bool, bool]:
        """Return whether a timeline is kept that was not before, and whether anything was written."""
        with count_statements(engine) as ran:
            new = place.graph(session).mark_active(user)
        return new, not all(text.lstrip().startswith("SELECT") for text in ran)

    with stopped_clock() as clock, place.sessions() as session:
        user = session.get_one(place.models.user, 1)
        assert come(session, user) == (True, True)
        session.commit()
        assert len(place.told) == 1
        for minutes in (0, 30, 29):
            clock.move(timedelta(minutes=minutes))
            assert come(session, user) == (False, False)
            session.commit()
        clock.move(timedelta(minutes=2))
        assert come(session, 1) == (False, True)
        session.commit()
        assert come(session, 1) == (False, False)
        session.commit()
        assert len(place.told) == 1
        row = place.readers.c
        assert session.execute(select(row.active_at)).scalar_one() == clock.time


def test_who_is_nobody_cannot_come(engine: Engine) -> None:
    """And the caller's transaction stays usable."""
    place = KEPT.begin(engine, 1)
    with place.sessions() as session:
        graph = place.graph(session)
        with pytest.raises(UnknownUserError):
            graph.mark_active(99)
        hostile: list[Any] = ["x", None, 1.5, True, 10**30, object()]
        for user in hostile:
            with pytest.raises(InvalidUserError):
                graph.mark_active(user)
        assert graph.mark_active(1)
        new = place.models.user(id=7)
        assert graph.mark_active(new)  # joins the session
        session.commit()
    assert (place.size(place.readers), len(place.told)) == (2, 2)


def test_who_stays_away_is_dropped_and_may_come_back(engine: Engine) -> None:
    """Their rows go, the others' stay; whoever comes back is filled anew."""
    place = KEPT.begin(engine, 3)
    with stopped_clock() as clock:
        place.follow((1, 3), (2, 3))
        place.act(lambda graph: [graph.mark_active(1), graph.mark_active(2)])
        place.post(3, 1)
        place.work()
        clock.move(timedelta(days=4))
        place.act(lambda graph: graph.mark_active(2))
        clock.move(timedelta(days=3))
        assert place.act(lambda graph: graph.expire()).timelines == 0  # seven days to the second
        clock.move(timedelta(seconds=1))
        assert place.act(lambda graph: graph.expire()).timelines == 1
        assert (place.kept(1), place.kept(2), place.size(place.readers)) == ([], [1], 1)
        place.check(1, 2)
        place.post(3, 2)
        place.work()
        assert (place.kept(1), place.kept(2)) == ([], [2, 1])
        place.check(1, 2)
        assert place.act(lambda graph: graph.mark_active(1))
        place.check(1, 2)
        place.work()
        assert place.kept(1) == [2, 1]
        place.check(1, 2)
        # Away for long, but here before anybody swept: what is kept stays, and it is no news.
        clock.move(timedelta(days=30))
        assert not place.act(lambda graph: graph.mark_active(1))
        assert place.act(lambda graph: graph.expire()).timelines == 1
        assert (place.kept(1), place.kept(2)) == ([2, 1], [])
        place.check(1, 2, 3)


# --- Who goes ------------------------------------------------------------------------------------


def test_a_user_who_is_deleted_takes_everything_along(engine: Engine) -> None:
    """Their timeline, and their posts on those of others."""
    place = KEPT.begin(engine, 4, readers=[1, 2, 3])
    place.follow((1, 2), (1, 3), (2, 1), (3, 1), (3, 2))
    place.work()
    for author in (1, 2, 3):
        place.post(author, author)
    place.work()
    place.post(2, 12)  # not sent yet
    place.post(1, 11)
    with place.sessions.begin() as session:
        session.delete(session.get_one(place.models.user, 2))
    assert (place.kept(1), place.kept(2), place.kept(3)) == ([3, 1], [], [3, 1])
    assert (place.size(place.readers), place.size(place.senders)) == (2, 1)
    place.check(1, 2, 3)
    for unit in list(place.told):
        place.chain(unit)
    assert (place.kept(1), place.kept(3)) == ([11, 3, 1], [11, 3, 1])
    assert place.size(place.senders) == 0
    place.check(1, 2, 3)


def test_a_user_who_is_deleted_takes_everything_along_without_foreign_keys(tmp_path: Any) -> None:
    """SQLite that was not prepared does not cascade: what is left is not seen, not even under a key that comes again."""
    engine = create_engine(f"sqlite:///{tmp_path / 'plain.sqlite3'}")
    place = KEPT.begin(engine, 4, readers=[1, 2, 3])
    place.follow((1, 2), (1, 3), (2, 1), (3, 2))
    place.work()
    for author in (1, 2, 3):
        place.post(author, author)
    place.work()
    place.post(2, 12)
    with place.sessions.begin() as session:
        session.delete(session.get_one(place.models.user, 2))
    assert (place.kept(2), place.size(place.readers), place.size(place.senders)) == ([], 2, 0)
    assert place.pages(1) == [3, 1]
    place.check(1, 2, 3)
    with place.sessions.begin() as session:
        # Posts that the application deletes, and others that get their keys.
        session.delete(session.get_one(place.models.post, 3))
        session.flush()
        session.add(place.models.post(id=3, author_id=4, made_at=at(4)))
        session.add(place.models.user(id=2))
    place.check(1, 2, 3)
    assert place.pages(1) == [1]
    place.follow((1, 4))
    place.work()
    place.check(1, 2, 3, 4)
    assert place.pages(1) == [3, 1]
    engine.dispose()


# --- What is not declared ------------------------------------------------------------------------


def test_without_the_model_the_error_says_what_to_add(engine: Engine) -> None:
    calls: list[Callable[[Session], object]] = [
        lambda session: Graph(session, PULL.user).mark_active(1),
        lambda session: Graph(session, PULL.user).note_posts([1]),
        lambda session: fanout.pending(session, PULL.user),
        lambda _: fanout.work(lambda: Session(engine), PULL.user),
        lambda _: fanout.run(
            lambda: Session(engine), PULL.user, '{"task": "fill", "user": 1, "version": 1, "after": null}'
        ),
    ]
    for call in calls:
        with Session(engine) as session, count_statements(engine) as ran:
            with pytest.raises(ModelMissingError, match=r"class TimelineEntry\(TimelineEntryMixin, Base\)") as refused:
                call(session)
            assert refused.value.model == "TimelineEntryMixin"
        assert not ran


def test_a_timeline_needs_posts() -> None:
    class Base(DeclarativeBase):
        pass

    class User(FollowerMixin, Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Follow(FollowMixin, Base):
        __tablename__ = "follows"

    with pytest.raises(MappingError, match="declare_posts"):

        class TimelineEntry(TimelineEntryMixin, Base):
            __tablename__ = "timeline_entries"


# --- Other keys ----------------------------------------------------------------------------------


def test_no_row_is_left_where_a_reader_was_never_kept(engine: Engine) -> None:
    """Follows and posts of users nobody keeps a timeline for write nothing but what notes the post."""
    place = KEPT.begin(engine, 3)
    place.follow((1, 2))
    assert not place.told
    with engine.begin() as connection:
        connection.execute(insert(place.models.user.__table__), [{"id": 50, "locked": False, "active": True}])
    place.post(2, 1)
    place.work()
    assert (place.size(place.entries), place.size(place.readers), place.size(place.senders)) == (0, 0, 0)
    place.check(1, 2, 3)
