"""Counts that are wrong are found and put right, whatever others do at the same time."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event, insert, select, update
from sqlalchemy.orm import Session, sessionmaker

from retinue import InvalidUserError, ModelMissingError, transact
from retinue.doctor import CountReport, Miscount, drift, recount
from retinue.testing import count_statements, make_users
from retinue.values import Counts
from tests.database.graph_models import HUNG, MANY, ONE, Pair, audit, befriend, populate
from tests.database.models_plain import UncountedBase, UncountedUser
from tests.models import Models

PEOPLE = 30
BOTH = pytest.mark.parametrize("models", [ONE, MANY], ids=["one slot", "many slots"])

pytestmark = pytest.mark.tables(ONE.metadata)


def some_pairs(people: int, number: int, seed: int = 1) -> list[Pair]:
    """Return *number* pairs of *people*, none twice."""
    everyone = [(a, b) for a in range(1, people + 1) for b in range(1, people + 1) if a != b]
    return random.Random(seed).sample(everyone, number)


def follow_all(engine: Engine, models: Models, pairs: list[Pair]) -> None:
    with Session(engine) as session:
        for pair in pairs:
            models.graph(session).follow(*pair)
        session.commit()


def falsify(engine: Engine, models: Models, user: int, slot: int = 0, **more: int) -> None:
    """Add to one count row what no edge says."""
    row = models.count
    with Session(engine) as session:
        values = {getattr(row, name): getattr(row, name) + number for name, number in more.items()}
        found: Any = session.execute(update(row).where(row.user_id == user, row.slot == slot).values(values))
        assert found.rowcount == 1
        session.commit()


@BOTH
def test_right_counts_are_left_alone(engine: Engine, models: Models) -> None:
    """Nothing is found, and nothing is written."""
    ids = populate(engine, models, PEOPLE)
    follow_all(engine, models, some_pairs(PEOPLE, 200))
    assert (drift(engine, models.user).wrong, drift(engine, models.user).biggest) == (0, 0)
    with count_statements(engine) as ran:
        report = recount(engine, models.user, batch=10)
    assert not any(statement.upper().startswith(("INSERT", "UPDATE")) for statement in ran)
    assert (report.users, report.wrong, report.uncounted, report.last) == (PEOPLE, 0, 0, ids[-1])
    assert (report.total, report.share_done) == (PEOPLE, 1.0)


@BOTH
def test_wrong_counts_are_found_and_put_right(engine: Engine, models: Models) -> None:
    """Whichever slot is wrong, too high or too low; the dry run says the same and changes nothing."""
    populate(engine, models, PEOPLE)
    pairs = some_pairs(PEOPLE, 200)
    follow_all(engine, models, pairs)
    falsify(engine, models, 3, followers=5)
    falsify(engine, models, 4, followers=-7, following=2)
    with Session(engine) as session:
        high = session.execute(select(models.count.user_id, models.count.slot).order_by(models.count.slot.desc()))
        user, slot = next((user, slot) for user, slot in high if user not in (3, 4))
    falsify(engine, models, user, slot, followers=1)
    seen: list[Miscount] = []
    looked = drift(engine, models.user, batch=7, on_wrong=seen.append)
    assert (looked.users, looked.wrong, looked.biggest) == (PEOPLE, 3, 7)
    assert [one.user for one in seen] == sorted([3, 4, user])
    four = next(one for one in seen if one.user == 4)
    real = Counts(sum(b == 4 for _, b in pairs), sum(a == 4 for a, _ in pairs))
    assert (four.counted, four.stored) == (real, Counts(real.followers - 7, real.following + 2))
    assert (four.difference, looked.uncounted) == (7, 0)
    assert drift(engine, models.user).wrong == 3
    told: list[Miscount] = []
    corrected = recount(engine, models.user, batch=7, on_wrong=told.append)
    assert (corrected.users, corrected.wrong, corrected.biggest, told) == (PEOPLE, 3, 7, seen)
    assert audit(engine, models, counted=[3, 4, user]) == set(pairs)
    assert drift(engine, models.user).wrong == 0


@BOTH
def test_who_was_never_counted_gets_a_row(engine: Engine, models: Models) -> None:
    """That they had none is no fault; who has no edges needs none."""
    populate(engine, models, PEOPLE)
    befriend(engine, models, [(1, 2), (2, 3)])
    looked = drift(engine, models.user)
    assert (looked.wrong, looked.uncounted) == (0, 3)
    report = recount(engine, models.user)
    assert (report.wrong, report.uncounted, report.biggest) == (0, 3, 0)
    with Session(engine) as session:
        assert set(session.scalars(select(models.count.user_id))) == {1, 2, 3}
    audit(engine, models, counted=[1, 2, 3])
    assert recount(engine, models.user).uncounted == 0


def test_a_user_without_the_first_slot_gets_it(engine: Engine) -> None:
    """The other slots are worth what they say, and slot 0 the rest."""
    populate(engine, MANY, 5)
    befriend(engine, MANY, [(1, 2), (3, 2), (4, 2)])
    with Session(engine) as session:
        session.execute(insert(MANY.count), [{"user_id": 2, "slot": 9, "followers": 1, "following": 0}])
        session.execute(insert(MANY.count), [{"user_id": 5, "slot": 2, "followers": 0, "following": 0}])
        session.commit()
    assert drift(engine, MANY.user).wrong == 2
    assert recount(engine, MANY.user).wrong == 2
    assert audit(engine, MANY, counted=[1, 2, 3, 4, 5]) == {(1, 2), (3, 2), (4, 2)}


def test_it_goes_on_where_it_stopped(engine: Engine) -> None:
    """What was reported is done; the rest is done by the next call."""
    populate(engine, ONE, PEOPLE)
    follow_all(engine, ONE, some_pairs(PEOPLE, 200))
    for user in (2, 29):
        falsify(engine, ONE, user, followers=1)
    reports: list[CountReport] = []

    def stop(report: CountReport) -> None:
        reports.append(report)
        if report.users == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recount(engine, ONE.user, batch=10, progress=stop)
    assert [(one.users, one.wrong, one.last, round(one.share_done, 2)) for one in reports] == [
        (10, 1, 10, 0.33),
        (20, 1, 20, 0.67),
    ]
    rest = recount(engine, ONE.user, after=reports[-1].last)
    assert (rest.users, rest.wrong, rest.total, rest.last) == (10, 1, 10, 30)
    audit(engine, ONE)
    none = recount(engine, ONE.user, after=rest.last)
    assert (none.users, none.last, none.share_done) == (0, 30, 1.0)


def test_it_takes_the_statements_that_it_says(engine: Engine) -> None:
    """One for all; two for a batch, and for one in which somebody is wrong three more."""
    populate(engine, ONE, PEOPLE)
    follow_all(engine, ONE, some_pairs(PEOPLE, 200))
    with count_statements(engine) as ran:
        drift(engine, ONE.user, batch=10)
    assert len(ran) == 1 + 3 * 2 + 1  # the last batch is empty, and that is seen by its first select
    falsify(engine, ONE, 5, followers=1)
    falsify(engine, ONE, 6, followers=1)
    with count_statements(engine) as ran:
        recount(engine, ONE.user, batch=10)
    assert len(ran) == 1 + 3 * 2 + 1 + 3
    for function in (drift, recount):
        assert "Cost: " in (function.__doc__ or "")


@BOTH
def test_others_follow_and_unfollow_meanwhile(engine: Engine, models: Models) -> None:
    """Rows made wrong on purpose are right in the end, and nobody's change is lost or taken for an error."""
    populate(engine, models, 8)
    pairs = some_pairs(8, 40)
    befriend(engine, models, pairs[:20])  # nobody is counted yet
    sessions, done = sessionmaker(engine), threading.Event()

    def crowd(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(60):
            pair, verb = chance.choice(pairs), chance.choice(("follow", "unfollow"))

            def work(session: Session, pair: Pair = pair, verb: str = verb) -> None:
                session.get(models.user, pair[0])
                session.get(models.user, pair[1])
                getattr(models.graph(session), verb)(*pair)

            transact(sessions, work)

    def spoil() -> None:
        """Do what raw SQL does: in a transaction of its own, to a row that is there."""
        chance, row = random.Random(99), models.count
        while not done.is_set():
            user, more = chance.randint(1, 8), chance.choice((-3, 1, 5))

            spoiled = update(row).where(row.user_id == user, row.slot == 0).values(followers=row.followers + more)
            transact(sessions, lambda session, spoiled=spoiled: session.execute(spoiled))  # type: ignore[misc]
            recount(sessions, models.user, batch=3)

    def run_all() -> None:
        with ThreadPoolExecutor(5) as pool:
            crowds = [pool.submit(crowd, seed) for seed in range(3)]
            spoilers = [pool.submit(spoil), pool.submit(repeat(lambda: recount(sessions, models.user, batch=4), done))]
            for future in crowds:
                future.result(HUNG)
            done.set()
            for future in spoilers:
                future.result(HUNG)

    run_all()
    recount(sessions, models.user)
    audit(engine, models)


def repeat(work: Callable[[], object], done: threading.Event) -> Callable[[], None]:
    """Return what does *work* again and again until *done*."""

    def run() -> None:
        while not done.is_set():
            work()

    return run


@BOTH
def test_looking_never_takes_a_change_that_is_half_done_for_an_error(engine: Engine, models: Models) -> None:
    """Edges and counts are seen at one moment."""
    populate(engine, models, 6)
    pairs = some_pairs(6, 30)
    follow_all(engine, models, pairs[:15])
    sessions, done = sessionmaker(engine), threading.Event()
    wrong: list[Miscount] = []

    def crowd() -> None:
        for number in range(120):
            pair = pairs[number % len(pairs)]

            def work(session: Session, pair: Pair = pair) -> None:
                graph = models.graph(session)
                if not graph.unfollow(*pair):
                    graph.follow(*pair)

            transact(sessions, work)
        done.set()

    look = repeat(lambda: drift(sessions, models.user, on_wrong=wrong.append), done)
    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(crowd), pool.submit(look)]:
            future.result(HUNG)
    assert wrong == []
    audit(engine, models)


