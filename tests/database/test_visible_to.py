"""`Graph.visible_to()`: whom a viewer may know of, in an application's own selects, on every engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from retinue import Graph, InvalidUserError, Settings
from tests.database.models_private import declare
from tests.database.private_models import populate

MODELS = declare(Settings(active="active"))
User = MODELS.user

pytestmark = pytest.mark.tables(MODELS.metadata)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """Give a session on eight people, some of whom block others."""
    populate(engine, MODELS, 8)
    with Session(engine) as session:
        graph = Graph(session, User)
        for pair in [(1, 2), (3, 1), (1, 4), (4, 1), (5, 1)]:
            graph.block(*pair)
        session.commit()
        yield session


def test_it_joins(session: Session) -> None:
    """It is a condition, for any select that has the user class in it."""
    condition = Graph(session, User).visible_to(1)
    rows = select(MODELS.block.blocker_id).join(User, User.id == MODELS.block.blocked_id).where(condition)
    # Of all who are blocked, user 1 may know of themselves alone.
    assert sorted(session.scalars(rows)) == [3, 4, 5]


def test_what_is_no_user_is_refused(session: Session) -> None:
    """Before anything is asked."""
    with pytest.raises(InvalidUserError):
        Graph(session, User).visible_to("ann")
