"""
Sessions that act at the same moment, on connections of their own.

After each race the counters are compared with the edges.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import URL, Engine, create_engine, delete, event, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, IntegrityError, PendingRollbackError
from sqlalchemy.orm import Session

from retinue import (
    Event,
    Followed,
    Outcome,
    Unfollowed,
    UnknownUserError,
    listen,
    prepare_engine,
    transact,
)
from retinue.models import now
from retinue.retry import is_retriable
from tests.database.graph_models import (
    HUNG,
    MANY,
    ONE,
    Crowd,
    Pair,
    audit,
    befriend,
    crowd,
    errors,
    populate,
    refuse_but_retriable,
)
from tests.models import Models

if TYPE_CHECKING:
    from tests.servers import Server

Job = Callable[[Session], object]

#: How a graph keeps its counters makes other races.
slots = pytest.mark.parametrize("models", [ONE, MANY], ids=["1 slot", "16 slots"])
#: In transact() nobody sees an error; in a transaction of one's own, retriable ones only.
settings = pytest.mark.parametrize(("models", "patient"), [(ONE, False), (MANY, True)], ids=["own", "transact"])

THREADS = 8


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mariadb"])
def engine(
    request: pytest.FixtureRequest, server: Callable[[str], Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """Give a prepared engine, the same to all tests here: `populate()` empties it, in less time than a new one takes."""
    if request.param == "sqlite":
        url = URL.create("sqlite", database=str(tmp_path_factory.mktemp("races") / "retinue.sqlite3"))
    else:
        url = server(request.param).create_database()
    engine = create_engine(url, pool_size=20, max_overflow=20)
    yield prepare_engine(engine)
    engine.dispose()
    if request.param != "sqlite":
        server(request.param).drop_database(url)


@pytest.fixture
def told(request: pytest.FixtureRequest) -> Iterator[Counter[type[Event]]]:
    """Count the events of both graphs."""
    heard: Counter[type[Event]] = Counter()

    def hear(happened: Event) -> None:
        heard[type(happened)] += 1

    stops = [listen(models.user, Event, hear) for models in (ONE, MANY)]
    yield heard
    for stop in stops:
        stop()


def or_unknown(job: Job) -> Job:
    """Let *job* return the error which says that somebody is not there, as the right answer that it is."""

    def run(session: Session) -> object:
        try:
            return job(session)
        except UnknownUserError as error:
            return error

    return run


# --- One verb against itself ---------------------------------------------------------------------


@slots
def test_storm_of_follows(engine: Engine, models: Models, told: Counter[type[Event]]) -> None:
    """Of many who make one follow at once, one has made it, one event tells, and nobody meets an error."""
    ids = populate(engine, models, 16)
    with crowd(engine, models, THREADS) as them:
        for a, b in zip(ids[::2], ids[1::2], strict=True):
            results = them.race([them.follow((a, b))] * THREADS, (a, b))
            assert Counter(results) == {Outcome.FOLLOWED: 1, Outcome.UNCHANGED: THREADS - 1}
        assert len(them.audit(counted=ids)) == 8
    assert told == {Followed: 8}


@slots
def test_storm_of_unfollows_and_follows_again(engine: Engine, models: Models, told: Counter[type[Event]]) -> None:
    """Of many who end one follow at once, one has ended it; and as many may then follow again."""
    pair = (1, 2)
    populate(engine, models, 2)
    with crowd(engine, models, THREADS) as them:
        for _ in range(5):
            results = them.race([them.follow(pair)] * THREADS, pair)
            assert Counter(results) == {Outcome.FOLLOWED: 1, Outcome.UNCHANGED: THREADS - 1}
            assert them.audit(counted=pair) == {pair}
            results = them.race([them.unfollow(pair)] * THREADS, pair)
            assert Counter(results) == {True: 1, False: THREADS - 1}
            assert them.audit(counted=pair) == set()
    assert told == {Followed: 5, Unfollowed: 5}


@slots
def test_mutual_follows_at_once(engine: Engine, models: Models) -> None:
    """Two users who follow each other at the same moment meet no deadlock, also where neither was counted."""
    ids = populate(engine, models, 20)
    with crowd(engine, models, 2) as them:
        for a, b in zip(ids[::2], ids[1::2], strict=True):
            results = them.race([them.follow((a, b)), them.follow((b, a))], (a, b))
            assert results == [Outcome.FOLLOWED] * 2
            results = them.race([them.unfollow((a, b)), them.unfollow((b, a))], (a, b))
            assert results == [True, True]
            assert them.race([them.follow((a, b)), them.follow((b, a))], (a, b)) == [Outcome.FOLLOWED] * 2
        assert len(them.audit(counted=ids)) == 20


@slots
@pytest.mark.parametrize("fans", [2, 12])
def test_first_count_of_a_user(engine: Engine, models: Models, fans: int) -> None:
    """However many sessions count a user for the first time, each is counted once, without an error."""
    rounds = 2
    people = populate(engine, models, rounds * (fans + 1))
    with crowd(engine, models, fans) as them:
        for start in range(0, len(people), fans + 1):
            # The star in the middle: some fans' own rows come before the star's, and some after.
            group = people[start : start + fans + 1]
            star = group.pop(fans // 2)
            results = them.race([them.follow((fan, star)) for fan in group], [star])
            assert results == [Outcome.FOLLOWED] * fans
        assert len(them.audit(counted=people)) == rounds * fans


@slots
def test_celebrity(engine: Engine, models: Models) -> None:
    """Many who follow one celebrity, and leave again, neither deadlock nor miscount."""
    people = populate(engine, models, 41)
    star, fans = people[20], people[:20] + people[21:]
    with crowd(engine, models, THREADS) as them:
        groups = [fans[start::THREADS] for start in range(THREADS)]

        def each(do: Callable[[Pair], Job], group: Sequence[int]) -> Job:
            def run(session: Session) -> None:
                for fan in group:
                    do((fan, star))(session)
                    session.commit()

            return run

        assert errors(them.race([each(them.follow, group) for group in groups], [star])) == []
        assert len(them.audit(counted=people)) == 40
        assert errors(them.race([each(them.unfollow, group[:2]) for group in groups], [star])) == []
        assert len(them.audit()) == 24


# --- Verbs against each other --------------------------------------------------------------------


@settings
def test_same_pair_followed_and_unfollowed(
    engine: Engine, models: Models, told: Counter[type[Event]], patient: bool
) -> None:
    """What eight sessions do to one edge leaves what the last one did, and an event for each change."""
    pair = (1, 2)
    populate(engine, models, 2)
    changes: Counter[bool] = Counter()
    with crowd(engine, models, THREADS) as them:
        for _ in range(8):
            results = them.race([them.follow(pair), them.unfollow(pair)] * (THREADS // 2), pair, patient=patient)
            refuse_but_retriable(results)
            changes[True] += results.count(Outcome.FOLLOWED)
            changes[False] += results.count(True)
            assert len(them.audit()) == changes[True] - changes[False]
    assert told == {Followed: changes[True], Unfollowed: changes[False]}


@settings
def test_random_pairs(engine: Engine, models: Models, told: Counter[type[Event]], patient: bool) -> None:
    """Eight sessions that follow and unfollow at random leave counters that are right, in transact() no error."""
    ids = populate(engine, models, 7)
    changes: Counter[bool] = Counter()

    def wander(seed: int) -> Job:
        chance = random.Random(seed)
        plan = [(chance.sample(ids, 2), chance.random() < 0.6) for _ in range(20)]

        def run(session: Session) -> list[object]:
            return [one_step(session, (pair[0], pair[1]), new) for pair, new in plan]

        def one_step(outer: Session, pair: Pair, new: bool) -> object:
            def work(session: Session) -> bool:
                session.get(models.user, pair[0])
                session.get(models.user, pair[1])
                graph = models.graph(session)
                return bool(graph.follow(*pair)) if new else graph.unfollow(*pair)

            try:
                if patient:
                    changed = transact(them.sessions, work)
                else:
                    changed = work(outer)
                    outer.commit()
            except DBAPIError as error:
                outer.rollback()
                return error
            if changed:
                with lock:
                    changes[new] += 1
            return changed

        return run

    lock = threading.Lock()
    with crowd(engine, models, THREADS) as them:
        for result in them.race([wander(seed) for seed in range(THREADS)]):
            assert isinstance(result, list)
            refuse_but_retriable(result)
            assert not patient or errors(result) == []
        assert len(them.audit()) == changes[True] - changes[False]
    assert told == {Followed: changes[True], Unfollowed: changes[False]}


@slots
def test_several_verbs_in_one_transaction(engine: Engine, models: Models) -> None:
    """Transactions of several verbs in opposite order deadlock at most inside transact(), where nobody sees it."""
    ids = populate(engine, models, 6)
    there = [(a, b) for a in ids for b in ids if a < b]
    back = [pair[::-1] for pair in reversed(there)]

    def all_of(pairs: Sequence[Pair]) -> Job:
        def run(session: Session) -> list[Outcome]:
            return [them.graph(session).follow(*pair) for pair in pairs]

        return run

    with crowd(engine, models, 4) as them:
        them.race([all_of(there), all_of(back), all_of(there[::-1]), all_of(back[::-1])], ids, patient=True)
        assert them.audit(counted=ids) == {*there, *back}


@slots
def test_follow_that_is_rolled_back(engine: Engine, models: Models, told: Counter[type[Event]]) -> None:
    """If the first of several followers rolls back, another's follow counts, and exactly one event tells."""
    ids = populate(engine, models, 12)

    def change_mind(pair: Pair) -> Job:
        def run(session: Session) -> None:
            them.graph(session).follow(*pair)
            session.rollback()

        return run

    with crowd(engine, models, 4) as them:
        for a, b in zip(ids[::2], ids[1::2], strict=True):
            jobs = [change_mind((a, b)), them.follow((a, b)), them.follow((a, b)), change_mind((a, b))]
            results = them.race(jobs, (a, b), patient=True)
            assert results.count(Outcome.FOLLOWED) == 1
        assert len(them.audit(counted=ids)) == 6
    assert told == {Followed: 6}


