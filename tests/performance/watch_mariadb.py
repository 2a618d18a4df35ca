"""MariaDB: the rows that its storage engine was asked for, and EXPLAIN."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.performance.watched import Watch, Watched, Work, counted, explaining, session_of, tables_in


class MariaDBWatch(Watch):
    """Counts what the server asks its tables for, those that it makes for itself included."""

    def once(self, work: Work) -> Watched:
        seen = Watched(statements=counted(self.engine, work))
        self._explain(work, seen)
        with session_of(self.engine) as (session, connection):
            cursor: Any = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]
            before = _rows_read(cursor)
            work(session)
            session.flush()
            seen.work = _rows_read(cursor) - before
        return seen

    def _explain(self, work: Work, seen: Watched) -> None:
        with session_of(self.engine) as (session, connection):
            cursor: Any = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]

            def explain(statement: str, parameters: Any) -> None:
                if statement.startswith("INSERT") and "SELECT" not in statement:
                    return  # its plan names the table that it inserts into, of which nothing is read
                cursor.execute(f"EXPLAIN FORMAT=JSON {statement}", parameters)
                ((text,),) = cursor.fetchall()
                seen.plans.append(text)
                known = tables_in(statement)
                for table in _tables(json.loads(text)):
                    name, access = table.get("table_name"), table.get("access_type")
                    if name in known and access in ("ALL", "index"):
                        seen.scans.append(f"{known[name]}: {access} {table.get('key', '')}")

            with explaining(connection, explain):
                work(session)
                session.flush()


def _rows_read(cursor: Any) -> int:
    # With what the storage engine looks at and refuses by itself, which is not among the rows that it gives.
    cursor.execute(
        "SHOW SESSION STATUS WHERE Variable_name LIKE 'Handler_read%' OR Variable_name = 'Handler_icp_attempts'"
    )
    return sum(int(value) for _, value in cursor.fetchall())


def _tables(plan: Any) -> Iterator[dict[str, Any]]:
    """Yield each table of a plan, however deep."""
    if isinstance(plan, list):
        for part in plan:
            yield from _tables(part)
    elif isinstance(plan, dict):
        if "table_name" in plan:
            yield plan
        for part in plan.values():
            yield from _tables(part)
