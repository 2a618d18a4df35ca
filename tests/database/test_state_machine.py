"""
The library beside a follow system in plain Python: both do the same, step by step, and must agree.

The steps are those of an application: verbs, writes through the ORM one by one and in bulk,
users who come, go, become private or inactive, savepoints in savepoints, commits and rollbacks,
another session that writes in between, and time that goes by. After each, all that there is to
read is compared: see the package `machine`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import URL, Engine, String
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import mapped_column
from sqlalchemy.util import greenlet_spawn

from retinue import Settings, prepare_engine
from tests import models
from tests.database import models_plain
from tests.database.clock import Clock, stopped_clock
from tests.database.machine.agreement import Agreement, PrivateAgreement
from tests.database.machine.awaited import Awaited
from tests.database.machine.core import Core
from tests.database.machine.edges import Edges
from tests.database.models_private import declare
from tests.long import few_or_many
from tests.models import Models

LENGTH = 25
#: How many histories there are on each engine: in every run, and in a long one.
FEW = {"sqlite": 18, "postgresql": 4, "mariadb": 4}
MANY = {"sqlite": 60, "postgresql": 12, "mariadb": 12}


ONE_SLOT = Models(
    models_plain.Base.metadata,
    models_plain.User,
    {"Follow": models_plain.Follow, "FollowCount": models_plain.FollowCount},
)
THREE_SLOTS = models.declare(
    "Follow", "FollowCount", settings=Settings(counter_slots=3), columns={"motto": mapped_column(String(20))}
)
PRIVATE = declare(
    Settings(
        active="active",
        request_expiry=timedelta(days=2),
        request_cooldown=timedelta(hours=10),
        restore_window=timedelta(days=1),
        history_retention=timedelta(days=3),
    )
)
LIMITED = declare(
    Settings(
        active="active",
        max_following=2,
        max_following_ratio=1.5,
        max_follows_per_day=6,
        max_pending_requests=1,
        request_expiry=timedelta(hours=30),
        request_cooldown=timedelta(hours=1),
        notify_again_after=timedelta(hours=2),
    )
)


class PlainMachine(Edges, Agreement):
    """A follow system with edges and counts."""


class PrivateMachine(PrivateAgreement):
    """A follow system with everything."""


#: For each kind of system, the machine, its models, and how many times fewer examples there are.
KINDS: dict[str, tuple[type[Core], Models, int]] = {
    "one slot": (PlainMachine, ONE_SLOT, 1),
    "three slots": (PlainMachine, THREE_SLOTS, 3),
    "private": (PrivateMachine, PRIVATE, 2),
    "limited": (PrivateMachine, LIMITED, 2),
}


#: A driver of each engine that is awaited; those of the servers in a long run.
AWAITED = [
    ("sqlite", "aiosqlite"),
    pytest.param("postgresql", "asyncpg", marks=pytest.mark.long),
    pytest.param("mariadb", "asyncmy", marks=pytest.mark.long),
]


@pytest.fixture
def clock() -> Iterator[Clock]:
    with stopped_clock() as clock:
        yield clock


def agree(machine: type[Core], models: Models, engine: Engine, clock: Clock, examples: int) -> None:
    """Try so many histories, at least two."""
    models.metadata.create_all(engine)
    run_state_machine_as_test(
        type("Machine", (machine,), {"engine": engine, "models": models, "clock": clock}),
        settings=settings(
            max_examples=max(2, examples),
            stateful_step_count=LENGTH,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],  # a failure has 25 steps at most; to shorten it takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )


@few_or_many("examples", FEW, MANY)
@pytest.mark.parametrize("kind", KINDS)
def test_the_library_does_what_a_plain_graph_does(
    engine: Engine, clock: Clock, kind: str, examples: dict[str, int]
) -> None:
    """Whatever an application does, in whatever order, both agree after every step."""
    machine, models, fewer = KINDS[kind]
    agree(machine, models, engine, clock, examples[engine.dialect.name] // fewer)


@few_or_many("examples", 4, 20)
@pytest.mark.parametrize(("database", "driver"), AWAITED, indirect=["database"])
@pytest.mark.parametrize("kind", ["one slot", pytest.param("private", marks=pytest.mark.long)])
def test_async_code_does_the_same(database: URL, driver: str, clock: Clock, kind: str, examples: int) -> None:
    """Through `AsyncGraph`, on async sessions, whose calls wait for nothing but what is awaited."""
    machine, models, _ = KINDS[kind]
    awaited = type("Awaited", (Awaited, machine), {})

    async def run() -> None:
        url = database.set(drivername=f"{database.get_backend_name()}+{driver}")
        engine = prepare_engine(create_async_engine(url))
        try:
            await greenlet_spawn(agree, awaited, models, engine.sync_engine, clock, examples)
        finally:
            await engine.dispose()

    asyncio.run(run())
