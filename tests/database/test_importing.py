"""A graph that exists already is loaded whole, row by row accounted for, and counted at every commit."""

from __future__ import annotations

import gzip
import io
import random
import time
import tracemalloc
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Engine, String, Uuid, create_engine, func, insert, select
from sqlalchemy.orm import Session, sessionmaker

from retinue import Event, Graph, listen, prepare_engine, transact
from retinue.testing import count_statements
from retinue.transfer import Skipped, SkipReason, import_follows
from tests.database.graph_models import MANY, ONE, populate
from tests.database.writers import PROCESSES
from tests.models import Models, declare
from tests.own_types import PortableUuid, Prefixed

PEOPLE = 60

pytestmark = pytest.mark.tables(ONE.metadata)


def edges(engine: Engine, models: Models = ONE) -> set[tuple[int, int]]:
    """Return the edges that are there."""
    with Session(engine) as session:
        row = models.follow
        return {(a, b) for a, b in session.execute(select(row.follower_id, row.following_id))}


def assert_counted(engine: Engine, models: Models = ONE, *, never: frozenset[int] = frozenset()) -> None:
    """Fail unless the count rows of everybody, but those who were *never* counted, say what the edges say."""
    there = edges(engine, models)
    followers, following = Counter(b for _, b in there), Counter(a for a, _ in there)
    with Session(engine) as session:
        row = models.count
        columns = (row.user_id, func.sum(row.followers), func.sum(row.following))
        said = {user: (int(a), int(b)) for user, a, b in session.execute(select(*columns).group_by(row.user_id))}
    wanted = {user: (followers[user], following[user]) for user in {*followers, *following} - never}
    assert {user: pair for user, pair in said.items() if user in wanted or pair != (0, 0)} == wanted


def some_pairs(number: int, seed: int = 1) -> list[tuple[int, int]]:
    """Return distinct pairs of people, in no order."""
    dice = random.Random(seed)
    pairs = [(a, b) for a in range(1, PEOPLE + 1) for b in range(1, PEOPLE + 1) if a != b]
    return dice.sample(pairs, number)


def test_every_row_is_added_or_has_a_reason(engine: Engine) -> None:
    """The report and the call for each row agree: which row, and why it was not added."""
    populate(engine, ONE, PEOPLE)
    rows: list[Any] = [
        (1, 2),
        (1, 2),
        (3, 3),
        (1, 999_999),
        ("4", "5", "2024-05-06T07:08:09Z"),
        (5, 6, 1_700_000_000),
        (6,),
        "7,8",
        (7, "x"),
        (7, 10**30),
        (8, 9, "yesterday"),
        (9, 10, datetime(2024, 1, 1)),  # noqa: DTZ001 - naive, to be refused
        (2, 1, datetime(2024, 1, 1, tzinfo=UTC)),
    ]
    skipped: list[Skipped] = []
    report = import_follows(engine, ONE.user, rows, on_skip=skipped.append)
    assert edges(engine) == {(1, 2), (4, 5), (5, 6), (2, 1)}
    assert (report.rows, report.added) == (len(rows), 4)
    assert [(one.number, one.reason) for one in skipped] == [
        (2, SkipReason.DUPLICATE),
        (3, SkipReason.SELF_FOLLOW),
        (4, SkipReason.UNKNOWN_USER),
        (7, SkipReason.MALFORMED),
        (8, SkipReason.MALFORMED),
        (9, SkipReason.INVALID_KEY),
        (10, SkipReason.INVALID_KEY),
        (11, SkipReason.INVALID_TIMESTAMP),
        (12, SkipReason.INVALID_TIMESTAMP),
    ]
    assert report.skipped == Counter(one.reason for one in skipped)
    assert_counted(engine)
    with Session(engine) as session:
        assert session.get_one(ONE.follow, (4, 5)).timestamp == datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
        assert session.get_one(ONE.follow, (5, 6)).timestamp == datetime.fromtimestamp(1_700_000_000, UTC)


def test_a_second_import_changes_nothing(engine: Engine) -> None:
    """What is there is skipped as a duplicate, in small batches or large ones, and the counts stay."""
    populate(engine, ONE, PEOPLE)
    pairs = some_pairs(900)
    first = import_follows(engine, ONE.user, pairs, batch_rows=100, progress=lambda _: assert_counted(engine))
    assert first.added == 900
    again = import_follows(engine, ONE.user, pairs)
    assert (again.added, again.skipped) == (0, {SkipReason.DUPLICATE: 900})
    assert edges(engine) == set(pairs)
    assert_counted(engine)


