"""Requests, blocks, mutes, limits, history and notifications: each test is named after what it prevents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest
from sqlalchemy import Engine, String, delete, func, insert, select, update
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from retinue import (
    BlockedError,
    Event,
    FollowerMixin,
    FollowMixin,
    FollowRequestMixin,
    Graph,
    HistoryKind,
    LimitError,
    MappingError,
    ModelMissingError,
    Muted,
    NotificationKind,
    NotVisibleError,
    NotWritableError,
    Outcome,
    SelfFollowError,
    Settings,
    listen,
)
from retinue.models import UTCDateTime
from tests.database.clock import stopped_clock
from tests.database.models_private import PrivateModels, declare

PLAIN = declare(Settings(active="active"))
STRICT = declare(
    Settings(
        request_expiry=timedelta(days=14),
        request_cooldown=timedelta(days=7),
        max_following=3,
        max_follows_per_day=4,
        max_pending_requests=1,
        history_retention=timedelta(days=30),
    )
)


@dataclass
class Place:
    """A session, its graph, and people with the keys 1 to 9, of whom 9 approves their followers."""

    session: Session
    models: PrivateModels
    graph: Graph[Any]
    people: list[Any]

    def __getitem__(self, key: int) -> Any:
        return self.people[key - 1]

    def rows(self, model: type[Any]) -> int:
        """Return how many rows there are."""
        return self.session.execute(select(func.count()).select_from(model)).scalar_one()

    def keys(self, page: Any) -> list[int]:
        """Return who is on a page, in its order."""
        return [person.user.id for person in page]


def place_of(engine: Engine, models: PrivateModels) -> Iterator[Place]:
    """Yield a place with those models, on an empty database."""
    models.metadata.create_all(engine)
    with Session(engine) as session:
        people = [models.user(id=key, locked=key == 9) for key in range(1, 10)]
        session.add_all(people)
        session.commit()
        yield Place(session, models, Graph(session, models.user), people)


pytestmark = pytest.mark.tables(PLAIN.metadata)


@pytest.fixture
def place(engine: Engine) -> Iterator[Place]:
    """Give a place without limits."""
    yield from place_of(engine, PLAIN)


@pytest.fixture
def strict(engine: Engine) -> Iterator[Place]:
    """Give a place with limits, expiry and cool-down."""
    yield from place_of(engine, STRICT)


# --- Requests ------------------------------------------------------------------------------------


def test_following_twice_never_approves_ones_own_request(place: Place) -> None:
    """Not by asking again, nor by answering in the other's place."""
    graph = place.graph
    assert graph.follow(1, 9) is Outcome.REQUESTED
    assert graph.follow(1, 9) is Outcome.UNCHANGED
    assert not graph.accept(1, 9)
    assert not graph.is_following(1, 9)
    assert place.keys(graph.requests(9)) == [1]


def test_following_an_accepted_private_account_again_changes_nothing(place: Place) -> None:
    """Neither the edge nor its time, and no new request."""
    graph = place.graph
    graph.follow(1, 9)
    assert graph.accept(9, 1)
    (before,) = graph.followers(9)
    assert graph.follow(1, 9) is Outcome.UNCHANGED
    assert graph.followers(9).items == (before,)
    assert place.rows(place.models.request) == 0


def test_a_request_goes_with_either_user(place: Place) -> None:
    """Nobody has to answer somebody who is no more."""
    graph = place.graph
    graph.follow(1, 9)
    place[8].locked = True
    graph.follow(9, 8)
    place.session.delete(place[1])
    place.session.delete(place[8])
    place.session.commit()
    assert place.rows(place.models.request) == 0
    assert not graph.requests(9).items
    assert not graph.sent_requests(9).items


def test_going_public_leaves_no_request_pending(place: Place) -> None:
    """All who wait follow, counted, in one transaction; a rollback takes all of it back."""
    graph = place.graph
    for key in range(1, 8):
        graph.follow(key, 9)
    place.session.commit()
    assert graph.unlock(9) == 7
    place.session.rollback()
    assert (place[9].locked, len(graph.requests(9))) == (True, 7)
    assert graph.unlock(place[9]) == 7
    place.session.commit()
    assert not place[9].locked
    assert place.keys(graph.followers(9)) == [7, 6, 5, 4, 3, 2, 1]
    assert graph.counts([9, 1])[9].followers == 7
    assert graph.counts([1])[1].following == 1
    assert graph.follow(8, 9) is Outcome.FOLLOWED


