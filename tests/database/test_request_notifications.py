"""What users are told of requests follows the requests: a question that nobody has to answer any more is no news."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert
from sqlalchemy.orm import Session

from retinue import Graph, NotificationKind, Outcome, Settings
from retinue.transfer import import_follows
from tests.database.models_private import PrivateModels, declare

OPEN = declare(Settings(active="active"))
STRICT = declare(Settings(request_expiry=timedelta(hours=1), request_cooldown=timedelta(minutes=10)))

#: Who approves their followers, and some who ask.
ANN, BOB, CAT, DAN = 1, 2, 3, 4

ASKED, FOLLOWS, ACCEPTED = (
    NotificationKind.FOLLOW_REQUEST,
    NotificationKind.FOLLOW,
    NotificationKind.REQUEST_ACCEPTED,
)


@dataclass
class House:
    """A session, its graph, and how its models are called."""

    session: Session
    graph: Graph[Any]
    models: PrivateModels

    def news(self, key: int) -> list[tuple[NotificationKind, int, bool]]:
        """Return what *key* finds on the list: of what kind, by whom, and whether it is read."""
        listed = [(notice.kind, notice.user.id, notice.read) for notice in self.graph.notifications(key, viewer=key)]
        unread = [one for one in listed if not one[2]]
        assert self.graph.unread_notifications(key) == len(unread)
        assert len(self.graph.notifications(key, viewer=key, unread=True)) == len(unread)
        return sorted(listed, key=lambda one: one[:2])

    def age(self, model: type[Any], by: timedelta) -> None:
        """Let all rows of *model* be older."""
        self.session.flush()
        for row in self.session.query(model):
            row.timestamp -= by
        self.session.flush()


pytestmark = pytest.mark.tables(OPEN.metadata)


@pytest.fixture(params=[OPEN, STRICT], ids=["open", "strict"])
def house(engine: Engine, request: pytest.FixtureRequest) -> Any:
    """Give a house with four people, the first of whom approves followers."""
    models: PrivateModels = request.param
    models.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([models.user(id=key, locked=key == ANN) for key in (ANN, BOB, CAT, DAN)])
        session.commit()
        yield House(session, Graph(session, models.user), models)


def withdraw(house: House) -> None:
    assert house.graph.unfollow(BOB, ANN)


def reject(house: House) -> None:
    assert house.graph.reject(ANN, BOB)


def reject_all(house: House) -> None:
    assert house.graph.reject_all(ANN) == 1


def block(house: House) -> None:
    assert house.graph.block(ANN, BOB)


def be_blocked(house: House) -> None:
    assert house.graph.block(BOB, ANN)


def leave(house: House) -> None:
    house.session.delete(house.session.get_one(house.models.user, BOB))
    house.session.flush()


def delete_the_row(house: House) -> None:
    house.session.delete(house.session.get_one(house.models.request, (BOB, ANN)))
    house.session.flush()


def delete_in_bulk(house: House) -> None:
    request = house.models.request
    assert house.session.execute(delete(request).where(request.follower_id == BOB)).rowcount == 1  # type: ignore[attr-defined]


def delete_from_the_table(house: House) -> None:
    house.session.execute(delete(house.models.request.__table__))


def delete_by_query(house: House) -> None:
    assert house.session.query(house.models.request).filter_by(follower_id=BOB, following_id=ANN).delete() == 1


@pytest.mark.parametrize(
    "end",
    [
        withdraw,
        reject,
        reject_all,
        block,
        be_blocked,
        leave,
        delete_the_row,
        delete_in_bulk,
        delete_from_the_table,
        delete_by_query,
    ],
    ids=lambda end: end.__name__,
)
def test_a_request_that_ended_is_no_news(house: House, end: Callable[[House], None]) -> None:
    """Whoever was asked need not answer, and is not told that they must."""
    assert house.graph.follow(BOB, ANN) is Outcome.REQUESTED
    assert house.news(ANN) == [(ASKED, BOB, False)]
    end(house)
    assert house.news(ANN) == []


def accept(house: House) -> None:
    assert house.graph.accept(ANN, BOB)


def accept_all(house: House) -> None:
    assert house.graph.accept_all(ANN) == 1


def unlock(house: House) -> None:
    assert house.graph.unlock(ANN) == 1


@pytest.mark.parametrize("say_yes", [accept, accept_all, unlock], ids=lambda end: end.__name__)
def test_an_accepted_request_says_so_on_both_sides(house: House, say_yes: Callable[[House], None]) -> None:
    """The asker hears of it; to the owner, who knows, the row says that they follow now."""
    house.graph.follow(BOB, ANN)
    say_yes(house)
    assert house.news(ANN) == [(FOLLOWS, BOB, True)]
    assert house.news(BOB) == [(ACCEPTED, ANN, False)]


def test_an_edge_that_takes_the_place_of_a_request_takes_its_news_too(house: House, engine: Engine) -> None:
    """By following somebody who is public by now; by rows of one's own, one or many; by an import."""
    for key in (BOB, CAT, DAN):
        assert house.graph.follow(key, ANN) is Outcome.REQUESTED
    house.session.get_one(house.models.user, ANN).locked = False
    assert house.graph.follow(BOB, ANN) is Outcome.FOLLOWED
    assert house.news(ANN) == [(FOLLOWS, BOB, False), (ASKED, CAT, False), (ASKED, DAN, False)]
    follow = house.models.follow
    house.session.add(follow(follower_id=CAT, following_id=ANN))
    house.session.flush()
    assert house.news(ANN) == [(FOLLOWS, BOB, False), (FOLLOWS, CAT, False), (ASKED, DAN, False)]
    if engine.dialect.insert_executemany_returning:
        house.session.execute(insert(follow), [{"follower_id": DAN, "following_id": ANN}])
    else:
        house.session.commit()
        import_follows(engine, house.models.user, [(DAN, ANN)])
    assert house.news(ANN) == [(FOLLOWS, BOB, False), (FOLLOWS, CAT, False)]