def test_it_adds_to_what_is_there_and_to_users_never_counted(engine: Engine) -> None:
    """Edges made by verbs, and edges that no counter knows yet, end in counts that equal the rows (user 1 gains none)."""
    populate(engine, ONE, PEOPLE)
    with engine.begin() as connection:
        old = [
            {"follower_id": a, "following_id": b, "timestamp": datetime.now(UTC)} for a, b in [(1, 2), (3, 2), (2, 9)]
        ]
        connection.execute(insert(ONE.follow.__table__), old)
    with Session(engine) as session:
        Graph(session, ONE.user).follow(4, 5)
        session.commit()
    report = import_follows(engine, ONE.user, [(1, 2), (7, 2), (4, 5), (5, 4), (9, 2)])
    assert (report.added, report.skipped) == (3, {SkipReason.DUPLICATE: 2})
    assert_counted(engine, never=frozenset({1, 3}))


@pytest.mark.parametrize("form", ["path", "text", "bytes", "gzip", "iterable"])
def test_a_file_or_an_iterable(engine: Engine, tmp_path: Path, form: str) -> None:
    """A header is seen, blank lines are nothing, and quotes, spaces and line ends do no harm."""
    populate(engine, ONE, PEOPLE)
    text = 'follower,following,timestamp\r\n1,2,1700000000\r\n\r\n"3","4",\n 5 , 6 ,2024-01-01T00:00:00+02:00\n'
    source: Any = tmp_path / "graph.csv"
    source.write_bytes(text.encode())
    if form == "text":
        source = io.StringIO(text)
    elif form == "bytes":
        source = io.BytesIO(text.encode())
    elif form == "gzip":
        source.write_bytes(gzip.compress(text.encode()))
    elif form == "iterable":
        source = iter([("1", "2", "1700000000"), ("3", "4", ""), (5, 6, "2024-01-01T00:00:00+02:00")])
    report = import_follows(engine, ONE.user, source)
    assert (report.rows, report.added, report.skipped) == (3, 3, {})
    assert edges(engine) == {(1, 2), (3, 4), (5, 6)}


def test_hostile_files_are_skipped_line_by_line(engine: Engine, tmp_path: Path) -> None:
    """Junk, NUL, a line without end, an open quote: each is one malformed row, and the good ones are added."""
    populate(engine, ONE, PEOPLE)
    lines = [b"1,2", b"\xff\xfe\x00\x80,3", b"4,5\x00", b"9" * 200_000, b'"6,7', b"1,2,3,4", b",", b"8,9", b"-1,-2"]
    path = tmp_path / "junk.csv"
    path.write_bytes(b"\n".join(lines))
    report = import_follows(engine, ONE.user, path)
    assert edges(engine) == {(1, 2), (8, 9)}
    assert report.rows == len(lines)
    assert sum(report.skipped.values()) == len(lines) - 2
    assert_counted(engine)


@pytest.mark.tables(None)
@pytest.mark.parametrize("kind", ["big", "text", "uuid", "portable", "prefixed"])
def test_keys_of_every_type(engine: Engine, kind: str) -> None:
    """Keys come as themselves or as text that says them."""
    types: dict[str, Any] = {"big": BigInteger(), "text": String(40, collation=None), "uuid": Uuid()}
    types |= {"portable": PortableUuid(), "prefixed": Prefixed()}
    keys: dict[str, list[Any]] = {
        "big": [2**40, 2**40 + 1, 2**40 + 2],
        "text": ["anna", "ben", "cleo"],
        "uuid": [uuid.UUID(int=n << 80 | 1 << 63) for n in (1, 2, 3)],
        "portable": [uuid.UUID(int=n << 80 | 1 << 63) for n in (1, 2, 3)],
        "prefixed": ["user_1", "user_22", "user_3"],
    }
    models = declare("Follow", "FollowCount", key=types[kind])
    a, b, c = keys[kind]
    models.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(models.user(id=key) for key in (a, b, c))
        session.commit()
        report = import_follows(engine, models.user, [(a, b), (str(b), str(c)), (str(a), str(b)), (c, a)])
        assert (report.added, report.skipped) == (3, {SkipReason.DUPLICATE: 1})
        assert [p.user.id for p in models.graph(session).followers(c).items] == [b]
        assert session.scalar(select(func.sum(models.count.followers))) == 3
        assert session.scalar(select(func.count()).select_from(models.follow)) == 3


