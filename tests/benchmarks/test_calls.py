"""Calls are drawn, compared and timed as the table of the benchmark says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.calls import QUICK, DifferentAnswerError, measure
from benchmarks.competitors.floor_postgresql import FloorPostgreSQL
from benchmarks.competitors.floor_sqlite import FloorSQLite
from benchmarks.competitors.retinue import Retinue, RetinueEveryModel
from benchmarks.competitors.sharing import ORM, RetinueEntities, RetinueRequests
from benchmarks.data import generate
from benchmarks.databases import place
from benchmarks.operations import OPERATIONS
from benchmarks.results import ENTITIES, EVERY_MODEL, REQUESTS, RETINUE
from benchmarks.results import ORM as ORM_NAME
from benchmarks.world import READERS, Draw, world


class Liar(Retinue):
    """Retinue, but for one answer."""

    name = "liar"

    def is_following(self, follower: int, followed: int) -> bool:
        return not super().is_following(follower, followed)


class Forgetful(Retinue):
    """Retinue, but for one change."""

    name = "forgetful"

    def unfollow(self, follower: int, followed: int) -> bool:
        return (follower + followed) % 2 == 0 or super().unfollow(follower, followed)


@pytest.fixture(autouse=True)
def little_effort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.calls.QUICK", replace(QUICK, rounds=2, reads=4, writes=4, checks=4))


@pytest.mark.long
def test_every_row_of_the_table_is_measured_beside_the_floor() -> None:
    kinds = [FloorSQLite, Retinue, RetinueEntities, RetinueRequests, ORM, RetinueEveryModel]
    with place("sqlite", generate(2_000), quick=True) as here:
        rows = list(measure(here, kinds, lambda _name: True, lambda _words: None))

    assert [row.operation for row in rows] == [operation.name for operation in OPERATIONS]
    for row in rows:
        floor, *ours = row.figures
        assert (floor.competitor, floor.ratio) == ("floor", None)
        assert {RETINUE, EVERY_MODEL} <= {one.competitor for one in ours}
        assert all(one.low <= one.ratio <= one.high for one in ours if one.low and one.ratio and one.high)
        every = {one.goal for one in row.stated if one.what.startswith("with every model")}
        assert every == ({3} if row.operation in {"follow, new", "unfollow"} else {1.5})
    (deep,) = (row for row in rows if row.operation == "page of 20 at depth 100,000")
    assert {ENTITIES, ORM_NAME} <= {one.competitor for one in deep.figures}
    assert {"to the first page of the same list", "users as objects, to SQLAlchemy's ORM"} <= {
        one.what for one in deep.stated
    }
    assert REQUESTS in {one.competitor for one in rows[0].figures}


def test_behind_a_wire_is_measured_what_has_a_goal_there() -> None:
    with place("wire", generate(500), quick=True) as here:
        rows = list(measure(here, [FloorPostgreSQL, Retinue], lambda _name: True, lambda _words: None))

    assert {row.database for row in rows} == {"wire"}
    assert [row.operation for row in rows] == [one.name for one in OPERATIONS if one.goals.wire is not None]


@pytest.mark.parametrize(
    ("wrong", "operations", "message"),
    [
        (Liar, {"is_following"}, "liar answers"),
        (Forgetful, {"follow, new", "unfollow"}, "unfollow and then the counts: forgetful answers"),
    ],
)
def test_nothing_is_timed_where_answers_differ(wrong: type[Retinue], operations: set[str], message: str) -> None:
    with place("sqlite", generate(500), quick=True) as here, pytest.raises(DifferentAnswerError, match=message):
        list(measure(here, [FloorSQLite, wrong], lambda name: name in operations, lambda _words: None))


def test_every_graph_gets_readers_and_strangers_do_not_follow_each_other() -> None:
    graph = world(generate(3_000))
    edges = set(zip(graph.data.followers.tolist(), graph.data.followed.tolist(), strict=True))

    assert len(edges) == len(graph.data.times)
    assert all(len(graph.readers[length]) >= number for length, number in READERS.items())
    pairs = Draw(graph, seed=1).strangers(300)
    assert len(set(pairs)) == 300
    assert not edges.intersection(pairs)
    assert all(follower != followed for follower, followed in pairs)


def test_a_graph_that_has_such_readers_gets_posts_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As large graphs do: nobody is added to them."""
    monkeypatch.setattr("benchmarks.world.READERS", {500: 1})
    data = generate(60_000)
    graph = world(data)

    assert graph.data.users == data.users
    assert len(graph.authors) == len(graph.post_times) > 0
    assert graph.post_times[-1] < graph.data.times[-1]