def test_a_request_left_by_a_plain_switch_becomes_an_edge(place: Place) -> None:
    """The attribute was set without unlock(): who follows again is let in, and asks no longer."""
    place.graph.follow(1, 9)
    place[9].locked = False
    assert place.graph.follow(1, 9) is Outcome.FOLLOWED
    assert place.rows(place.models.request) == 0


def test_a_request_is_withdrawn_once(place: Place) -> None:
    """And a user who was never asked is not troubled."""
    graph = place.graph
    graph.follow(1, 9)
    assert graph.unfollow(1, 9)
    assert not graph.unfollow(1, 9)
    assert not graph.accept(9, 1)


def test_rejected_users_cannot_ask_again_at_once(strict: Place) -> None:
    """The cool-down holds whatever they try, and the error says until when."""
    graph, request = strict.graph, strict.models.request
    graph.follow(1, 9)
    assert graph.reject(9, 1)
    assert not graph.reject(9, 1)
    assert not graph.requests(9).items
    assert not graph.relationships(1, [9])[9].requested
    assert not graph.unfollow(1, 9)
    with pytest.raises(LimitError) as refused:
        graph.follow(1, 9)
    assert refused.value.limit == "request_cooldown"
    rejected = strict.session.get_one(request, (1, 9)).rejected_at
    assert refused.value.retry_at == rejected + timedelta(days=7)
    strict.session.get_one(request, (1, 9)).rejected_at = rejected - timedelta(days=8)
    assert graph.follow(1, 9) is Outcome.REQUESTED


def test_an_expired_request_counts_as_never_made(strict: Place) -> None:
    """It is on no list, cannot be accepted, and may be made anew."""
    graph = strict.graph
    graph.follow(1, 9)
    strict.session.get_one(strict.models.request, (1, 9)).timestamp -= timedelta(days=15)
    assert not graph.requests(9).items
    assert not graph.relationships(1, [9])[9].requested
    assert not graph.accept(9, 1)
    assert graph.accept_all(9) == 0
    assert graph.follow(1, 9) is Outcome.REQUESTED
    assert graph.accept(9, 1)


@pytest.mark.tables(None)
def test_without_a_model_for_requests_a_private_account_is_not_followed(engine: Engine) -> None:
    """It fails closed, and names the line to add; an attribute that means something else is switched off."""

    def graph_with(settings: Settings) -> tuple[Any, Session]:
        class Base(DeclarativeBase):
            pass

        class User(FollowerMixin, Base):
            __tablename__ = "users"
            __retinue__ = settings
            id: Mapped[int] = mapped_column(primary_key=True)
            locked: Mapped[bool]

        class Follow(FollowMixin, Base):
            __tablename__ = "follows"

        Base.metadata.drop_all(engine)
        Base.metadata.create_all(engine)
        session = Session(engine)
        session.add_all([User(id=1, locked=False), User(id=2, locked=True)])
        session.flush()
        return Graph(session, User), session

    graph, session = graph_with(Settings())
    with session:
        for verb, users in ((graph.unlock, (2,)), (graph.follow, (1, 2))):
            with pytest.raises(ModelMissingError, match="FollowRequest"):
                verb(*users)
    graph, session = graph_with(Settings(locked=None))
    with session:
        assert graph.follow(1, 2) is Outcome.FOLLOWED


