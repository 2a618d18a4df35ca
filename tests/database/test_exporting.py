"""What is exported is what an import reads back: the same edges, since the same times."""

from __future__ import annotations

import gzip
import io
import os
import random
import threading
import tracemalloc
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, String, Uuid, delete, insert, select
from sqlalchemy.orm import Session, sessionmaker

from retinue.testing import count_statements
from retinue.transfer import ExportReport, export_follows, import_follows
from tests.database.graph_models import ONE, Pair, audit, populate
from tests.models import declare

PEOPLE = 40
START = datetime(2020, 2, 29, 23, 59, 59, 999_999, UTC)
EVERYONE: list[Pair] = [(a, b) for a in range(1, PEOPLE + 1) for b in range(1, PEOPLE + 1) if a != b]

UUIDS = declare("Follow", key=Uuid)

pytestmark = pytest.mark.tables(ONE.metadata)


def some_edges(number: int) -> dict[Pair, datetime]:
    """Return *number* edges and since when, some with a time that has no fraction of a second."""
    chance = random.Random(7)
    pairs = chance.sample(EVERYONE, number)
    return {pair: START + timedelta(microseconds=chance.choice((1, 7_777_777, 1_000_000))) for pair in pairs}


def put(engine: Engine, follow: Any, edges: dict[Any, datetime]) -> None:
    rows = [{"follower_id": a, "following_id": b, "timestamp": since} for (a, b), since in edges.items()]
    with Session(engine) as session:
        session.execute(insert(follow.__table__), rows)
        session.commit()


def there(engine: Engine, follow: Any) -> dict[Any, datetime]:
    with Session(engine) as session:
        return {
            (a, b): since
            for a, b, since in session.execute(select(follow.follower_id, follow.following_id, follow.timestamp))
        }


@pytest.mark.parametrize("name", ["follows.csv", "follows.csv.gz"])
def test_there_and_back_again(engine: Engine, tmp_path: Path, name: str) -> None:
    """Whatever the size of the batches; the file is in order, and the edges' times are exact."""
    populate(engine, ONE, PEOPLE)
    edges = some_edges(500)
    put(engine, ONE.follow, edges)
    file = tmp_path / name
    report = export_follows(engine, ONE.user, file, batch_rows=7)
    assert (report.rows, report.total, report.share_written) == (500, None, None)
    data = file.read_bytes()
    text = (gzip.decompress(data) if name.endswith(".gz") else data).decode()
    header, *lines = text.splitlines()
    assert header == "follower,following,timestamp"
    assert lines == [f"{a},{b},{edges[a, b].isoformat()}" for a, b in sorted(edges)]
    with Session(engine) as session:
        session.execute(delete(ONE.follow))
        session.execute(delete(ONE.count))
        session.commit()
    back = import_follows(engine, ONE.user, file)
    assert (back.rows, back.added) == (500, 500)
    assert there(engine, ONE.follow) == edges
    audit(engine, ONE)
    again = tmp_path / f"again-{name}"
    export_follows(engine, ONE.user, str(again))
    assert again.read_bytes() == data
    assert sorted(path.name for path in tmp_path.iterdir() if name in path.name) == sorted([name, again.name])


def test_open_files_of_text_and_bytes(engine: Engine) -> None:
    """Both are written and stay open; nobody asks how many rows there are unless for progress."""
    populate(engine, ONE, PEOPLE)
    put(engine, ONE.follow, some_edges(50))
    text, data, reports = io.StringIO(), io.BytesIO(), list[ExportReport]()
    with count_statements(engine) as ran:
        export_follows(engine, ONE.user, text, batch_rows=20)
    assert len(ran) == 4  # 20, 20, 10, and none
    with count_statements(engine) as ran:
        export_follows(engine, ONE.user, data, batch_rows=20, progress=reports.append)
    assert len(ran) == 5
    assert "Cost: one select for each batch, by the primary key; one more" in (export_follows.__doc__ or "")
    assert text.getvalue().encode() == data.getvalue()
    assert [(one.rows, one.total, one.share_written) for one in reports] == [
        (20, 50, 0.4),
        (40, 50, 0.8),
        (50, 50, 1.0),
    ]
    assert str(reports[-1]).startswith("50 rows in ")


def test_an_empty_graph_is_a_header(engine: Engine) -> None:
    """Which an import takes for what it is."""
    populate(engine, ONE, 2)
    text = io.StringIO()
    report = export_follows(engine, ONE.user, text, progress=lambda _report: pytest.fail("there is no batch"))
    assert (text.getvalue(), report.rows, report.share_written) == ("follower,following,timestamp\n", 0, 1.0)
    text.seek(0)
    assert import_follows(engine, ONE.user, text).rows == 0


