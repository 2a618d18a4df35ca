"""What other processes do to a graph: they import this module, not the tests."""

from __future__ import annotations

import itertools
import multiprocessing
import os
from collections.abc import Sequence
from threading import Barrier
from typing import TYPE_CHECKING

from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from retinue import prepare_engine, transact
from tests.database.graph_models import HUNG, ONE, Pair
from tests.database.private_models import ANY
from tests.database.races.actions import Application

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext
    from multiprocessing.synchronize import Event

#: Started from a process that has imported all this once, and holds no connection and no thread.
PROCESSES: SpawnContext | ForkServerContext = (
    multiprocessing.get_context("spawn") if os.name == "nt" else multiprocessing.get_context("forkserver")
)
PROCESSES.set_forkserver_preload([__name__])


def follow_everybody(ready: Barrier, url: str, followers: Sequence[int], people: Sequence[int]) -> None:
    """Let each of *followers* follow each of *people*, a transaction each; twice, and unfollow between."""
    engine = prepare_engine(create_engine(url))
    with Session(engine) as session:
        graph = ONE.graph(session)
        ready.wait(HUNG)
        for verb in (graph.follow, graph.unfollow, graph.follow):
            for follower in followers:
                for other in people:
                    if other != follower:
                        session.get(ONE.user, other)
                        verb(follower, other)
                        session.commit()


def make_tables(ready: Barrier, url: str) -> None:
    """Open the database at *url*."""
    engine = prepare_engine(create_engine(url))
    ready.wait(HUNG)
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    engine.dispose()


def follow_back_and_forth(started: Event, url: str, pairs: Sequence[Pair]) -> None:
    """
    Let *pairs* follow and leave each other, always both ways in one transaction, until killed.

    Sets *started* when the first transaction is committed.
    """
    sessions = sessionmaker(prepare_engine(create_engine(url)))
    while True:
        for verb in ("follow", "unfollow"):
            for a, b in pairs:

                def both(session: Session, verb: str = verb, a: int = a, b: int = b) -> None:
                    session.get(ONE.user, a)
                    session.get(ONE.user, b)
                    do = getattr(ONE.graph(session), verb)
                    do(a, b)
                    do(b, a)

                transact(sessions, both)
                started.set()


def part_and_meet(started: Event, url: str, pairs: Sequence[Pair]) -> None:
    """
    Let each of *pairs*, who follow each other, be parted by a block, and take it back; over and over.

    Sets *started* when the first transaction is committed.
    """
    sessions = sessionmaker(prepare_engine(create_engine(url)))
    for a, b in itertools.cycle(pairs):
        transact(sessions, lambda session, a=a, b=b: _on(session).block(a, b))  # type: ignore[misc]
        started.set()
        transact(sessions, lambda session, a=a, b=b: _on(session).unblock(a, b, restore=True))  # type: ignore[misc]


def ask_and_answer(started: Event, url: str, star: int, fans: Sequence[int]) -> None:
    """
    Let *fans* ask *star* all at once, be let in all at once, and leave all at once; over and over.

    Every second time *star* lets them in by going public.
    """
    sessions = sessionmaker(prepare_engine(create_engine(url)))

    def ask(session: Session) -> None:
        _on(session).choose(star, locked=True)
        for fan in fans:
            _on(session).follow(fan, star)

    def leave(session: Session) -> None:
        for fan in fans:
            _on(session).unfollow(fan, star)

    for answer in itertools.cycle(["accept_all", "unlock"]):
        transact(sessions, leave)
        transact(sessions, ask)
        started.set()
        transact(sessions, lambda session, answer=answer: getattr(_on(session), answer)(star))  # type: ignore[misc]


def _on(session: Session) -> Application:
    return Application(session, ANY)
