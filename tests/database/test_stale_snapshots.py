"""
What decides is current: a verb in a transaction that began before a fact does what one that begins after it does.

On MariaDB a transaction reads what was there at its first select (REPEATABLE READ), and every web request has read
its user before it calls a verb. So each verb runs twice after each fact: in a session whose snapshot is older, and in a
fresh one. The answers and the rows that they leave must be the same.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import pytest
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.orm import Session

from retinue import Graph, RetinueError, Settings
from tests.models import FLAGS, PRIVATE, declare

MODELS: Final = declare(*PRIVATE, flags=tuple(FLAGS), settings=Settings(active="active", max_following=2))

pytestmark = [
    pytest.mark.tables(MODELS.metadata),
    pytest.mark.parametrize("database", ["mariadb"], indirect=True),
]


class _Graph(Graph[Any]):
    """A graph that knows its session."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, MODELS.user)
        self.session = session


Act = Callable[[_Graph], Any]

#: A calls the verbs; B is whom they are about; C stands by; NEW has joined only with the fact.
A, B, C, NEW = 1, 2, 3, 4

VERBS: Final[dict[str, Act]] = {
    "follow": lambda graph: graph.follow(A, B),
    "follow back": lambda graph: graph.follow(B, A),
    "follow new": lambda graph: graph.follow(A, NEW),
    "new follows": lambda graph: graph.follow(NEW, B),
    "unfollow": lambda graph: graph.unfollow(A, B),
    "unfollow new": lambda graph: graph.unfollow(A, NEW),
    "remove follower": lambda graph: graph.remove_follower(A, B),
    "remove new follower": lambda graph: graph.remove_follower(NEW, A),
    "accept": lambda graph: graph.accept(A, B),
    "accept new": lambda graph: graph.accept(A, NEW),
    "reject": lambda graph: graph.reject(A, B),
    "accept all": lambda graph: graph.accept_all(A),
    "accept all of new": lambda graph: graph.accept_all(NEW),
    "reject all": lambda graph: graph.reject_all(A),
    "unlock": lambda graph: graph.unlock(A),
    "unlock new": lambda graph: graph.unlock(NEW),
    "block": lambda graph: graph.block(A, B),
    "block new": lambda graph: graph.block(A, NEW),
    "unblock": lambda graph: graph.unblock(A, B),
    "unblock new": lambda graph: graph.unblock(A, NEW),
    "restore": lambda graph: graph.unblock(A, B, restore=True),
    "mute": lambda graph: graph.mute(A, B),
    "mute new": lambda graph: graph.mute(A, NEW),
    "unmute": lambda graph: graph.unmute(A, B),
    "unmute new": lambda graph: graph.unmute(A, NEW),
    "dismiss": lambda graph: graph.dismiss(A, B),
    "dismiss new": lambda graph: graph.dismiss(A, NEW),
    "undismiss": lambda graph: graph.undismiss(A, B),
    "undismiss new": lambda graph: graph.undismiss(A, NEW),
}


def _lock(graph: _Graph, *users: int, locked: bool = True) -> None:
    graph.session.execute(update(MODELS.user.__table__).where(MODELS.user.id.in_(users)).values(locked=locked))


def _ask(graph: _Graph) -> None:
    _lock(graph, A)
    graph.follow(B, A)
    graph.follow(C, A)


def _reuse_key(graph: _Graph) -> None:
    """Another user has the key of B."""
    graph.session.delete(graph.session.get_one(MODELS.user, B))
    graph.session.flush()
    graph.session.add(MODELS.user(id=B))


def _leave(graph: _Graph) -> None:
    graph.session.delete(graph.session.get_one(MODELS.user, B))