def test_slots_and_uncounted_users_stay_exact_while_others_follow(engine: Engine) -> None:
    """Verbs run by other sessions at the same time, on the same people; all ends counted right."""
    populate(engine, MANY, PEOPLE)
    pairs = some_pairs(2_000)
    sessions = sessionmaker(engine)

    def busy(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(40):
            pair = dice.choice(pairs)
            verb = "follow" if dice.random() < 0.5 else "unfollow"

            def work(session: Session, verb: str = verb, pair: tuple[int, int] = pair) -> None:
                getattr(Graph(session, MANY.user), verb)(*pair)

            transact(sessions, work)

    with ThreadPoolExecutor(3) as pool:
        others = [pool.submit(busy, seed) for seed in range(3)]
        import_follows(sessions, MANY.user, pairs, batch_rows=150)
        for other in others:
            other.result()
    assert_counted(engine, MANY)


def load_for_ever(url: str, pairs: list[tuple[int, int]]) -> None:
    """Import *pairs* in small batches, slowly enough to be killed between them."""
    engine = prepare_engine(create_engine(url))
    import_follows(engine, ONE.user, pairs, batch_rows=50, progress=lambda _: time.sleep(0.01))


def test_an_import_that_was_killed_is_simply_run_again(engine: Engine) -> None:
    """After SIGKILL at any moment, counts equal rows; the second run adds what was missing, once."""
    populate(engine, ONE, PEOPLE)
    pairs = some_pairs(3_000)
    for pause in (0.3, 0.5):
        process = PROCESSES.Process(target=load_for_ever, args=(engine.url.render_as_string(False), pairs))
        process.start()
        deadline = time.monotonic() + 20
        before = len(edges(engine))
        while len(edges(engine)) == before and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(pause / 10)
        process.kill()
        process.join()
        assert_counted(engine)
    there = len(edges(engine))
    assert there > 0
    report = import_follows(engine, ONE.user, pairs)
    assert report.added == 3_000 - there
    assert edges(engine) == set(pairs)
    assert_counted(engine)


@pytest.mark.long
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_memory_does_not_grow_with_the_source(engine: Engine) -> None:
    """A generator ten times as long takes no more memory."""
    populate(engine, ONE, PEOPLE)

    def endless(number: int) -> Iterator[tuple[int, int]]:
        return ((1 + n % PEOPLE, 1 + (n // PEOPLE) % PEOPLE) for n in range(number))

    peaks = []
    for number in (20_000, 200_000):
        tracemalloc.start()
        import_follows(engine, ONE.user, endless(number), batch_rows=5_000)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]


def test_it_commits_by_itself_tells_nobody_and_hides_no_statement(engine: Engine) -> None:
    """No listener hears of imported rows, and SQLAlchemy's events see every statement."""
    populate(engine, ONE, PEOPLE)
    told: list[Event] = []
    stop = listen(ONE.user, Event, told.append)
    with count_statements(engine) as statements:
        import_follows(engine, ONE.user, some_pairs(500))
    stop()
    assert told == []
    assert any("follows" in statement and "INSERT" in statement.upper() for statement in statements)
    with Session(engine) as session:
        graph = Graph(session, ONE.user)
        for user in (1, 2, 3):
            wanted = session.execute(
                select(ONE.follow.follower_id)
                .where(ONE.follow.following_id == user)
                .order_by(ONE.follow.timestamp.desc(), ONE.follow.follower_id.desc())
            ).scalars()
            found, cursor = [], None
            while True:
                page = graph.followers(user, limit=3, cursor=cursor)
                found += [person.user.id for person in page]
                cursor = page.next
                if cursor is None:
                    break
            assert found == list(wanted)


@pytest.mark.parametrize("wrong", [None, 5, b"1,2", Path("/nowhere/at/all.csv")], ids=repr)
def test_what_is_no_source_is_refused(engine: Engine, wrong: Any) -> None:
    """With a TypeError, or what the file system says; nothing is written."""
    populate(engine, ONE, PEOPLE)
    with pytest.raises((TypeError, OSError)):
        import_follows(engine, ONE.user, wrong)
    assert edges(engine) == set()