@pytest.mark.tables(None)
def test_a_hybrid_property_can_say_who_is_private_and_active(engine: Engine) -> None:
    """An application that keeps the time of a suspension needs no second column."""

    class Base(DeclarativeBase):
        pass

    class User(FollowerMixin, Base):
        __tablename__ = "users"
        __retinue__ = Settings(locked="approves", active="here")
        id: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str] = mapped_column(String(20))
        suspended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

        @hybrid_property
        def approves(self) -> Any:
            return self.kind == "private"

        @hybrid_property
        def here(self) -> Any:
            return self.suspended_at.is_(None)  # type: ignore[union-attr]

    class Follow(FollowMixin, Base):
        __tablename__ = "follows"

    class FollowRequest(FollowRequestMixin, Base):
        __tablename__ = "follow_requests"

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([User(id=1, kind="public"), User(id=2, kind="private"), User(id=3, kind="public")])
        session.flush()
        graph = Graph(session, User)
        assert graph.follow(1, 2) is Outcome.REQUESTED
        assert graph.follow(2, 3) is graph.follow(1, 3) is Outcome.FOLLOWED
        session.get_one(User, 1).suspended_at = datetime.now(UTC)
        assert [person.user.id for person in graph.followers(3, viewer=None)] == [2]


def test_a_misspelled_attribute_is_refused_at_first_use() -> None:
    """An account that should be private must not be public by a slip of the pen."""

    class Base(DeclarativeBase):
        pass

    class User(FollowerMixin, Base):
        __tablename__ = "users"
        __retinue__ = Settings(active="actve")
        id: Mapped[int] = mapped_column(primary_key=True)

    class Follow(FollowMixin, Base):
        __tablename__ = "follows"

    with pytest.raises(MappingError, match="actve"), Session() as session:
        Graph(session, User)


# --- Blocks --------------------------------------------------------------------------------------


def test_ones_own_outgoing_request_does_not_survive_a_block(place: Place) -> None:
    """All four go: edges and requests, both ways; and their counts."""
    graph = place.graph
    place[8].locked = True
    graph.follow(8, 9)
    graph.follow(9, 8)
    graph.follow(1, 2)
    graph.follow(2, 1)
    assert graph.block(8, 9)
    assert graph.block(1, 2)
    assert place.rows(place.models.request) == place.rows(place.models.follow) == 0
    assert {counts.followers + counts.following for counts in graph.counts([1, 2]).values()} == {0}
    for pair in ((8, 9), (9, 8), (1, 2), (2, 1)):
        with pytest.raises(BlockedError):
            graph.follow(*pair)


def test_a_row_of_ones_own_making_does_not_stand_beside_a_block(place: Place) -> None:
    """The session refuses it, one by one and in bulk; and blocks and requests are made by their verbs alone."""
    graph, session, models = place.graph, place.session, place.models
    graph.block(1, 2)
    session.commit()
    session.add(models.follow(follower_id=2, following_id=1))
    with pytest.raises(BlockedError):
        session.flush()
    session.rollback()
    if session.get_bind().dialect.name != "mysql":
        with pytest.raises(BlockedError):
            session.execute(insert(models.follow), [{"follower_id": a, "following_id": b} for a, b in ((3, 4), (1, 2))])
        assert place.rows(models.follow) == 0
    for row in (models.block(blocker_id=3, blocked_id=4), models.request(follower_id=3, following_id=9)):
        session.add(row)
        with pytest.raises(NotWritableError):
            session.flush()
        session.rollback()
    with pytest.raises(NotWritableError):
        session.execute(insert(models.block), [{"blocker_id": 3, "blocked_id": 4}])


def test_a_timed_block_ends_by_itself(place: Place) -> None:
    """It is on no list any more, nothing is refused, and a new block is new."""
    graph, soon = place.graph, datetime.now(UTC) + timedelta(hours=1)
    assert graph.block(1, 2, until=soon)
    assert [(person.user.id, person.until) for person in graph.blocks(1)] == [(2, soon)]
    assert not graph.block(1, 2, until=soon + timedelta(hours=1))
    place.session.get_one(place.models.block, (1, 2)).until = datetime.now(UTC)
    assert not graph.blocks(1).items
    assert not graph.relationships(1, [2])[2].blocking
    assert graph.follow(2, 1)
    assert graph.block(1, 2)
    assert not graph.is_following(2, 1)
    assert graph.blocks(1).items[0].until is None


class _Nowhere(tzinfo):
    """A zone without an offset."""

    def utcoffset(self, _time: datetime | None) -> None:
        return None

    dst = tzname = utcoffset


