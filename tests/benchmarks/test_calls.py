"""Calls are drawn, compared and timed as the table of the benchmark says."""

from __future__ import annotations

import pytest

from benchmarks.calls import DifferentAnswerError, measure
from benchmarks.contestants.floor_sqlite import FloorSQLite
from benchmarks.contestants.ours import Retinue, RetinueEveryModel
from benchmarks.data import generate
from benchmarks.databases import place
from benchmarks.operations import OPERATIONS
from benchmarks.timing import Lane, figure, middle, race, ratios
from benchmarks.world import READERS, Draw, world


class Liar(Retinue):
    """Retinue, but for one answer."""

    name = "liar"

    def is_following(self, follower: int, followed: int) -> bool:
        return not super().is_following(follower, followed)


def test_every_row_of_the_table_is_measured_beside_the_floor() -> None:
    with place("sqlite", generate(2_000), quick=True) as here:
        rows = list(measure(here, [FloorSQLite, Retinue, RetinueEveryModel], lambda _name: True, lambda _said: None))

    assert [row.operation for row in rows] == [operation.name for operation in OPERATIONS]
    for row in rows:
        floor, *ours = row.figures
        assert (floor.contestant, floor.ratio) == ("floor", None)
        assert [one.contestant for one in ours] == ["Retinue", "Retinue, every model"]
        assert all(one.low <= one.ratio <= one.high for one in ours if one.low and one.ratio and one.high)
        assert "with every model, to itself without (goal 1.5)" in row.stated


def test_nothing_is_timed_where_answers_differ() -> None:
    with place("sqlite", generate(500), quick=True) as here, pytest.raises(DifferentAnswerError, match="liar says"):
        list(measure(here, [FloorSQLite, Liar], lambda name: name == "is_following", lambda _said: None))


def test_whoever_runs_out_of_patience_is_compared_by_the_calls_that_it_made() -> None:
    floor, slow = Lane("floor", int, []), Lane("slow", int, [])
    floor.took, slow.took = [[10, 10, 90, 90, 90], [10, 10, 10]], [[20, 20], [30]]

    assert ratios(slow, floor) == [2, 3]
    assert figure(slow, floor).ratio == 2.5
    assert figure(slow, floor).p50 == 0.02


def test_a_lane_stops_when_its_patience_is_over_but_for_one_call() -> None:
    lane = Lane("lane", lambda: None, [[()] * 1_000])
    race([lane], patience_seconds=1e-9)

    assert [len(block) for block in lane.took] == [1]


def test_all_lanes_get_the_same_calls_and_a_write_is_never_cut_off() -> None:
    lanes = [Lane(name, lambda number: number + 1, [[(1,), (2,)], [(3,)]]) for name in ("floor", "ours")]
    race(lanes, keep=True)

    assert [lane.answers for lane in lanes] == [[2, 3, 4], [2, 3, 4]]
    assert [list(map(len, lane.took)) for lane in lanes] == [[2, 1], [2, 1]]


def test_the_middle_is_the_median_between_the_quarters() -> None:
    assert middle([5, 1, 3, 2, 4]) == (3, 2, 4)
    assert middle([7]) == (7, 7, 7)


def test_every_graph_gets_readers_and_strangers_do_not_follow_each_other() -> None:
    of = world(generate(3_000))
    edges = set(zip(of.data.followers.tolist(), of.data.followed.tolist(), strict=True))

    assert len(edges) == len(of.data.times)
    assert {many: len(readers) >= number for many, number in READERS.items() for readers in [of.readers[many]]} == {
        500: True,
        5_000: True,
    }
    pairs = Draw(of, seed=1).strangers(300)
    assert len(set(pairs)) == 300
    assert not edges.intersection(pairs)
    assert all(follower != followed for follower, followed in pairs)


def test_a_graph_that_has_such_readers_gets_posts_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As large graphs do: nobody is added to them."""
    monkeypatch.setattr("benchmarks.world.READERS", {500: 1})
    data = generate(60_000)
    of = world(data)

    assert of.data.users == data.users
    assert len(of.authors) == len(of.post_times) > 0
    assert of.post_times[-1] < of.data.times[-1]