def test_an_import_answers_requests(house: House, engine: Engine) -> None:
    """Nobody is told of what is imported; but nobody is asked any more, either."""
    for key in (BOB, CAT):
        house.graph.follow(key, ANN)
    house.session.commit()
    assert import_follows(engine, house.models.user, [(BOB, ANN), (DAN, ANN)]).added == 2
    assert house.news(ANN) == [(ASKED, CAT, False)]


@pytest.mark.parametrize("end", [withdraw, reject, accept], ids=lambda end: end.__name__)
def test_who_asks_again_is_told_of_again_whatever_the_window(house: House, end: Callable[[House], None]) -> None:
    """A question needs an answer; and each answer is news to who asked."""
    for _ in range(2):
        assert house.graph.follow(BOB, ANN) is Outcome.REQUESTED
        assert house.news(ANN)[-1] == (ASKED, BOB, False)
        house.graph.mark_read(ANN)
        end(house)
        if end is accept:
            assert house.news(BOB) == [(ACCEPTED, ANN, False)]
            house.graph.mark_read(BOB)
            house.graph.unfollow(BOB, ANN)
        else:
            assert (ASKED, BOB) not in [one[:2] for one in house.news(ANN)]
        if house.models is STRICT and end is reject:
            # The cool-down is over.
            house.session.get_one(house.models.request, (BOB, ANN)).rejected_at = datetime.now(UTC) - timedelta(days=1)
            house.session.flush()


def test_a_pending_request_that_is_repeated_tells_nothing_twice(house: House) -> None:
    """Pressing the button again does not bring a read notification back."""
    house.graph.follow(BOB, ANN)
    house.graph.mark_read(ANN)
    assert house.graph.follow(BOB, ANN) is Outcome.UNCHANGED
    assert house.news(ANN) == [(ASKED, BOB, True)]


@pytest.mark.parametrize("house", [STRICT], indirect=True, ids=["strict"])
def test_an_expired_request_is_no_news(house: House) -> None:
    """From the moment on at which it expires; swept up, its row is gone; made again, it is told again."""
    house.graph.follow(BOB, ANN)
    house.graph.follow(CAT, ANN)
    for model in (house.models.request, house.models.notification):
        house.age(model, timedelta(hours=2))
    assert house.news(ANN) == []
    assert house.graph.mark_read(ANN) == 0
    assert house.graph.follow(BOB, ANN) is Outcome.REQUESTED
    assert house.news(ANN) == [(ASKED, BOB, False)]
    assert house.graph.expire().requests == 1
    assert house.session.query(house.models.notification).count() == 1


def test_what_others_asked_stays(house: House) -> None:
    """An answer to one is none to the others; what one is told of follows stays, too."""
    house.graph.follow(ANN, BOB)
    for key in (BOB, CAT, DAN):
        house.graph.follow(key, ANN)
    house.graph.reject(ANN, CAT)
    assert house.news(ANN) == [(ASKED, BOB, False), (ASKED, DAN, False)]
    assert house.news(BOB) == [(FOLLOWS, ANN, False)]


def test_rows_that_are_deleted_take_their_own_news_alone(house: House, engine: Engine) -> None:
    """By the ORM; by statements that return what they delete, and by one about several tables, of which MariaDB says nothing."""
    request, user, session = house.models.request, house.models.user, house.session
    for key in (BOB, CAT, DAN):
        house.graph.follow(key, ANN)
    with session.begin_nested() as taken_back:
        for row in session.query(request):
            session.delete(row)
        session.flush()
        assert house.news(ANN) == []
        taken_back.rollback()
    assert house.news(ANN) == [(ASKED, BOB, False), (ASKED, CAT, False), (ASKED, DAN, False)]
    its_users = delete(request).where(request.follower_id == user.id, user.id == BOB)
    if engine.dialect.name != "sqlite":
        session.execute(its_users, execution_options={"synchronize_session": False})
    else:
        session.execute(delete(request).where(request.follower_id == BOB))
    assert house.news(ANN) == [(ASKED, CAT, False), (ASKED, DAN, False)]
    gone = session.scalars(delete(request).where(request.follower_id == CAT).returning(request.follower_id))
    assert gone.all() == [CAT]
    assert house.news(ANN) == [(ASKED, DAN, False)]
    assert house.graph.follow(CAT, ANN) is Outcome.REQUESTED
    assert house.news(ANN) == [(ASKED, CAT, False), (ASKED, DAN, False)]


def test_who_is_muted_leaves_nothing_behind(house: House) -> None:
    """A mute that leaves notifications out does so for the question and for the answer."""
    house.graph.mute(ANN, BOB)
    house.graph.follow(BOB, ANN)
    assert house.news(ANN) == []
    house.graph.accept(ANN, BOB)
    assert house.news(ANN) == []
    assert house.news(BOB) == [(ACCEPTED, ANN, False)]


def test_a_block_taken_back_asks_anew(house: House) -> None:
    """What is restored as a request has to be answered."""
    house.graph.follow(BOB, ANN)
    house.graph.block(ANN, BOB)
    house.graph.unblock(ANN, BOB, restore=True)
    assert house.news(ANN) == [(ASKED, BOB, False)]
