"""
A call that fails half-way is committed by nobody, whichever of its statements fails, and who catches the error.

The calls are those of the table of costs: whatever is in it and writes is tried here.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import OperationalError, PendingRollbackError
from sqlalchemy.orm import Session

from retinue import HalfDoneError
from tests.costs.scene import FEW, GRAPHS, SOCIETIES, fill, names
from tests.costs.table import TABLE
from tests.database.stopping import AFTER, BEFORE, Stop, StoppedError
from tests.long import few_or_many
from tests.models import FLAGS, Models

#: The key of a user whom the caller makes before the call.
MINE = 77_777


class Scene:
    """A filled database, in which calls fail."""

    def __init__(self, engine: Engine, graph: str) -> None:
        self.engine = engine
        self.models: Models = GRAPHS[graph]
        fill(engine, self.models)
        there = [call for call, row in TABLE.items() if row.statements(graph, engine.dialect.name)]
        #: The statements of each call that writes.
        self.calls = {call: said for call in there if any(map(_writes, said := self._statements(call)))}

    def rows(self) -> dict[str, list[str]]:
        """Return all that is committed but guards, which may be taken for nothing, and the caller's own user."""
        tables = [table for table in self.models.metadata.sorted_tables if not table.name.endswith("guards")]
        with self.engine.connect() as connection:
            found = {
                table.name: sorted(map(repr, connection.execute(select(table).order_by(*table.primary_key))))
                for table in tables
            }
        mine = [row for row in found["users"] if row.startswith(f"({MINE},")]
        found["users"] = [row for row in found["users"] if row not in mine]
        return found

    def _names(self, session: Session, call: str) -> dict[str, Any]:
        known = names(session, self.models, SOCIETIES[FEW], instances=False)
        first = TABLE[call].first
        known["found"] = eval(first, known) if first else None
        session.flush()
        return known

    def _statements(self, call: str) -> list[str]:
        stop = Stop()
        with Session(self.engine) as session:
            known = self._names(session, call)
            with stop.on(session.connection()):
                eval(call, known)
                session.flush()
        return stop.said

    def come_before(self, call: str) -> None:
        """Commit what is done before *call*, which done again changes nothing."""
        with Session(self.engine) as session:
            self._names(session, call)
            session.commit()

    def fail(self, call: str, stop: Stop, *, in_savepoint: bool) -> bool:
        """Let *call* fail, catch the error, and commit; return whether the session refused that."""
        with Session(self.engine) as session:
            known = self._names(session, call)
            flags = {name: value for name, value in FLAGS.items() if name in self.models.user.__table__.c}
            session.execute(insert(self.models.user.__table__), {"id": MINE, "username": "mine"} | flags)
            point = session.begin_nested() if in_savepoint else None
            with stop.on(session.connection()), suppress(OperationalError, StoppedError):
                eval(call, known)
                session.flush()
                raise AssertionError(call)
            try:
                (point or session).commit()
                refused = False
            except (HalfDoneError, PendingRollbackError):
                (point or session).rollback()
                refused = True
            if point:
                session.commit()
            return refused

    def mine(self) -> bool:
        """Return whether the caller's own user was committed; not any more then."""
        table = self.models.user.__table__
        with self.engine.begin() as connection:
            return bool(connection.execute(table.delete().where(table.c.id == MINE)).rowcount)


def _writes(statement: str) -> bool:
    return any(word in statement for word in ("INSERT ", "UPDATE ", "DELETE ")) and "FOR UPDATE" not in statement


@pytest.mark.sampled(2)
@pytest.mark.tables.with_args(lambda graph: GRAPHS[graph].metadata)
@pytest.mark.parametrize("graph", ["counted", "every model"])
@few_or_many("everything", False, True)
def test_whichever_statement_fails_nothing_half_is_committed(engine: Engine, graph: str, everything: bool) -> None:
    """Also in a savepoint of the caller's, whose transaction then goes on; and what came before it is there."""
    scene = Scene(engine, graph)
    assert len(scene.calls) > (10 if graph == "counted" else 30)
    ways = [(moment, within) for moment in (BEFORE, AFTER) for within in (False, True)]
    for number, (call, statements) in enumerate(scene.calls.items()):
        scene.come_before(call)
        before = scene.rows()
        for at in range(len(statements)):
            for moment, within in ways if everything else [ways[(number + at) % len(ways)]]:
                refused = scene.fail(call, Stop(at, moment), in_savepoint=within)
                # What the caller did before is committed if COMMIT was not refused, or only that of the savepoint.
                there = scene.mine(), scene.rows()
                assert there == (within or not refused, before), f"{call}, {moment} {statements[at]}, {within=}"
