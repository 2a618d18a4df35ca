"""An import keeps what private users were promised: blocks, requests, limits, history; also while others act."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from retinue import Event, Graph, HistoryKind, Settings, listen, transact
from retinue.testing import audited
from retinue.transfer import ImportReport, Skipped, SkipReason, import_follows
from tests.database.graph_models import HUNG, Pair
from tests.database.models_private import PrivateModels, declare
from tests.database.private_models import ANY, populate
from tests.database.races.judge import audit

PEOPLE: Final = 30
PAIRS: Final[list[Pair]] = [(a, b) for a in range(1, PEOPLE + 1) for b in range(1, PEOPLE + 1) if a != b]
LIMITED: Final = declare(Settings(max_following=4, max_following_ratio=2, max_follows_per_day=3))
LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.tables(ANY.metadata)


def do(engine: Engine, models: PrivateModels, *steps: tuple[str, int, int]) -> None:
    """Take each of *steps*, a verb and two users, in a transaction of its own."""
    for verb, one, other in steps:

        def work(session: Session, verb: str = verb, one: int = one, other: int = other) -> None:
            getattr(Graph(session, models.user), verb)(one, other)

        transact(sessionmaker(engine), work)


def test_a_block_either_way_wins(engine: Engine) -> None:
    """The row is skipped, and said to be; a block that was taken back stops nothing, and the import is shard-safe."""
    populate(engine, ANY, PEOPLE)
    do(engine, ANY, ("block", 1, 2), ("block", 4, 3), ("block", 5, 6), ("unblock", 5, 6))
    skipped: list[Skipped] = []
    with audited(engine):
        rows = [(1, 2), (2, 1), (3, 4), (5, 6), (6, 5), (1, 999)]
        report = import_follows(engine, ANY.user, rows, on_skip=skipped.append)
    assert audit(engine, ANY).edges == {(5, 6), (6, 5)}
    assert (report.added, report.skipped) == (2, {SkipReason.BLOCKED: 3, SkipReason.UNKNOWN_USER: 1})
    wanted = [(1, SkipReason.BLOCKED), (2, SkipReason.BLOCKED), (3, SkipReason.BLOCKED), (6, SkipReason.UNKNOWN_USER)]
    assert [(one.number, one.reason) for one in skipped] == wanted


def test_an_edge_takes_the_place_of_its_request(engine: Engine) -> None:
    """Pending or rejected, it goes; requests of others stay."""
    models = declare(Settings(request_cooldown=Settings().restore_window))
    populate(engine, models, PEOPLE, locked=[2])
    do(engine, models, ("follow", 1, 2), ("follow", 3, 2), ("follow", 4, 2), ("reject", 2, 4))
    assert import_follows(engine, models.user, [(1, 2), (4, 2)]).added == 2
    state = audit(engine, models)
    assert state.edges == {(1, 2), (4, 2)}
    assert state.requests == {(3, 2)}
    with Session(engine) as session:
        assert session.scalar(select(func.count()).select_from(models.request)) == 1


def test_the_history_says_imported_and_nobody_is_told(engine: Engine) -> None:
    """Since when the edge is, once for each new edge; no notification, no event."""
    populate(engine, ANY, PEOPLE)
    do(engine, ANY, ("follow", 1, 2))
    heard: list[Event] = []
    stop = listen(ANY.user, Event, heard.append)
    rows = [(1, 2, LONG_AGO), (2, 1, LONG_AGO), (3, 1), (3, 2, "2021-02-03T04:05:06Z")]
    for _ in range(2):
        import_follows(engine, ANY.user, rows)
    stop()
    assert not heard
    assert audit(engine, ANY).notifications == {(2, 1, "follow", False)}
    with Session(engine) as session:
        event, edge = ANY.event, ANY.follow
        kept = select(event.follower_id, event.following_id, event.timestamp).where(event.kind == "imported")
        since = select(edge.follower_id, edge.following_id, edge.timestamp).where(edge.timestamp.is_not(None))
        there = {(a, b): at for a, b, at in session.execute(since)}
        assert sorted(tuple(row) for row in session.execute(kept)) == sorted(
            (*pair, there[pair]) for pair in [(2, 1), (3, 1), (3, 2)]
        )
        assert there[2, 1] == LONG_AGO
        page = Graph(session, ANY.user).history(2, 1, limit=5)
        assert [(entry.kind, entry.at) for entry in page.items] == [(HistoryKind.IMPORTED, LONG_AGO)]


@pytest.mark.parametrize("batch_rows", [1, 2, 1_000])
def test_nobody_gets_beyond_what_they_may_follow(engine: Engine, batch_rows: int) -> None:
    """The first rows stay; what is there already uses up nothing, and neither does a request that becomes an edge."""
    populate(engine, LIMITED, PEOPLE, locked=[9])
    do(engine, LIMITED, ("follow", 1, 20), ("follow", 1, 9), ("follow", 2, 9), ("block", 1, 8))
    rows = [(1, 20), (1, 8), (1, 7), (1, 6), (1, 5), (1, 9), (2, 3), (2, 4), (2, 5), (2, 6), (2, 9)]
    skipped: list[Skipped] = []
    report = import_follows(engine, LIMITED.user, rows, on_skip=skipped.append, batch_rows=batch_rows)
    wanted = {1: SkipReason.DUPLICATE, 2: SkipReason.BLOCKED, 5: SkipReason.LIMIT, 10: SkipReason.LIMIT}
    assert {one.number: one.reason for one in skipped} == wanted
    state = audit(engine, LIMITED)
    assert state.edges == {(1, 20), (1, 7), (1, 6), (1, 9), (2, 3), (2, 4), (2, 5), (2, 9)}
    assert (report.added, state.requests) == (7, frozenset())
    again = import_follows(engine, LIMITED.user, [(1, 20), (1, 7), (1, 5), (3, 1), (3, 2), (3, 4), (3, 5)])
    assert (again.added, again.skipped) == (4, {SkipReason.DUPLICATE: 2, SkipReason.LIMIT: 1})


def test_who_has_followers_may_follow_more(engine: Engine) -> None:
    """As many times their number as the ratio says; and an import leaves the day's follows as they were."""
    populate(engine, LIMITED, PEOPLE)
    assert import_follows(engine, LIMITED.user, [(user, 1) for user in range(2, 7)]).added == 5
    report = import_follows(engine, LIMITED.user, [(1, user) for user in range(10, 30)])
    assert (report.added, report.skipped) == (10, {SkipReason.LIMIT: 10})
    do(engine, LIMITED, ("follow", 2, 10), ("follow", 2, 11), ("follow", 2, 12))
    assert len(audit(engine, LIMITED).edges) == 18


