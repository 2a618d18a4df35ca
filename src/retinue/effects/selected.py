"""Many changes at once, as a table that statements read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy.engine import CursorResult
from sqlalchemy.sql.selectable import FromClause

from retinue.effects.changed import Changed
from retinue.work import Work
from retinue.work.building import OPTION


class Selected(NamedTuple):
    """Changes of one kind that were just made, many of them."""

    #: Their columns.
    changed: Changed
    #: Their users, ascending: ``person``, ``more_followers`` and ``more_following``.
    users: FromClause
    #: What statements that read these tables take.
    parameters: Mapping[str, Any]
    #: Returns them as values, for what Python makes row by row.
    values: Callable[[], Sequence[Changed]]
    #: How the names of the statements begin.
    prefix: str

    def run(self, work: Work, name: str, statement: Any) -> CursorResult[Any]:
        """Run *statement*, which reads the changes."""
        named = statement.execution_options(**{OPTION: f"{self.prefix}{name}"})
        return work.connection.execute(named, self.parameters)


def as_sent(rows: Any) -> Any:
    """Let MariaDB read what was sent before what is looked up by it: it locks in the order in which it reads."""
    return rows.prefix_with("STRAIGHT_JOIN", dialect="mysql").prefix_with("STRAIGHT_JOIN", dialect="mariadb")