#: What is so before the snapshot, and what happens after it.
FACTS: Final[dict[str, tuple[Act, Act]]] = {
    "nothing": (lambda _: None, lambda _: None),
    "joined": (lambda _: None, lambda graph: graph.session.add(MODELS.user(id=NEW))),
    "joined and follows": (lambda _: None, lambda graph: (_join(graph), graph.follow(NEW, A), graph.follow(A, NEW))),
    "joined and asks": (lambda graph: _lock(graph, A), lambda graph: (_join(graph), graph.follow(NEW, A))),
    "joined, is asked": (lambda _: None, lambda graph: (_join(graph, locked=True), graph.follow(A, NEW))),
    "joined and is muted": (lambda _: None, lambda graph: (_join(graph), graph.mute(A, NEW), graph.dismiss(A, NEW))),
    "joined and is blocked": (lambda _: None, lambda graph: (_join(graph), graph.block(A, NEW))),
    "left": (lambda graph: graph.follow(A, B), _leave),
    "left without": (lambda _: None, _leave),
    "key used again": (lambda graph: (graph.follow(A, B), graph.follow(B, A), graph.mute(A, B)), _reuse_key),
    "followed": (lambda _: None, lambda graph: graph.follow(A, B)),
    "followed back": (lambda _: None, lambda graph: graph.follow(B, A)),
    "unfollowed": (lambda graph: graph.follow(A, B), lambda graph: graph.unfollow(A, B)),
    "removed": (lambda graph: graph.follow(B, A), lambda graph: graph.remove_follower(A, B)),
    "locked": (lambda _: None, lambda graph: _lock(graph, A, B)),
    "unlocked": (_ask, lambda graph: _lock(graph, A, locked=False)),
    "asked": (lambda graph: _lock(graph, A), _ask),
    "asks": (lambda graph: _lock(graph, B), lambda graph: graph.follow(A, B)),
    "withdrawn": (_ask, lambda graph: graph.unfollow(B, A)),
    "accepted": (_ask, lambda graph: graph.accept(A, B)),
    "rejected": (_ask, lambda graph: graph.reject(A, B)),
    "blocked": (lambda graph: (graph.follow(A, B), graph.follow(B, A)), lambda graph: graph.block(A, B)),
    "blocked by": (_ask, lambda graph: graph.block(B, A)),
    "unblocked": (lambda graph: graph.block(A, B), lambda graph: graph.unblock(A, B)),
    "muted": (lambda _: None, lambda graph: graph.mute(A, B)),
    "unmuted": (lambda graph: graph.mute(A, B), lambda graph: graph.unmute(A, B)),
    "dismissed": (lambda _: None, lambda graph: graph.dismiss(A, B)),
    "undismissed": (lambda graph: graph.dismiss(A, B), lambda graph: graph.undismiss(A, B)),
    "follows enough": (lambda graph: graph.follow(A, C), lambda graph: (_join(graph), graph.follow(A, NEW))),
}


def _join(graph: _Graph, *, locked: bool = False) -> int:
    graph.session.add(MODELS.user(id=NEW, locked=locked))
    graph.session.flush()
    return NEW


def begin(engine: Engine, before: Act) -> None:
    with engine.begin() as connection:
        for table in reversed(MODELS.metadata.sorted_tables):
            connection.execute(delete(table))
        flags = dict(FLAGS)
        connection.execute(insert(MODELS.user.__table__), [{"id": user, **flags} for user in (A, B, C)])
    with Session(engine) as session, session.begin():
        before(_Graph(session))


def outcome(session: Session, verb: Act) -> object:
    """Return what *verb* says, and commit; or what it raises, and roll back."""
    try:
        answer = verb(_Graph(session))
        session.commit()
    except RetinueError as error:
        session.rollback()
        return type(error).__name__
    return answer


def rows(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Return what all tables hold, but for times and what is made of them."""
    with engine.connect() as connection:
        return {
            table.name: sorted(
                tuple(
                    isinstance(value, datetime) or value
                    for name, value in row._mapping.items()
                    if name not in ("id", "version") or table.name == "users"
                )
                for row in connection.execute(select(table))
            )
            for table in MODELS.metadata.sorted_tables
        }


def play(engine: Engine, fact: str, verb: str, *, stale: bool) -> tuple[object, dict[str, Any]]:
    before, after = FACTS[fact]
    begin(engine, before)
    with Session(engine) as session, Session(engine) as other:
        if stale:
            session.execute(select(MODELS.user)).all()
        with other.begin():
            after(_Graph(other))
        answer = outcome(session, VERBS[verb])
    return answer, rows(engine)


#: Those by which a verb has gone wrong; the others take longer than they find.
TELLING: Final = {"joined", "joined and asks", "joined, is asked", "left", "key used again", "asked", "blocked"}


@pytest.mark.parametrize(
    "fact", [pytest.param(fact, marks=[] if fact in TELLING else pytest.mark.long) for fact in FACTS]
)
def test_a_verb_goes_by_what_is_so_now(engine: Engine, fact: str) -> None:
    """Its answer, its error and the rows are those of a transaction that begins after the fact."""
    differ = {}
    for verb in VERBS:
        stale, fresh = (play(engine, fact, verb, stale=stale) for stale in (True, False))
        if stale != fresh:
            differ[verb] = (stale[0], fresh[0], {name for name in stale[1] if stale[1][name] != fresh[1][name]})
    assert not differ