# --- Users who were never counted ----------------------------------------------------------------


@slots
def test_first_count_by_a_follow_and_an_unfollow(engine: Engine, models: Models) -> None:
    """Users with edges but without count rows are counted right, whichever of several changes comes first."""
    people = populate(engine, models, 21)
    groups = [people[start : start + 7] for start in range(0, len(people), 7)]
    for star, *fans in groups:
        befriend(engine, models, [(fan, star) for fan in fans[:4]] + [(star, fan) for fan in fans[:2]])
    with crowd(engine, models, 6) as them:
        for star, *fans in groups:
            jobs = [
                them.unfollow((fans[0], star)),
                them.follow((fans[4], star)),
                them.unfollow((fans[1], star)),
                them.follow((fans[5], star)),
                them.unfollow((star, fans[0])),
                them.follow((star, fans[2])),
            ]
            assert errors(them.race(jobs, [star], patient=True)) == []
            them.audit(counted=[star])


@slots
def test_first_count_beside_a_deletion(engine: Engine, models: Models) -> None:
    """Whoever counts a user for the first time while one of the followers is being deleted counts that one out."""
    people = populate(engine, models, 15)
    with crowd(engine, models, 3) as them:
        for star, gone, new, other, left in zip(*[iter(people)] * 5, strict=True):
            befriend(engine, models, [(gone, star), (star, gone), (other, star), (star, left), (gone, left)])
            jobs = [delete_user(them, gone), them.follow((new, star)), them.unfollow((star, left))]
            assert errors(them.race(jobs, [gone, new, star, left], patient=True)) == []
            them.audit(counted=[star, left])


