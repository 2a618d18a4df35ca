"""How followers came and went: each number is what a plain log of the same deeds says, on every engine."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Engine, insert, update
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from retinue import Graph, InvalidUserError, ModelMissingError, NotVisibleError, Settings
from retinue.insight import churn, follower_growth, statistics, top_new_followers
from retinue.testing import audited, make_users
from retinue.values import Churn, DayCount
from tests.database.clock import START, Clock, stopped_clock
from tests.database.models_plain import Base, User
from tests.database.models_private import declare

MODELS = declare(Settings(active="active"))
DAY = timedelta(days=1)
STAR = 1


class Log:
    """What is done, in the library and in plain Python: who follows the star at the end of each deed."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self.session, self.clock = session, clock
        self.graph = Graph(session, MODELS.user)
        self.there: set[int] = set()
        #: (when, who, +1 or -1)
        self.changes: list[tuple[datetime, object, int]] = []
        #: A key that is given to another user is somebody else.
        self.life: dict[int, int] = {}

    def note(self, user: int, change: int) -> None:
        self.changes.append((self.clock.time, (user, self.life.get(user, 0)), change))
        (self.there.add if change > 0 else self.there.discard)(user)

    def follow(self, user: int) -> None:
        if self.graph.follow(user, STAR):
            self.note(user, +1)

    def unfollow(self, user: int) -> None:
        if self.graph.unfollow(user, STAR):
            self.note(user, -1)

    def remove(self, user: int) -> None:
        if self.graph.remove_follower(STAR, user):
            self.note(user, -1)

    def block(self, user: int) -> None:
        self.graph.block(STAR, user)
        if user in self.there:
            self.note(user, -1)
        self.graph.unblock(STAR, user, restore=False)

    def leave(self, user: int) -> None:
        self.session.delete(self.session.get_one(MODELS.user, user))
        self.session.flush()
        if user in self.there:
            self.note(user, -1)
        self.life[user] = self.life.get(user, 0) + 1
        make_users(self.session, MODELS.user, 1, id=user, active=True, locked=False)

    def growth(self, days: int) -> list[DayCount]:
        found = []
        for back in reversed(range(days)):
            day = (self.clock.time - back * DAY).date()
            gained = sum(at.date() == day and change > 0 for at, _, change in self.changes)
            lost = sum(at.date() == day and change < 0 for at, _, change in self.changes)
            total = sum(change for at, _, change in self.changes if at.date() <= day)
            found.append(DayCount(day, gained, lost, total))
        return found

    def churn(self, days: int) -> Churn:
        first = (self.clock.time - (days - 1) * DAY).date()
        start: set[object] = set()
        for at, who, change in self.changes:
            if at.date() < first:
                (start.add if change > 0 else start.discard)(who)
        now = set(start)
        won: set[object] = set()
        for at, who, change in self.changes:
            if at.date() >= first:
                (now.add if change > 0 else now.discard)(who)
                if change > 0 and who not in start:
                    won.add(who)
        return Churn(len(start), len(start - now), len(won), len(won - now))


pytestmark = pytest.mark.tables(MODELS.metadata)


@contextmanager
def log(engine: Engine) -> Iterator[Log]:
    """Give a star and twelve others."""
    MODELS.metadata.create_all(engine)
    with stopped_clock() as clock, Session(engine) as session:
        for user in range(1, 14):
            make_users(session, MODELS.user, 1, id=user, active=True, locked=False)
        yield Log(session, clock)


@pytest.mark.parametrize("seed", [pytest.param(1, marks=pytest.mark.long), 2, pytest.param(3, marks=pytest.mark.long)])
def test_growth_and_churn_are_what_a_plain_log_says(engine: Engine, seed: int) -> None:
    """Follows, unfollows, removals, blocks, deletions, also of users whose keys are used again; over midnights."""
    dice = random.Random(seed)
    with log(engine) as story:
        deeds = [story.follow] * 5 + [story.unfollow, story.remove, story.block] + [story.leave] * (seed > 1)
        for _ in range(120):
            story.clock.move(timedelta(minutes=dice.choice([1, 7, 200, 719])))
            dice.choice(deeds)(dice.randrange(2, 14))
        story.session.commit()
        for days in (1, 2, 5, 20, 60):
            with audited(engine):
                growth = follower_growth(story.session, MODELS.user, STAR, days=days)
            assert growth == story.growth(days)
            if not story.life:
                assert churn(story.session, MODELS.user, STAR, days=days) == story.churn(days)
        assert growth[-1].total == len(story.there)
        assert all(b.total - a.total == b.net for a, b in pairwise(growth))


def test_churn_tells_who_left_and_who_passed_by(engine: Engine) -> None:
    """Of those at the start, and of those who came; who left and came back did not leave."""
    with log(engine) as story:
        for user in range(2, 8):
            story.follow(user)
        story.clock.move(10 * DAY)
        story.unfollow(2)
        story.leave(3)
        story.unfollow(4)
        story.clock.move(DAY)
        story.follow(4)
        for user in (8, 9, 10):
            story.follow(user)
        story.unfollow(8)
        story.follow(11)
        story.remove(11)
        story.clock.move(DAY)
        story.follow(11)

        with audited(engine):
            found = churn(story.session, MODELS.user, STAR, days=7)

        assert found == story.churn(7) == Churn(at_start=6, left=2, won=4, won_and_left=1)
        assert found.rate == 2 / 6
        assert churn(story.session, MODELS.user, 12) == Churn()
        assert churn(story.session, MODELS.user, 12).rate == 0.0


