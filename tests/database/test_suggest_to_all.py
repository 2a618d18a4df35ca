"""The job that makes everybody's suggestions: whole, in chunks, and taken up where it was cut off."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from retinue import Graph, InvalidUserError, prepare_engine
from retinue.suggesting import SuggestReport, suggest_to_all
from tests.models import declare

PEOPLE = 23


MODELS = declare("Follow")
User: Any = MODELS.user


class Base(DeclarativeBase):
    metadata = MODELS.metadata


class Kept(Base):
    """What an application keeps of the suggestions: one row each, so that two of a user would be an error."""

    __tablename__ = "kept"
    user_id: Mapped[int] = mapped_column(primary_key=True)
    suggested: Mapped[int]


def keep(session: Session, key: Any, suggestions: Sequence[Any]) -> None:
    session.add(Kept(user_id=key, suggested=suggestions[0].user if suggestions else 0))


def slowly(session: Session, key: Any, suggestions: Sequence[Any]) -> None:
    time.sleep(0.05)
    keep(session, key, suggestions)


def everybody(engine: Engine) -> dict[int, int]:
    """Make users who follow the next few; return the first suggestion of each."""
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([User(id=key) for key in range(1, PEOPLE + 1)])
        graph = Graph(session, User)
        for key in range(1, PEOPLE + 1):
            for other in range(key + 1, min(key + 4, PEOPLE + 1)):
                graph.follow(key, other)
        first = {key: graph.suggestions(key, 1)[0].user.id for key in range(1, PEOPLE + 1)}
        session.commit()
    return first


def kept(engine: Engine) -> dict[int, int]:
    with Session(engine) as session:
        return {row.user_id: row.suggested for row in session.scalars(select(Kept))}


pytestmark = pytest.mark.tables(Base.metadata)


@pytest.mark.parametrize("chunk_users", [1, 5, 23, 1_000])
def test_everybody_is_met_once(engine: Engine, chunk_users: int) -> None:
    expected = everybody(engine)
    seen: list[SuggestReport] = []
    report = suggest_to_all(engine, User, keep, limit=3, chunk_users=chunk_users, progress=seen.append)
    assert kept(engine) == expected
    assert (report.users, report.last) == (PEOPLE, PEOPLE)
    assert report.suggestions == seen[-1].suggestions
    assert [one.users for one in seen] == [min(chunk_users * n, PEOPLE) for n in range(1, len(seen) + 1)]


def test_what_store_raises_takes_its_chunk_back_and_the_rest_is_done_later(engine: Engine) -> None:
    """From the last user reported on."""
    expected = everybody(engine)
    seen: list[SuggestReport] = []

    def fail(session: Session, key: Any, suggestions: Sequence[Any]) -> None:
        keep(session, key, suggestions)
        if key == 13:
            message = "full"
            raise OSError(message)

    with pytest.raises(OSError, match="full"):
        suggest_to_all(sessionmaker(engine), User, fail, chunk_users=5, progress=seen.append)
    assert sorted(kept(engine)) == list(range(1, 11))
    assert seen[-1].last == 10
    suggest_to_all(engine, User, keep, chunk_users=5, after=seen[-1].last)
    assert kept(engine) == expected


def work(url: str) -> None:
    """Run the job, to be killed."""
    suggest_to_all(prepare_engine(create_engine(url)), User, slowly, chunk_users=2)


def test_killed_it_goes_on_after_what_is_kept(engine: Engine) -> None:
    """No user twice, which their key would refuse, and nobody left out."""
    expected = everybody(engine)
    url = engine.url.render_as_string(hide_password=False)
    worker = multiprocessing.get_context("spawn").Process(target=work, args=(url,))
    worker.start()
    patience = time.monotonic() + 60
    while not kept(engine) and time.monotonic() < patience:
        time.sleep(0.02)
    assert worker.pid
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    done = kept(engine)
    assert 0 < len(done) < PEOPLE
    suggest_to_all(engine, User, keep, chunk_users=4, after=max(done))
    assert kept(engine) == expected


def test_nobody_is_an_empty_report(engine: Engine) -> None:
    Base.metadata.create_all(engine)
    report = suggest_to_all(engine, User, keep)
    assert (report.users, report.suggestions, report.last) == (0, 0, None)


def test_what_the_job_refuses(engine: Engine) -> None:
    everybody(engine)
    wrong: Any
    for wrong in (None, "sqlite://", 5):
        with pytest.raises(TypeError, match="Engine"):
            suggest_to_all(wrong, User, keep)
    for wrong in (0, -1, 1_001, True, 2.0, None):
        with pytest.raises(ValueError, match="chunk_users"):
            suggest_to_all(engine, User, keep, chunk_users=wrong)
    with pytest.raises(ValueError, match="limit"):
        suggest_to_all(engine, User, keep, limit=101)
    for wrong in ("x", 2**80, True):
        with pytest.raises(InvalidUserError):
            suggest_to_all(engine, User, keep, after=wrong)
    assert kept(engine) == {}