@slots
def test_first_count_after_a_deletion_that_the_snapshot_does_not_show(engine: Engine, models: Models) -> None:
    """A transaction that still sees the edges of a deleted user does not count them."""
    populate(engine, models, 4)
    befriend(engine, models, [(3, 2), (2, 3), (4, 2)])
    with Session(engine) as session, Session(engine) as other:
        session.get(models.user, 1)
        other.delete(other.get(models.user, 3))
        other.commit()
        assert models.graph(session).follow(1, 2)
        session.commit()
    assert audit(engine, models, counted=[1, 2]) == {(1, 2), (4, 2)}


@slots
def test_first_count_waits_for_a_deletion(engine: Engine, models: Models) -> None:
    """While a deletion is under way, a first count of somebody it touches waits for its end, commit or rollback."""
    populate(engine, models, 4)
    befriend(engine, models, [(3, 2), (2, 3), (4, 2)])
    with crowd(engine, models, 2) as them:
        acted = threading.Event()

        def remove(session: Session) -> None:
            session.delete(session.get(models.user, 3))
            session.flush()
            acted.set()
            # The other cannot be heard waiting: give it the time to get there.
            threading.Event().wait(0.2)

        def follow(session: Session) -> object:
            acted.wait(HUNG)
            return them.graph(session).follow(1, 2)

        them.race([remove, follow], [1, 2, 3], patient=True)
        assert them.audit(counted=[1, 2]) == {(1, 2), (4, 2)}


