"""SQLite has one writer at a time: who waits for whom, who does not, and what each of them sees."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, create_engine, event, insert, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from retinue import prepare_engine
from tests.database.graph_models import HUNG, ONE, audit, populate
from tests.database.writers import PROCESSES, follow_everybody, make_tables

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def people(engine: Engine) -> list[int]:
    """Give the keys of twelve people."""
    return populate(engine, ONE, 12)


@pytest.fixture
def hasty(engine: Engine, people: list[int]) -> Iterator[Engine]:
    """Give an engine on the same file that waits for nobody: whoever is in its way, it fails at once."""
    hasty = prepare_engine(create_engine(engine.url), busy_timeout=0)
    yield hasty
    hasty.dispose()


# --- Processes -----------------------------------------------------------------------------------


def together(job: Callable[..., None], arguments: list[tuple[object, ...]]) -> list[int | None]:
    """Run *job* in a process for each of *arguments*, all at once; return how they ended."""
    ready = PROCESSES.Barrier(len(arguments))
    processes = [PROCESSES.Process(target=job, args=(ready, *given)) for given in arguments]
    for process in processes:
        process.start()
    for process in processes:
        process.join(HUNG)
    return [process.exitcode for process in processes]


def test_processes_that_write_at_once_lose_nothing(engine: Engine, people: list[int]) -> None:
    """Four processes that write without pause, without transact(), neither fail nor lose an update."""
    url = engine.url.render_as_string()
    assert together(follow_everybody, [(url, people[start::4], people) for start in range(4)]) == [0] * 4
    assert len(audit(engine, ONE, counted=people)) == 12 * 11


def test_processes_that_open_a_new_file_at_once(engine: Engine) -> None:
    """Several processes may be the first to open a database, and switch its journal, at the same moment."""
    url = engine.url.render_as_string()
    assert together(make_tables, [(url,)] * 4) == [0] * 4
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"


# --- Readers -------------------------------------------------------------------------------------


def test_a_session_that_has_read_delays_no_writer(engine: Engine, hasty: Engine, people: list[int]) -> None:
    """A session that was left open after reading is in nobody's way, and then writes what is true."""
    with Session(engine) as reader, Session(hasty) as writer:
        assert len(ONE.graph(reader).followers(2)) == 0
        assert reader.in_transaction()
        ONE.graph(writer).follow(1, 2)
        writer.commit()
        assert [person.user.id for person in ONE.graph(reader).followers(2)] == [1]
        ONE.graph(reader).follow(3, 2)
        reader.commit()
        ONE.graph(writer).follow(4, 2)
        writer.commit()
    assert audit(engine, ONE, counted=[1, 2, 3, 4]) == {(1, 2), (3, 2), (4, 2)}


def test_a_reader_sees_nothing_half_done_and_waits_for_nobody(engine: Engine, hasty: Engine) -> None:
    """While somebody writes, others read at once, and see the edge and its counts after the COMMIT, together."""
    with Session(engine) as writer, Session(hasty) as reader:
        ONE.graph(writer).follow(1, 2)
        for committed in (0, 1):
            graph = ONE.graph(reader)
            assert graph.is_following(1, 2) == bool(committed)
            assert (graph.counts([2])[2].followers, len(graph.followers(2))) == (committed, committed)
            writer.commit()


def test_a_reader_in_the_middle_of_a_list_delays_no_writer(engine: Engine, hasty: Engine, people: list[int]) -> None:
    """Who reads a long list row by row goes on to read what was there, while others write."""
    with Session(engine) as reader, Session(hasty) as writer:
        everybody = select(ONE.user.id).order_by(ONE.user.id)
        rows = iter(reader.scalars(everybody.execution_options(yield_per=1)))
        seen = [next(rows)]
        writer.execute(insert(ONE.user.__table__), {"id": 100, "name": "late"})
        ONE.graph(writer).follow(1, 100)
        writer.commit()
        seen += rows
        assert seen == people
        assert list(reader.scalars(everybody)) == [*people, 100]


def test_reading_begins_no_write_transaction(engine: Engine, people: list[int]) -> None:
    """However much is read, only the first write or savepoint asks for the one lock that there is."""
    begun: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(*said: object) -> None:
        if str(said[2]).startswith("BEGIN"):
            begun.append(str(said[2]))

    with Session(engine) as session:
        graph = ONE.graph(session)
        graph.is_following(1, 2)
        graph.followers(1)
        graph.counts(people)
        graph.relationships(1, people)
        session.commit()
        assert begun == []
        graph.unfollow(1, 2)
        graph.follow(1, 2)
        session.commit()
        assert begun == ["BEGIN IMMEDIATE"]
        with session.begin_nested():
            graph.is_following(1, 2)
        session.commit()
        assert begun == ["BEGIN IMMEDIATE"] * 2


# --- Writers -------------------------------------------------------------------------------------


def test_two_who_have_read_the_same_lose_no_update(engine: Engine, people: list[int]) -> None:
    """Two sessions that both read a user before either wrote count both follows."""
    with Session(engine) as one, Session(engine) as two:
        for session in (one, two):
            session.get(ONE.user, 2)
            ONE.graph(session).counts([2])
        ONE.graph(one).follow(1, 2)
        one.commit()
        ONE.graph(two).follow(3, 2)
        two.commit()
    assert audit(engine, ONE, counted=[1, 2, 3]) == {(1, 2), (3, 2)}


@pytest.mark.parametrize("savepoint", [False, True])
def test_a_writer_waits_for_its_turn(engine: Engine, people: list[int], savepoint: bool) -> None:
    """Who writes while somebody else does waits until that one commits, and meets no error."""
    with Session(engine) as first:
        ONE.graph(first).follow(1, 2)
        committed = []

        def finish() -> None:
            time.sleep(0.3)
            committed.append(True)
            first.commit()

        thread = threading.Thread(target=finish)
        thread.start()
        with Session(engine) as second:
            second.get(ONE.user, 2)
            if savepoint:
                with second.begin_nested():
                    assert not ONE.graph(second).is_following(3, 2)  # what it reads here is part of the transaction
                    ONE.graph(second).follow(3, 2)
            else:
                ONE.graph(second).follow(3, 2)
            assert committed
            second.commit()
        thread.join()
    assert audit(engine, ONE, counted=[1, 2, 3]) == {(1, 2), (3, 2)}


def test_who_could_not_begin_to_write_writes_nothing(engine: Engine, hasty: Engine) -> None:
    """A session that ignores a busy database and writes again does so in a transaction, which can be rolled back."""
    with Session(engine) as holder, Session(hasty) as session:
        session.get(ONE.user, 1)
        ONE.graph(holder).follow(5, 6)
        with pytest.raises(OperationalError):
            ONE.graph(session).follow(1, 2)
        holder.commit()
        ONE.graph(session).follow(3, 4)
        session.rollback()
        assert audit(engine, ONE, counted=[5, 6]) == {(5, 6)}
