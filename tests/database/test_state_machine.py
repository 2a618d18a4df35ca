"""
The library beside a follow system in plain Python: both do the same, step by step, and must agree.

The steps are those of an application: verbs, writes through the ORM one by one and in bulk,
users who come, go, become private or inactive, savepoints in savepoints, commits and rollbacks,
another session that writes in between, and time that goes by. After each, all that there is to
read is compared: see the package `machine`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Engine, String
from sqlalchemy.orm import mapped_column

from retinue import Settings
from tests import models
from tests.database import models_plain
from tests.database.clock import Clock, stopped_clock
from tests.database.machine.agreement import Agreement, PrivateAgreement
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


@pytest.fixture
def clock() -> Iterator[Clock]:
    with stopped_clock() as clock:
        yield clock


@few_or_many("examples", FEW, MANY)
@pytest.mark.parametrize("kind", KINDS)
def test_the_library_does_what_a_plain_graph_does(
    engine: Engine, clock: Clock, kind: str, examples: dict[str, int]
) -> None:
    """Whatever an application does, in whatever order, both agree after every step."""
    machine, models, fewer = KINDS[kind]
    models.metadata.create_all(engine)
    run_state_machine_as_test(
        type("Machine", (machine,), {"engine": engine, "models": models, "clock": clock}),
        settings=settings(
            max_examples=max(2, examples[engine.dialect.name] // fewer),
            stateful_step_count=LENGTH,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],  # a failure has 25 steps at most; to shorten it takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