@pytest.mark.parametrize(
    "until",
    [
        datetime(2000, 1, 1, tzinfo=UTC),
        datetime(2100, 1, 1),  # noqa: DTZ001 - bare on purpose
        datetime(2100, 1, 1, tzinfo=_Nowhere()),
        datetime(2100, 1, 1, tzinfo=tzinfo()),  # type: ignore[abstract]
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
        "tomorrow",
        5,
    ],
)
def test_an_end_that_makes_no_sense_is_refused(place: Place, until: Any) -> None:
    """In the past, without a zone, or no time at all: nothing changes."""
    with pytest.raises(ValueError, match="until"):
        place.graph.block(1, 2, until=until)
    with pytest.raises(ValueError, match="until"):
        place.graph.mute(1, 2, until=until)
    assert place.rows(place.models.block) == place.rows(place.models.mute) == 0


def test_a_block_until_the_end_of_time(place: Place) -> None:
    """The last moment that there is, and any before it, in any zone."""
    last = datetime.max.replace(tzinfo=UTC)
    assert place.graph.block(1, 2, until=last)
    assert not place.graph.block(1, 2, until=last.astimezone(timezone(timedelta(hours=-5))))
    assert place.graph.blocks(1).items[0].until == last


def test_an_accidental_block_loses_nothing(place: Place) -> None:
    """What it cut comes back as it was, with its time and counted; it needs no second block to be asked twice."""
    graph = place.graph
    graph.follow(1, 2)
    graph.follow(2, 1)
    graph.follow(1, 9)
    place.session.commit()
    before = {pair: graph.relationships(pair[0], [pair[1]]) for pair in ((1, 2), (2, 1), (1, 9))}
    graph.block(1, 2)
    graph.block(1, 9)
    assert graph.unblock(1, 2, restore=True)
    assert graph.unblock(1, 9, restore=True)
    assert {pair: graph.relationships(pair[0], [pair[1]]) for pair in before} == before
    assert graph.counts([1])[1] == graph.counts([2])[2]
    assert not graph.unblock(1, 2, restore=True)


def test_restoring_is_for_a_while_and_for_who_asks(place: Place) -> None:
    """Not unasked, not after the window, and never beside a block the other way."""
    graph = place.graph
    graph.follow(1, 2)
    graph.block(1, 2)
    graph.block(2, 1)
    graph.unblock(1, 2, restore=True)
    assert place.rows(place.models.follow) == 0
    graph.unblock(2, 1)
    graph.follow(1, 3)
    graph.block(1, 3)
    graph.unblock(1, 3)
    assert place.rows(place.models.follow) == 0
    graph.follow(1, 4)
    graph.block(1, 4)
    place.session.get_one(place.models.block, (1, 4)).timestamp -= timedelta(days=31)
    graph.unblock(1, 4, restore=True)
    assert place.rows(place.models.follow) == 0


def test_restoring_does_not_get_round_a_private_account(place: Place) -> None:
    """Who was followed while public, and approves now, is asked."""
    graph = place.graph
    graph.follow(1, 2)
    graph.block(1, 2)
    place[2].locked = True
    graph.unblock(1, 2, restore=True)
    assert not graph.is_following(1, 2)
    assert place.keys(graph.requests(2)) == [1]


def test_a_restored_edge_leaves_no_request_beside_it(place: Place) -> None:
    """Somebody asked again after the block had ended by itself; then what it cut comes back."""
    graph = place.graph
    graph.follow(1, 9)
    graph.accept(9, 1)
    graph.block(9, 1, until=datetime.now(UTC) + timedelta(hours=1))
    place.session.get_one(place.models.block, (9, 1)).until = datetime.now(UTC)
    assert graph.follow(1, 9) is Outcome.REQUESTED
    assert not graph.unblock(9, 1, restore=True)
    assert graph.is_following(1, 9)
    assert place.rows(place.models.request) == 0


# --- Mutes ---------------------------------------------------------------------------------------