# --- Users who go --------------------------------------------------------------------------------


def delete_user(them: Crowd, user: int) -> Job:
    """Return the job of deleting *user* as an object."""

    def run(session: Session) -> None:
        there = session.get(them.models.user, user, populate_existing=True)
        if there is not None:
            session.delete(there)

    return run


def delete_in_bulk(them: Crowd, user: int) -> Job:
    """Return the job of deleting *user* by a statement."""
    table = them.models.user
    return lambda session: session.execute(delete(table).where(table.id == user))


@settings
@pytest.mark.parametrize("remove", [delete_user, delete_in_bulk])
def test_deletion_while_others_follow(
    engine: Engine, models: Models, remove: Callable[[Crowd, int], Job], patient: bool
) -> None:
    """A user can be deleted while others follow and unfollow them: nothing remains, and no counter is wrong."""
    people = populate(engine, models, 24)
    groups = [people[start : start + 8] for start in range(0, len(people), 8)]
    with crowd(engine, models, 6) as them:
        for star, *fans in groups:
            befriend(engine, models, [(fans[5], fans[6]), (star, fans[6])])  # two who were never counted
            for pair in [(fans[0], star), (fans[1], star), (star, fans[0]), (star, fans[2])]:
                transact(them.sessions, them.follow(pair))
            jobs = [
                remove(them, star),
                or_unknown(them.unfollow((fans[0], star))),
                or_unknown(them.follow((fans[3], star))),
                or_unknown(them.unfollow((star, fans[2]))),
                or_unknown(them.follow((star, fans[4]))),
                or_unknown(them.follow((fans[6], star))),
            ]
            results = them.race(jobs, [star, fans[0], fans[3]], patient=patient)
            refuse_but_retriable(results)
            there = them.audit()
            if not isinstance(results[0], DBAPIError):
                assert [pair for pair in there if star in pair] == []


