"""G: a session that sends each statement where it belongs is not asked about each statement."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Delete, Engine, Insert, Update, create_engine, event
from sqlalchemy.orm import Session

from retinue import prepare_engine
from tests.expected.models import club

G = "G: a session that routes is asked for one bind without the statement, so that writes go where reads go"


@pytest.mark.xfail(strict=True, raises=AssertionError, reason=G)
def test_a_verb_writes_to_the_primary(engine: Engine) -> None:
    """A session with a replica for reads, routed by `get_bind()`: litestar-org/advanced-alchemy#635."""
    readers = club()
    ada, ben = readers.open(engine, "ada", "ben")
    replica = prepare_engine(create_engine(engine.url))
    astray: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if any(word in statement for word in ("INSERT INTO", "UPDATE ", "DELETE FROM")):
            astray.append(statement)

    event.listen(replica, "before_cursor_execute", note)

    class Routed(Session):
        """Writes go to the primary."""

        def get_bind(self, mapper: Any = None, *, clause: Any = None, **_more: Any) -> Engine:
            del mapper
            writes = self._flushing or isinstance(clause, (Insert, Update, Delete))
            return engine if writes or getattr(clause, "_for_update_arg", None) is not None else replica

    with Routed() as session:
        readers.graph(session).follow(ada, ben)
        session.commit()
    replica.dispose()
    assert not astray
