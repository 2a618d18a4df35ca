"""What the loads work out themselves: whom a mix is about, what is replayed, how rounds compare."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import URL

from benchmarks.data import generate
from benchmarks.loads import filling
from benchmarks.loads.comparing import compared, spread
from benchmarks.loads.linkbench import WEIGHTS as LINKBENCH
from benchmarks.loads.mix import OPERATIONS, Drawn, Skew, compare, draw
from benchmarks.loads.models import Base
from benchmarks.loads.pgbench import choices
from benchmarks.loads.recording import Statements, record
from benchmarks.loads.sides import BareSide, RetinueSide, Side
from benchmarks.loads.tao import WEIGHTS as TAO

DATA = generate(6_000)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> URL:
    file: Path = tmp_path_factory.mktemp("loads") / "graph.sqlite3"
    address = URL.create("sqlite", database=str(file))
    filling.fill(address, Base.metadata, DATA)
    return address


@pytest.fixture(scope="module")
def replayed(url: URL) -> tuple[Statements, Drawn]:
    return record(url), draw(url, DATA)


@pytest.fixture
def sides(url: URL, replayed: tuple[Statements, Drawn]) -> Iterator[list[Side]]:
    both: list[Side] = [RetinueSide(url), BareSide(url, replayed[0])]
    yield both
    for side in both:
        side.close()


def test_zipf_draws_each_rank_by_its_weight() -> None:
    chance = np.random.default_rng(1)
    drawn = Skew(1_000, 0.8, chance).draw(200_000)
    assert drawn.min() >= 1
    assert drawn.max() <= 1_000
    often = np.sort(np.bincount(drawn, minlength=1_001)[1:])[::-1]
    weights = np.arange(1, 1_001) ** -0.8
    wanted = weights / weights.sum() * 200_000
    assert often[:10] == pytest.approx(wanted[:10], rel=0.1)
    assert often[:100].sum() == pytest.approx(wanted[:100].sum(), rel=0.02)


def test_zipf_does_not_favour_low_keys() -> None:
    drawn = Skew(1_000, 0.8, np.random.default_rng(1)).draw(200_000)
    assert set(np.bincount(drawn).argsort()[-10:]) != set(range(1, 11))


@pytest.mark.parametrize(("weights", "whole"), [(LINKBENCH, 999), (TAO, 100_000)])
def test_a_mix_knows_its_operations_and_is_complete(weights: dict[str, int], whole: int) -> None:
    assert set(weights) <= set(OPERATIONS)
    assert sum(weights.values()) == whole


def test_what_is_replayed_reads_as_retinue_does(url: URL, replayed: tuple[Statements, Drawn]) -> None:
    compare(url, *replayed)


def test_what_is_replayed_changes_as_retinue_does(
    url: URL, replayed: tuple[Statements, Drawn], sides: list[Side]
) -> None:
    drawn = replayed[1]
    there = set(zip(DATA.followers.tolist(), DATA.followed.tolist(), strict=True))
    dice, changed = random.Random(1), 0
    for number in range(200):
        pair = (dice.randint(1, DATA.users), dice.randint(1, DATA.users)) if number % 2 else dice.choice(drawn.edges)
        if pair[0] == pair[1]:
            continue
        verb, side = dice.choice(["follow", "unfollow"]), sides[number // 2 % 2]
        assert getattr(side, verb)(*pair) == ((pair in there) == (verb == "unfollow"))
        changed += (pair in there) == (verb == "unfollow")
        (there.add if verb == "follow" else there.discard)(pair)
    assert changed > 50
    filling.check(url, len(there))


def test_pgbench_looks_up_every_value() -> None:
    values = [7, 3, 9, 9, 1]
    place, keys, others = choices(key=values, other=[value * 10 for value in values]).splitlines()
    assert place == r"\set place random(0, 4)"
    connection = sqlite3.connect(":memory:")
    for line, factor in ((keys, 1), (others, 10)):
        expression = line.split(maxsplit=2)[2]
        found = [connection.execute(f"SELECT {expression}", {"place": number}).fetchone()[0] for number in range(5)]
        assert found == [value * factor for value in values]


def test_rounds_are_compared_one_by_one() -> None:
    floor, ours = compared({"floor": [1.0, 10.0, 100.0], "Retinue": [2.0, 15.0, 300.0]})
    assert (floor.p50, floor.p99, floor.ratio) == (10, 100, None)
    assert (ours.p50, ours.p99, ours.ratio, ours.low, ours.high) == (15, 300, 2, 1.5, 3)


def test_spread_is_the_median_and_the_quarters() -> None:
    assert spread([5.0, 1.0, 4.0, 2.0, 3.0]) == (3, 2, 4)


def test_a_count_that_differs_is_found(tmp_path: Path) -> None:
    address = URL.create("sqlite", database=str(tmp_path / "graph.sqlite3"))
    filling.fill(address, Base.metadata, DATA)
    filling.check(address, 6_000)
    with sqlite3.connect(tmp_path / "graph.sqlite3") as connection:
        connection.execute("UPDATE follow_counts SET followers = followers + 1 WHERE user_id = 5")
    connection.close()
    with pytest.raises(AssertionError, match="followers differs"):
        filling.check(address, 6_000)
    with pytest.raises(AssertionError, match="6000 edges"):
        filling.check(address, 5_999)