@pytest.mark.tables(None)
def test_strange_keys_travel_unharmed(engine: Engine, tmp_path: Path) -> None:
    """Quotes, commas, blanks, a carriage return: letters of a key; a line break is refused, with the key."""
    models = declare("Follow", key=String(60, "utf8mb4_bin" if engine.dialect.name == "mariadb" else None))
    user, follow = models.user, models.follow
    keys = ["a", "A", "NULL", "", " x", "{}", "a,b", '"', '""', "'", "\\", '\\"', "\t", "a\rb", "\r", "--", "follower"]
    keys += ["\u00e9", "e\u0301", "\U0001f600", "\u2028", "\ufeff", "=1+1", "#"]
    models.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(user(id=key) for key in [*keys, "a\nb"])
        session.commit()
    edges = {(a, b): START for a in keys for b in keys if a != b}
    put(engine, follow, edges)
    file = tmp_path / "follows.csv"
    export_follows(engine, user, file, batch_rows=11)
    with Session(engine) as session:
        session.execute(delete(follow))
        session.commit()
    assert import_follows(engine, user, file).added == len(edges)
    assert there(engine, follow) == edges
    put(engine, follow, {("a", "a\nb"): START})
    before = file.read_bytes()
    with pytest.raises(ValueError, match=r"'a\\nb' holds a line break"):
        export_follows(engine, user, file)
    assert file.read_bytes() == before
    assert list(tmp_path.glob("follows*")) == [file]


@pytest.mark.tables(UUIDS.metadata)
def test_keys_of_other_types(engine: Engine) -> None:
    """UUIDs are written as text."""
    user, follow = UUIDS.user, UUIDS.follow
    chance = random.Random(3)
    keys = [uuid.UUID(int=chance.getrandbits(128), version=4) for _ in range(12)]
    with Session(engine) as session:
        session.add_all(user(id=key) for key in keys)
        session.commit()
    edges = {(a, b): START for a in keys for b in keys if a != b}
    put(engine, follow, edges)
    text = io.StringIO()
    assert export_follows(engine, user, text, batch_rows=10).rows == len(edges)
    with Session(engine) as session:
        session.execute(delete(follow))
        session.commit()
    text.seek(0)
    assert import_follows(engine, user, text).added == len(edges)
    assert there(engine, follow) == edges


def test_what_stays_is_written_once_while_others_come_and_go(engine: Engine) -> None:
    """Whoever follows and unfollows meanwhile moves nobody else out of the file, or into it twice."""
    populate(engine, ONE, PEOPLE)
    pairs = random.Random(5).sample(EVERYONE, 600)
    stay, come_and_go = set(pairs[:300]), pairs[300:]
    put(engine, ONE.follow, dict.fromkeys(stay, START))
    sessions = sessionmaker(engine)
    done = threading.Event()

    def move() -> None:
        while not done.is_set():
            for pair in come_and_go:
                with sessions() as session:
                    graph = ONE.graph(session)
                    if not graph.unfollow(*pair):
                        graph.follow(*pair)
                    session.commit()
                if done.is_set():
                    return

    thread = threading.Thread(target=move)
    thread.start()
    try:
        for _ in range(5):
            text = io.StringIO()
            export_follows(sessions, ONE.user, text, batch_rows=13)
            rows = [tuple(map(int, line.split(",")[:2])) for line in text.getvalue().splitlines()[1:]]
            assert rows == sorted(set(rows))
            assert stay <= set(rows) <= set(pairs)
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_its_memory_does_not_grow_with_the_graph(engine: Engine, tmp_path: Path) -> None:
    """Thirty thousand rows take what a batch of them takes."""
    populate(engine, ONE, 200)
    everyone = [(a, b) for a in range(1, 201) for b in range(1, 201) if a != b]
    put(engine, ONE.follow, dict.fromkeys(everyone[:30_000], START))
    export_follows(engine, ONE.user, tmp_path / "first.csv", batch_rows=500)  # what is made once
    tracemalloc.start()
    try:
        export_follows(engine, ONE.user, tmp_path / "all.csv.gz", batch_rows=500)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_500_000


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_file_is_there_when_all_is_written(engine: Engine, tmp_path: Path) -> None:
    """Cut off, what was there before is still there; a device is written to itself."""
    populate(engine, ONE, PEOPLE)
    put(engine, ONE.follow, some_edges(50))
    file, link = tmp_path / "follows.csv", tmp_path / "link.csv"
    file.write_text("what was there")
    link.symlink_to(file)

    def stop(report: ExportReport) -> None:
        assert (tmp_path / "follows.csv.part").exists()
        assert file.read_text() == "what was there"
        if report.rows == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_follows(engine, ONE.user, link, progress=stop, batch_rows=10)
    assert file.read_text() == "what was there"
    assert sorted(tmp_path.glob("*.csv*")) == [file, link]
    export_follows(engine, ONE.user, link)
    assert link.is_symlink()
    assert len(file.read_text().splitlines()) == 51
    export_follows(engine, ONE.user, os.devnull)
    assert Path(os.devnull).is_char_device()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_it_cannot_do_it_refuses(engine: Engine, tmp_path: Path) -> None:
    populate(engine, ONE, 2)
    for target in (None, 7, b"name", ["a"]):
        with pytest.raises(TypeError, match="path or an open file"):
            export_follows(engine, ONE.user, target)  # type: ignore[arg-type]
    for rows in (0, True, "many", 10**9):
        with pytest.raises(ValueError, match="batch_rows"):
            export_follows(engine, ONE.user, tmp_path / "x", batch_rows=rows)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="is wanted"):
        export_follows("sqlite://", ONE.user, tmp_path / "x")  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError):
        export_follows(engine, ONE.user, tmp_path / "nowhere" / "x")
    assert list(tmp_path.glob("x*")) == []