@pytest.mark.parametrize(("models", "remove"), [(ONE, delete_user), (MANY, delete_in_bulk)])
def test_two_deletions_with_common_followers(
    engine: Engine, models: Models, remove: Callable[[Crowd, int], Job]
) -> None:
    """Two users who know each other and the same people can be deleted at the same moment."""
    people = populate(engine, models, 24)
    groups = [people[start : start + 8] for start in range(0, len(people), 8)]
    with crowd(engine, models, 3) as them:
        for group in groups:
            first, second, *fans = (group[2], group[6], *group[:2], *group[3:6], group[7])
            for doomed, other in ((first, second), (second, first)):
                for pair in [(doomed, other), *((fan, doomed) for fan in fans), (doomed, fans[0])]:
                    transact(them.sessions, them.follow(pair))
            jobs = [remove(them, first), remove(them, second), or_unknown(them.unfollow((fans[1], first)))]
            them.race(jobs, [first, second, fans[1]], patient=True)
            there = them.audit()
            assert [pair for pair in there if first in pair or second in pair] == []


def test_deletion_locks_no_strangers(engine: Engine) -> None:
    """While a user is being deleted, those who have nothing to do with them follow without waiting."""
    if engine.dialect.name == "sqlite":
        return  # has one lock for all
    ids = populate(engine, ONE, 400)
    befriend(engine, ONE, [(a, b) for a in ids[10:60] for b in ids[60:100]])
    friends = [(1, 2), (3, 1), (5, 6), (7, 8)]
    befriend(engine, ONE, friends)
    table = ONE.count.__table__
    with engine.begin() as connection:
        connection.execute(insert(table), [{"user_id": i, "slot": 0, "followers": 0, "following": 0} for i in ids])
        connection.execute(text("ANALYZE TABLE follows, follow_counts" if is_mariadb(engine) else "ANALYZE"))
    with Session(engine) as session, Session(engine) as other:
        session.delete(session.get(ONE.user, 1))
        session.flush()
        other.execute(text("SET innodb_lock_wait_timeout = 1" if is_mariadb(engine) else "SET lock_timeout = '1s'"))
        assert ONE.graph(other).follow(200, 201)
        assert ONE.graph(other).unfollow(5, 6)
        other.commit()
        session.commit()


def is_mariadb(engine: Engine) -> bool:
    return engine.dialect.name in ("mysql", "mariadb")


def test_following_somebody_deleted_since_the_snapshot(engine: Engine) -> None:
    """A transaction that still sees a deleted user is told that there is none, and stays usable."""
    populate(engine, ONE, 3)
    with Session(engine) as session, Session(engine) as other:
        session.get(ONE.user, 1)
        session.get(ONE.user, 2)
        other.delete(other.get(ONE.user, 2))
        other.commit()
        with pytest.raises(UnknownUserError) as caught:
            ONE.graph(session).follow(1, 2)
        assert caught.value.user_ids == (2,)
        assert not ONE.graph(session).is_following(1, 2)
        assert ONE.graph(session).follow(1, 3)
        session.commit()
    assert audit(engine, ONE, counted=[1, 3]) == {(1, 3)}


# --- What the application writes through the ORM -------------------------------------------------


@slots
def test_two_sessions_delete_one_row(engine: Engine, models: Models, told: Counter[type[Event]]) -> None:
    """Two sessions that delete one `Follow` object, and a third that unfollows, count and tell it once."""
    ids = populate(engine, models, 16)

    def delete_row(pair: Pair) -> Job:
        return lambda session: session.delete(session.get(models.follow, pair))

    with crowd(engine, models, 3) as them:
        for a, b in zip(ids[::2], ids[1::2], strict=True):
            pair = (a, b)
            transact(them.sessions, them.follow(pair))
            results = them.race([delete_row(pair), them.unfollow(pair), delete_row(pair)], pair, loads=[pair])
            assert errors(results) == []
        assert them.audit(counted=ids) == set()
    assert told == {Followed: 8, Unfollowed: 8}


