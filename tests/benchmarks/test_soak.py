"""An application's life, in short: everything is done, nothing is wrong afterwards, and what grows is said."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from benchmarks.competitors.retinue import edges
from benchmarks.data import generate
from benchmarks.databases import Place, place
from benchmarks.soak.__main__ import Minute, measure, row
from benchmarks.soak.life import READS, WRITES, Person, Service
from retinue.doctor import examine

DATA = generate(2_000)


@pytest.fixture
def here() -> Iterator[Place]:
    with place("sqlite", DATA, quick=True) as found:
        yield found


def minute(number: int, *, memory: float, wrong: int = 0) -> Minute:
    return Minute(number, 100, 1_000, 2_000, 3_000, 4_000, memory, 0, wrong)


def test_everything_that_people_do_works_and_leaves_nothing_wrong(here: Place) -> None:
    service = Service(here.fresh())
    service.create()
    service.load_users(DATA.users, edges(DATA))
    person = Person(DATA.users, 1)
    for what in [*READS, *WRITES] * 20:
        with Session(service.engine) as session:
            person.do(what, session)
            session.commit()
    assert not examine(service.engine, service.models.user)
    service.close()


def test_minutes_are_told_while_it_lives(here: Place) -> None:
    minutes = list(measure(here, minutes=2, rate=200, seconds=0.5))

    assert [one.minute for one in minutes] == [1, 2]
    assert all(one.calls > 20 and one.read_p99_us >= one.read_p50_us > 0 for one in minutes)
    assert all(one.wrong_counts == 0 for one in minutes)


def test_what_grows_from_the_second_quarter_to_the_last_misses_its_goal(here: Place) -> None:
    flat = row(here, 50, [minute(number, memory=200 if number > 2 else 100) for number in range(1, 9)])
    grown = row(here, 50, [minute(number, memory=100 + 2 * number) for number in range(1, 9)])
    wrong = row(here, 50, [minute(number, memory=100, wrong=number // 8) for number in range(1, 9)])

    assert all(one.reached for one in flat.stated)
    assert [one.what for one in grown.stated if not one.reached] == ["memory, the last quarter to the second"]
    assert [one.what for one in wrong.stated if not one.reached] == ["counts that differed from the edges"]