def test_a_day_is_a_day_in_utc(engine: Engine) -> None:
    """Whatever the time zone of the session, and to the microsecond."""
    with log(engine) as story:
        if engine.dialect.name == "postgresql":
            story.session.connection().exec_driver_sql("SET TIME ZONE 'Pacific/Kiritimati'")
        story.clock.move(DAY - timedelta(microseconds=1))
        story.follow(2)
        story.clock.move(timedelta(microseconds=1))
        story.follow(3)

        growth = follower_growth(story.session, MODELS.user, STAR, days=2)

        assert [(count.day, count.gained) for count in growth] == [(START.date(), 1), ((START + DAY).date(), 1)]


def test_who_gets_a_key_that_was_somebody_elses_has_no_past(engine: Engine) -> None:
    """What the history says of the former user is not told of the new one."""
    with log(engine) as story:
        for user in (2, 3, 4):
            story.follow(user)
        story.session.delete(story.session.get_one(MODELS.user, STAR))
        story.session.flush()
        make_users(story.session, MODELS.user, 1, id=STAR, active=True, locked=False)
        story.graph.follow(5, STAR)

        assert follower_growth(story.session, MODELS.user, STAR, days=1) == [DayCount(START.date(), 1, 0, 1)]


def test_growth_goes_back_no_further_than_the_history_is_kept(engine: Engine) -> None:
    """The first day that it has whole."""
    models = declare(Settings(history_retention=3 * DAY))
    models.metadata.create_all(engine)
    with stopped_clock(), Session(engine) as session:
        make_users(session, models.user, 1)
        days = [count.day for count in follower_growth(session, models.user, 1, days=30)]
    assert days == [date(2025, 12, 30), date(2025, 12, 31), date(2026, 1, 1)]


def test_top_new_followers_are_those_with_the_most_followers(engine: Engine) -> None:
    """Who came in time and is still there; the owner does not meet inactive ones."""
    with log(engine) as story:
        for user, many in ((2, 5), (3, 7), (4, 9), (5, 6), (6, 8)):
            for fan in range(7, 7 + min(many, 7)):
                story.graph.follow(fan, user)
            if many > 7:
                for fan in range(2, 2 + many - 7):
                    if fan != user:
                        story.graph.follow(fan, user)
        story.follow(4)
        story.clock.move(40 * DAY)
        for user in (2, 3, 5, 6, 13):
            story.follow(user)
        story.unfollow(6)
        ask = (story.session, MODELS.user, STAR)
        with audited(engine):
            found = top_new_followers(*ask)
        assert [(new.user.id, new.followers) for new in found] == [(3, 7), (5, 6), (2, 5), (13, 0)]
        assert {new.since for new in found} == {story.clock.time}
        assert [new.user.id for new in top_new_followers(*ask, limit=1, days=60)] == [4]
        story.session.execute(update(MODELS.user).where(MODELS.user.id == 3).values(active=False))
        assert [new.user.id for new in top_new_followers(*ask, viewer=STAR)] == [5, 2, 13]
        assert [new.user.id for new in top_new_followers(*ask)] == [3, 5, 2, 13]


@pytest.mark.parametrize("ask", [follower_growth, churn, top_new_followers])
def test_it_is_the_owners_to_know(engine: Engine, ask: Any) -> None:
    """Anybody else gets an error; wrong arguments get the usual ones; who is nowhere has nothing."""
    with log(engine) as story:
        story.follow(2)
        assert ask(story.session, MODELS.user, STAR, viewer=STAR) == ask(story.session, MODELS.user, STAR)
        for viewer in (2, None):
            with pytest.raises(NotVisibleError):
                ask(story.session, MODELS.user, STAR, viewer=viewer)
        for days in (0, -1, 3_661, True, "7", None, 1.5):
            with pytest.raises(ValueError, match="days"):
                ask(story.session, MODELS.user, STAR, days=days)
        with pytest.raises(InvalidUserError):
            ask(story.session, MODELS.user, "1")
        with pytest.raises(ValueError, match="limit"):
            top_new_followers(story.session, MODELS.user, STAR, limit=101)
        assert not any(vars_of(ask(story.session, MODELS.user, 999, days=1)))
        assert not any(vars_of(ask(story.session, MODELS.user, MODELS.user(), days=1)))


def vars_of(answer: Any) -> list[int]:
    """Return the numbers in what a function answers."""
    if isinstance(answer, Churn):
        return [answer.at_start, answer.left, answer.won, answer.won_and_left]
    return [number for one in answer for number in (one.gained, one.lost, one.total)]


@pytest.mark.tables(None)
def test_without_its_model_each_names_the_line_to_add(engine: Engine) -> None:
    """History for two, counts for the third."""
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.execute(insert(User), [{"id": 1, "username": "a"}])
        for ask in (follower_growth, churn):
            with pytest.raises(ModelMissingError, match="FollowEventMixin"):
                ask(session, User, 1)


def test_a_scoped_session_does_as_well(engine: Engine) -> None:
    """Flask-SQLAlchemy's `db.session` is one."""
    session = scoped_session(sessionmaker(engine))
    star, fan = make_users(session(), MODELS.user, 2, active=True, locked=False)
    fan.follow(star)

    assert follower_growth(session, MODELS.user, star, days=1)[0].gained == 1
    assert churn(session, MODELS.user, star, days=1).won == 1
    assert [one.user for one in top_new_followers(session, MODELS.user, star)] == [fan]
    assert statistics(session, MODELS.user).follows == 1
    session.remove()