@slots
def test_rows_added_while_others_follow(engine: Engine, models: Models, told: Counter[type[Event]]) -> None:
    """A `Follow` added to a session beside a verb that makes it: one of them makes it, and both are right to try."""
    ids = populate(engine, models, 16)

    def add(pair: Pair) -> Job:
        return lambda session: session.add(models.follow(follower_id=pair[0], following_id=pair[1]))

    with crowd(engine, models, 4) as them:
        for a, b in zip(ids[::2], ids[1::2], strict=True):
            results = them.race([add((a, b)), them.follow((a, b)), add((a, b)), them.follow((b, a))], (a, b))
            # To add a row that is there is an error of the adder, as ever; a verb has none.
            assert all(isinstance(error, IntegrityError) for error in errors(results))
            assert errors(results[1::2]) == []
            assert errors([results[0], results[2]]) or not results[1]
        assert len(them.audit(counted=ids)) == 16
    assert told == {Followed: 16}


@slots
def test_bulk_statements_beside_verbs(engine: Engine, models: Models) -> None:
    """Rows that a statement deletes, and inserts where the engine tells, are counted beside verbs on the same rows."""
    ids = populate(engine, models, 8)
    every = [(a, b) for a in ids for b in ids if a != b]
    follow = models.follow
    rows = [{"follower_id": a, "following_id": b, "timestamp": now()} for a, b in every if a in (3, 4)]

    def load(session: Session) -> None:
        if not is_mariadb(engine):
            on_engine = postgresql if engine.dialect.name == "postgresql" else sqlite
            session.execute(on_engine.insert(follow).on_conflict_do_nothing(), rows)

    def clear(user: int) -> Job:
        return lambda session: session.execute(delete(follow).where(follow.following_id == user))

    with crowd(engine, models, 6) as them:
        for pair in every[::3]:
            transact(them.sessions, them.follow(pair))
        for turn in range(6):
            chance = random.Random(turn)
            pairs = [chance.choice(every) for _ in range(2)]
            jobs = [clear(3), load, them.follow(pairs[0]), them.unfollow(pairs[1]), clear(4), them.follow((4, 3))]
            assert errors(them.race(jobs, (3, 4), patient=True)) == []
            them.audit()


# --- Waits that end badly ------------------------------------------------------------------------


def test_wait_that_times_out(engine: Engine) -> None:
    """A follow whose counting waits too long cannot be committed without it, also by who ignores the error."""
    if engine.dialect.name == "sqlite":
        return  # waits before the first write, or not at all
    populate(engine, ONE, 4)
    befriend(engine, ONE, [(3, 2)])
    with Session(engine) as holder, Session(engine) as session:
        assert ONE.graph(session).follow(4, 2)
        session.commit()
        table = ONE.count.__table__
        holder.execute(select(table).where(table.c.user_id == 2).with_for_update()).all()
        session.execute(text("SET innodb_lock_wait_timeout = 0" if is_mariadb(engine) else "SET lock_timeout = 50"))
        with pytest.raises(DBAPIError) as caught:
            ONE.graph(session).follow(1, 2)
        assert is_retriable(caught.value)
        with suppress(PendingRollbackError):
            session.commit()
        session.rollback()
        assert audit(engine, ONE) == {(3, 2), (4, 2)}
        holder.rollback()
        assert ONE.graph(session).follow(1, 2)
        session.commit()
    assert audit(engine, ONE, counted=[1, 2]) == {(1, 2), (3, 2), (4, 2)}


# --- Other isolation levels ----------------------------------------------------------------------

LEVELS = [
    ("postgresql", "REPEATABLE READ"),
    ("postgresql", "SERIALIZABLE"),
    ("mariadb", "READ COMMITTED"),
    ("mariadb", "SERIALIZABLE"),
    ("mariadb", "SNAPSHOT"),
]