def test_a_mute_changes_nothing_between_the_two(place: Place) -> None:
    """No edge, no count, nothing that the muted can see; new terms replace the old ones."""
    graph, later = place.graph, datetime.now(UTC) + timedelta(days=1)
    graph.follow(1, 2)
    graph.follow(2, 1)
    assert graph.mute(1, 2)
    assert not graph.mute(1, 2, until=later, notifications=False)
    (mute,) = graph.mutes(1)
    assert (mute.user.id, mute.until, mute.notifications) == (2, later, False)
    assert graph.relationships(1, [2])[2].muting
    assert not graph.relationships(2, [1])[1].muting
    assert graph.counts([1])[1] == graph.counts([2])[2]
    place.session.get_one(place.models.mute, (1, 2)).until = datetime.now(UTC)
    assert not graph.mutes(1).items
    assert not graph.unmute(1, 2)
    assert graph.mute(1, 2)
    assert graph.unmute(1, 2)


@pytest.mark.parametrize("verb", ["block", "unblock", "mute", "unmute", "accept", "reject"])
def test_nobody_does_it_to_themselves(place: Place, verb: str) -> None:
    """As nobody follows themselves."""
    with pytest.raises(SelfFollowError):
        getattr(place.graph, verb)(1, place[1])


# --- Limits --------------------------------------------------------------------------------------


def test_unfollowing_does_not_evade_the_daily_limit(strict: Place) -> None:
    """What was done in a day counts, whether it was taken back or not; what is there costs nothing."""
    graph = strict.graph
    for key in (2, 3, 4, 5):
        graph.follow(1, key)
        graph.unfollow(1, key)
    with pytest.raises(LimitError) as refused:
        graph.follow(1, 6)
    assert (refused.value.limit, refused.value.allowed, refused.value.current) == ("max_follows_per_day", 4, 4)
    retry_at = refused.value.retry_at
    assert retry_at is not None
    assert timedelta(hours=23) < retry_at - datetime.now(UTC) <= timedelta(hours=24)


def test_a_limit_counts_what_would_be_more(strict: Place) -> None:
    """Pending requests, as accepting them must not exceed it; not what is there; and many followers raise it."""
    graph = strict.graph
    for key in (2, 3):
        graph.follow(1, key)
    graph.follow(1, 9)
    with pytest.raises(LimitError) as refused:
        graph.follow(1, 5)
    assert (refused.value.limit, refused.value.allowed, refused.value.current) == ("max_following", 3, 3)
    assert graph.follow(1, 2) is Outcome.UNCHANGED
    assert graph.follow(1, 9) is Outcome.UNCHANGED
    assert graph.accept(9, 1)
    for key in (2, 3, 4, 5):
        graph.follow(key, 1)
    assert graph.follow(1, 5) is Outcome.FOLLOWED


def test_a_rejected_request_holds_no_place(strict: Place) -> None:
    """It is not pending: neither does it count, nor does an edge take its place."""
    graph = strict.graph
    graph.follow(1, 9)
    graph.reject(9, 1)
    for key in (2, 3, 4):
        graph.follow(1, key)
    strict[9].locked = False
    strict.session.execute(delete(strict.models.event))
    with pytest.raises(LimitError, match="max_following"):
        graph.follow(1, 9)


def test_a_new_user_does_not_inherit_a_former_ones_day(strict: Place) -> None:
    """Where a key is used again, the history before belongs to somebody else."""
    graph, session = strict.graph, strict.session
    for key in (2, 3, 4, 5):
        graph.follow(1, key)
        graph.unfollow(1, key)
    session.delete(strict[1])
    session.flush()
    session.add(strict.models.user(id=1))
    session.flush()
    assert graph.follow(1, 6) is Outcome.FOLLOWED


def test_requests_are_limited_on_their_own(strict: Place) -> None:
    """Public users can still be followed."""
    graph = strict.graph
    strict[8].locked = True
    graph.follow(1, 9)
    with pytest.raises(LimitError, match="max_pending_requests"):
        graph.follow(1, 8)
    assert graph.follow(1, 2) is Outcome.FOLLOWED
    graph.unfollow(1, 9)
    assert graph.follow(1, 8) is Outcome.REQUESTED


# --- Lists ---------------------------------------------------------------------------------------


