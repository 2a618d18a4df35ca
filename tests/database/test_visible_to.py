"""`Graph.visible_to()`: whom a viewer may know of, in an application's own selects, on every engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from retinue import ALL, Graph, InvalidUserError, Settings
from retinue.testing import count_statements
from tests.database.models_private import declare
from tests.database.private_models import populate

MODELS = declare(Settings(active="active"))
User = MODELS.user

#: (blocker, blocked); the last has ended.
BLOCKS = [(1, 2), (3, 1), (1, 4), (4, 1), (5, 1)]
ENDED = (5, 1)
AWAY = {6, 7}
PEOPLE = range(1, 9)

pytestmark = pytest.mark.tables(MODELS.metadata)


@pytest.fixture
def session(engine: Engine) -> Any:
    """Give a session on eight people, some of whom are away or apart."""
    populate(engine, MODELS, len(PEOPLE))
    with Session(engine) as session:
        graph = Graph(session, User)
        for pair in BLOCKS:
            graph.block(*pair, until=datetime.now(UTC) + timedelta(seconds=0.2) if pair == ENDED else None)
        session.execute(update(User).where(User.id.in_(AWAY)).values(active=False))
        session.commit()
        while datetime.now(UTC) < session.scalars(select(MODELS.block.until).where(MODELS.block.blocker_id == 5)).one():
            session.rollback()
        yield session


def visible(session: Session, viewer: Any, **how: bool) -> set[int]:
    """Return whom the select of an application finds."""
    return set(session.scalars(select(User.id).where(Graph(session, User).visible_to(viewer, **how))))


@pytest.mark.parametrize("viewer", [None, *PEOPLE])
def test_a_viewer_finds_those_whom_lists_would_show(session: Session, viewer: int | None) -> None:
    """Neither who is away nor who is across a block, but always oneself."""
    apart = {pair for pair in BLOCKS if pair != ENDED}
    hidden = {user for user in PEOPLE if (viewer, user) in apart or (user, viewer) in apart} | AWAY

    assert visible(session, viewer) == set(PEOPLE) - hidden | ({viewer} if viewer else set())


@pytest.mark.parametrize("viewer", [None, *PEOPLE])
def test_with_blocked_a_viewer_finds_those_whom_they_block(session: Session, viewer: int | None) -> None:
    """Also those who block back, so that nothing is learnt from it; not those who block them alone."""
    apart = {pair for pair in BLOCKS if pair != ENDED}
    hidden = {user for user in PEOPLE if (user, viewer) in apart and (viewer, user) not in apart} | AWAY

    assert visible(session, viewer, blocked=True) == set(PEOPLE) - hidden | ({viewer} if viewer else set())


def test_trusted_code_finds_everybody(session: Session) -> None:
    """As on every list."""
    assert visible(session, ALL) == set(PEOPLE)


def test_it_costs_no_statement_and_joins(session: Session) -> None:
    """It is a condition, for any select that has the user class in it."""
    with count_statements(session.get_bind()) as statements:
        condition = Graph(session, User).visible_to(1)
    assert len(statements) == 0

    rows = select(MODELS.block.blocker_id).join(User, User.id == MODELS.block.blocked_id).where(condition)
    # Of all who are blocked, user 1 may know of themselves alone: by 3, 4 and, until it ended, 5.
    assert sorted(session.scalars(rows)) == [3, 4, 5]


def test_what_is_no_user_is_refused(session: Session) -> None:
    """Before anything is asked."""
    with pytest.raises(InvalidUserError):
        Graph(session, User).visible_to("ann")