@pytest.fixture
def level(request: pytest.FixtureRequest, engine: Engine) -> Iterator[Engine]:
    """Give an engine whose transactions have the isolation level that the test names."""
    # Newer MariaDB checks a snapshot by default: who changes what changed since then gets error 1020.
    checked = request.param == "SNAPSHOT"
    name = "REPEATABLE READ" if checked else request.param
    strict = prepare_engine(create_engine(engine.url, pool_size=20, isolation_level=name))

    @event.listens_for(strict, "connect")
    def check_snapshots(connection: DBAPIConnection, record: object) -> None:
        if checked:
            with closing(connection.cursor()) as cursor:
                cursor.execute("SET innodb_snapshot_isolation = ON")

    yield strict
    strict.dispose()


@pytest.mark.parametrize(("engine", "level"), LEVELS, indirect=True, ids=[" ".join(level) for level in LEVELS])
@slots
def test_isolation_levels(level: Engine, models: Models) -> None:
    """At every isolation level transact() hides all conflicts, and without it only retriable ones are seen."""
    people = populate(level, models, 9)
    befriend(level, models, [(7, 5), (5, 7), (8, 5)])  # never counted
    with crowd(level, models, 6) as them:
        jobs = [
            them.follow((1, 5)),
            them.follow((5, 1)),
            them.unfollow((7, 5)),
            them.follow((1, 5)),
            or_unknown(them.follow((2, 9))),
            delete_user(them, 9),
        ]
        assert errors(them.race(jobs, people, patient=True)) == []
        assert (1, 5) in them.audit(counted=[1, 5])
        jobs = [delete_user(them, 8), them.follow((2, 5)), them.unfollow((5, 7)), them.follow((7, 5))]
        assert errors(them.race(jobs, people, patient=True)) == []
        them.audit(counted=[2, 5, 7])
        for _ in range(4):
            jobs = [them.follow((1, 2)), them.unfollow((1, 2)), them.follow((2, 1)), them.unfollow((1, 5))]
            refuse_but_retriable(them.race(jobs, people[:8]))
            them.audit()


@pytest.mark.parametrize(("engine", "level"), LEVELS, indirect=True, ids=[" ".join(level) for level in LEVELS])
def test_first_count_at_other_levels(level: Engine) -> None:
    """At every isolation level an old snapshot cannot put a deleted user's edges into a counter."""
    populate(level, ONE, 4)
    befriend(level, ONE, [(3, 2), (2, 3), (4, 2)])
    met = threading.Event()

    def follow(session: Session) -> object:
        session.get(ONE.user, 1)
        if not met.is_set():
            met.set()
            with Session(level) as other:
                other.execute(select(1))
                other.delete(other.get(ONE.user, 3))
                other.commit()
        return ONE.graph(session).follow(1, 2)

    with crowd(level, ONE, 1) as them:
        assert transact(them.sessions, follow)
        assert them.audit(counted=[1, 2]) == {(1, 2), (4, 2)}


@pytest.mark.parametrize("engine", ["mariadb"], indirect=True)
def test_snapshots_that_the_server_would_check(engine: Engine) -> None:
    """On a MariaDB that checks snapshots, as newer ones do by default, a prepared engine counts all the same."""
    populate(engine, ONE, 4)
    checks = "SET GLOBAL innodb_snapshot_isolation = {}"
    with engine.connect() as connection:
        connection.execute(text(checks.format("ON")))
    try:
        with engine_of_its_own(engine) as prepared, Session(prepared) as one, Session(prepared) as two:
            for session in (one, two):
                session.get(ONE.user, 2)
            assert ONE.graph(one).follow(1, 2)
            one.commit()
            assert ONE.graph(two).follow(3, 2)
            two.commit()
    finally:
        with engine.connect() as connection:
            connection.execute(text(checks.format("OFF")))
    assert audit(engine, ONE, counted=[1, 2, 3]) == {(1, 2), (3, 2)}


@contextmanager
def engine_of_its_own(engine: Engine) -> Iterator[Engine]:
    """Give another prepared engine on the same database."""
    other = prepare_engine(create_engine(engine.url))
    yield other
    other.dispose()