def test_suspended_users_stay_counted_and_come_back(place: Place) -> None:
    """Others do not see them; the owner hears that somebody is left out; trusted code sees all."""
    graph = place.graph
    for key in range(1, 6):
        graph.follow(key, 8)
    place[3].active = False
    assert place.keys(graph.followers(8, viewer=7, limit=4)) == [5, 4, 2, 1]
    assert not graph.followers(8, viewer=7).hidden
    assert graph.followers(8, viewer=8).hidden
    newest = graph.followers(8, viewer=8, limit=2)
    assert not newest.hidden
    older = graph.followers(8, viewer=8, limit=2, cursor=newest.next)
    assert older.hidden
    assert graph.followers(8, viewer=8, limit=2, cursor=older.prev).items == newest.items
    assert place.keys(graph.followers(8)) == [5, 4, 3, 2, 1]
    assert graph.counts([8])[8].followers == 5
    place[3].active = True
    assert place.keys(graph.followers(8, viewer=None)) == [5, 4, 3, 2, 1]


def test_lists_of_ones_own_are_nobody_elses(place: Place) -> None:
    """Requests, blocks, mutes, notifications."""
    graph = place.graph
    reads = (graph.requests, graph.sent_requests, graph.blocks, graph.mutes, graph.notifications)
    for read in reads:
        assert not read(1, viewer=1).items
        assert not read(1).items
        for viewer in (2, None):
            with pytest.raises(NotVisibleError):
                read(1, viewer=viewer)


# --- Events, history, notifications --------------------------------------------------------------


def test_a_change_is_told_once_and_a_rollback_is_not(place: Place) -> None:
    """One event for each change; nothing of what a savepoint took back."""
    heard: list[Event] = []
    stop = listen(place.models.user, Event, heard.append)
    graph, session = place.graph, place.session
    graph.follow(1, 9)
    graph.follow(1, 9)
    graph.accept(9, 1)
    with session.begin_nested() as savepoint:
        graph.mute(1, 2)
        savepoint.rollback()
    graph.block(9, 1)
    assert not heard
    session.commit()
    graph.unblock(9, 1)
    session.rollback()
    stop()
    assert [type(event).__name__ for event in heard] == ["Requested", "RequestAccepted", "FollowerRemoved", "Blocked"]


def test_a_clock_that_goes_back_does_not_turn_history_round(place: Place) -> None:
    """What happened last is told first, page by page, whatever the times say."""
    graph, session = place.graph, place.session
    graph.follow(1, 2)
    graph.unfollow(1, 2)
    graph.follow(1, 2)
    ahead = datetime.now(UTC) + timedelta(hours=1)
    session.execute(update(place.models.event).values(timestamp=ahead))
    session.commit()
    graph.unfollow(1, 2)
    told: list[HistoryKind] = []
    cursor = None
    while cursor is not None or not told:
        page = graph.history(1, 2, limit=1, cursor=cursor)
        told += [entry.kind for entry in page]
        cursor = page.next
    assert told == [HistoryKind.UNFOLLOWED, HistoryKind.FOLLOWED] * 2
    assert [entry.kind for entry in graph.history(1, 2, limit=1, cursor=page.prev)] == [HistoryKind.UNFOLLOWED]


def test_history_outlives_its_users_and_is_not_inherited(place: Place) -> None:
    """A new user with the same key starts with an empty page; the former one's can be read until then."""
    graph, session, user = place.graph, place.session, place.models.user
    graph.follow(1, 2)
    graph.unfollow(1, 2)
    session.delete(place[1])
    session.commit()
    told = [entry.kind for entry in graph.history(1, 2)]
    assert told == [HistoryKind.UNFOLLOWED, HistoryKind.FOLLOWED]
    session.add(user(id=1))
    session.commit()
    assert not graph.history(1, 2).items
    graph.follow(1, 2)
    assert [entry.kind for entry in graph.history(1, 2)] == [HistoryKind.FOLLOWED]
    assert graph.erase_history(1) == 4
    assert not graph.history(1, 2).items


