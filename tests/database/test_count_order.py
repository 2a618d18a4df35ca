"""Count rows are changed in one order, whoever follows whom."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from retinue import Graph
from tests.database.models_plain import Base, User


@pytest.mark.tables(Base.metadata)
@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
def test_count_rows_are_changed_in_the_order_of_their_keys(engine: Engine) -> None:
    """So that two who follow each other at once never wait in a circle, where each row is a statement of its own."""
    with Session(engine) as session:
        session.add_all([User(id=key, username=f"user{key}") for key in (701, 702)])
        session.commit()
        graph = Graph(session, User)
        for follower, followed in ((701, 702), (702, 701)):
            for verb in (graph.follow, graph.unfollow, graph.follow):  # at first their rows are made
                changed: list[int] = []

                def note(
                    _connection: Any, _cursor: Any, sql: str, values: Any, *_: Any, to: list[int] = changed
                ) -> None:
                    if sql.startswith(("INSERT INTO follow_counts", "UPDATE follow_counts")):
                        given = values.values() if isinstance(values, dict) else values
                        to.extend(key for key in (701, 702) if key in given)

                event.listen(engine, "before_cursor_execute", note)
                verb(follower, followed)
                event.remove(engine, "before_cursor_execute", note)
                assert changed == sorted(changed)
        assert changed == [701, 702]