def at_once(engine: Engine, models: PrivateModels, rows: list[Pair], steps: list[tuple[str, int, int]]) -> ImportReport:
    """Import *rows* in small batches, while three sessions take *steps*."""
    with ThreadPoolExecutor(4) as pool:
        report = pool.submit(import_follows, sessionmaker(engine), models.user, rows, batch_rows=60)
        others = [pool.submit(do, engine, models, *steps[start::3]) for start in range(3)]
        for other in others:
            other.result(HUNG)
        return report.result(HUNG)


def test_an_import_beside_blocks_leaves_no_edge_beside_one(engine: Engine) -> None:
    """Whichever comes first: a block cuts what was imported, or stops what was not; the history tells of each edge."""
    for order in (PAIRS, PAIRS[::-1], PAIRS[400:] + PAIRS[:400]):
        populate(engine, ANY, PEOPLE)
        blocks = [("block", a, b) for a, b in PAIRS[::9]]
        report = at_once(engine, ANY, order, blocks)
        state = audit(engine, ANY)
        assert len(state.blocks) == len(blocks)
        apart = state.blocks | {(b, a) for a, b in state.blocks}
        assert state.edges == set(PAIRS) - apart
        assert len(PAIRS) - len(apart) <= report.added <= len(PAIRS)


def test_an_import_beside_requests_and_answers(engine: Engine) -> None:
    """No request is left beside an edge, and every row is one in the end, whoever made it."""
    populate(engine, ANY, PEOPLE, locked=range(1, PEOPLE + 1, 2))
    steps = [step for a, b in PAIRS[::7] for step in [("follow", a, b), ("accept", b, a), ("reject", b, a)]]
    at_once(engine, ANY, PAIRS, steps)
    assert audit(engine, ANY).edges == set(PAIRS)


def test_a_limit_holds_while_others_follow(engine: Engine) -> None:
    """Imports and verbs together get nobody beyond it."""
    models = declare(Settings(max_following=10, max_following_ratio=0))
    populate(engine, models, PEOPLE)
    with ThreadPoolExecutor(3) as pool:
        orders = (PAIRS, PAIRS[::-1], PAIRS[300:] + PAIRS[:300])
        runs = [pool.submit(import_follows, engine, models.user, rows, batch_rows=70) for rows in orders]
        reports = [run.result(HUNG) for run in runs]
    assert sum(report.added for report in reports) == PEOPLE * 10
    edges = audit(engine, models).edges
    assert {sum(a == user for a, _ in edges) for user in range(1, PEOPLE + 1)} == {10}