def test_history_has_pages_and_an_end(strict: Place) -> None:
    """Newest first; what is older than its retention is not told, and is swept up."""
    graph, session, event = strict.graph, strict.session, strict.models.event
    for _ in range(4):
        graph.follow(1, 2)
        graph.unfollow(1, 2)
    first = graph.history(1, 2, limit=5)
    second = graph.history(1, 2, limit=5, cursor=first.next)
    assert (len(first), len(second), second.next) == (5, 3, None)
    assert graph.history(1, 2, limit=5, cursor=second.prev) == first
    old = session.scalars(select(event).order_by(event.id)).first()
    assert old is not None
    old.timestamp -= timedelta(days=31)
    assert len(graph.history(1, 2)) == 7
    assert graph.expire().history == 1


def test_follow_unfollow_follow_notifies_once(place: Place) -> None:
    """And again, unread, when the window has passed."""
    graph, models = place.graph, place.models
    for _ in range(3):
        graph.follow(1, 2)
        graph.unfollow(1, 2)
    assert graph.unread_notifications(2) == 1
    assert graph.mark_read(2) == 1
    graph.follow(1, 2)
    assert graph.unread_notifications(2) == 0
    (notice,) = graph.notifications(2)
    assert (notice.kind, notice.user.id, notice.read) == (NotificationKind.FOLLOW, 1, True)
    row = place.session.get_one(models.notification, (2, 1, "follow"))
    row.timestamp -= timedelta(days=2)
    graph.unfollow(1, 2)
    graph.follow(1, 2)
    (again,) = graph.notifications(2, unread=True)
    assert again.id > notice.id


def test_a_block_takes_back_what_was_told(place: Place) -> None:
    """Of the blocked, to who blocks them."""
    graph = place.graph
    graph.follow(1, 4)
    assert graph.unread_notifications(4) == 1
    graph.block(1, 4)
    assert graph.unread_notifications(4) == 0
    assert not graph.notifications(4).items


def test_each_side_of_a_request_is_told(place: Place) -> None:
    """Who is asked, and who was let in; and nobody reads for another."""
    graph = place.graph
    graph.follow(1, 9)
    (asked,) = graph.notifications(9)
    assert graph.mark_read(2, [asked.id]) == 0
    assert graph.mark_read(9, [asked.id]) == 1
    assert graph.unread_notifications(9) == 0
    graph.accept(9, 1)
    (accepted,) = graph.notifications(1)
    assert (asked.kind, accepted.kind) == (NotificationKind.FOLLOW_REQUEST, NotificationKind.REQUEST_ACCEPTED)


def test_sweeping_up_changes_nothing_that_counts(place: Place) -> None:
    """Only what has ended goes, and a block only when it can no longer be restored."""
    graph, session, models = place.graph, place.session, place.models
    past = datetime.now(UTC) - timedelta(seconds=1)
    graph.mute(1, 2)
    graph.mute(1, 3)
    graph.block(1, 4)
    graph.block(1, 5)
    graph.block(1, 6)
    session.get_one(models.mute, (1, 2)).until = past
    session.get_one(models.block, (1, 4)).until = past
    session.get_one(models.block, (1, 5)).until = past
    session.get_one(models.block, (1, 5)).timestamp -= timedelta(days=31)
    swept = graph.expire()
    assert (swept.requests, swept.blocks, swept.mutes, swept.history) == (0, 1, 1, 0)
    assert place.keys(graph.mutes(1)) == [3]
    assert place.keys(graph.blocks(1)) == [6]


def test_a_mute_that_has_ended_is_new_when_it_comes_again(place: Place) -> None:
    """It begins then, and is announced; one that lasts is only changed."""
    heard: list[Muted] = []
    stop = listen(place.models.user, Muted, heard.append)
    with stopped_clock() as clock:
        assert place.graph.mute(1, 2, until=clock.time + timedelta(hours=1))
        clock.move(timedelta(hours=2))
        assert place.graph.mute(1, 2)
        (row,) = place.graph.mutes(1)
        assert (row.user.id, row.since) == (2, clock.time)
        clock.move(timedelta(hours=2))
        assert not place.graph.mute(1, 2, until=clock.time + timedelta(hours=1))
        (row,) = place.graph.mutes(1)
        assert row.since == clock.time - timedelta(hours=2)
    place.session.commit()
    stop()
    assert len(heard) == 2
