"""Units of work for home timelines: told after COMMIT, done in any order, lost, repeated; and no page changes."""

from __future__ import annotations

import json
import pickle
import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from retinue import (
    Settings,
    fanout,
    listen,
)
from retinue.events import TimelineWork
from retinue.testing import count_statements
from tests.database.kept_timelines import Kept, at, own_engine
from tests.database.kept_writers import do_units
from tests.database.models_timeline import declare_posting
from tests.database.writers import PROCESSES

if TYPE_CHECKING:
    from tests.servers import Server

KEPT = Kept(Settings(active="active", fan_out_most=None))
SHORT = Kept(Settings(active="active", fan_out_most=None, timeline_length=3))
FEW = Kept(Settings(active="active", fan_out_most=2))
#: A hundred followers are as many as there are people here.
HYBRID = Kept(Settings(active="active", fan_out_most=100))
PULL = declare_posting(Settings(active="active"), kept=False)


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mariadb"])
def engine(
    request: pytest.FixtureRequest, server: Callable[[str], Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    with own_engine(request.param, server, tmp_path_factory.mktemp("fanout")) as engine:
        yield engine


# --- Transactions --------------------------------------------------------------------------------


def test_nothing_is_left_of_what_is_rolled_back(engine: Engine) -> None:
    """Of posts, follows, and who came: no row, and no unit."""
    place = KEPT.begin(engine, 3, readers=[1])
    with place.sessions() as session:
        session.add(place.made(2, 1))
        session.execute(insert(place.models.post), [{"id": 5, "author_id": 3, "made_at": at(5)}])
        place.graph(session).follow(1, 2)
        place.graph(session).mark_active(3)
        session.flush()
        assert not place.told
        session.rollback()
        assert not place.told
        with session.begin():
            session.add(place.made(2, 2))
    assert (place.size(place.senders), place.size(place.readers)) == (1, 1)
    assert place.complete_after(1) is not None
    assert len(place.told) == 1
    place.check(1, 2)


def test_nothing_is_left_of_a_savepoint_that_is_rolled_back(engine: Engine) -> None:
    """What went before it and came after it stays."""
    place = KEPT.begin(engine, 4, readers=[1])
    with place.sessions.begin() as session:
        graph = place.graph(session)
        session.add(place.made(2, 1))
        with session.begin_nested() as savepoint:
            session.add_all([place.made(2, 2), place.made(3, 3)])
            graph.follow(1, 3)
            graph.mark_active(4)
            session.flush()
            savepoint.rollback()
        session.add(place.made(4, 4))
    assert {json.loads(unit)["user"] for unit in place.told} == {2, 4}
    assert (place.size(place.senders), place.size(place.readers)) == (2, 1)
    assert place.complete_after(1) is not None
    for unit in list(place.told):
        place.chain(unit)
    assert place.size(place.senders) == 0
    place.check(1, 2, 3, 4)


def test_work_is_told_after_commit_only(engine: Engine) -> None:
    """When the listener hears of it another session can do it."""
    place = KEPT.begin(engine, 3, readers=[1])
    place.follow((1, 2))
    place.work()
    seen: list[list[int]] = []

    def do_it(work: TimelineWork) -> None:
        place.chain(work.unit)
        seen.append(place.kept(1))

    stop = listen(place.models.user, TimelineWork, do_it)
    try:
        with place.sessions() as session:
            session.add(place.made(2, 1))
            session.flush()
            assert not seen
            session.commit()
    finally:
        stop()
    assert seen == [[1]]


# --- Units ---------------------------------------------------------------------------------------


def test_a_unit_is_a_text_that_any_process_can_do(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    place = KEPT.begin(engine, 6, readers=[1, 2, 3, 4])
    place.follow(*((key, 5) for key in (1, 2, 3, 4)))
    place.work()
    place.post(5, 1)
    place.follow((1, 6))
    post, fill = place.told
    monkeypatch.setattr(fanout, "BATCH", 2)
    middle = place.run(post)
    assert middle is not None
    units = [post, fill, middle]
    assert all(type(unit) is str and json.loads(json.dumps(unit)) == unit for unit in units)
    assert pickle.loads(pickle.dumps(units)) == units
    assert [json.loads(unit)["task"] for unit in units] == ["send", "fill", "send"]
    other = PROCESSES.Process(target=do_units, args=(engine.url.render_as_string(hide_password=False), [middle, fill]))
    other.start()
    other.join(60)
    assert other.exitcode == 0
    assert [place.kept(key) for key in (1, 2, 3, 4)] == [[1]] * 4
    assert place.pending() == []
    place.check(1, 2, 3, 4)


HOSTILE = [
    "",
    "x",
    "null",
    "[]",
    "1",
    '"send"',
    "{}",
    None,
    7,
    b"\xff",
    pytest.param(object(), id="object()"),  # its own text holds its address, another one in each process
    ["send"],
    '{"task": "send", "user": 1, "version": 1}',
    '{"task": "drop", "user": 1, "version": 1, "after": null}',
    '{"task": null, "user": 1, "version": 1, "after": null}',
    '{"task": [], "user": 1, "version": 1, "after": null}',
    '{"task": "send", "user": "1", "version": 1, "after": null}',
    '{"task": "send", "user": 1.5, "version": 1, "after": null}',
    '{"task": "send", "user": true, "version": 1, "after": null}',
    '{"task": "send", "user": null, "version": 1, "after": null}',
    '{"task": "send", "user": [1], "version": 1, "after": null}',
    '{"task": "send", "user": 1, "version": null, "after": null}',
    '{"task": "send", "user": 1, "version": "x", "after": null}',
    '{"task": "send", "user": 1, "version": 1e999, "after": null}',
    '{"task": "send", "user": 1, "version": NaN, "after": null}',
    '{"task": "send", "user": 1, "version": 1.5, "after": null}',
    f'{{"task": "send", "user": 1, "version": {10**30}, "after": null}}',
    f'{{"task": "send", "user": {10**30}, "version": 1, "after": null}}',
    f'{{"task": "fill", "user": {-(10**30)}, "version": 1, "after": null}}',
    f'{{"task": "send", "user": 1, "version": 1, "after": [0, {10**30}]}}',
    "[" * 100_000,
    '{"task": "send", "user": 1, "version": 1, "after": 5}',
    '{"task": "send", "user": 1, "version": 1, "after": []}',
    '{"task": "send", "user": 1, "version": 1, "after": [1]}',
    '{"task": "send", "user": 1, "version": 1, "after": {"0": 1}}',
    '{"task": "send", "user": 1, "version": 1, "after": ["x", 1]}',
    '{"task": "send", "user": 1, "version": 1, "after": [1, "x"]}',
    '{"task": "send", "user": 1, "version": 1, "after": [1e400, 1]}',
    '{"task": "send", "user": 1, "version": 1, "after": [99999999999999999999999999, 1]}',
    '{"task": "send", "user": 1, "version": 1, "after": [-99999999999999999999999999, 1]}',
    '{"task": "send", "user": 1, "version": ' + "9" * 5_000 + ', "after": null}',
]


@pytest.mark.parametrize("unit", HOSTILE, ids=lambda unit: repr(unit)[:60])
def test_what_is_no_unit_is_refused_before_any_statement(engine: Engine, unit: Any) -> None:
    with count_statements(engine) as ran, pytest.raises(ValueError, match="no unit of work") as refused:
        fanout.run(lambda: Session(engine), KEPT.models.user, unit)
    assert not ran
    assert len(str(refused.value)) < 200


def test_a_unit_about_what_is_not_there_is_done_at_once(engine: Engine) -> None:
    """An author, a reader, a version, a place that nobody knows."""
    place = KEPT.begin(engine, 3, readers=[1])
    place.follow((1, 2))
    place.work()
    place.post(2, 1)
    for task in ("send", "fill"):
        for user in (3, 99):
            for after in ("null", "[0, 1]", "[-1000000, 7]"):
                assert place.run(f'{{"task": "{task}", "user": {user}, "version": 1, "after": {after}}}') is None
    # Of what is there, an unknown version does the work and leaves it pending.
    assert place.run('{"task": "send", "user": 2, "version": -5, "after": null}') is None
    assert place.kept(1) == [1]
    assert len(place.pending()) == 1
    place.check(1, 2, 3)


def test_units_may_be_done_twice_in_any_order_and_long_after(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages are right after each of them."""
    monkeypatch.setattr(fanout, "BATCH", 2)
    for seed in range(2):
        place = SHORT.begin(engine, 7, readers=[1, 2, 3, 4])
        chance = random.Random(seed)
        units: list[str] = []
        place.follow(*((key, 6) for key in (1, 2, 3, 4, 5)), (1, 7))
        for number in range(1, 13):
            what = chance.choice(["post", "post", "post", "late", "leave", "come", "work"])
            key = chance.randint(1, 4)
            if what in {"post", "late"}:
                place.post(chance.choice([6, 7]), number, ago=6 if what == "late" else 0)
            elif what == "leave":
                place.act(lambda graph, key=key: graph.unfollow(key, 6))  # type: ignore[misc]
            elif what == "come":
                place.follow((key, chance.choice([6, 7])))
            else:
                place.work()
            units += place.told
            place.told.clear()
            for unit in chance.sample(units, min(2, len(units))):
                if following := place.run(unit):
                    units.append(following)
            place.check(1, 2, 3, 4)
        place.work()
        place.check(1, 2, 3, 4)
        before = [place.kept(key) for key in (1, 2, 3, 4)]
        for unit in chance.sample(units, len(units)):
            place.chain(unit)
        place.check(1, 2, 3, 4)
        assert [place.kept(key) for key in (1, 2, 3, 4)] == before
        assert place.pending() == []
        assert all(len(kept) <= 3 for kept in before)


def test_a_chain_that_is_lost_is_finished_by_work(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two followers at a time, and after the second unit nobody goes on."""
    monkeypatch.setattr(fanout, "BATCH", 2)
    place = KEPT.begin(engine, 8, readers=range(1, 7))
    place.follow(*((key, 8) for key in range(1, 8)))
    place.work()
    place.post(8, 1)
    unit = place.told.pop()
    for done in ([1, 2], [1, 2, 3, 4]):
        following = place.run(unit)
        assert following is not None
        unit = following
        assert [key for key in range(1, 8) if place.kept(key)] == done
        place.check(*range(1, 9))
    assert len(place.pending()) == 1
    assert place.work() == 4
    assert [key for key in range(1, 8) if place.kept(key)] == [1, 2, 3, 4, 5, 6]
    assert place.pending() == []
    place.check(*range(1, 9))


def test_followers_who_began_at_one_moment_are_all_reached(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain goes on by time and key."""
    monkeypatch.setattr(fanout, "BATCH", 2)
    place = KEPT.begin(engine, 8, readers=range(1, 8))
    rows = [{"follower_id": key, "following_id": 8, "timestamp": at(0)} for key in range(1, 8)]
    with engine.begin() as connection:
        connection.execute(insert(place.models.follow.__table__), rows)
    place.post(8, 1)
    place.chain(place.told.pop())
    assert [key for key in range(1, 8) if place.kept(key)] == list(range(1, 8))


def test_a_post_during_a_chain_is_sent_to_all(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also to those who had the chain behind them; by its own unit, or by `work()` if that is lost."""
    monkeypatch.setattr(fanout, "BATCH", 2)
    for lost in (False, True):
        place = KEPT.begin(engine, 6, readers=range(1, 6))
        place.follow(*((key, 6) for key in range(1, 6)))
        place.work()
        place.post(6, 10)
        first = place.run(place.told.pop())
        place.post(6, 11)
        place.post(6, 5)  # a late one: older than what is being sent
        place.chain(first)
        assert place.size(place.senders) == 1
        place.check(*range(1, 7))
        if lost:
            place.work()
        else:
            for unit in list(place.told):
                place.chain(unit)
        assert [place.kept(key) for key in range(1, 6)] == [[11, 10, 5]] * 5
        assert place.size(place.senders) == 0
        place.check(*range(1, 7))


# --- What nobody has done ------------------------------------------------------------------------


def test_pending_work_is_found_oldest_first(engine: Engine) -> None:
    """In two selects; what is recent is left to whoever was told."""
    place = KEPT.begin(engine, 5, readers=[1, 2])
    assert place.pending() == []
    place.post(3, 1)
    place.follow((1, 3))
    place.post(4, 2)
    place.follow((2, 3))
    place.act(lambda graph: graph.mark_active(5))
    with place.sessions() as session:
        with count_statements(engine) as ran:
            assert fanout.pending(session, place.models.user) == []
            assert fanout.pending(session, place.models.user, older_than=3600) == []
        assert len(ran) == 4
        units = fanout.pending(session, place.models.user, older_than=-1)
        assert units == list(place.told)
        assert [(json.loads(unit)["task"], json.loads(unit)["user"]) for unit in units] == [
            ("send", 3),
            ("fill", 1),
            ("send", 4),
            ("fill", 2),
            ("fill", 5),
        ]
        assert fanout.pending(session, place.models.user, older_than=-1, limit=1) == units[:2]
    assert fanout.work(place.sessions, place.models.user, older_than=3600) == 0
    assert place.work() == 5
    assert place.pending() == []
    assert place.work() == 0


def test_a_unit_takes_as_many_statements_as_it_says(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many followers it goes through."""
    place = HYBRID.begin(engine, 34, readers=range(1, 31))
    rows = [{"follower_id": key, "following_id": 34, "timestamp": at(key)} for key in range(1, 33)]
    with engine.begin() as connection:
        connection.execute(insert(place.models.follow.__table__), rows)
    costs = []
    for number, batch in enumerate((1_000, 30), 1):
        monkeypatch.setattr(fanout, "BATCH", batch)
        place.post(34, number)
        unit: str | None = place.told.pop()
        version = json.loads(unit or "")["version"]
        # As if nobody were measured this time, as most are not in most units.
        monkeypatch.setattr(fanout, "crc32", lambda _text, version=version: version ^ 1)
        while unit is not None:
            with count_statements(engine) as ran:
                unit = place.run(unit)
            costs.append(len(ran))
    # The last unit deletes; the first counts the followers.
    assert costs == [4 + 1 + 1, 4 + 1, 3 + 1 + 1]
    assert place.kept(30) == [2, 1]
    place.follow((1, 33))
    with count_statements(engine) as ran:
        assert place.run(place.told.pop()) is None
    assert len(ran) == 5


def test_a_timeline_that_is_measured_takes_four_statements_more(engine: Engine) -> None:
    """One if it is not too long."""
    place = SHORT.begin(engine, 2, readers=[1])
    costs = []
    for number in range(1, 6):
        place.post(1, number)
        with count_statements(engine) as ran:
            place.run(place.told.pop())
        costs.append(len(ran) - 5)
    assert costs == [1, 1, 1, 4, 4]
