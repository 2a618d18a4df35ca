"""A user who goes leaves no row behind, also where the database deletes none along, as SQLite that nobody told to."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, delete, or_, select
from sqlalchemy.orm import Session

from retinue import Graph, Settings
from tests.database.models_private import declare

MODELS = declare(Settings())
GONE, OTHER, THIRD = 1, 2, 3


@pytest.mark.parametrize("in_bulk", [False, True], ids=["by flush", "in bulk"])
def test_without_foreign_keys_nothing_of_a_user_is_left(tmp_path: Path, in_bulk: bool) -> None:
    """On neither side: what they did to others, and what others did to them."""
    engine = create_engine(f"sqlite:///{tmp_path / 'plain.sqlite3'}")  # not prepared: it enforces no foreign key
    MODELS.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(MODELS.user(id=key, locked=key == THIRD) for key in range(1, 8))
        session.flush()
        graph = Graph(session, MODELS.user)
        for one, other in ((GONE, OTHER), (OTHER, GONE)):
            graph.follow(one, other)
            graph.mute(one, other)
            graph.dismiss(one, 7)
        for one, other in ((GONE, 5), (6, GONE)):
            graph.block(one, other)
        graph.dismiss(7, GONE)
        graph.follow(GONE, THIRD)
        graph.follow(4, THIRD)
        session.get_one(MODELS.user, GONE).locked = True
        graph.follow(4, GONE)
        session.commit()
        tables = [table for name, table in MODELS.metadata.tables.items() if name not in ("users", "follow_events")]
        of_two = [
            (table, [c for c in table.columns if c.name.endswith("_id")])
            for table in tables
            if "reverse_key" in table.info
        ]
        assert len(of_two) == 6
        about = [select(table).where(or_(*(column == GONE for column in columns))) for table, columns in of_two]
        assert all(session.execute(rows).all() for rows in about)

        if in_bulk:
            session.execute(delete(MODELS.user).where(MODELS.user.id == GONE))
        else:
            session.delete(session.get_one(MODELS.user, GONE))
        session.commit()

        assert [session.execute(rows).all() for rows in about] == [[]] * len(about)
        assert graph.counts([OTHER])[OTHER].followers == 0
    engine.dispose()
