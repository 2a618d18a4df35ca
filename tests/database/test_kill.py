"""Writers that are killed in the middle: what they had not committed never was."""

from __future__ import annotations

import random
import time

from sqlalchemy import Engine, text

from tests.database.graph_models import HUNG, ONE, audit, crowd, populate
from tests.database.writers import PROCESSES, follow_back_and_forth

ROUNDS = 6

#: How many other connections the server still knows.
OTHERS = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    "mariadb": "SELECT count(*) FROM information_schema.processlist WHERE db = database() AND id <> connection_id()",
}


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
        for writer in writers:
            writer.start()
        for begun in started:
            assert begun.wait(HUNG)
        time.sleep(chance.uniform(0, 0.03))
        for writer in writers:
            assert writer.is_alive()
            writer.kill()
            writer.join(HUNG)
        wait_until_the_server_knows(engine)
        there = audit(engine, ONE)
        assert there == {(b, a) for a, b in there}
    with crowd(engine, ONE, 2) as them:
        them.race([them.follow((1, 2)), them.follow((2, 1))], patient=True)
        assert {(1, 2), (2, 1)} <= them.audit(counted=[1, 2])


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
