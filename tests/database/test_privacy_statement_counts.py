"""What each call about privacy takes with every model declared: as many statements for one row as for fifty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert
from sqlalchemy.orm import Session

from retinue import Graph, Settings
from retinue.testing import count_statements
from tests.database.models_private import declare

MODELS = declare(Settings(active="active"))
PEOPLE = 60
LOCKED, OPEN, OTHER = 1, 2, 3

Prepare = Callable[[Graph[Any]], object]


def begin(session: Session, prepare: Prepare) -> list[Any]:
    """Make counted users who are where *prepare* takes them, and commit; return them."""
    keys = range(1, PEOPLE + 1)
    for table in reversed(MODELS.metadata.sorted_tables):
        session.execute(delete(table))
    people = [MODELS.user(id=key, locked=key == LOCKED) for key in keys]
    session.add_all(people)
    session.flush()
    zero = {"slot": 0, "followers": 0, "following": 0}
    session.execute(insert(MODELS.count.__table__), [{"user_id": key, **zero} for key in keys])
    graph = Graph(session, MODELS.user)
    graph.follow(5, 6)
    graph.follow(OPEN, OTHER)
    prepare(graph)
    session.commit()
    return people


def counted(engine: Engine, prepare: Prepare, call: Callable[[Graph[Any]], object], *, expired: bool = False) -> int:
    """Return how many statements *call* takes after *prepare*, in a place with counted users."""
    with Session(engine) as session:
        people = begin(session, prepare)
        if not expired:
            for person in people:
                session.refresh(person)
        session.connection()
        with count_statements(engine) as ran:
            call(Graph(session, MODELS.user))
    return len(ran)


def ask(many: int) -> Prepare:
    """Let so many ask the locked user."""
    return lambda graph: [graph.follow(key, LOCKED) for key in range(OTHER, OTHER + many)]


def nothing(_graph: Graph[Any]) -> None:
    """Do nothing."""


#: What each verb takes; the second number is for engines with data-modifying CTEs: see `EngineRules.modifying_ctes`.
VERBS: dict[str, tuple[int | tuple[int, int], Prepare, Callable[[Graph[Any]], object]]] = {
    # Who approves; the guard; the edge; two counts, history, notification.
    "follow": ((7, 2), nothing, lambda graph: graph.follow(5, 20)),
    # Who approves; two guards at once; the request; history, notification.
    "follow a locked user": ((5, 4), nothing, lambda graph: graph.follow(5, LOCKED)),
    # Who asks; a guard; the request; the edge; two counts, history.
    "unfollow": ((7, 3), nothing, lambda graph: graph.unfollow(5, 6)),
    # What was told of the request goes with it.
    "withdraw": ((5, 4), ask(1), lambda graph: graph.unfollow(OTHER, LOCKED)),
    # And it is told anew that they follow.
    "accept": ((9, 4), ask(1), lambda graph: graph.accept(LOCKED, OTHER)),
    "reject": (4, ask(1), lambda graph: graph.reject(LOCKED, OTHER)),
    # Guards; the block; four looks; two notifications.
    "block a stranger": (8, nothing, lambda graph: graph.block(5, 20)),
    # And the edge, what it was, its two counts, its history.
    "block who is followed": (13, nothing, lambda graph: graph.block(5, 6)),
    "unblock": (3, lambda graph: graph.block(5, 20), lambda graph: graph.unblock(5, 20)),
    "mute": (1, nothing, lambda graph: graph.mute(5, 20)),
    "unmute": (2, lambda graph: graph.mute(5, 20), lambda graph: graph.unmute(5, 20)),
    "mark read": (1, nothing, lambda graph: graph.mark_read(5)),
    "erase history": (1, nothing, lambda graph: graph.erase_history(5)),
    "expire": (3, nothing, lambda graph: graph.expire()),
}

pytestmark = pytest.mark.tables(MODELS.metadata)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_takes_what_its_docstring_says(engine: Engine, verb: str) -> None:
    """Also for users who were expired by a commit: no hidden select."""
    numbers, prepare, call = VERBS[verb]
    expected = numbers if isinstance(numbers, int) else numbers[engine.dialect.name == "postgresql"]
    assert counted(engine, prepare, call) == expected
    assert counted(engine, prepare, call, expired=True) == expected


@pytest.mark.parametrize(("first", "verb"), [(nothing, "follow"), (lambda graph: graph.unfollow(5, 6), "unfollow")])
def test_what_is_so_already_takes_no_guard(engine: Engine, first: Prepare, verb: str) -> None:
    """And so writes nothing; but on MariaDB, where what a transaction sees may be of long ago."""
    numbers = {"follow": (1, 4), "unfollow": (4, 5)}
    expected = numbers[verb][engine.dialect.name == "mariadb"]
    assert counted(engine, first, lambda graph: getattr(graph, verb)(5, 6)) == expected


@pytest.mark.parametrize("verb", ["accept_all", "reject_all", "unlock"])
def test_answering_all_takes_as_many_for_one_as_for_fifty(engine: Engine, verb: str) -> None:
    """Going public with a thousand requests is no thousand statements."""

    def answer(graph: Graph[Any]) -> None:
        assert getattr(graph, verb)(LOCKED)

    assert counted(engine, ask(1), answer) == counted(engine, ask(50), answer) <= 15


READS: dict[str, tuple[int, Callable[[Graph[Any]], object]]] = {
    "followers, all": (1, lambda graph: graph.followers(OPEN)),
    "followers, another": (2, lambda graph: graph.followers(OPEN, viewer=20)),
    "followers, nobody": (2, lambda graph: graph.followers(OPEN, viewer=None)),
    "followers, the owner": (2, lambda graph: graph.followers(OPEN, viewer=OPEN)),
    "mutuals, all": (1, lambda graph: graph.mutuals(OPEN)),
    "mutuals, the owner": (2, lambda graph: graph.mutuals(OPEN, viewer=OPEN)),
    "mutuals": (2, lambda graph: graph.mutuals(OPEN, viewer=20)),
    "followers you know": (3, lambda graph: graph.followers_you_know(20, OPEN)),
    "requests": (1, lambda graph: graph.requests(LOCKED)),
    "sent requests": (1, lambda graph: graph.sent_requests(OTHER)),
    "blocks": (1, lambda graph: graph.blocks(OPEN)),
    "mutes": (1, lambda graph: graph.mutes(OPEN)),
    "notifications": (1, lambda graph: graph.notifications(OPEN)),
    "unread": (1, lambda graph: graph.unread_notifications(OPEN)),
    "history": (3, lambda graph: graph.history(OPEN, OTHER)),
    "relationships": (1, lambda graph: graph.relationships(OPEN, range(1, PEOPLE + 1))),
}


@pytest.mark.parametrize("many", [False, True], ids=["few rows", "many rows"])
def test_a_read_takes_a_fixed_number_of_statements(engine: Engine, many: bool) -> None:
    """However many rows there are, and whoever looks."""

    def crowd(graph: Graph[Any]) -> None:
        for key in range(OTHER, PEOPLE + 1):
            graph.follow(key, OPEN)
            graph.mute(OPEN, key)
        ask(30)(graph)

    with Session(engine) as session:
        begin(session, crowd if many else nothing)
        took: dict[str, int] = {}
        for read, (_, call) in READS.items():
            session.commit()
            session.expunge_all()
            session.connection()
            with count_statements(engine) as ran:
                call(Graph(session, MODELS.user))
            took[read] = len(ran)
    assert took == {read: expected for read, (expected, _) in READS.items()}
