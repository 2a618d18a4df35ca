"""Writers that are killed in the middle: what they had not committed never was."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from tests.database import private_models
from tests.database.graph_models import HUNG, ONE, audit, crowd, populate
from tests.database.private_models import ANY
from tests.database.races import judge
from tests.database.races.actions import Application
from tests.database.writers import PROCESSES, ask_and_answer, follow_back_and_forth, part_and_meet
from tests.long import in_every_run

ROUNDS = 6

#: How many other connections the server still knows.
OTHERS = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    "mariadb": "SELECT count(*) FROM information_schema.processlist WHERE db = database() AND id <> connection_id()",
}


def kill(engine: Engine, writers: Sequence[BaseProcess], started: Sequence[Event], *, after: float) -> None:
    """Start *writers*, and kill them so many seconds *after* all have begun."""
    for writer in writers:
        writer.start()
    for begun in started:
        assert begun.wait(HUNG)
    time.sleep(after)
    for writer in writers:
        assert writer.is_alive()
        writer.kill()
        writer.join(HUNG)
    wait_until_the_server_knows(engine)


@in_every_run("sqlite", "postgresql")
def test_killed_writers_leave_nothing_half_done(engine: Engine) -> None:
    """However often two writers are killed, edges come in pairs as they were made, and the counters are right."""
    people = populate(engine, ONE, 8)
    url = engine.url.render_as_string(hide_password=False)
    chance = random.Random(1)
    # To each writer its own pairs, but the same people, whose counters they share.
    pairs = [(a, b) for a in people for b in people if a < b]
    for _ in range(ROUNDS):
        started = [PROCESSES.Event() for _ in range(2)]
        writers = [
            PROCESSES.Process(target=follow_back_and_forth, args=(begun, url, pairs[number::2]))
            for number, begun in enumerate(started)
        ]
        kill(engine, writers, started, after=chance.uniform(0, 0.03))
        there = audit(engine, ONE)
        assert there == {(b, a) for a, b in there}
    with crowd(engine, ONE, 2) as them:
        them.race([them.follow((1, 2)), them.follow((2, 1))], patient=True)
        assert {(1, 2), (2, 1)} <= them.audit(counted=[1, 2])


@in_every_run("mariadb")
def test_killed_writers_of_private_users_leave_nothing_half_done(engine: Engine) -> None:
    """However often they are killed: a block has cut all or nothing, and all who ask are let in or none."""
    private_models.populate(engine, ANY, 10)
    pairs = [(1, 2), (3, 4), (5, 6), (3, 7)]
    url = engine.url.render_as_string(hide_password=False)
    chance = random.Random(1)
    with Session(engine) as session:
        for a, b in pairs:
            Application(session, ANY).follow(a, b)
            Application(session, ANY).follow(b, a)
        session.commit()
    star, fans = 8, [2, 4, 6, 7, 9, 10]
    for _ in range(3):
        started = [PROCESSES.Event() for _ in range(2)]
        writers = [
            PROCESSES.Process(target=part_and_meet, args=(started[0], url, pairs)),
            PROCESSES.Process(target=ask_and_answer, args=(started[1], url, star, fans)),
        ]
        kill(engine, writers, started, after=chance.uniform(0, 0.05))
        state = judge.audit(engine, ANY)
        for a, b in pairs:
            assert len({(a, b), (b, a)} & state.edges) == (0 if (a, b) in state.blocks else 2)
        all_of_them = {(fan, star) for fan in fans}
        asking, following = all_of_them & state.requests, all_of_them & state.edges
        assert (asking, following) in [(all_of_them, set()), (set(), all_of_them), (set(), set())]
        assert star in state.locked or not asking


def wait_until_the_server_knows(engine: Engine) -> None:
    """Wait until the server has noticed that the killed are gone, and taken back what they had begun."""
    statement = OTHERS.get(engine.dialect.name)
    engine.dispose()
    deadline = time.monotonic() + HUNG
    # Each look is a transaction of its own: PostgreSQL shows one transaction the same backends all the time.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while statement and connection.execute(text(statement)).scalar():
            assert time.monotonic() < deadline
            time.sleep(0.01)
