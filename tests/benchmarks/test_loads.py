"""What the loads work out themselves: whom a mix is about, what is checked; and each of them is measured once, small."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.competitors.floor_sqlite import FloorSQLite
from benchmarks.competitors.retinue import Retinue
from benchmarks.competitors.same import SameStatements, SameStatementsInASession
from benchmarks.data import generate
from benchmarks.databases import Place, place
from benchmarks.loads import LOADS
from benchmarks.loads.load import Load, check, copied, loaded
from benchmarks.loads.mixes import LINKBENCH, TAO, Member, compare, draw, zipf
from benchmarks.world import Draw, world

DATA = generate(6_000)
SIDES = [FloorSQLite, Retinue]


@pytest.fixture(scope="module")
def here() -> Iterator[Place]:
    with place("sqlite", DATA, quick=True) as found:
        yield found


def test_zipf_draws_each_rank_by_its_weight_and_does_not_favour_low_keys() -> None:
    drawn = zipf(1_000, 0.8, 200_000, np.random.default_rng(1))
    assert drawn.min() >= 1
    assert drawn.max() <= 1_000
    counts = np.bincount(drawn, minlength=1_001)[1:]
    often = np.sort(counts)[::-1]
    weights = np.arange(1, 1_001) ** -0.8
    wanted = weights / weights.sum() * 200_000
    assert often[:10] == pytest.approx(wanted[:10], rel=0.1)
    assert often[:100].sum() == pytest.approx(wanted[:100].sum(), rel=0.02)
    assert set(counts.argsort()[-10:]) != set(range(10))


@pytest.mark.parametrize(("weights", "whole"), [(LINKBENCH, 999), (TAO, 100_000)])
def test_a_mix_knows_its_operations_and_is_complete(here: Place, weights: dict[str, int], whole: int) -> None:
    floor = loaded(here, FloorSQLite)
    assert set(weights) <= set(Member(floor, draw(DATA), seed=1).operations)
    assert sum(weights.values()) == whole
    floor.close()


@pytest.mark.parametrize("kind", SIDES)
def test_the_operations_of_a_mix_change_what_they_are_to_change(here: Place, kind: type[FloorSQLite | Retinue]) -> None:
    side, drawn = loaded(here, kind), draw(DATA)
    edges = set(zip(DATA.followers.tolist(), DATA.followed.tolist(), strict=True))
    assert set(drawn.edges) <= edges
    member = Member(side, drawn, seed=1)
    assert member.operations["get one"]()
    changes = [member.operations[name]() for _ in range(50) for name in ("add", "update", "delete")]
    assert sum(changes[::3]) > 20
    assert sum(changes[2::3]) > 20
    assert sum(changes[1::3]) < 20
    check(side, 6_000 + sum(changes[::3]) + sum(changes[1::3]) - sum(changes[2::3]))
    side.close()


def test_sides_that_read_something_else_are_found(here: Place) -> None:
    sides = {kind.name: loaded(here, kind) for kind in SIDES}
    compare(sides, draw(DATA), LINKBENCH)
    sides["Retinue"].first_page = lambda user: []  # type: ignore[method-assign]  # noqa: ARG005
    with pytest.raises(AssertionError, match="list: "):
        compare(sides, draw(DATA), TAO)
    for side in sides.values():
        side.close()


def test_the_bare_driver_reads_and_changes_the_same_by_the_statements_that_were_taken_down(here: Place) -> None:
    retinue = Retinue(here.fresh())
    retinue.create()
    retinue.load(DATA)
    same = SameStatements(retinue.url)
    compare({"Retinue": retinue, "floor": same}, draw(DATA), TAO)
    retinue.session.rollback()
    strangers = Draw(world(DATA), seed=3).strangers(20)
    for follower, followed in strangers:
        assert same.follow(follower, followed)
        assert not same.follow(follower, followed)
    check(retinue, 6_000 + len(strangers))
    for follower, followed in strangers:
        assert same.unfollow(follower, followed)
        assert not same.unfollow(follower, followed)
    check(retinue, 6_000)
    same.close()
    retinue.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mariadb"])
def test_a_plain_session_follows_by_them_as_well(kind: str) -> None:
    with place(kind, DATA, quick=True) as there:
        retinue = Retinue(there.fresh())
        retinue.create()
        retinue.load(DATA)
        fans = set(DATA.followers[DATA.followed == DATA.celebrity].tolist())
        *new, last = [user for user in range(1, DATA.users + 1) if user not in {*fans, DATA.celebrity}]
        plain = SameStatementsInASession(retinue, last, DATA.celebrity)
        for user in new:
            plain.follow(user, DATA.celebrity)
        plain.close()
        check(retinue, 6_000 + len(new))


@pytest.mark.parametrize(("kind", "table"), [(FloorSQLite, "counts"), (Retinue, "follow_counts")])
def test_a_count_that_differs_is_found(here: Place, kind: type[FloorSQLite | Retinue], table: str) -> None:
    side = loaded(here, kind)
    check(side, 6_000)
    with sqlite3.connect(str(side.url.database)) as connection:
        connection.execute(f"UPDATE {table} SET followers = followers + 1 WHERE user_id = 5")
    connection.close()
    with pytest.raises(AssertionError, match="followers differs"):
        check(side, 6_000)
    with pytest.raises(AssertionError, match="6000 edges"):
        check(side, 5_999)
    side.close()


def test_what_happens_to_a_copy_does_not_happen_to_the_next(here: Place) -> None:
    original = loaded(here, FloorSQLite)
    original.close()
    with copied(here, original) as copy:
        copy.delete_user(DATA.celebrity)
    with copied(here, original) as copy:
        check(copy, 6_000)


@pytest.mark.parametrize("load", [load for load in LOADS if load.name in {"bulk", "deletion", "storage", "timelines"}])
def test_a_load_is_measured_beside_the_floor(here: Place, load: Load) -> None:
    row = load.measure(replace(here, data=generate(1_000)))
    assert [figure.competitor for figure in row.figures] == ["floor", "Retinue"]
    assert all(figure.p50 > 0 for figure in row.figures)
    assert (row.operation, row.database, row.edges) == (load.operation, "sqlite", 1_000)