# SQLite's writers come one at a time: there is no such moment.
@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
@BOTH
@pytest.mark.parametrize("counted", [True, False], ids=["wrong before", "never counted"])
def test_who_has_an_edge_but_not_its_count_yet_adds_it_afterwards(
    engine: Engine, models: Models, counted: bool
) -> None:
    """The one moment that matters: an edge is there, its count is not, and the recount comes between them."""
    populate(engine, models, 4)
    befriend(engine, models, [(1, 4), (2, 4)])
    if counted:
        recount(engine, models.user)
        falsify(engine, models, 4, followers=10)
    sessions = sessionmaker(engine)
    there, go_on = threading.Event(), threading.Event()

    def hold(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "follow_counts" in statement and threading.current_thread().name.startswith("slow") and not there.is_set():
            there.set()
            go_on.wait(HUNG)

    def slow() -> None:
        with sessions() as session:
            session.get(models.user, 4)
            # As the ORM does it: the edge first, in a statement of its own.
            session.add(models.follow(follower_id=3, following_id=4))
            session.commit()

    event.listen(engine, "before_cursor_execute", hold)
    try:
        with ThreadPoolExecutor(1, "slow") as pool:
            future = pool.submit(slow)
            assert there.wait(HUNG)
            report = recount(sessions, models.user)
            go_on.set()
            future.result(HUNG)
    finally:
        go_on.set()
        event.remove(engine, "before_cursor_execute", hold)
    assert (report.wrong, report.uncounted) == ((1, 0) if counted else (0, 3))
    assert audit(engine, models, counted=[4]) == {(1, 4), (2, 4), (3, 4)}


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
@BOTH
def test_who_has_counted_their_edge_and_not_committed_is_waited_for(engine: Engine, models: Models) -> None:
    """The other moment that matters: what they counted is kept, and counted once."""
    populate(engine, models, 4)
    follow_all(engine, models, [(1, 4), (2, 4)])
    with Session(engine) as session:  # in one slot, so that it is that one which the follow changes
        session.execute(delete(models.count))
        session.commit()
    recount(engine, models.user)
    falsify(engine, models, 4, followers=10)
    sessions, waits = sessionmaker(engine), threading.Event()

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("INSERT INTO follow_counts") and threading.current_thread().name.startswith("doctor"):
            waits.set()

    event.listen(engine, "before_cursor_execute", note)
    try:
        with ThreadPoolExecutor(1, "doctor") as pool, sessions() as session:
            session.execute(update(models.count).where(models.count.user_id == 4).values(slot=models.count.slot))
            models.graph(session).follow(3, 4)
            future = pool.submit(recount, sessions, models.user)
            assert waits.wait(HUNG)
            time.sleep(0.2)  # for its statement to reach the database, and to wait there
            assert not future.done()
            session.commit()
            assert future.result(HUNG).wrong == 1
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert audit(engine, models, counted=[4]) == {(1, 4), (2, 4), (3, 4)}


@BOTH
def test_users_deleted_meanwhile_are_no_error(engine: Engine, models: Models) -> None:
    """They are gone with their rows, and the others' counts are right."""
    populate(engine, models, PEOPLE)
    pairs = some_pairs(PEOPLE, 300)
    befriend(engine, models, pairs)
    sessions = sessionmaker(engine)

    def leave() -> None:
        for user in range(1, PEOPLE, 2):

            def work(session: Session, user: int = user) -> None:
                session.delete(session.get_one(models.user, user))

            transact(sessions, work)

    def count() -> None:
        for _ in range(5):
            recount(sessions, models.user, batch=5)

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(leave), pool.submit(count)]:
            future.result(HUNG)
    assert audit(engine, models) == {(a, b) for a, b in pairs if a % 2 == b % 2 == 0}


@pytest.mark.tables(None)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_it_cannot_do_it_refuses(engine: Engine) -> None:
    """Models without counts, a bad key, a bad batch, no factory."""
    UncountedBase.metadata.create_all(engine)
    with Session(engine) as session:
        make_users(session, UncountedUser, 2)
        session.commit()
    for function in (drift, recount):
        with pytest.raises(ModelMissingError, match="FollowCountMixin"):
            function(engine, UncountedUser)
        for batch in (0, 1_001, True, "many"):
            with pytest.raises(ValueError, match="batch"):
                function(engine, ONE.user, batch=batch)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="is wanted"):
            function("sqlite://", ONE.user)  # type: ignore[arg-type]
    with engine.begin() as connection:
        ONE.metadata.drop_all(connection)
    populate(engine, ONE, 2)
    with pytest.raises(InvalidUserError):
        recount(engine, ONE.user, after="nobody")
    with Session(engine) as session:
        session.execute(delete(ONE.user))
        session.commit()
    assert recount(engine, ONE.user) == CountReport(seconds=0.0)
