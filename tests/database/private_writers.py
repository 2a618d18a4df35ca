"""What other processes do to a graph of private users until they are killed: they import this module, not the tests."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from retinue import prepare_engine, transact
from tests.database.graph_models import Pair
from tests.database.private_models import ANY, Application

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event


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
