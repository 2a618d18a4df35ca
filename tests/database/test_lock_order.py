"""
Whoever holds a notification waits for no count row: counts come first, whatever writes both.

On MariaDB the deletion of a notification locks the places beside it as well. There others, who hold
count rows of the same users, want to insert what they tell of something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, update
from sqlalchemy.orm import Session, sessionmaker

from retinue import Graph, Settings
from retinue.testing import count_statements
from retinue.transfer import import_follows
from tests.database.models_private import declare

MODELS = declare(Settings())

#: Who approves their followers, and who has asked.
ANN, BOB = 1, 2

_WRITTEN = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """Give a session that has committed that Bob asks Ann, and that both are counted."""
    MODELS.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([MODELS.user(id=key, locked=key == ANN) for key in (ANN, BOB)])
        session.flush()
        session.add_all([MODELS.count(user_id=key, slot=0, followers=0, following=0) for key in (ANN, BOB)])
        Graph(session, MODELS.user).follow(BOB, ANN)
        session.commit()
        yield session


def accept(session: Session) -> None:
    Graph(session, MODELS.user).accept(ANN, BOB)


def accept_all(session: Session) -> None:
    Graph(session, MODELS.user).accept_all(ANN)


def follow_who_is_public_by_now(session: Session) -> None:
    session.execute(update(MODELS.user).values(locked=False))
    Graph(session, MODELS.user).follow(BOB, ANN)


def add(session: Session) -> None:
    session.add(MODELS.follow(follower_id=BOB, following_id=ANN))
    session.flush()


def insert_in_bulk(session: Session) -> None:
    session.execute(insert(MODELS.follow), [{"follower_id": BOB, "following_id": ANN}])


def restore(session: Session) -> None:
    Graph(session, MODELS.user).unblock(ANN, BOB, restore=True)


def import_it(session: Session) -> None:
    import_follows(sessionmaker(session.get_bind()), MODELS.user, [(BOB, ANN)])


def ask_again_after_a_block(session: Session) -> None:
    """Let Bob have followed Ann, been blocked for some time, and asked again."""
    graph, now = Graph(session, MODELS.user), datetime.now(UTC)
    graph.accept(ANN, BOB)
    graph.block(ANN, BOB, until=now + timedelta(hours=1))
    session.execute(update(MODELS.block).values(until=now))
    graph.follow(BOB, ANN)


#: What makes an edge of a request.
WAYS: list[Callable[[Session], None]] = [
    accept,
    accept_all,
    follow_who_is_public_by_now,
    add,
    insert_in_bulk,
    restore,
    import_it,
]


@pytest.mark.parametrize("way", WAYS)
def test_notifications_come_after_counts(engine: Engine, session: Session, way: Callable[[Session], None]) -> None:
    """Also where a request becomes an edge, and what was told of it goes."""
    if way is restore:
        ask_again_after_a_block(session)
    session.commit()
    with count_statements(engine) as statements:
        way(session)
    session.commit()
    written = [set(_WRITTEN.findall(statement)) for statement in statements]
    counts = [number for number, tables in enumerate(written) if "follow_counts" in tables]
    notifications = [number for number, tables in enumerate(written) if "notifications" in tables]
    assert counts[-1] <= notifications[0], statements
    assert Graph(session, MODELS.user).is_following(BOB, ANN)
    kinds = [kind for (kind,) in session.query(MODELS.notification.kind).filter_by(recipient_id=ANN)]
    assert "follow_request" not in kinds
