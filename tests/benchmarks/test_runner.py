"""How sides are timed: warm, in turns, and compared by the same calls; on a clock that moves when a side works."""

from __future__ import annotations

import random
from functools import partial

import pytest

from benchmarks.results import FLOOR
from benchmarks.runner import Calls, figures, quarters, ratios, repeated, take_turns

MICROSECOND = 1_000


class Machine:
    """A machine with one cache: whose data is in it works fast, and whoever works takes it over."""

    def __init__(self) -> None:
        self.time = 0
        self.cached: str | None = None

    def clock(self) -> int:
        return self.time

    def work(self, side: str, warm: float, cold: float) -> None:
        self.time += round((warm if self.cached == side else cold) * MICROSECOND)
        self.cached = side


def sides(machine: Machine, *, calls: int, patience: float = float("inf")) -> dict[str, Calls]:
    """A floor that takes 10 us, or 65 where its data has left the cache; and a peer that always takes 3,250."""
    rounds = [[()] * calls] * 5
    times = {FLOOR: (10, 65), "slow peer": (3_250, 3_250)}
    return {
        name: Calls(lambda name=name: machine.work(name, *times[name]), rounds, patience=patience, clock=machine.clock)
        for name in times
    }


@pytest.mark.parametrize("calls", [1, 30])
@pytest.mark.parametrize("patience", [float("inf"), 1 * MICROSECOND])
def test_a_slow_peer_leaves_no_cold_cache_to_the_floor(calls: int, patience: float) -> None:
    floor, peer = figures(take_turns(sides(Machine(), calls=calls, patience=patience), 5))

    assert (floor.p50, floor.p99) == (10, 10)
    assert (peer.ratio, peer.low, peer.high) == (325, 325, 325)


def test_without_warming_up_the_floor_would_be_timed_cold() -> None:
    """So the fake machine shows what it is made for: one call of the floor after the peer, and 325 looks like 50."""
    machine = Machine()
    cold = sides(machine, calls=1)
    for side in cold.values():
        side.warm_up = lambda: None

    assert figures(take_turns(cold, 5))[1].ratio == 50


def test_one_call_that_the_machine_delays_changes_no_ratio() -> None:
    machine, chance = Machine(), random.Random(1)

    def call(usual: float) -> None:
        machine.time += round((usual if chance.random() < 0.7 else 20_000) * MICROSECOND)

    rounds = [[()] * 25] * 9
    named = {
        name: Calls(lambda usual=usual: call(usual), rounds, clock=machine.clock)
        for name, usual in ((FLOOR, 10), ("ours", 20))
    }

    assert figures(take_turns(named, 9))[1].ratio == 2


def test_who_runs_out_of_patience_is_compared_by_the_calls_that_it_made() -> None:
    floor, slow = [[10.0, 10, 90, 90, 90], [10.0, 10, 10]], [[20.0, 20], [30.0]]

    assert ratios(slow, floor) == [2, 3]
    _, figure = figures({FLOOR: floor, "slow": slow})
    assert (figure.p50, figure.ratio) == (20, 2.5)


@pytest.mark.parametrize(("patience", "calls"), [(6, 5), (4, 4), (2, 3), (0.5, 3), (0.15, 2), (0.01, 1)])
def test_a_side_stops_when_its_patience_is_over_but_for_three_calls_if_they_are_not_too_slow(
    patience: float, calls: int
) -> None:
    machine = Machine()
    call = lambda: machine.work("it", 1, 1)  # noqa: E731
    side = Calls(call, [[()] * 5], patience=patience * MICROSECOND, clock=machine.clock)

    assert len(side(0)) == calls


def test_a_write_is_warmed_up_by_something_else_and_its_answers_are_at_hand() -> None:
    warmed = list[int]()
    side = Calls(lambda number: number + 1, [[(1,), (2,)], [(3,)]], warm_up=warmed.append, answers=[])

    assert list(map(len, take_turns({FLOOR: side}, 2)[FLOOR])) == [2, 1]
    assert side.answers == [2, 3, 4]
    assert warmed == [1, 2, 3]


def test_who_begins_changes_from_round_to_round() -> None:
    order = list[str]()

    def turn(name: str, _number: int) -> list[float]:
        order.append(name)
        return [1.0]

    take_turns({name: partial(turn, name) for name in "abc"}, 3)

    assert "".join(order) == "abcbcacab"


def test_of_a_throughput_the_lowest_round_is_shown_beside_the_median() -> None:
    floor, ours = figures({FLOOR: [[1.0], [10.0], [100.0]], "Retinue": [[2.0], [15.0], [300.0]]}, throughput=True)

    assert (floor.p50, floor.p99, floor.ratio) == (10, 1, None)
    assert (ours.p50, ours.p99, ours.ratio, ours.low, ours.high) == (15, 2, 2, 1.75, 2.5)


def test_the_quarters_are_around_the_median() -> None:
    assert quarters([5, 1, 3, 2, 4]) == (3, 2, 4)
    assert quarters([7]) == (7, 7, 7)


def test_a_call_is_repeated_twice_as_often_as_it_is_timed() -> None:
    done = list[int]()
    turns = take_turns({FLOOR: repeated(lambda: done.append(1), calls=3, rounds=2)}, 2)

    assert [len(turn) for turn in turns[FLOOR]] == [3, 3]
    assert len(done) == 12
